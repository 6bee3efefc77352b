"""Threat 9: gaining privileges."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
def attacked(x):
    for name in ("setuid", "seteuid", "setgid", "setegid", "setfsuid"):
        if name != "setfsuid":
            attempt(name, lambda: system(getattr(libc, name)(0)))
    attempt("setresuid", lambda: system(libc.setresuid(0, 0, 0)))
    attempt("setresgid", lambda: system(libc.setresgid(0, 0, 0)))
    attempt("setreuid", lambda: os.setreuid(0, 0) or True)
    attempt("own uid", lambda: os.setuid(os.getuid()) or True)
    attempt("setgroups", lambda: os.setgroups([0]) or True)
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    attempt("capset", lambda: system(libc.capset(header, data)))
    attempt("set-uid file", lambda: (open("root", "w").close(), os.chmod("root", 0o4777)))
    verdict()
""")
def test_no_other_user_can_be_taken_on(result):
    result.was_refused("seccomp")


@attack("""
def attacked(x):
    for name, flag in {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000}.items():
        attempt(f"unshare {name}", lambda: system(libc.unshare(flag)))
        attempt(f"setns {name}", lambda: system(libc.setns(0, flag)))
        attempt(f"clone {name}", lambda: system(libc.syscall(56 if os.uname().machine == "x86_64" else 220, flag | 17, 0, 0, 0, 0)))
    attempt("clone3", lambda: system(libc.syscall(435, (ctypes.c_uint64 * 11)(0x10000000), 88)))
    attempt("mount", lambda: system(libc.mount(b"none", b".", b"tmpfs", 0, None)))
    attempt("umount", lambda: system(libc.umount2(b"/proc", 2)))
    attempt("chroot", lambda: os.chroot(".") or True)
    attempt("pivot_root", lambda: system(libc.syscall(155 if os.uname().machine == "x86_64" else 41, b".", b".")))
    attempt("open_tree", lambda: system(libc.syscall(428, -100, b".", 1)))
    attempt("move_mount", lambda: system(libc.syscall(429, -100, b".", -100, b".", 0)))
    attempt("fsopen", lambda: system(libc.syscall(430, b"tmpfs", 0)))
    attempt("fsmount", lambda: system(libc.syscall(432, 0, 0, 0)))
    attempt("mount_setattr", lambda: system(libc.syscall(442, -100, b".", 0, None, 0)))
    attempt("open_tree_attr", lambda: system(libc.syscall(467, -100, b".", 1, None, 0)))
    verdict()
""")
def test_no_namespace_or_mount_can_be_made(result):
    result.was_refused("seccomp")


@attack("""
X86 = dict(keyctl=250, add_key=248, request_key=249, bpf=321, perf_event_open=298, userfaultfd=323, memfd_create=319,
           personality=135, kcmp=312, quotactl=179, acct=163, swapon=167, iopl=172, modify_ldt=154, syslog=103,
           init_module=175, finit_module=313, kexec_load=246, settimeofday=164, clock_settime=227, sethostname=170)
ARM = dict(keyctl=219, add_key=217, request_key=218, bpf=280, perf_event_open=241, userfaultfd=282, memfd_create=279,
           personality=92, kcmp=272, quotactl=60, acct=89, swapon=224, syslog=116,
           init_module=105, finit_module=273, kexec_load=104, settimeofday=170, clock_settime=112, sethostname=161)
BOTH = dict(io_uring_setup=425, io_uring_enter=426, io_uring_register=427, pidfd_getfd=438, process_madvise=440,
            memfd_secret=447, process_mrelease=448)


def attacked(x):
    for name, number in {**(X86 if os.uname().machine == "x86_64" else ARM), **BOTH}.items():
        attempt(name, lambda: system(libc.syscall(number, 0, 0, 0, 0, 0, 0)))
    verdict()
""")
def test_system_calls_with_a_history_of_holes_are_refused(result):
    result.was_refused("seccomp")


@attack("""
import mmap


def attacked(x):
    if os.uname().machine != "x86_64":
        verdict()
    # mov eax, 20 (getpid of 32 bits); int 0x80; ret
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("b814000000cd80c3"))
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    attempt("32 bits", lambda: function() > 0)
    verdict()
""")
def test_the_table_of_32_bit_calls_is_no_way_round(result):
    if "seccomp" in result.missing_layers():
        pytest.skip(f"no seccomp here: {result.missing_layers()['seccomp']}")
    result.failed_alone(r"not allowed|got \[\] broken \[\]|segmentation fault")
