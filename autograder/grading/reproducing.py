"""Shows the failures of a submission outside of grading, or says why that cannot be done.

Done when all checks are through, so that what a submission is asked once more costs its checks no time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from autograder.grading.comparison import NOT_IMPLEMENTED
from autograder.grading.examiner import Examiner
from autograder.grading.failures import Settled
from autograder.grading.literals import NotPlain
from autograder.grading.prepared import Prepared
from autograder.grading.programs import ONLY_IN_GRADING, Failing, program
from autograder.grading.questions import Questions
from autograder.grading.tolerance import Standard
from autograder.results.model import CheckResult, Reproduction, Status
from autograder.sandbox.client import Question
from autograder.sandbox.values import Outcome
from autograder.submissions.reading import Submission

CONCEALED = "the right answer is not shown"
COUNTS = "it counts how much work your code does"
FORBIDS = "it is about the functions that your code uses"
JUDGES = "it does not compare your results with right ones"
TIMES = "it times your code"
NOT_WRITTEN = "your code for it cannot be run yet"
NO_TIME = "your code had used up its time"
_SECONDS = 5.0  # for one check

Check = tuple[str, str]  # exercise and name


def reproduced(
    checks: Sequence[CheckResult],
    failed: Mapping[Check, Questions],
    prepared: Prepared,
    examiner: Examiner,
    submission: Submission,
) -> tuple[list[str], list[CheckResult]]:
    """The checks, each that `failed` with a program or the reason why there is none; and what went wrong on the way."""
    log: list[str] = []
    results = []
    for check in checks:
        questions = failed.get((check.exercise, check.name))
        if questions is not None and check.status in (Status.FAILED, Status.TIMEOUT):
            try:
                made = Reproduction(program=_program(check, questions, prepared, examiner, submission))
            except NotPlain as why:
                made = Reproduction(why_not=f"This failure cannot be reproduced outside of grading: {why}.")
            except Exception as error:
                log.append(f"explaining {check.name} of {check.exercise} failed: {type(error).__name__}: {error}")
                made = Reproduction(why_not=f"This failure cannot be reproduced outside of grading: {ONLY_IN_GRADING}.")
            check = msgspec.structs.replace(check, reproduction=made)
        results.append(check)
    return log, results


def _program(
    check: CheckResult, questions: Questions, prepared: Prepared, examiner: Examiner, submission: Submission
) -> str:
    def answer(question: Question) -> Outcome | None:
        examiner.begin(check.exercise, _SECONDS)
        try:
            return examiner.ask(question)[0].outcome
        except Settled as settled:
            if settled.failure.status is Status.SKIPPED:
                raise NotPlain(NO_TIME) from None
            return None

    notebook = submission.is_notebook or examiner.read_as_notebook
    failing = _failing(check, questions)
    return program(failing, prepared.reference, answer, prepared.assignment.module, notebook=notebook)


def _failing(check: CheckResult, questions: Questions) -> Failing:
    """The question to reproduce.

    Raises:
        NotPlain: no question of the check shows its failure.
    """
    best, stopped = questions.examples.best, questions.stopped
    if best is not None and check.status is not Status.TIMEOUT:
        if not best.recorded.reveal:
            raise NotPlain(CONCEALED)
        recorded = best.recorded
        return Failing(recorded.question, recorded.expected, recorded.standard, best.got, best.difference.message)
    if questions.uses_forbidden:
        raise NotPlain(FORBIDS)
    if questions.counts_work:
        raise NotPlain(COUNTS)
    if stopped is not None and stopped.likely is not None:
        standard = Standard(dtype=False, shape=False)
        return Failing(stopped, stopped.likely.outcome, standard, None, check.message)
    if questions.timing is not None or questions.context.untimed:
        raise NotPlain(TIMES)
    raise NotPlain(JUDGES if questions.values and check.message != NOT_IMPLEMENTED else NOT_WRITTEN)
