"""What a probe asked of a module, line by line, and how a program is written of that."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.grading.literals import NotPlain

_RESERVED = {"torch", "result", "expected", "error"}
_VARIABLE = re.compile("«([a-z]?[0-9]+)»")  # stands for a variable until all have names; literals are ASCII
_WIDEST = 88  # characters of a line that several steps may share


@dataclass
class Step:
    """One line: `text` makes the variable `key`, if anything uses it. `keyed` is false for an assignment."""

    key: str
    text: str
    base: str  # a name for the variable
    grad: bool  # whether gradients were enabled
    keyed: bool = True


@dataclass
class Given:
    """An input: the tensor or layer itself, its value when it was first used, and a name for it."""

    value: Any
    text: Callable[[bool], str]
    base: str
    version: int | None


@dataclass
class Trace:
    """What a probe asked, and what it made of the answers: `result` contains `Traced` values and inputs, and is unused
    if the probe `raised` what the module raised."""

    names: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    result: Any = None
    raised: BaseException | None = None
    refusal: NotPlain | None = None

    def lines(self, results: list[str], *, recipes: bool = False, whole: bool = True) -> tuple[list[str], list[str]]:
        """The program's lines, and the expressions in `results` as they are written after them. With `recipes`, inputs
        are random numbers instead of literals; unless it is `whole`, only with the lines that `results` depend on."""
        steps = self.steps if whole else self._needed(results)
        steps, results = _merged(steps, results)
        used = [key for text in [*(step.text for step in steps), *results] for key in _VARIABLE.findall(text)]
        named = self._named(steps, used)

        def written(text: str) -> str:
            return _VARIABLE.sub(lambda found: named[found.group(1)], text)

        lines = [f"{named[key]} = {one.text(recipes)}" for key, one in self.given.items() if key in used]
        lines += [""] * bool(lines)
        under_no_grad = False
        for step in steps:
            if not step.grad and not under_no_grad:
                lines.append("with torch.no_grad():")
            under_no_grad = not step.grad
            target = f"{named[step.key]} = " if step.keyed and step.key in used else ""
            lines.append(f"{'' if step.grad else '    '}{target}{_bare(written(step.text))}")
        return lines, [_bare(written(text)) for text in results]

    def _needed(self, results: list[str]) -> list[Step]:
        """The steps that make what `results` use, and those that may change it."""
        wanted = {key for text in results for key in _VARIABLE.findall(text)}
        needed: list[Step] = []
        for step in reversed(self.steps):
            uses = set(_VARIABLE.findall(step.text))
            if step.key in wanted or (not step.keyed and uses & wanted):
                wanted |= uses
                needed.append(step)
        return needed[::-1]

    def _named(self, steps: list[Step], used: list[str]) -> dict[str, str]:
        taken = {*_RESERVED, *self.names}
        named = {}
        for key, base in [*((key, one.base) for key, one in self.given.items()), *((s.key, s.base) for s in steps)]:
            if key in used:
                number, name = 1, base
                while name in taken:
                    number += 1
                    name = f"{base}_{number}"
                named[key] = name
                taken.add(name)
        return named


def _bare(text: str) -> str:
    """Without brackets around the whole."""
    if not text.startswith("("):
        return text
    depth = list(itertools.accumulate((char == "(") - (char == ")") for char in text[:-1]))
    whole = text.endswith(")") and 0 not in depth
    return text[1:-1] if whole and not isinstance(ast.parse(text, mode="eval").body, ast.Tuple) else text


def _merged(steps: list[Step], results: list[str]) -> tuple[list[Step], list[str]]:
    """Puts a step into the one after it where nothing else uses its value: `Layer(2).eval()(x)`."""
    texts = [*(step.text for step in steps), *results]
    count = {key: sum(text.count(f"«{key}»") for text in texts) for key in (step.key for step in steps)}
    merged: list[Step] = []
    for step in steps:
        text = step.text
        while merged and _joins(merged[-1], step, text, count):
            last = merged.pop()
            text = text.replace(f"«{last.key}»", last.text)
        merged.append(Step(step.key, text, step.base, step.grad, step.keyed))
    if merged and merged[-1].grad and results and count[merged[-1].key] == 1:
        last = merged[-1]
        if any(len(text) + len(last.text) < _WIDEST and f"«{last.key}»" in text for text in results):
            merged.pop()
            results = [text.replace(f"«{last.key}»", last.text) for text in results]
    return merged, results


def _joins(last: Step, step: Step, text: str, count: dict[str, int]) -> bool:
    only = last.keyed and count[last.key] == 1 and f"«{last.key}»" in text and last.grad == step.grad
    return only and len(last.text) + len(text) < _WIDEST
