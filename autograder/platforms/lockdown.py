"""Closes the container's folders to every user but root, and kills whatever a submission has left running.

The platform recreates `submission` and `results` before each run, so owners and modes are set when we start.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import stat
import time
from pathlib import Path

from autograder.errors import EngineError
from autograder.platforms.places import Places

_GIVE_UP_SECONDS = 5.0  # by then a process must be stuck in the kernel
# Where a container sees how often its memory ran out: cgroup v2 and v1.
_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


def close_to_others(places: Places) -> None:
    """Nobody but us may enter the folders or read the files.

    The root is closed too: if one of the platform's mounts refuses new modes, nobody can reach it anyway.

    Raises:
        EngineError: we are root, but something stays open.
    """
    for path in (places.root, *places.secret):
        with contextlib.suppress(OSError):
            if os.geteuid() == 0:
                os.chown(path, 0, 0, follow_symlinks=False)
            mode = path.stat(follow_symlinks=False).st_mode
            if not stat.S_ISLNK(mode):
                path.chmod(0o600 if stat.S_ISREG(mode) and not mode & stat.S_IXUSR else 0o700)
    if os.geteuid() == 0:
        for path in places.secret:
            if path.exists() and not _is_closed(path, places.root):
                raise EngineError(f"{path} is open to other users, and its mode cannot be changed")


def open_results(places: Places) -> None:
    """For whoever collects the result, who may not be root. Call this only when nothing of the submission is left."""
    if places.results is not None:
        with contextlib.suppress(OSError):
            places.results.chmod(0o755)
            places.root.chmod(0o711)


def end_all(places: Places) -> None:
    """Kills all our descendants until none is left.

    Call `confinement.adopt_orphans` first, so that every orphan stays our descendant. In the container we are alone, so
    there every process of a user without an account (as workers are) is killed too, and its files are removed.

    Raises:
        EngineError: a process does not die.
    """
    give_up = time.monotonic() + _GIVE_UP_SECONDS
    while left := _descendants() | (_of_strangers() if places.is_container else set()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
        for pid in left:  # our children, and orphans that became our children
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > give_up:
            raise EngineError(f"processes that cannot be ended: {', '.join(map(str, sorted(left)))}")
    if places.is_container:
        _remove_files_of_strangers()


def kills_for_memory() -> int:
    """How often the kernel has killed a process of this container because memory ran out; 0 if it does not say."""
    for path in _COUNTERS:
        with contextlib.suppress(OSError, ValueError):
            fields = dict(line.split() for line in Path(path).read_text().splitlines())
            if "oom_kill" in fields:
                return int(fields["oom_kill"])
    return 0


def _is_closed(path: Path, root: Path) -> bool:
    """Whether file modes keep other users (who share no group with us) away from `path`."""
    inside = [part for part in (path, *path.parents) if part == root or root in part.parents]
    return any(part.stat().st_mode & stat.S_IRWXO == 0 for part in inside)


def _descendants() -> set[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), []) if pid not in found]
        found.update(new)
        waiting += new
    return found


def _of_strangers() -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            # The folder's owner would not do: it is root for a process that refuses debuggers.
            fields = dict(line.split(":", 1) for line in (folder / "status").read_text(errors="replace").splitlines())
            is_dead = fields["State"].strip()[0] in "ZX"
            if not is_dead and not all(_has_account(int(uid)) for uid in fields["Uid"].split()):
                found.add(int(folder.name))
    return found


def _remove_files_of_strangers() -> None:
    for shared in _SHARED_FOLDERS:
        with contextlib.suppress(OSError), os.scandir(shared) as listing:
            for entry in listing:
                with contextlib.suppress(OSError):
                    is_file = not entry.is_dir(follow_symlinks=False)
                    if is_file and not _has_account(entry.stat(follow_symlinks=False).st_uid):
                        Path(entry.path).unlink()


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
