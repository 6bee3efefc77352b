"""The fixture `vectorised`: checks that no Python loop grows with the input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from autograder.grading import showing
from autograder.grading.answers import Answers
from autograder.grading.comparison import raised_text
from autograder.grading.failures import Failure, Settled
from autograder.grading.questions import Questions
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.values import Raised, Work

_SLACK = 4


def vectorised(
    questions: Questions, probe: Callable[[Any, Any], Any], first: Any, *others: Any, hint: str = ""
) -> None:
    """The Python work of `probe(module, input)` (operators dispatched, lines run, numbers put into lists) is the same
    for every input.

    Each input should differ from the first in one extent; all extents should be at least 2. `hint` is for a student
    whose work grows.
    """
    questions.judges_by_itself()
    questions.counts_work = True
    for value in (first, *others):  # tables built at the first call do not count as growing work
        _work(questions, probe, value, count=False)
    base = _work(questions, probe, first)
    for other in others:
        work = _work(questions, probe, other)
        for what, one, two, grows in _compared(base, work):
            if grows:
                shapes = f"{showing.show(first).kind} and {two} for {showing.show(other).kind}"
                loop = _loop(questions.context.answers, base, work)
                text = f"The amount of Python work grows with the input: {one} {what} for {shapes}.{loop}"
                raise Settled(Failure(text, hint=hint))


def _work(questions: Questions, probe: Callable[[Any, Any], Any], value: Any, *, count: bool = True) -> Work:
    data = shipping.dumps(lambda module: probe(module, value))
    [answer] = questions.ask(Question(data, operators=True, lines=count))
    if isinstance(answer.outcome, Raised):
        raise Settled(Failure(raised_text(answer.outcome)))
    if answer.work.started or answer.work.running > 1:
        raise Settled(Failure("Your code has started threads. Here it must do all its work in one thread."))
    if not answer.work.watched:
        raise Settled(Failure("Your code switches tracing off (sys.settrace), which this check needs to count lines."))
    return answer.work


def _compared(one: Work, two: Work) -> Iterator[tuple[str, int, int, bool]]:
    """What was counted, the count for each of the two inputs, and whether it grew."""
    for what, first, second in (
        ("operators", sum(one.operators.values()), sum(two.operators.values())),
        ("lines of Python", sum(line.count for line in one.lines), sum(line.count for line in two.lines)),
        ("numbers in lists", one.listed, two.listed),
    ):
        yield what, first, second, abs(first - second) > _SLACK
    # Operators call other operators, and packages have code of their own: that may depend a little on the size.
    for what, first, second in (
        ("operators in total", one.profiled, two.profiled),
        ("lines of Python in packages", one.elsewhere, two.elsewhere),
    ):
        yield what, first, second, second > 1.5 * first + 5 * _SLACK


def _loop(answers: Answers, base: Work, work: Work) -> str:
    """The outermost loop that runs more often than before: of the lines with a `for` or `while`, the one that runs
    least; if there is no such line (a `map`), the line that runs most."""
    before = {(line.file, line.number): line.count for line in base.lines}
    after = {(line.file, line.number): line.count for line in work.lines}
    grown = [place for place in after if after[place] - before.get(place, 0) > _SLACK]
    if not grown:
        return ""
    loops = [place for place in grown if re.search(r"\b(for|while)\b", answers.source_line(*place))]
    place = min(loops, key=lambda place: (after[place], place)) if loops else max(grown, key=lambda place: after[place])
    where = f"Line {place[1]}" + (f" of {place[0]}" if answers.several_files else "")
    source = answers.source_line(*place)
    return f"\n  {where} ran {before.get(place, 0)} times, then {after[place]} times: {source}"
