"""What the runs of wrong variants prove, from hand-made results."""

from __future__ import annotations

from autograder.grading.marks import Misconception
from autograder.jobs import Declared
from autograder.quality.proof import Proof
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status

PASSED, FAILED = Status.PASSED, Status.FAILED


def variant(name: str, *, crashes: bool = False, as_good_as: str = "", includes: tuple[str, ...] = ()) -> Misconception:
    return Misconception("double", name, "A hint.", lambda x: x, {}, crashes, as_good_as, includes=includes)


def check(name: str, status: Status = PASSED, *, answered: bool = True, hint_of: str = "") -> CheckResult:
    points = 1.0 if status is PASSED else 0.0
    more = {"answered": answered, "hint": "A hint." if hint_of else "", "message": "Your code raised NameError."}
    return CheckResult("double", name, name, status, 1.0, points, misconception=hint_of.strip("."), **more)  # type: ignore[arg-type]


def result(*checks: CheckResult) -> Result:
    return Result("demo", "Demo", "x", State.GRADED, (ExerciseResult("double", 2, checks),))


def proof(*variants: Misconception) -> Proof:
    made = Proof({item.name: item for item in variants})
    made.add_solution(result(check("values"), check("shape")))
    return made


def problems(made: Proof, *declared: Declared) -> list[str]:
    return [item.text for item in (*made.unproven(declared, {"double"}), *made.problems({"double"}))]


def test_a_check_is_proven_by_a_variant_that_answers_and_fails_it() -> None:
    made = proof(variant("squares"))
    made.add("squares", result(check("values", FAILED), check("shape")), explained=False)
    [problem] = problems(made)
    assert problem.startswith("no misconception fails check shape of double")
    assert made.count_unproven("double") == 1
    assert not problems(made, Declared("double", "shape", (), "because"))


def test_raising_proves_a_check_if_the_variant_answers_another() -> None:
    made = proof(variant("squares"))
    made.add("squares", result(check("values", FAILED), check("shape", FAILED, answered=False)), explained=False)
    assert not problems(made)


def test_a_variant_that_only_raises_proves_nothing_and_is_named() -> None:
    made = proof(variant("slips"))
    silent = check("values", FAILED, answered=False), check("shape", FAILED, answered=False)
    made.add("slips", result(*silent), explained=True)
    assert made.count_unproven("double") == 2
    assert problems(made)[2] == (
        "slips answers no check of double; correct it, or declare crashes=True: Your code raised NameError."
    )
    meant = proof(variant("slips", crashes=True))
    meant.add("slips", result(*silent), explained=True)
    assert len(problems(meant)) == 2  # the checks


def test_a_variant_that_passes_a_check_answers() -> None:
    made = proof(variant("refuses"))
    made.add("refuses", result(check("values", FAILED, answered=False), check("shape")), explained=False)
    assert not any("answers no check" in problem for problem in problems(made))


def test_a_hint_is_shown_by_one_check_or_by_another_that_is_as_good() -> None:
    for item, hint, shown in (
        (variant("squares"), "squares", True),
        (variant("squares"), "cubes", False),
        (variant("squares", as_good_as="cubes"), "cubes", True),
        (variant("squares", as_good_as="values"), ".", True),  # the hint of the check itself
        (variant("squares", as_good_as="shape"), "cubes", False),
    ):
        made = proof(item, variant("cubes"))
        checks = check("values", FAILED, hint_of=hint), check("shape", FAILED)
        made.add("squares", result(*checks), explained=True)
        assert made.own_hint("squares") is shown
        assert bool(problems(made)) is not shown


def test_a_variant_that_keeps_its_points_is_not_missing_a_hint() -> None:
    made = proof(variant("squares"))
    made.add("squares", result(check("values"), check("shape")), explained=True)
    assert not any("hint" in problem for problem in problems(made))


def test_what_is_as_good_must_exist() -> None:
    made = proof(variant("squares", as_good_as="cubes"))
    assert "squares says as_good_as='cubes', but double has no misconception or check of that name" in problems(made)


def test_a_part_that_is_not_known_is_a_problem() -> None:
    text = "squares says includes='cubes', but double has no misconception of that name"
    assert text in problems(proof(variant("squares", includes=("cubes",))))
    assert text not in problems(proof(variant("squares", includes=("cubes",)), variant("cubes")))
