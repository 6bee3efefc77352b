"""Finds a student's file and the public tests that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.course import read_toml
from autograder.course.assignment import SUBMISSION, Submitted
from autograder.course.finding import not_brought, owned_by_stranger
from autograder.errors import UsageError
from autograder.submissions.other_files import is_allowed
from autograder.submissions.reading import STUB, infer_slug
from autograder.submissions.sources import in_utf8

_OWN = (".py", ".ipynb")


@dataclass(frozen=True)
class Place:
    """The file to check, the module that the tests import, the file of the tests, which other files may be handed in
    (patterns), and what to tell the student about the choice."""

    file: Path
    module: str
    tests: Path
    allowed: tuple[str, ...] = ()
    note: str = ""


def find(file: Path | None, tests: Path | None) -> Place:
    """What `autograder check FILE --tests TESTS` means; without `file`, the one in this folder.

    The tests are looked for next to the file, then in `assignments/` of the course that contains the file or the
    working directory.

    Raises:
        UsageError: there is no file, there are no tests, or it is unclear which ones are meant.
    """
    start = (file or Path.cwd()).resolve()
    if not start.exists():
        raise UsageError(f"There is no file or folder {file}.")
    if start.is_file() and start.suffix.lower() not in (*_OWN, ".zip"):
        raise UsageError(f"{file} is not a Python file or a notebook; name your .py or .ipynb file.")
    folder = start if start.is_dir() else start.parent
    near = _named(tests) if tests else beside(folder)
    brought = [folder] if file and start.is_dir() else []
    known = near if tests else {**of_courses(Path.cwd(), brought), **of_courses(folder, brought), **near}
    if not known:
        where = f"in {tests}" if tests else f"in {folder} or in assignments/ of a folder above it"
        raise UsageError(f"No public tests found: no test_<assignment>.py is {where}; name the file with --tests.")
    if start in {path.resolve() for path in known.values()}:
        raise UsageError(f"{start.name} contains the public tests; name your own file instead.")
    own, note = (start, "") if start.is_file() else _own_file(folder, known, near)
    module = infer_slug(own, sorted(known), lambda name: _allowed(known[name]))
    module = module or (next(iter(near)) if len(near) == 1 else None)
    if module is None:
        names = " or ".join(f"{name}.py" for name in sorted(known))
        raise UsageError(f"Cannot tell what {own.name} is for; rename it to {names}, or name the tests with --tests.")
    tested = known[module].resolve()
    return Place(own, module, tested, _allowed(tested), note)


def _allowed(tests: Path) -> tuple[str, ...]:
    """Which other files may be handed in, as `autograder release` wrote it down."""
    path = tests.resolve().parent / SUBMISSION
    if not path.exists():
        return ()
    try:
        return msgspec.convert(read_toml(path), Submitted).files
    except msgspec.ValidationError as error:
        raise UsageError(f"Correct {path}: {error}.") from error


def _named(tests: Path) -> dict[str, Path]:
    """The tests that --tests names: a file, or all in a folder."""
    if tests.is_dir():
        return beside(tests)
    if not (tests.name.startswith("test_") and tests.suffix == ".py"):
        raise UsageError(f"{tests} is not a file of public tests; those are called test_<assignment>.py.")
    return {tests.stem.removeprefix("test_"): tests}


def beside(folder: Path) -> dict[str, Path]:
    return {path.stem.removeprefix("test_"): path for path in sorted(folder.glob("test_*.py"))}


def of_courses(folder: Path, brought: Sequence[Path] = ()) -> dict[str, Path]:
    """The public tests of all assignments of the nearest course from `folder` upward that is not in the folders
    `brought`.

    Raises:
        UsageError: they belong to another user.
    """
    for above in not_brought((folder, *folder.parents), brought):
        found = {path.parent.name: path for path in above.glob("assignments/*/test_*.py")}
        found = {name: path for name, path in found.items() if path.name == f"test_{name}.py"}
        if found and (stranger := owned_by_stranger(above, "assignments")):
            raise UsageError(
                f"{stranger} belongs to another user, and its tests would run as you; if you trust them, name "
                "them with --tests."
            )
        if found:
            return found
    return {}


def _own_file(folder: Path, known: dict[str, Path], near: dict[str, Path]) -> tuple[Path, str]:
    """The one file in `folder` that there are tests for: by its exact name, else by a name that contains it. Of a file
    and a notebook the one that was worked in, and a sentence that says so."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _OWN and path.is_file()]
    files = [path for path in files if not path.name.startswith("test_")]
    own = [path for path in files if path.stem in (near or known)]
    roughly = {path: slug for path in files if (slug := infer_slug(path, sorted(near or known)))}
    beside = [path for path, slug in roughly.items() if is_allowed((path.name,), _allowed((near or known)[slug]))]
    own = own or [path for path in roughly if path not in beside] or beside
    if len(own) == 1:
        return own[0], ""
    if len(own) == 2 and own[0].stem == own[1].stem:
        return _worked_in(*own)
    if own:
        names = " and ".join(path.name for path in own[:5])
        raise UsageError(
            f"This folder has {names}; say which one to check, for instance `autograder check {own[-1].name}`."
        )
    names = " or ".join(f"{name}.py or {name}.ipynb" for name in sorted(near or known))
    raise UsageError(f"There is no {names} in {folder}; name your file: `autograder check FILE`.")


def _worked_in(*own: Path) -> tuple[Path, str]:
    left = {path: in_utf8(path.read_bytes()).count(STUB) for path in own}
    first, second = sorted(own, key=lambda path: (left[path], -path.stat().st_mtime_ns, path.suffix != ".py"))
    why = "more of it is written" if left[first] < left[second] else "it was changed last"
    counts = "the better of the two counts" if bool(left[first]) == bool(left[second]) else f"{first.name} counts"
    return first, (
        f"There are {first.name} and {second.name}. {first.name} was tested, because {why}; to test the other, run "
        f"`autograder check {second.name}`. If you hand in both, {counts}."
    )
