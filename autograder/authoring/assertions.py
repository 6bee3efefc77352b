"""Splits assertions: the part that student code computes becomes a probe, and the comparison stays in the judge.

What an assertion expects never becomes part of the probe, which student code can read: the solution says it again.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

_CLOSE = {"allclose", "isclose", "equal", "array_equal", "array_equiv"}  # functions that return a verdict
ASSERTING = {"assert_close", "assert_allclose", "assert_array_almost_equal", "assert_almost_equal"}
ASSERTING |= {"assert_array_equal", "assert_equal", "assert_approx_equal"}
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_MOST_TOLERANCE = 0.1  # `abs(a - b) < 0.5` is not about rounding


class NotSplit(Exception):
    """An assertion whose student's part and comparison cannot be told apart; the text says why."""


@dataclass(frozen=True)
class Assertion:
    """One assertion of a test cell. `values` is what student code computes, after the statements of `setup`. With
    `bound`, such as `< 0.1`, the value is a number that the judge compares with that, and not with the solution's."""

    values: tuple[ast.expr, ...]
    line: int = 0
    setup: tuple[ast.stmt, ...] = ()
    message: str = ""
    raises: str = ""
    tolerance: tuple[float, float] | None = None
    bound: str = ""


@dataclass
class Split:
    """What a test cell consists of. `refused` are lines that were not split, each with the reason."""

    assertions: list[Assertion] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)


def split(source: str, students: Collection[str], *, displays: bool = False) -> Split:
    """Splits every assertion of a test cell; `students` are the names that student code defines. If the cell `displays`
    its last value, as in otter, that is asserted, too."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        return Split(refused=[(error.lineno or 1, "it is not plain Python")])
    found = Split()
    _split_block(body, set(students), found, displays)
    return found


def _split_block(body: Sequence[ast.stmt], students: set[str], found: Split, displays: bool) -> None:
    before: list[ast.stmt] = []
    tainted = set(students)  # with what is computed from it
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found.imports.append(ast.unparse(statement))
            continue
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith("test"):
            _split_block(statement.body, students, found, False)
            continue
        try:
            assertion = _assertion(statement, tainted, displays and statement is body[-1])
        except NotSplit as why:
            found.refused.append((statement.lineno, str(why)))
            continue
        if assertion is not None:
            setup = _needed(before, assertion.values, tainted)
            found.assertions.append(replace(assertion, line=statement.lineno, setup=setup))
        elif not (isinstance(statement, ast.Expr) and _name(statement.value) == "print"):
            before.append(statement)
            if _uses(statement, tainted):
                tainted |= set(_bound(statement))


def _assertion(statement: ast.stmt, tainted: set[str], is_last: bool) -> Assertion | None:
    """What a statement asserts; None if it asserts nothing."""
    match statement:
        case ast.Assert(test, msg):
            message = msg.value if isinstance(msg, ast.Constant) and isinstance(msg.value, str) else ""
            return replace(_verdict(test, tainted), message=message)
        case ast.Expr(ast.Call(func) as call) if _name(func) in ASSERTING:
            return _close(call, tainted)
        case ast.Expr(ast.Call(func, [kind, called, *arguments])) if _name(func) == "assert_raises":
            value = ast.Call(called, arguments, [])
            return Assertion((value,), raises=_built_in(kind))
        case ast.With([ast.withitem(ast.Call(func, [kind, *_]))], [ast.Expr(value)]) if _name(func) == "raises":
            return Assertion((value,), raises=_built_in(kind))
        case ast.Try([ast.Expr(value), *rest], [ast.ExceptHandler(ast.expr() as kind)], otherwise, []) if (
            _uses(value, tainted) and (rest or otherwise) and all(map(_fails, [*rest, *otherwise]))
        ):
            return Assertion((value,), raises=_built_in(kind))
        case ast.Expr(ast.Call() as value) if is_last and _uses(value, tainted) and _name(value.func) != "print":
            return Assertion((_core(value, tainted),))  # otter compares what a cell displays
    if any(isinstance(part, ast.Assert) or _name(part) in ASSERTING | {"raises"} for part in ast.walk(statement)):
        raise NotSplit("its assertions are inside a loop, a function or another block")
    return None


def _verdict(test: ast.expr, tainted: set[str]) -> Assertion:
    """What `assert test` asserts."""
    if not _uses(test, tainted):
        raise NotSplit("it does not use what students write")
    match test:
        case ast.BoolOp(ast.And(), operands):
            parts = [_verdict(operand, tainted) for operand in operands if _uses(operand, tainted)]
            if any(part.bound for part in parts):
                raise NotSplit("it asserts several things at once; write one assertion for each")
            tolerances = [part.tolerance for part in parts if part.tolerance]
            values = tuple(value for part in parts for value in part.values)
            return Assertion(values, tolerance=max(tolerances, default=None))
        case ast.UnaryOp(ast.Not(), operand):
            return _verdict(operand, tainted)
        case ast.Compare(left, [ast.Eq() | ast.Is() | ast.IsNot() | ast.NotEq()], [right]):
            if isinstance(test.ops[0], ast.NotEq | ast.IsNot):
                raise NotSplit("it asserts only what a value is not")
            return Assertion(_tainted_of((left, right), tainted))
        case ast.Compare(left, [op], [right]) if isinstance(op, _ORDER):
            return _ordered(left, op, right, tainted)
        case ast.Call(func, [value, *_]) if _name(func) == "isinstance" and _uses(value, tainted):
            kind = ast.Attribute(ast.Call(ast.Name("type"), [_core(value, tainted)], []), "__name__")
            return Assertion((kind,))
        case ast.Call(func) if _name(func) in _CLOSE:
            return _close(test, tainted)
        case ast.Call(ast.Attribute(inner, "all"), []) | ast.Call(ast.Name("all"), [inner]):
            return _verdict(inner, tainted)
        case ast.Call(ast.Attribute(ast.Name(), "all"), [inner]):  # np.all(a == b)
            return _verdict(inner, tainted)
        case ast.Call(func) if _is_students(func, tainted):
            return Assertion((test,))
        case ast.Name():
            return Assertion((test,))
    raise NotSplit("what students compute and what is expected cannot be told apart")


def _close(call: ast.Call, tainted: set[str]) -> Assertion:
    """`allclose(a, b, rtol, atol)`, `a.equal(b)`, `assert_close(a, b, rtol=…)`."""
    method = isinstance(call.func, ast.Attribute) and _uses(call.func.value, tainted)
    sides = [call.func.value] if method and isinstance(call.func, ast.Attribute) else []
    sides += call.args[: 2 - len(sides)]
    values = _tainted_of(sides, tainted)
    given = {keyword.arg: keyword.value.value for keyword in call.keywords if isinstance(keyword.value, ast.Constant)}
    relative, absolute = (given.get(name) for name in ("rtol", "atol"))
    if not isinstance(relative, float | int | None) or not isinstance(absolute, float | int | None):
        return Assertion(values)
    if relative is None and absolute is None:
        return Assertion(values)
    return Assertion(values, tolerance=(float(relative or 0), float(absolute or 0)))


def _ordered(left: ast.expr, op: ast.cmpop, right: ast.expr, tainted: set[str]) -> Assertion:
    """`abs(f(x) - 3) < 1e-6` is about equal values, `loss(x) < 0.1` is a bound."""
    if _uses(right, tainted) or not isinstance(right, ast.Constant | ast.UnaryOp):
        raise NotSplit("it compares a value with something that is not a plain number on the right")
    core, bound = _core(left, tainted), ast.literal_eval(right)
    if core is left:
        sign = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}[type(op)]
        return Assertion((left,), bound=f"{sign} {bound}")
    if isinstance(op, ast.Lt | ast.LtE) and 0 <= bound <= _MOST_TOLERANCE:
        return Assertion((core,), tolerance=(0.0, float(bound)))
    raise NotSplit("what students compute and what is expected cannot be told apart")


def _tainted_of(sides: Sequence[ast.expr], tainted: set[str]) -> tuple[ast.expr, ...]:
    values = tuple(_core(side, tainted) for side in sides if _uses(side, tainted))
    if not values:
        raise NotSplit("it does not use what students write")
    return values


def _core(node: ast.expr, tainted: set[str]) -> ast.expr:
    """The part of an expression that student code computes, without what it is compared or combined with."""
    match node:
        case ast.BinOp(one, _, other) | ast.Compare(one, [_], [other]) if _uses(one, tainted) != _uses(other, tainted):
            return _core(one if _uses(one, tainted) else other, tainted)
        case ast.Call(func) if not _is_students(func, tainted):
            inside = [func.value] if isinstance(func, ast.Attribute) else []
            parts = [part for part in (*inside, *node.args) if _uses(part, tainted)]
            more = [part for part in node.args if not _uses(part, tainted) and not isinstance(part, ast.Constant)]
            for part in parts:
                core = _core(part, tainted)
                if core is not part or more:
                    return core
        case ast.Attribute(value) | ast.Subscript(value) | ast.UnaryOp(_, value):
            core = _core(value, tainted)
            return node if core is value else core
    return node


def _is_students(func: ast.expr, tainted: set[str]) -> bool:
    """`f`, and `net` in `net(x)` or `net.forward(x)` where a name is the student's own and no function of a value."""
    return isinstance(func, ast.Name) and func.id in tainted


def _needed(before: Sequence[ast.stmt], values: Sequence[ast.expr], tainted: Collection[str]) -> tuple[ast.stmt, ...]:
    """Those statements that the values need. What only the comparison needs is left out: probes can be read."""
    wanted = {name for value in values for name in named(value)}
    own = bound_in(before) - set(tainted)
    kept = []
    for statement in reversed(before):
        binds, uses = set(_bound(statement)), set(named(statement))
        if binds & wanted or (not binds and not (uses & own) - wanted):
            kept.append(statement)
            wanted |= uses
    return tuple(reversed(kept))


def for_module(node: ast.AST, module: str, names: Collection[str], local: Collection[str] = ()) -> ast.AST:
    """A copy in which `names`, which the student's module defines, are taken from it, unless they are `local`."""

    class Prefix(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id in names and node.id not in local and isinstance(node.ctx, ast.Load):
                return ast.Attribute(ast.Name(module, ast.Load()), node.id, ast.Load())
            return node

    prefixed: ast.AST = Prefix().visit(copy.deepcopy(node))
    return ast.fix_missing_locations(prefixed)


def bound_in(statements: Sequence[ast.stmt]) -> set[str]:
    return {name for statement in statements for name in _bound(statement)}


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def named(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _uses(node: ast.AST, names: Collection[str]) -> bool:
    return any(name in names for name in named(node))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _built_in(kind: ast.expr) -> str:
    names = [_name(part) for part in (kind.elts if isinstance(kind, ast.Tuple) else [kind])]
    if not all(isinstance(getattr(builtins, name, None), type) for name in names):
        raise NotSplit("the exception is not one of Python's own")
    return ast.unparse(kind)


def _fails(statement: ast.stmt) -> bool:
    """`assert False` or `raise AssertionError`."""
    return isinstance(statement, ast.Raise) or (
        isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Constant) and not statement.test.value
    )
