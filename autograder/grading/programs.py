"""Programs that show a failure anywhere: with torch, the student's file, and nothing of ours.

A program is kept only if it does what it promises: it runs to its end on the reference, whatever the seed, and raises
an exception on the submission.
"""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from autograder.grading.comparison import compare, raised_text
from autograder.grading.literals import TOO_LARGE, NotPlain, literal, number_text
from autograder.grading.reference import outcome_of
from autograder.grading.tolerance import TOLERANCES, Standard, Tolerance, mismatches, same_dtype, same_shape
from autograder.grading.traces import Trace
from autograder.grading.tracing import Traced, expression, trace
from autograder.output.inert import one_line
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.torch_state import seeded_generators
from autograder.sandbox.values import Outcome, Raised, Returned

MOST_CHARACTERS = 4_000
MOST_EXPECTED = 64  # entries of a right answer that are written out

ONLY_IN_GRADING = "it does more than call your code"
DRAWS = "it judges random draws"
NOT_AGAIN = "your code gives the right answer when it is asked for this alone"

_TOP = "# This fails as it did in grading, and passes once your code is right."
_COMMENT = 200  # characters of a value that is written as a comment
_WHERE = "Run it beside your {file}."
_IN_NOTEBOOK = "Run it in a new cell below your code."


Path = tuple[Any, ...]  # keys and indices to a part of a value


@dataclass(frozen=True)
class Failing:
    """A question that a submission did not answer as the reference does. `got` is None if it did not answer at all;
    `said` is what the student was told."""

    question: Question
    expected: Outcome
    standard: Standard
    got: Outcome | None
    said: str


@dataclass(frozen=True)
class _Leaf:
    """A part of what a probe returns: what the program calls it, and the two values. A submission that `lacks` it did
    not return. `scale` is the largest right number around it, on which its tolerance depends."""

    text: str
    expected: Any
    got: Any
    lacks: bool = False
    scale: float = 1.0


def program(
    failing: Failing,
    reference: types.ModuleType,
    answer: Callable[[Question], Outcome | None],
    module: str,
    *,
    notebook: bool,
) -> str:
    """The program for a failure. `answer` asks the submission, and returns None if it did not answer; `module` is the
    name of its file, from which nothing is imported if it is a `notebook`.

    Raises:
        NotPlain: there is none.
    """
    with seeded_generators(failing.question.seed):
        made = trace(shipping.loads(failing.question.probe), reference)
    seeds = failing.question.seed, failing.question.seed + 1
    why = TOO_LARGE
    for recipes, whole in itertools.product((False, True), repeat=2):
        if recipes and why != TOO_LARGE:
            break
        try:
            body = _body(made, failing, reference, answer, recipes=recipes, whole=whole)
        except NotPlain as error:
            why = str(error)
            continue
        text = _headed(body, sorted(made.names), module, notebook=notebook)
        if len(text) > MOST_CHARACTERS:
            why = TOO_LARGE
            continue
        runs = [_run(body, made, reference, seed) for seed in seeds]
        if isinstance(runs[0], Raised):
            why = ONLY_IN_GRADING
        elif isinstance(runs[1], Raised):
            raise NotPlain(DRAWS)
        elif failing.got is None or not isinstance(answer(_question(body, made, seeds[1])), Returned):
            return text
        else:
            why = NOT_AGAIN
    raise NotPlain(why)


def _headed(body: str, names: Sequence[str], module: str, *, notebook: bool) -> str:
    where = _IN_NOTEBOOK if notebook else _WHERE.format(file=f"{module}.py")
    imports = "import torch" if notebook or not names else f"import torch\nfrom {module} import {', '.join(names)}"
    return f"{_TOP} {where}\n{imports}\n\n{body}\n"


def _body(
    made: Trace,
    failing: Failing,
    reference: types.ModuleType,
    answer: Callable[[Question], Outcome | None],
    *,
    recipes: bool,
    whole: bool,
) -> str:
    expected, got = failing.expected, failing.got
    if made.raised is not None:
        lines, _ = made.lines([], recipes=recipes)
        return "\n".join(_raising(_seeded(lines) if recipes else lines, expected, failing))
    if recipes:  # other inputs have other answers
        everything = expression(made, made.result)
        lines, [text] = made.lines([everything], recipes=True)
        body = "\n".join([*_seeded(lines), f"result = {text}"])
        expected = as_sent(_run(body, made, reference, failing.question.seed)).outcome
        got = answer(_question(body, made, failing.question.seed)) if got is not None else None
    if not isinstance(expected, Returned):
        raise NotPlain(ONLY_IN_GRADING)
    leaves = list(_leaves(made, made.result, expected, got, failing.standard))
    if not leaves:
        raise NotPlain(NOT_AGAIN if recipes else ONLY_IN_GRADING)
    lines, texts = made.lines([leaf.text for leaf in leaves], recipes=recipes, whole=whole)
    for leaf, text in zip(leaves, texts, strict=True):
        lines += [f"result = {text}", *_came(leaf, got, failing), *_assertion(leaf, failing.standard), ""]
    return "\n".join((_seeded(lines) if recipes else lines)[:-1])


def _seeded(lines: list[str]) -> list[str]:
    return ["torch.manual_seed(0)", *lines]


def _question(body: str, made: Trace, seed: int) -> Question:
    names = tuple(made.names)

    def probe(module: Any) -> Any:
        scope = {"torch": torch, **{name: getattr(module, name) for name in names}}
        exec(body, scope)
        return scope.get("result")

    return Question(shipping.dumps(probe), seed)


def _run(body: str, made: Trace, reference: types.ModuleType, seed: int) -> Outcome:
    return outcome_of(_question(body, made, seed).probe, reference, seed)


# --- what is asserted ------------------------------------------------------------------------------------------------


def _leaves(made: Trace, node: Any, expected: Returned, got: Outcome | None, standard: Standard) -> Iterator[_Leaf]:
    """The first part of what the probe returns that is wrong; all parts if the submission did not return."""
    parts = list(_parts(made, node, expected.value))
    if not isinstance(got, Returned):
        yield from (_Leaf(text, value, None, lacks=True) for text, value, _ in parts[:4])
        return
    for text, value, path in parts:
        try:
            other = _at(got.value, path)
        except (LookupError, TypeError):
            continue
        if compare(Returned(value), Returned(other), standard) is not None:
            yield _first(text, value, other, standard)
            return


def _parts(made: Trace, node: Any, value: Any, path: Path = ()) -> Iterator[tuple[str, Any, Path]]:
    """The parts of what a probe returns, each with its expression, the reference's value and the way to it."""
    if type(node) is dict and isinstance(value, dict) and node.keys() == value.keys():
        for key in node:
            yield from _parts(made, node[key], value[key], (*path, key))
    elif type(node) in (list, tuple) and isinstance(value, list | tuple) and len(node) == len(value):
        text = expression(made, node)
        if text.startswith(("list(", "tuple(")):  # one value of the submission, taken apart
            yield text, value, path
            return
        for index, item in enumerate(node):
            yield from _parts(made, item, value[index], (*path, index))
    elif isinstance(node, torch.Tensor) or type(node) is Traced:
        yield expression(made, node), value, path


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _first(text: str, expected: Any, got: Any, standard: Standard) -> _Leaf:
    """The first part of a value that is wrong: as a whole, unless it is large."""
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor) and expected.numel() > MOST_EXPECTED:
        if not same_shape(expected, got, standard):
            return _Leaf(f"{text}.shape", tuple(expected.shape), tuple(got.shape))
        if not same_dtype(expected, got, standard):
            return _Leaf(f"{text}.dtype", expected.dtype, got.dtype)
        wrong = mismatches(expected, got, standard.tolerance).nonzero()[0].tolist()
        value = got.reshape(expected.shape)[tuple(wrong)]
        return _Leaf(f"{text}{wrong}", expected[tuple(wrong)], value, scale=_largest(expected))
    keys: Sequence[Any] = ()
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        keys = list(expected)
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple) and len(expected) == len(got):
        keys = range(len(expected)) if any(map(_is_compound, expected)) else ()
    for key in keys:
        if compare(Returned(expected[key]), Returned(got[key]), standard) is not None:
            return _first(f"{text}[{literal(key)}]", expected[key], got[key], standard)
    return _Leaf(text, expected, got)


def _is_compound(value: Any) -> bool:
    return isinstance(value, torch.Tensor | list | tuple | dict | float | complex)


def _assertion(leaf: _Leaf, standard: Standard) -> list[str]:
    expected, got = leaf.expected, leaf.got
    if isinstance(expected, torch.Tensor):
        return _tensor_assertion(expected, leaf, standard)
    if isinstance(expected, float | complex):
        return [f"assert {_is_number(expected, standard.tolerance)}, result"]
    if isinstance(expected, list | tuple):
        kind = "list" if isinstance(expected, list) else "tuple"
        if any(map(_is_compound, expected)):
            return [f"assert len(result) == {len(expected)}, len(result)"]
        return [f"assert {kind}(result) == {literal(expected)}, result"]
    if isinstance(expected, dict) and all(isinstance(key, str | int) for key in expected):
        return [f"assert set(result) == {literal(set(expected))}, set(result)"]
    if expected is None:
        return ["assert result is None, result"]
    exact = type(got) is not type(expected) and isinstance(expected, int)
    kind = f"type(result) is {type(expected).__name__} and " if exact and not leaf.lacks else ""
    return [f"assert {kind}result == {literal(expected)}, result"]


def _tensor_assertion(expected: torch.Tensor, leaf: _Leaf, standard: Standard) -> list[str]:
    # Not with `torch.testing.assert_close`, which imports SymPy: in every judge and worker that would take 0.6 s.
    got = leaf.got if isinstance(leaf.got, torch.Tensor) else None
    floating = expected.dtype.is_floating_point or expected.dtype.is_complex
    other_kind = got is not None and got.dtype != expected.dtype and not _both_floating(got, expected)
    lines = []
    if other_kind or (floating and standard.dtype):
        lines.append(f"assert result.dtype == {expected.dtype}, result.dtype")
    result = "result"
    alike = got is not None and got.shape != expected.shape and got.squeeze().shape == expected.squeeze().shape
    lines.append(f"expected = {literal(expected.detach().clone(memory_format=torch.contiguous_format))}")
    if alike and not standard.shape:
        result = "result.reshape(expected.shape)"
    else:
        lines.append("assert result.shape == expected.shape, result.shape")
    if not floating:
        return [*lines, f"assert torch.equal({result}, expected), result"]
    same = got is None or got.dtype == expected.dtype
    bound = standard.tolerance or TOLERANCES.get(expected.dtype if same else torch.float32)
    if bound is None:
        raise NotPlain(ONLY_IN_GRADING)
    absolute = bound.absolute * max(leaf.scale, _largest(expected))
    limits = f"rtol={number_text(bound.relative)}, atol={absolute:.3g}"
    nan = ", equal_nan=True" if expected.isnan().any() else ""
    return [*lines, f"assert torch.allclose({result}.to(expected.dtype), expected, {limits}{nan}), result"]


def _is_number(expected: float | complex, tolerance: Tolerance | None) -> str:
    """A condition on `result`, in words of Python."""
    kind, size = type(expected).__name__, abs(expected)
    if size != size:
        return f"type(result) is {kind} and result != result"
    if size == float("inf"):
        return f"result == {literal(expected)}"
    bound = tolerance or TOLERANCES[torch.float64]
    most = bound.relative * size + bound.absolute * max(1.0, size)
    return f"type(result) is {kind} and abs(result - {literal(expected)}) <= {most:.3g}"


def _largest(tensor: torch.Tensor) -> float:
    """The largest finite magnitude, at least 1."""
    sizes = tensor.detach().abs()
    return float(max([1.0, *sizes[sizes.isfinite()].tolist()]))


def _both_floating(one: torch.Tensor, other: torch.Tensor) -> bool:
    return {one.dtype, other.dtype} == {torch.float32, torch.float64}


def _raising(lines: list[str], expected: Outcome, failing: Failing) -> list[str]:
    """The lines with the last of them expected to raise."""
    if not isinstance(expected, Raised) or not expected.builtins:
        raise NotPlain(ONLY_IN_GRADING)
    start = len(lines) - 1
    while start and lines[start].startswith("    "):
        start -= 1
    wanted = expected.builtins[0]
    says = '    assert str(error), "the exception should say what is wrong"' if wanted == "ValueError" else "    pass"
    name = " as error" if wanted == "ValueError" else ""
    return [
        *lines[:start],
        *_came(None, failing.got, failing),
        "try:",
        *(f"    {line}" for line in lines[start:]),
        f"except {wanted}{name}:",
        says,
        "else:",
        f'    raise AssertionError("this should raise {wanted}")',
    ]


def _came(leaf: _Leaf | None, got: Outcome | None, failing: Failing) -> list[str]:
    """What came in grading, as a comment."""
    if got is None:
        return [f"# In grading: {one_line(failing.said, 150)}"]
    if isinstance(got, Raised):
        return [f"# In grading: {one_line(raised_text(got).partition(chr(10))[0], 150)}"]
    try:
        text = literal(got.value if leaf is None else leaf.got)
    except NotPlain:
        text = ""
    if len(text) > _COMMENT or not text:
        return [f"# In grading: {one_line(failing.said.partition(chr(10))[0], 150)}"] if leaf is not None else []
    return [f"# In grading, this was {re.sub(r'[^ -~]', '?', text)}."]
