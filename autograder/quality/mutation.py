"""Small mistakes inserted automatically into a solution: does a grader notice each of them?

The operators are the usual ones of mutation testing (Jia & Harman 2011, "An analysis and survey of the development of
mutation testing") plus some for tensor code: a dropped `.detach()`, swapped arguments, one layer replaced by another.
Nothing inside a `raise` is changed, since the wording of a message is free.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.sandbox.name_dependencies import references

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_NAMES = {
    "mean": "sum",
    "sum": "mean",
    "max": "min",
    "min": "max",
    "amax": "amin",
    "maximum": "minimum",
    "ones": "zeros",
    "zeros": "ones",
    "sqrt": "square",
    "var": "std",
    "ReLU": "SiLU",
    "SiLU": "ReLU",
    "Sigmoid": "Tanh",
    "MaxPool2d": "AvgPool2d",
    "AvgPool2d": "MaxPool2d",
    "relu": "silu",
    "silu": "relu",
    "sigmoid": "tanh",
    "Dropout": "Identity",
    "BatchNorm2d": "Identity",
    "register_buffer": "__setattr__",
    "Parameter": "Tensor",
    "stack": "cat",
    "cat": "stack",
    "children": "modules",
    "modules": "children",
    "eval": "train",
    "ceil": "floor",
    "floor": "ceil",
}

Change = Callable[[ast.AST], ast.AST | None]  # returns what replaces a node; None drops a statement


@dataclass(frozen=True)
class Mutant:
    """A solution with one change: `before` and `after` are the statement that contains it. If the statement is in a
    function that several exercises share (`shared`), any of them may notice the change."""

    exercise: str
    before: str
    after: str
    source: str
    shared: bool

    def __str__(self) -> str:
        return f"{self.before}  →  {self.after}"


def mutants(solution: str, exercises: Sequence[str], most: int, seed: int = 0) -> list[Mutant]:
    """At most `most` mutants of each exercise, chosen at random if there are more.

    Code that is not named after an exercise (a helper function) counts for the first exercise that uses it.
    """
    tree = ast.parse(solution)
    used_by = {
        name: exercise
        for exercise in reversed(exercises)
        for name in references([solution]).get(exercise, ())
        if name not in exercises
    }
    places: dict[str, list[tuple[int, int, Change]]] = {exercise: [] for exercise in exercises}
    for index, statement in enumerate(tree.body):
        owner = next((name for name in _names(statement) if name in places or name in used_by), None)
        if owner is not None:
            found = places[owner if owner in places else used_by[owner]]
            found += [(index, position, change) for position, change in _changes(statement)]
    chosen = []
    for exercise, found in places.items():
        wanted = found if len(found) <= most else random.Random(f"{seed}{exercise}").sample(found, most)
        made = (_made(tree, exercise, used_by, *place) for place in wanted)
        chosen += list({str(mutant): mutant for mutant in made if mutant is not None}.values())
    return chosen


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    # `NAME = 3`, and also `NAME["x"] = 3`, `NAME.update(...)`
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)][:1]


def _made(
    tree: ast.Module, exercise: str, used_by: Mapping[str, str], index: int, position: int, change: Change
) -> Mutant | None:
    mutated = copy.deepcopy(tree)
    node = _all(mutated.body[index])[position]
    before = _statement_around(mutated.body[index], node)
    replacing = _Replacing(node, change)
    text = _head(before)
    mutated.body[index : index + 1] = [replacing.visit(mutated.body[index])]  # type: ignore[list-item]
    ast.fix_missing_locations(mutated)
    after = (
        "(dropped)" if before is node and replacing.dropped else _head(before if before is not node else replacing.new)
    )
    source = ast.unparse(mutated)
    if text == after:
        return None
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    shared = any(name in used_by for name in _names(tree.body[index]))
    return Mutant(exercise, text, after, source, shared)


class _Replacing(ast.NodeTransformer):
    def __init__(self, target: ast.AST, change: Change) -> None:
        self.target, self.change = target, change
        self.new: ast.AST = target
        self.dropped = False

    def visit(self, node: ast.AST) -> ast.AST:
        if node is not self.target:
            return self.generic_visit(node)
        new = self.change(node)
        self.dropped = new is None
        self.new = ast.Pass() if new is None else new
        return self.new


def _all(statement: ast.stmt) -> list[ast.AST]:
    return list(ast.walk(statement))


def _statement_around(top: ast.stmt, node: ast.AST) -> ast.stmt:
    """The innermost statement that contains `node`."""
    around = top
    for candidate in ast.walk(top):  # outer ones come first
        if isinstance(candidate, ast.stmt) and any(inner is node for inner in ast.walk(candidate)):
            around = candidate
    return around


def _head(statement: ast.AST) -> str:
    """The statement's text; for a compound statement, its first line."""
    text = ast.unparse(ast.fix_missing_locations(statement))
    return (
        text.splitlines()[0]
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.If | ast.For | ast.While | ast.With)
        else text
    )


def _changes(statement: ast.stmt) -> Iterator[tuple[int, Change]]:
    """Every (position of a node, change to it) in `statement`."""
    untouched = {id(inner) for node in ast.walk(statement) for part in _fixed_parts(node) for inner in ast.walk(part)}
    for position, node in enumerate(_all(statement)):
        if id(node) not in untouched and node is not statement:
            for change in _changes_of(node):
                yield position, change


def _fixed_parts(node: ast.AST) -> list[ast.AST]:
    """Messages, annotations, docstrings and decorators."""
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return [node]
    if isinstance(node, ast.FunctionDef):
        annotations = [part.annotation for part in ast.walk(node.args) if isinstance(part, ast.arg) and part.annotation]
        return [*annotations, *node.decorator_list, *([node.returns] if node.returns else [])]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return [node]
    return []


def _changes_of(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield _with(op=_ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in _COMPARISONS.get(type(node.ops[0]), ()):
            yield _with(ops=[kind()])
    elif isinstance(node, ast.BoolOp):
        yield _with(op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield lambda node: node.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.IfExp):
        yield lambda node: node.body  # type: ignore[attr-defined]
        yield lambda node: node.orelse  # type: ignore[attr-defined]
    elif isinstance(node, ast.Constant):
        yield from _changes_of_constant(node)
    elif isinstance(node, ast.Call):
        yield from _changes_of_call(node)
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield _with(attr=_NAMES[node.attr])
    elif isinstance(node, ast.Slice):
        for bound, default in (("lower", 0), ("upper", None), ("step", 1)):
            given = getattr(node, bound)
            if given is not None and not (isinstance(given, ast.Constant) and given.value == default):
                yield _with(**{bound: None})  # x[0:n] and x[:n] are the same slice
    elif isinstance(node, ast.If):
        yield lambda node: ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)  # type: ignore[attr-defined]
        yield lambda _: None
    if isinstance(node, ast.AugAssign | ast.Expr) or _rebinds(node):
        yield lambda _: None


def _with(**fields: object) -> Change:
    def change(node: ast.AST) -> ast.AST:
        new = copy.copy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    return change


def _changes_of_constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield _with(value=not value)
    elif isinstance(value, int):
        yield _with(value=value + 1)
        if value > 0:
            yield _with(value=value - 1)
    elif isinstance(value, float):
        yield _with(value=value * 2 if value else 1.0)


def _changes_of_call(node: ast.Call) -> Iterator[Change]:
    if len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
        yield lambda node: _with(args=[node.args[1], node.args[0], *node.args[2:]])(node)  # type: ignore[attr-defined]
    for index, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield lambda node, i=index: _with(keywords=node.keywords[:i] + node.keywords[i + 1 :])(node)  # type: ignore[misc]
    if isinstance(node.func, ast.Attribute) and not node.args and not isinstance(node.func.value, ast.Call):
        yield lambda node: node.func.value  # type: ignore[attr-defined]  # x.detach() → x
    elif len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield lambda node: node.args[0]  # type: ignore[attr-defined]  # relu(x) → x


def _rebinds(node: ast.AST) -> bool:
    """`x = f(x)`: without this statement there is still an x."""
    if not isinstance(node, ast.Assign):
        return False
    targets = {ast.unparse(target) for target in node.targets}
    return any(isinstance(part, ast.expr) and ast.unparse(part) in targets for part in ast.walk(node.value))
