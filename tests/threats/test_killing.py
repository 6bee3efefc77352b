"""Threat 4: ending or stopping the judge, the zygote or any other process."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
def attacked(x):
    # Signal 0 needs the same permission as any other and does no harm if it is allowed.
    parent = os.getppid()
    for pid in (parent, parent - 1, parent + 1, 1, 0, -1, -parent, -os.getpid(), 2**31 - 1):
        attempt(f"kill {pid}", lambda: os.kill(pid, 0) or True)
        attempt(f"tgkill {pid}", lambda: system(libc.tgkill(pid, pid, 0)))
        attempt(f"tkill {pid}", lambda: system(libc.syscall(200 if os.uname().machine == "x86_64" else 130, pid, 0)))
        attempt(f"sigqueue {pid}", lambda: system(libc.sigqueue(pid, 0, None)))
    attempt("group", lambda: os.killpg(0, 0) or True)
    attempt("group of the parent", lambda: os.killpg(os.getpgid(parent), 0) or True)
    attempt("pidfd", lambda: system(libc.syscall(434, parent, 0)))
    attempt("pidfd_send_signal", lambda: system(libc.syscall(424, 0, 0, None, 0)))
    verdict()
""")
def test_signals_to_others_are_refused(result):
    result.was_refused("seccomp")


@attack("""
import fcntl


def attacked(x):
    parent = os.getppid()
    reader, writer = os.pipe()
    for fd in (3, reader):
        attempt("owner", lambda: fcntl.fcntl(fd, 8, parent) == 0)  # F_SETOWN
        attempt("group", lambda: fcntl.fcntl(fd, 8, -parent) == 0)
        attempt("signal", lambda: fcntl.fcntl(fd, 10, 9) == 0)  # F_SETSIG to SIGKILL
        attempt("owner by type", lambda: system(libc.fcntl(fd, 15, (ctypes.c_int * 2)(1, parent))) )  # F_SETOWN_EX
        attempt("owner by ioctl", lambda: system(libc.ioctl(fd, 0x8901, ctypes.byref(ctypes.c_int(parent)))))  # FIOSETOWN
        attempt("owner by socket", lambda: system(libc.ioctl(fd, 0x8902, ctypes.byref(ctypes.c_int(parent)))))  # SIOCSPGRP
    verdict()
""")
def test_the_kernel_cannot_be_asked_to_send_signals_for_the_worker(result):
    """A pipe or socket sends its owner a signal of choice, which bypasses a filter for kill(2)."""
    result.was_refused("seccomp")


@attack("""
def attacked(x):
    parent, limits = os.getppid(), (ctypes.c_uint64 * 2)(2**63, 2**63)
    for pid in (parent, parent - 1, 1):
        attempt("limits", lambda: system(libc.prlimit(pid, 0, None, limits)))
        attempt("affinity", lambda: os.sched_setaffinity(pid, {0}) or True)
        attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19) or True)
        attempt("scheduler", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)) or True)
        attempt("group", lambda: os.setpgid(pid, pid) or True)
        attempt("out of memory first", lambda: open(f"/proc/{pid}/oom_score_adj", "w").write("1000"))
    verdict()
""")
def test_limits_and_priorities_of_others_are_out_of_reach(result):
    result.was_refused("seccomp", "landlock")


@attack("""
def attacked(x):
    attempt("outlive the parent", lambda: system(libc.prctl(1, 0, 0, 0, 0)))  # PR_SET_PDEATHSIG
    attempt("let debuggers in", lambda: system(libc.prctl(4, 1, 0, 0, 0)))  # PR_SET_DUMPABLE
    attempt("type for the user", lambda: system(libc.ioctl(0, 0x5412, b"x")))  # TIOCSTI
    verdict()
""")
def test_the_worker_cannot_undo_what_keeps_it_on_the_leash(result):
    result.was_refused("seccomp")


@attack("""
def attacked(x):
    import signal
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        pass
""")
def test_ignoring_all_signals_does_not_help(result):
    result.failed_alone("did not return")
