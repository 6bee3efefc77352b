"""`autograder reproduce`: writes programs that show the failures of a graded submission, each in a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from autograder.errors import UsageError
from autograder.output import atomic
from autograder.output.inert import one_line

_TOO_OLD = "This result was written by an older version of the kit; grade the submission again."
_FAILED = ("failed", "timeout")


class _Check(msgspec.Struct):
    exercise: str = ""
    check: str = ""
    status: str = ""
    program: str = ""
    why_not: str = ""

    @property
    def name(self) -> str:
        return f"{self.exercise}/{self.check}"


class _Test(msgspec.Struct):
    extra_data: _Check


class _Results(msgspec.Struct):
    tests: list[_Test]


def run(result: Path, check: str | None, folder: Path) -> int:
    """Writes the program for one failed check, or for all that have one, and says why the others have none.

    Raises:
        UsageError: the result cannot be read, or the check has no program.
    """
    failed = _failed(result)
    if check is not None:
        failed = [_named(check, failed, result)]
        if not failed[0].program:
            raise UsageError(one_line(failed[0].why_not, 500) or _TOO_OLD)
    elif not failed:
        print(f"{result} has no failed checks.")
    for one in failed:
        if not one.program:
            print(f"{one_line(one.name, 200)}: {one_line(one.why_not, 500) or _TOO_OLD}")
            continue
        path = folder / f"reproduce_{re.sub(r'[^A-Za-z0-9]+', '_', one.name)[:100]}.py"
        try:
            atomic.replace(path, one.program.encode("utf-8", "replace"))
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {error.strerror or error}.") from error
        print(f"{one_line(one.name, 200)}: wrote {path}")
    return 0


def _failed(result: Path) -> list[_Check]:
    try:
        tests = msgspec.json.decode(result.read_bytes(), type=_Results).tests
    except OSError as error:
        raise UsageError(f"Cannot read {result}: {error.strerror or error}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UsageError(f"{result} is not a result file of `autograder grade` or `autograder batch`.") from None
    return [test.extra_data for test in tests if test.extra_data.status in _FAILED]


def _named(name: str, failed: list[_Check], result: Path) -> _Check:
    found = [one for one in failed if name in (one.name, one.check)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"Several failed checks are called {name}; say {' or '.join(one.name for one in found)}.")
    known = f"it has {', '.join(one_line(one.name, 100) for one in failed[:30])}" if failed else "it has none"
    raise UsageError(f"{result} has no failed check {name}; {known}.")
