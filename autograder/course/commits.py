"""The graders and the solution of an assignment as they were in a commit."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.course.assignment import Assignment, load_assignment
from autograder.errors import UsageError


@contextlib.contextmanager
def at_commit(course: Path, commit: str, slug: str) -> Iterator[Assignment]:
    """The assignment as git has it, in a folder that only this user may read and that ends with the context.

    Raises:
        UsageError: there is no such commit, or the assignment is not in it.
    """
    found = _git(course, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if found is None:
        raise UsageError(f"There is no commit {commit!r} in {course}; name one that `git log` lists there.")
    folders = (f"graders/{slug}", f"solutions/{slug}")
    packed = _git(course, "archive", "--format=tar", found.decode().strip(), "--", *folders)
    if packed is None:
        raise UsageError(f"The commit {commit!r} has no {folders[0]} and {folders[1]}; name another.")
    with tempfile.TemporaryDirectory(prefix="autograder-course-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # newer than some Pythons
            try:
                archive.extractall(folder)
            except (OSError, tarfile.TarError) as error:
                raise UsageError(f"The commit {commit!r} cannot be unpacked: {error}.") from error
        yield load_assignment(Path(folder), slug)


def _git(course: Path, *command: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", course, *command], capture_output=True, check=False)
    except OSError as error:
        raise UsageError("git is not installed here; install it, or compare without --commit.") from error
    return None if done.returncode else done.stdout
