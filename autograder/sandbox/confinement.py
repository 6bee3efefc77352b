"""What a worker may not do, in layers: each is used if the machine has it, and reported if it does not.

The order matters: privileges are needed to drop them, so the uid goes before `no_new_privs`; Landlock needs
`no_new_privs`; seccomp comes last because it forbids the calls that set up the rest. See landlock(7), seccomp(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import resource
import signal
import stat
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import landlock
    import pyseccomp
except (ImportError, OSError, RuntimeError) as _error:  # not Linux, or libseccomp is missing
    _missing = str(_error)
    landlock = pyseccomp = None
else:
    _missing = ""

MB = 2**20
_GPU_LIBRARIES_MB = 4_096
WITHOUT = "AUTOGRADER_WITHOUT_LAYERS"  # an environment variable for tests: comma-separated layers to leave out

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 1, 4, 38, 36
_PR_SET_KEEPCAPS, _CAP_DAC_READ_SEARCH = 8, 2
_CLONE_THREAD = 0x00010000
_LIBRARY = re.compile(r"\.so[.\d]*$")

# Nothing in a course on networks needs these. What is not listed here stays allowed, so that honest imports work.
# The last ones are here because Landlock ignores changes of mode, owner, times and attributes: a worker without its own
# uid could make any of the user's files unreadable.
_REFUSED = """
    socket socketpair connect bind listen accept accept4 sendmsg sendmmsg recvmsg recvmmsg
    fork vfork execve execveat
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
    pidfd_open pidfd_getfd pidfd_send_signal tkill rt_sigqueueinfo rt_tgsigqueueinfo
    io_uring_setup io_uring_enter io_uring_register io_setup
    keyctl add_key request_key
    unshare setns mount umount umount2 pivot_root chroot
    open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
    setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset personality
    bpf perf_event_open userfaultfd memfd_create memfd_secret
    shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl semtimedop
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark
    init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl syslog
    settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm modify_ldt
    name_to_handle_at open_by_handle_at lookup_dcookie vhangup setpriority ioprio_set
    sched_setaffinity sched_setscheduler sched_setattr sched_setparam migrate_pages move_pages
    chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
"""
# Too new for some versions of libseccomp, which do not know the names. From 424 on, the numbers are the same on every
# architecture: fchmodat2, setxattrat, removexattrat, open_tree_attr, file_setattr.
_REFUSED_NUMBERS = (452, 463, 466, 467, 469)
# Calls refused for one value of one argument, given as (call, position, value).
_REFUSED_VALUES = (
    ("prctl", 0, _PR_SET_PDEATHSIG),  # would outlive the zygote
    ("prctl", 0, _PR_SET_DUMPABLE),  # would let others of the same uid in
    ("fcntl", 1, 8),  # F_SETOWN: the kernel sends signals to other processes of the same uid on the worker's behalf
    ("fcntl", 1, 10),  # F_SETSIG
    ("fcntl", 1, 15),  # F_SETOWN_EX
    ("ioctl", 1, 0x8901),  # FIOSETOWN
    ("ioctl", 1, 0x8902),  # SIOCSPGRP
    ("ioctl", 1, 0x5412),  # TIOCSTI
    ("ioctl", 1, 0x40086602),  # FS_IOC_SETFLAGS
    ("ioctl", 1, 0x401C5820),  # FS_IOC_FSSETXATTR
)


def refuse_debuggers() -> None:
    """Makes this process unreadable to others with the same uid: no ptrace, no /proc/<pid>/mem, environ or fd."""
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Makes every orphaned descendant a child of this process, which can then end it."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Makes the kernel kill this process when its parent dies; `parent` is the parent's pid at the time of the fork."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def choose_uid() -> int | None:
    """A random, high uid that exists in this user namespace, or None if this process may not change its uid."""
    if os.geteuid() != 0:
        return None
    size = 2**32
    with contextlib.suppress(OSError, ValueError):
        size = max(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines())
    low, high = (1_000_000, min(size, 2**31) - 1) if size > 2_000_000 else (size // 2, size - 2)
    return low + int.from_bytes(os.urandom(4), "little") % (high - low)


def confine(*, scratch: Path, uid: int | None, memory_mb: int, gpu: bool = False) -> dict[str, str]:
    """Locks the calling process down, for good. Returns for each layer "" if it is active, else why not.

    `scratch` is the only folder that the process can write to afterwards; `memory_mb` is in addition to what it has
    mapped now. With `gpu` it can use the NVIDIA driver's devices and files, and its memory is not limited until
    `limit_data` is called.
    """
    parent = os.getppid()
    os.umask(0o077)
    os.chdir(scratch)
    with contextlib.suppress(OSError):
        # If memory runs out anyway, the kernel should kill the worker and nothing else.
        Path("/proc/self/oom_score_adj").write_text("1000")
    layers: dict[str, Callable[[], None]] = {
        "rlimits": lambda: _limit_resources(None if gpu else memory_mb, own_uid=uid is not None),
        "uid": lambda: _change_uid(uid),
        "no_new_privs": lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        "landlock": lambda: _limit_files(scratch, gpu=gpu),
        "seccomp": lambda: _limit_syscalls(gpu=gpu),
    }
    skipped = os.environ.pop(WITHOUT, "").split(",")
    report = {}
    for name, apply in layers.items():
        try:
            if name in skipped:
                raise OSError(f"switched off by {WITHOUT}")
            apply()
            report[name] = ""
        except Exception as error:  # whatever a layer lacks, the next ones must still be applied
            report[name] = str(error) or type(error).__name__
        if name == "uid":  # a change of uid resets both
            refuse_debuggers()
            die_with_parent(parent)
        if name == "landlock" and report[name]:
            _keep_capability(None)
    return report


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _limit_resources(memory_mb: int | None, *, own_uid: bool) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 16 * MB,
        # An open file that was unlinked does not count in any folder's size. CUDA opens its devices many times.
        resource.RLIMIT_NOFILE: 64 if memory_mb is not None else 512,
    }
    if pages:
        if memory_mb is not None:
            limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + memory_mb * MB
        limits[resource.RLIMIT_MEMLOCK] = 0
        limits[resource.RLIMIT_MSGQUEUE] = 0
        limits[resource.RLIMIT_SIGPENDING] = 64
    # This limits threads too. The count is per uid: for an ordinary user it includes the desktop.
    limits[resource.RLIMIT_NPROC] = 64 if own_uid else 4096
    for name, value in limits.items():
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))


def limit_data(memory_mb: int) -> None:
    """Limits what the calling process, which has started CUDA, can write to in addition. Unlike the address space, of
    which CUDA reserves far more than there is memory. Its libraries, which it loads when they are needed, have some."""
    pages = int(Path(f"/proc/self/task/{os.getpid()}/statm").read_text().split()[5])  # the one place that it may read
    limit = pages * resource.getpagesize() + (memory_mb + _GPU_LIBRARIES_MB) * MB
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _change_uid(uid: int | None) -> None:
    if uid is None:
        raise PermissionError("only root can give the worker its own uid")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    if all(_is_open_to_all(Path(path)) for path in _package_folders()):
        os.setresuid(uid, uid, uid)
        return
    # The interpreter is in a private folder (pyenv in /root, say). Otherwise the student could import nothing, so the
    # worker may ignore file modes when it reads; Landlock decides what it reads, and without Landlock this is revoked.
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    _keep_capability(_CAP_DAC_READ_SEARCH)


def _is_open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder.resolve(), *folder.resolve().parents))


def _keep_capability(number: int | None) -> None:
    """Drops every capability except this one (capset(2), version 3)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    mask = 0 if number is None else 1 << number
    data = (ctypes.c_uint32 * 6)(mask, mask)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _package_folders() -> set[str]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages", "lib-dynload")}
    return {path for path in paths if os.path.exists(path)}  # noqa: PTH110


def readable_paths() -> list[str]:
    """The interpreter, its libraries and the installed packages, but nothing of the course."""
    paths = _package_folders()
    paths |= {
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/etc/ld.so.cache",
        "/usr/share/zoneinfo",
    }
    paths |= {str(path) for path in Path(sys.base_prefix, "lib").glob("*.so*")}
    return sorted(path for path in paths if path and os.path.exists(path))  # noqa: PTH110


def _limit_files(scratch: Path, *, gpu: bool) -> None:
    if landlock is None:
        raise OSError(_missing)
    ctypes.set_errno(0)  # the library mistakes a stale errno for its own error
    access = landlock.FSAccess
    rules = landlock.Ruleset()
    for path in readable_paths():
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116
        read = access.READ_FILE | access.EXECUTE
        rules.allow(path, rules=read | access.READ_DIR if is_folder else read)
    for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
        if os.path.exists(device):  # noqa: PTH110
            rules.allow(device, rules=access.READ_FILE | (access.WRITE_FILE if device == "/dev/null" else access(0)))
    if gpu:
        _allow_gpu(rules, access)
    made = access.MAKE_REG | access.MAKE_DIR | access.REMOVE_DIR | access.REMOVE_FILE
    handled = access.all()
    rules.allow(
        scratch,
        rules=(access.READ_FILE | access.WRITE_FILE | access.READ_DIR | made | access.TRUNCATE) & handled,
    )
    rules.apply()


def _allow_gpu(rules: Any, access: Any) -> None:
    """Allows what the driver's library opens: its devices, libraries that are not with the system's, the names of its
    own threads, and the kernel's information on devices, memory and CPUs."""
    handled = access.all()
    use = access.READ_FILE | access.WRITE_FILE
    if hasattr(access, "IOCTL_DEV"):
        use |= access.IOCTL_DEV
    devices = [path for path in Path("/dev").glob("nvidia*") if path.is_char_device()]
    devices += [path for path in (Path("/dev/dxg"), *Path("/dev/nvidia-caps").glob("*")) if path.is_char_device()]
    for path in devices:
        rules.allow(str(path), rules=use & handled)
    for library in _driver_libraries():
        rules.allow(str(library), rules=access.READ_FILE | access.EXECUTE)
    # From version 570 on, the driver does not start if it cannot name its threads.
    rules.allow(f"/proc/{os.getpid()}/task", rules=(use | access.READ_DIR | access.TRUNCATE) & handled)
    for folder in (
        "/proc/driver/nvidia",
        "/proc/driver/nvidia-uvm",
        "/sys/module/nvidia",
        "/sys/devices/system",
        "/sys/bus/pci",
        "/usr/share/nvidia",
    ):
        if os.path.exists(folder):  # noqa: PTH110
            rules.allow(folder, rules=access.READ_FILE | access.READ_DIR)
    for file in ("/proc/devices", "/proc/modules", "/proc/meminfo", "/proc/cpuinfo", f"/proc/{os.getpid()}/maps"):
        if os.path.exists(file):  # noqa: PTH110
            rules.allow(file, rules=access.READ_FILE)


def _driver_libraries() -> list[Path]:
    """The NVIDIA driver's libraries where containers, NixOS and the user's LD_LIBRARY_PATH have them. Only libraries:
    anything else may lie beside them."""
    folders = ["/usr/local/nvidia/lib", "/usr/local/nvidia/lib64", "/run/opengl-driver/lib"]
    folders += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [
        file
        for folder in map(Path, folders)
        if folder.is_absolute()
        for file in folder.glob("*.so*")
        if file.is_file() and _LIBRARY.search(file.name)
    ]


def _limit_syscalls(*, gpu: bool) -> None:
    if pyseccomp is None:
        raise OSError(_missing)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    argument = pyseccomp.Arg
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    # Threads are allowed, processes are not. clone3 hides its flags behind a pointer; glibc falls back to clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(refuse, "clone", argument(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0))
    for call in ("kill", "tgkill"):
        rules.add_rule(refuse, call, argument(0, pyseccomp.NE, os.getpid()))
    rules.add_rule(refuse, "prlimit64", argument(0, pyseccomp.NE, 0))
    for name, position, value in _REFUSED_VALUES:  # compared in 32 bits, as the kernel does
        rules.add_rule(refuse, name, argument(position, pyseccomp.MASKED_EQ, 0xFFFFFFFF, value))
    for number in _REFUSED_NUMBERS:
        rules.add_rule(refuse, number)
    for call in _REFUSED.split():
        if gpu and call == "memfd_create":  # the driver shares memory with itself this way
            continue
        try:
            rules.add_rule(refuse, call)
        except OSError as error:
            if error.errno not in (
                errno.EFAULT,
                errno.EINVAL,
                errno.EDOM,
            ):  # a call this architecture does not have
                raise
    rules.load()
