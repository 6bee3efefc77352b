"""Writes a file so that a reader sees the old content or the new one, even after a crash or on a full disk."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from autograder.errors import UsageError


def replace(path: Path, data: bytes | Iterable[bytes], *, durable: bool = True, mode: int = 0o644) -> None:
    """Writes `data`, or its pieces, to `path` atomically. Whatever is at `path`, a link included, is replaced.

    Without `durable`, a power cut may lose it: meant for files that are quickly made again.

    Raises:
        UsageError: nothing can be written there.
    """
    if not path.parent.is_dir():
        raise UsageError(f"Cannot write {path}: there is no folder {path.parent}; create it or name another place.")
    temporary = path.parent / f".{os.urandom(6).hex()}.tmp"
    try:
        if _is_device(path):
            raise UsageError(f"Cannot write {path}: it is a device; name an ordinary file.")
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}; name another place.") from error


def _is_device(path: Path) -> bool:
    """Replacing /dev/null with a file would destroy it."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
