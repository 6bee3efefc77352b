"""Threat 2: writing results, the engine, packages, caches, or the next submission."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
def append(path):
    # Opened but not changed: an attack that succeeds must not do harm here.
    return open(path, "a").writable()


def attacked(x):
    import torch
    for path in [GRADER, SOLUTION, METADATA, NEIGHBOUR, OTHERS_FILE, RESULTS + "/000_witness.py.json", ENGINE + "/cli.py",
                 ENGINE + "/sandbox/worker.py", torch.__file__, os.__file__, "/etc/passwd", "/dev/zero", "/dev/tty",
                 "/proc/self/oom_score_adj", f"/proc/{os.getppid()}/oom_score_adj", "/proc/sys/kernel/core_pattern"]:
        attempt(path, append, path)
    verdict()
""")
def test_existing_files_cannot_be_written(result):
    result.was_refused("landlock")


@attack("""
def create(path):
    return open(path, "x").writable()


def attacked(x):
    folders = [ARCHIVE, COURSE, COURSE + "/graders/attack", SUBMISSIONS, RESULTS, ENGINE, PACKAGES, TEMPORARY, HOME, "/", "/tmp",
               "/var/tmp", "/dev/shm", "/run", os.path.dirname(os.__file__), os.path.dirname(ENGINE)]
    for folder in folders:
        stray = folder + "/stray-of-a-submission"
        attempt(folder, create, stray + ".pth")
        attempt(folder + " folder", lambda: os.mkdir(stray) or True)
        attempt(folder + " link", lambda: os.symlink(GRADER, stray) or True)
        attempt(folder + " pipe", lambda: os.mkfifo(stray) or True)
        attempt(folder + " nameless", lambda: os.open(folder, os.O_TMPFILE | os.O_WRONLY))
        open("mine", "w").close()
        attempt(folder + " rename", lambda: os.rename("mine", stray) or True)
        attempt(folder + " hard link", lambda: os.link("mine", stray) or True)
    verdict()
""")
def test_new_files_cannot_be_put_anywhere(result):
    result.was_refused("landlock")


@attack("""
def attacked(x):
    open("mine", "w").close()
    for path in (GRADER, SOLUTION, NEIGHBOUR, METADATA, RESULTS + "/000_witness.py.json"):
        attempt("truncate", lambda: os.truncate(path, 0) or True)
        attempt("remove", lambda: os.remove(path) or True)
        attempt("rename", lambda: os.rename(path, path + ".old") or True)
        attempt("swap", lambda: system(libc.renameat2(-100, path.encode(), -100, b"mine", 2)))
    attempt("folder", lambda: os.rename(SUBMISSIONS, SUBMISSIONS + ".old") or True)
    verdict()
""")
def test_existing_files_cannot_be_removed_or_emptied(result):
    result.was_refused("landlock")


@attack("""
def attacked(x):
    for path in (GRADER, NEIGHBOUR, COURSE, SUBMISSIONS, RESULTS, TEMPORARY, os.__file__):
        attempt("mode", lambda: os.chmod(path, 0) or True)
        attempt("mode of a link", lambda: system(libc.fchmodat(-100, path.encode(), 0, 0)))
        attempt("fchmodat2", lambda: system(libc.syscall(452, -100, path.encode(), 0, 0)))
        attempt("owner", lambda: os.chown(path, -1, -1) or True)
        attempt("times", lambda: os.utime(path, (0, 0)) or True)
        attempt("attribute", lambda: os.setxattr(path, "user.stray", b"1") or True)
        attempt("no attribute", lambda: os.removexattr(path, "user.stray") or True)
        attempt("setxattrat", lambda: system(libc.syscall(463, -100, path.encode(), 0, 0, 0, 0)))
    attempt("open mode", lambda: os.fchmod(os.open(os.__file__, os.O_RDONLY), 0) or True)
    verdict()
""")
def test_modes_owners_and_times_cannot_be_changed(result):
    """Landlock does not check these, and an ordinary user's worker has the user's own uid."""
    result.was_refused("seccomp")


@attack("""
import py_compile


def attacked(x):
    source = os.path.join(os.getcwd(), "evil.py")
    open(source, "w").write("raise SystemExit")
    for folder in (ENGINE, PACKAGES + "/torch", os.path.dirname(os.__file__), COURSE + "/graders/attack"):
        attempt(folder, py_compile.compile, source, f"{folder}/__pycache__/stray-of-a-submission.pyc", None, True)
    broken[:] = [text for text in broken if "PyCompileError" not in text]
    verdict()
""")
def test_bytecode_caches_cannot_be_poisoned(result):
    result.was_refused("landlock")


@attack("""
def attacked(x):
    with open("notes.txt", "w") as file:
        file.write("mine")
    import tempfile
    with tempfile.TemporaryFile() as file:
        file.write(b"mine")
    os.makedirs("a/b/c", exist_ok=True)
    open(os.path.expanduser("~/in_home"), "w").close()
    return 3 * x
""")
def test_the_workers_own_folder_can_be_used(result):
    assert result.data["score"] == 12
