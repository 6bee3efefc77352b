"""`autograder release`: makes the students' files in assignments/ from the solutions. Next to the solutions it writes
the notebooks that nbgrader starts from, and it fills nbgrader's gradebook if the course is set up for that."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.course import Assignment, find_course, load_assignments
from autograder.course.assignment import SUBMISSION
from autograder.course.skeletons import skeleton, source_notebook
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.platforms.nbgrader import generating
from autograder.quality.public_tests import why_not_loaded


def run(slugs: tuple[str, ...], *, only_check: bool = False, course: Path | None = None) -> int:
    """Brings the files of these assignments (default: all) up to date, or only says which are not.

    Returns:
        The exit code: 1 if `only_check` found a stale file, else 0.

    Raises:
        UsageError: there is no such assignment, or its solution cannot be released; nothing was written.
    """
    root = find_course(course)
    assignments = load_assignments(root, slugs)
    files = _files(root, assignments)
    stale = {path: text for path, text in files.items() if _current(path) != text.encode()}
    if not only_check:
        _require_loading([one for one in assignments if one.release / f"{one.module}.py" in stale], files)
    for path in files:
        name = path.relative_to(root)
        if only_check and path in stale:
            state = "out of date" if path.exists() else "missing"
            print(f"{name}: {state}; run `autograder release {path.parent.name}`")
        elif not only_check and path in stale:
            _write(path, stale[path])
            print(f"{name}: written")
        elif not only_check:
            print(f"{name}: up to date")
    if not only_check and (root / generating.CONFIG).exists():
        generating.record(root, [assignment.slug for assignment in assignments])
        print("The nbgrader gradebook now has these assignments.")
    elif not only_check:
        print(
            f"For nbgrader's own commands, the course also needs {generating.CONFIG}; "
            "the documentation's page on nbgrader shows it."
        )
    return 1 if only_check and stale else 0


def _files(root: Path, assignments: list[Assignment]) -> dict[Path, str]:
    """Every file that is made from the solutions, and the text it must have."""
    files: dict[Path, str] = {}
    sources: dict[str, str] = {}
    for assignment in assignments:
        solution = _solution(assignment)
        name = str(assignment.solution.relative_to(assignment.root))
        text = skeleton(solution, name)
        sources[assignment.slug] = source_notebook(
            solution, assignment.exercises | dict.fromkeys(assignment.bonus, 0.0), assignment.manual, name
        )
        files[assignment.solution.with_suffix(".ipynb")] = sources[assignment.slug]
        files[assignment.release / f"{assignment.module}.py"] = text
        files[assignment.release / f"{assignment.module}.ipynb"] = ""  # keeps the order
        path = assignment.release / SUBMISSION
        if assignment.other_files or path.exists():
            files[path] = f"# Which files can be handed in with yours.\nfiles = {json.dumps(assignment.other_files)}\n"
    for slug, text in generating.released(root, sources).items():
        files[root / "assignments" / slug / f"{slug}.ipynb"] = text
    return files


def _require_loading(assignments: list[Assignment], files: dict[Path, str]) -> None:
    """Raises UsageError unless the skeletons of all these assignments can be imported."""
    for assignment in assignments:
        if why := why_not_loaded(assignment.module, files[assignment.release / f"{assignment.module}.py"]):
            question = " Is a solution outside any function?" if why.startswith("NotImplementedError") else ""
            raise UsageError(f"Correct {assignment.solution}: its skeleton does not load: {why}.{question}")


def _solution(assignment: Assignment) -> str:
    try:
        return assignment.solution.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"Cannot read {assignment.solution}: {why}.") from error


def _current(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}.") from error
    atomic.replace(path, text.encode())
