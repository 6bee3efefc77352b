"""Threat 5: staying behind. Here the attempts are refused; test_aftermath.py checks that nothing stayed behind."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
import multiprocessing, subprocess


def fork():
    if os.fork() == 0:
        os.setsid()
        time.sleep(120)
        os._exit(0)
    return True


def attacked(x):
    attempt("fork", fork)
    attempt("vfork", lambda: system(libc.syscall(58, 0) if os.uname().machine == "x86_64" else -1))
    attempt("spawn", lambda: os.posix_spawn("/bin/sleep", ["sleep", "120"], {}))
    attempt("subprocess", lambda: subprocess.Popen(["sleep", "120"]))
    attempt("shell", lambda: os.system("sleep 120 &") == 0)
    attempt("popen", lambda: os.popen("sleep 120"))
    attempt("multiprocessing", lambda: multiprocessing.get_context("fork").Process(target=time.sleep, args=[120]).start() or True)
    attempt("become another program", lambda: os.execv(sys.executable, [sys.executable, "-c", "while True: pass"]))
    verdict()
""")
def test_no_process_can_be_started(result):
    result.was_refused("seccomp")


@attack("""
def attacked(x):
    attempt("inotify", lambda: system(libc.inotify_init1(0)))
    attempt("fanotify", lambda: system(libc.fanotify_init(0, 0)))
    attempt("message queue", lambda: system(libc.mq_open(b"/stray", 0o102, 0o600, None)))
    attempt("shared memory", lambda: system(libc.shmget(0, 4096, 0o1600)))
    attempt("semaphores", lambda: system(libc.semget(0, 1, 0o1600)))
    attempt("messages", lambda: system(libc.msgget(0, 0o1600)))
    attempt("anonymous file", lambda: os.memfd_create("stray"))
    attempt("kernel's own work queue", lambda: system(libc.syscall(206 if os.uname().machine == "x86_64" else 0, 8, None)))
    verdict()
""")
def test_nothing_that_outlives_a_process_can_be_made(result):
    result.was_refused("seccomp")


@attack("""
import threading


def for_ever():
    while True:
        time.sleep(0.001)


def attacked(x):
    for daemon in (True, False):
        threading.Thread(target=for_ever, daemon=daemon).start()
    return 3 * x
""")
def test_endless_threads_end_with_their_check(result):
    assert result.data["score"] == 12


@attack("""
import atexit, threading

atexit.register(time.sleep, 120)
threading._register_atexit(time.sleep, 120)


def attacked(x):
    atexit.register(time.sleep, 120)
    return 3 * x
""")
def test_handlers_for_the_end_delay_nothing(result):
    assert result.data["score"] == 12


@attack("""
handle = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(handle), None, libc.pause, None)


def attacked(x):
    libc.pthread_create(ctypes.byref(handle), None, libc.pause, None)
    return 3 * x
""")
def test_threads_unknown_to_python_end_with_the_worker(result):
    assert result.data["score"] == 12


DAEMON = """
def daemon():
    if os.fork():
        return os.wait()
    os.setsid()
    for _ in range(3):
        if os.fork() == 0:
            for fd in range(64):
                try:
                    os.close(fd)
                except OSError:
                    pass
            while True:
                open("heartbeat", "w").close()
                time.sleep(0.01)
    os._exit(0)


def attacked(x):
    daemon()
    return 3 * x
"""


@pytest.mark.slow
def test_daemons_die_even_where_seccomp_is_missing(course, grade):
    """The second line of defence: by uid for root, by adopting orphans for everybody."""
    witness = course.submissions / "000_witness.py"
    done = grade(course, course.attack("daemon", DAEMON), witness, extra={"AUTOGRADER_WITHOUT_LAYERS": "seccomp"})
    assert "confinement without seccomp" in done.stderr
    assert done.results["daemon.py"].data["score"] == 12
    assert done.results["000_witness.py"].data["score"] == 12
    assert not course.left_alive()
    assert not course.scratch()
