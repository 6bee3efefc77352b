"""The files beside a submission, in the worker's own folder: its code can read them and import from them.

In tracebacks and counts of lines, their code has the names that the student gave the files.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
import types
from collections.abc import Sequence
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path

_READ_ONLY = 0o444  # what a submission does to its files would show in the next check if it had the same worker
_sources: dict[str, str] = {}


def put(files: Sequence[tuple[str, int]], contents: bytearray) -> None:
    """Writes the files (name, size), whose `contents` follow each other, into the working directory."""
    start = 0
    for name, size in files:
        with contextlib.suppress(OSError):  # a name too long, or that of a folder: then it is not there
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READ_ONLY), "wb") as file:
                file.write(contents[start : start + size])
        start += size
    if files:
        provide(Path.cwd())


def provide(folder: Path) -> None:
    """Lets code import what lies in `folder`, before anything else."""
    if str(folder) in sys.path:
        return

    def find(path: str) -> FileFinder:
        if not Path(path).is_relative_to(folder):
            raise ImportError
        return FileFinder(path, (_Loader, [".py"]))

    _Loader.folder = folder
    sys.path_hooks.insert(0, find)
    sys.path.insert(0, str(folder))


def sources() -> list[str]:
    """The code of the files that have been imported."""
    return list(_sources.values())


class _Loader(SourceFileLoader):
    folder: Path

    def get_code(self, fullname: str) -> types.CodeType:
        label = Path(self.path).relative_to(self.folder).as_posix()
        source = _sources[label] = self.get_source(fullname) or ""
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
        return compile(source, label, "exec", dont_inherit=True)
