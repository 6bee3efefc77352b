"""Threat 1: reading graders, solutions, metadata, other submissions, the environment, other processes."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
def read(path):
    return open(path, "rb").read(64)


def attacked(x):
    parent = os.getppid()
    own = ["environ", "maps", "mem", "cmdline", "stack", "auxv", "mountinfo"]
    others = ["environ", "maps", "mem", "cmdline", "status", "stat"]
    for path in [GRADER, SOLUTION, METADATA, NEIGHBOUR, OTHERS_FILE, RESULTS + "/000_witness.py.json",
                 "/etc/passwd", "/etc/shadow", "/root/.bashrc", ENGINE + "/cli.py",
                 *(f"/proc/self/{name}" for name in own),
                 *(f"/proc/{pid}/{name}" for name in others for pid in (1, parent, parent - 1, parent + 1))]:
        attempt(path, read, path)
    for folder in [ARCHIVE, "/", "/tmp", "/proc", "/proc/self/fd", "/root", "/home", COURSE, SUBMISSIONS, RESULTS, TEMPORARY, ENGINE]:
        attempt(folder, os.listdir, folder)
    verdict()
""")
def test_files_and_folders_cannot_be_read(result):
    result.was_refused("landlock")


@attack("""
def through(make, path):
    make(path, "link")
    return open("link").read()


def by_descriptor(path):
    folder = os.open(os.path.dirname(path), os.O_PATH)
    return os.read(os.open(os.path.basename(path), os.O_RDONLY, dir_fd=folder), 10)


def by_handle(path):
    handle = (ctypes.c_uint32 * 34)(128)
    return system(libc.name_to_handle_at(-100, path.encode(), handle, ctypes.byref(ctypes.c_int()), 0))


def attacked(x):
    for path in (GRADER, SOLUTION, NEIGHBOUR):
        attempt("hard link", through, os.link, path)
        attempt("symbolic link", through, os.symlink, path)
        attempt("descriptor", by_descriptor, path)
        attempt("handle", by_handle, path)
        attempt("rename", os.rename, path, "mine")
    for name in ("cwd", "root", "exe", "fd/0"):
        attempt(name, os.readlink, f"/proc/{os.getppid()}/{name}")
    verdict()
""")
def test_detours_to_a_file_are_closed(result):
    result.was_refused("landlock", "seccomp")


@attack("""
import gc, re, linecache

LOOT = re.compile("zq[x][0-9a-f]{24}")


def attacked(x):
    def texts():
        for thing in gc.get_objects():
            if type(thing) is dict:
                yield from (str(value) for value in list(thing.values()) if type(value) in (str, bytes))
            elif type(thing) in (list, tuple):
                yield from (str(value) for value in list(thing) if type(value) in (str, bytes))

    attempt("objects", lambda: [text for text in texts() if LOOT.search(text)])
    attempt("environment", lambda: [name for name in os.environ if "SECRET" in name or LOOT.search(os.environ[name])])
    attempt("modules", lambda: [name for name in list(sys.modules) if name.partition(".")[0] in
                                ("pytest", "_pytest", "hypothesis", "test_attack", "nbformat")
                                or name.startswith(("autograder.grading", "autograder.results"))])
    attempt("sources", lambda: [name for name in linecache.cache if "graders" in name or "solutions" in name])
    attempt("arguments", lambda: [text for text in sys.argv + sys.orig_argv if LOOT.search(text) or "test_attack" in text])
    verdict()
""")
def test_python_objects_hold_nothing_of_the_course(result):
    result.was_refused()


@attack("""
import gc, re


def pages():
    # What the kernel cannot read for a pipe raises EFAULT instead of crashing this process.
    start = ctypes.cast(ctypes.c_void_p.in_dll(libc, "environ").value, ctypes.POINTER(ctypes.c_void_p))[0]
    size = os.sysconf("SC_PAGE_SIZE")
    known = {id(thing) // size for thing in gc.get_objects()} | {id(value) // size for value in vars(sys).values()}
    known |= {id(value) // size for thing in gc.get_objects() if type(thing) is dict for value in thing.values()}
    known.add(start // size)
    source, sink = os.pipe()
    for page in sorted({page + step for page in known for step in range(-64, 65)}):
        if libc.write(sink, ctypes.c_void_p(page * size), ctypes.c_size_t(size)) == size:
            yield os.read(source, size)


def scan():
    seen = 0
    for page in pages():
        seen += 1
        if loot := re.search(rb"zq[x][0-9a-f]{24}", page):
            return loot[0]
    if seen < 1000:
        raise RuntimeError(f"only {seen} pages were read")


def attacked(x):
    attempt("memory", scan)
    verdict()
""")
def test_the_memory_that_the_worker_was_forked_with_holds_nothing_secret(result):
    result.was_refused()


@attack("""
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def attacked(x):
    mine = ctypes.create_string_buffer(64)
    local, remote = Vector(ctypes.addressof(mine), 64), Vector(id(x), 64)
    parent = os.getppid()
    for pid in (parent, parent - 1, parent + 1, 1):
        attempt("process_vm_readv", lambda: system(libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)))
        attempt("process_vm_writev", lambda: system(libc.process_vm_writev(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)))
        for name, request in {"attach": 16, "seize": 0x4206, "peek": 2}.items():
            attempt(f"ptrace {name}", lambda: system(libc.ptrace(request, pid, None, None)))
        attempt("pidfd_open", lambda: system(libc.syscall(434, pid, 0)))
        attempt("memory", lambda: open(f"/proc/{pid}/mem", "r+b"))
    attempt("trace me", lambda: system(libc.ptrace(0, 0, None, None)))
    verdict()
""")
def test_other_processes_cannot_be_traced_or_read(result):
    result.was_refused("seccomp", "landlock")


@attack("""
def inherited():
    found = {}
    for fd in range(1024):
        try:
            found[fd] = os.fstat(fd)
        except OSError:
            pass
    nowhere = os.stat("/dev/null").st_rdev
    return [fd for fd, info in found.items() if fd != 3 and info.st_rdev != nowhere]


def attacked(x):
    attempt("descriptors", inherited)
    attempt("input", lambda: os.read(0, 100) or sys.stdin.read())
    import socket
    attempt("passed on", lambda: socket.socket(fileno=os.dup(3)).recvmsg(100, 100))
    verdict()
""")
def test_no_descriptor_is_inherited_but_the_channel(result):
    result.was_refused("seccomp")


@attack("""
def frames():
    frame, found = sys._getframe(), []
    while frame:
        code = frame.f_code
        found.append((code.co_filename, code.co_name, getattr(code, "co_qualname", ""), code.co_consts, frame.f_globals.get("__name__")))
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if type(value) is str and ("zq" + "x" in value or "hidden_grader" in value):
                found.append(name)
        frame = frame.f_back
    return found


def attacked(x):
    words = "test_attack", "hidden_" + "grader", "graders/", "solutions/", "same_outcome"
    attempt("frames", lambda: [item for item in map(str, frames()) if any(word in item for word in words)
                               and "frames" not in item and "attacked" not in item])
    verdict()
""")
def test_the_frames_above_name_no_grader(result):
    result.was_refused()


@attack("""
import importlib


def attacked(x):
    for name in ("test_attack", "solutions.attack.attack", "graders.attack.test_attack", "conftest", "misconceptions"):
        try:
            importlib.import_module(name)
        except ImportError:
            tried.append(name)
        else:
            got.append(name)
    attempt("path", lambda: [path for path in sys.path if "course" in path or path in ("", ".", SUBMISSIONS)])
    attempt("modules", lambda: [name for name, module in list(sys.modules.items())
                                if COURSE in str(getattr(module, "__file__", ""))])
    verdict()
""")
def test_nothing_of_the_course_can_be_imported(result):
    result.was_refused("landlock")


@pytest.mark.slow
def test_without_confinement_the_same_attack_does_reach_the_graders(own_course, grade):
    """The control: what is refused above would otherwise work."""
    source = """
def attacked(x):
    attempt("grader", lambda: open(GRADER).read())
    attempt("neighbour", lambda: open(NEIGHBOUR).read())
    attempt("folder", os.listdir, COURSE)
    verdict()
"""
    path = own_course.attack("control", source)
    graded = grade(own_course, path, extra={"AUTOGRADER_WITHOUT_LAYERS": "uid,landlock,seccomp"})
    assert "got ['grader', 'neighbour', 'folder'" in graded.results["control.py"].verdict
