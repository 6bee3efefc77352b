"""The other files that a submission may hold: `[submission] files` in assignment.toml, and what a student hands in of
them. They are read once, with the submission, and are data to everybody but the worker."""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Sequence

import msgspec

from autograder.submissions.places import MAX_DEPTH, Parts, Place
from autograder.submissions.sources import MB, SubmissionError, in_utf8, shown

MOST_FILES = 50
FILE_CAP, TOTAL_CAP = 8 * MB, 16 * MB
_SHOWN = 3  # of the files that were left out
_INSTALLED = {"torch", "torchvision", "numpy", "matplotlib", "IPython", "tqdm", "autograder"}


class OtherFile(msgspec.Struct, frozen=True):
    """`name` is relative to the folder of the file that is graded, with slashes."""

    name: str
    data: bytes

    @property
    def is_code(self) -> bool:
        return self.name.endswith(".py")

    @property
    def source(self) -> str:
        return self.data.decode("utf-8-sig", "replace") if self.is_code else ""


def mistake_in(pattern: str, module: str) -> str:
    """Why assignment.toml must not have this pattern; empty if it may."""
    parts = pattern.split("/")
    if re.match(r"/|[A-Za-z]:|~", pattern) or "\\" in pattern or {"", ".", ".."} & set(parts):
        return "is not the relative path of a file, such as data/*.npy"
    if len(parts) > MAX_DEPTH + 1:
        return f"is more than {MAX_DEPTH} folders deep"
    return f"would hide {hidden}" if (hidden := _hidden_by(tuple(parts), module)) else ""


def is_allowed(parts: Parts, patterns: Sequence[str]) -> bool:
    """Whether the file is one of those that a submission may hold."""
    return not any(part.startswith(".") for part in parts) and any(
        len(wanted) == len(parts) and all(map(fnmatch.fnmatchcase, parts, wanted))
        for wanted in (pattern.split("/") for pattern in patterns)
    )


def only_graded(patterns: Sequence[str]) -> str:
    """Tells a student, whose code misses a file, which files are there."""
    if not patterns:
        return "Only one file is graded: files beside it are not there, so put your code into that file."
    return f"Only one file is graded, with {', '.join(patterns)} beside it: other files are not there."


def read_allowed(
    found: Sequence[Parts], place: Place, module: str, patterns: Sequence[str]
) -> tuple[tuple[OtherFile, ...], tuple[str, ...]]:
    """The files in the folder of the one that was found which may be there, and a sentence for each that may not."""
    folder = found[0][:-1]
    names = place.names(len(folder) + max(pattern.count("/") for pattern in patterns))
    inside = {parts[len(folder) :] for parts in names if parts[: len(folder)] == folder and parts not in found}
    files: list[OtherFile] = []
    left_out: list[str] = []
    total = 0
    for parts in sorted(parts for parts in inside if parts and is_allowed(parts, patterns)):
        name = "/".join(parts)
        own = parts[-1] in (f"{module}.py", f"{module}.ipynb", f"test_{module}.py")
        if own or place.is_folder((*folder, *parts)):
            continue
        if why := _obstacle(parts, module, len(files)):
            left_out.append(f"{shown(name)} was left out: {why}.")
            continue
        try:
            data = place.read((*folder, *parts), FILE_CAP)
        except SubmissionError as error:
            left_out.append(f"{str(error).rpartition('; ')[0]}, so it was left out.")
            continue
        total += len(data)
        if total > TOTAL_CAP:
            left_out.append(f"{name} was left out: the files beside your code may have {TOTAL_CAP // MB} MB in all.")
            break
        files.append(OtherFile(name, in_utf8(data) if name.endswith(".py") else data))
    more = [f"{len(left_out) - _SHOWN} more files were left out."] if len(left_out) > _SHOWN else []
    return tuple(files), (*left_out[:_SHOWN], *more)


def _obstacle(parts: Parts, module: str, count: int) -> str:
    if not all(part.isprintable() for part in parts):
        return "its name contains characters that cannot be printed"
    if hidden := _hidden_by(parts, module):
        return f"it would hide {hidden}, so give it another name"
    return f"there may be {MOST_FILES} files beside your code" if count >= MOST_FILES else ""


def _hidden_by(parts: Parts, module: str) -> str:
    """What `import` would find no longer if this file were there."""
    if not parts[-1].endswith(".py"):
        return ""
    name = parts[0].removesuffix(".py")
    return f"the module {name}" if name in {module, *sys.stdlib_module_names, *_INSTALLED} else ""
