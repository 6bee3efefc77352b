"""Five submissions to a tiny course, graded once: what each platform's writer has to cope with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.course import Assignment, empty_result, load_assignment
from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import Result, State
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError
from toy_course import check, grader, toy_course

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    return 3 * x\n"
CHECKS = grader(
    check("double", 4, "m.double(torch.tensor([1.0, 2.0]))", "Twice the input."),
    check("triple", 1.5, "m.triple(torch.tensor([1.0, 2.0]))", "Three times the input.", name="few"),
    check("triple", 4.5, "m.triple(torch.ones(100))", "Three times many inputs.", name="many"),
)
EXERCISES = {"double": 4, "triple": 6}

# Each line would do something if a display or a platform took it for its own.
HOSTILE = "\n".join(
    [
        "</failure><testcase name='free'/><script>alert(1)</script>",
        "::error file=x::stolen",
        "::stop-commands::mine",
        '{"scores": {"double": 1000}}',
        "```",
        "# heading @everyone ![x](https://example.org/track.png) | cell | `code`",
        "]]> &amp; \x00\x08\x0b\x1b[31mred\x1b]0;title\x07 \u202e\ufffe end",
        '{"scores": {"double": 1000}}',
    ]
)
SOURCES = {
    "perfect": RIGHT,
    "half": RIGHT.replace("3 * x", "4 * x"),
    "hanging": RIGHT.replace("    return 3 * x", "    while len(x) == 100:\n        pass\n    return 3 * x"),
    "hostile": f"TEXT = {HOSTILE!r}\nprint(TEXT, flush=True)\n"
    + RIGHT.replace("    return 3 * x", "    print(TEXT, flush=True)\n    raise RuntimeError(TEXT)"),
    "ungradable": None,  # no file of that name
}


def make_course(root: Path) -> Path:
    return toy_course(
        root,
        "sums",
        title="Sums of numbers",
        examples=5,
        exercises=EXERCISES,
        limits={"check_seconds": 0.5, "import_seconds": 2, "total_seconds": 10, "memory_mb": 512},
        checks=CHECKS,
        solution=RIGHT,
    )


def hand_in(folder: Path, name: str) -> Path:
    """The submission called `name`, in a folder of its own."""
    place = folder / name
    place.mkdir(parents=True)
    source = SOURCES[name]
    (place / ("sums.py" if source else "notes.txt")).write_text(source or "I was ill.")
    return place


def graded(root: Path) -> dict[str, Result]:
    """The results of all five."""
    places = {name: hand_in(root / "handed_in", name) for name in SOURCES}
    return graded_each(load_assignment(make_course(root), "sums"), places)


def graded_each(assignment: Assignment, places: Mapping[str, Path]) -> dict[str, Result]:
    """The results of the submissions at these places."""
    results = {}
    with Engine(assignment) as engine:
        for name, place in places.items():
            try:
                submission = read_submission(place, assignment.module)
                results[name] = engine.grade(Job(str(assignment.root), assignment.slug, submission))
            except SubmissionError as error:
                results[name] = empty_result(assignment, State.GRADED, submission=name, notice=str(error))
    return results
