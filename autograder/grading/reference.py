"""The reference solution and its known wrong variants as modules in the judge. All of this is trusted code."""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.marks import Misconception
from autograder.sandbox import shipping
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.exceptions import describe
from autograder.sandbox.torch_state import seed_torch
from autograder.sandbox.values import Known, Outcome, Returned

SHARED = "<solution and helpers>"  # the file that the variants of an assignment have in common


def load_reference(assignment: Assignment) -> types.ModuleType:
    """The solution as a module.

    Raises:
        EngineError: it is missing or does not run.
    """
    return module_from_source(assignment.module, solution_source(assignment), str(assignment.solution))


def load_misconceptions(assignment: Assignment) -> list[Misconception]:
    """What `graders/<slug>/misconceptions.py` declares, in its order; empty if there is no such file."""
    path = assignment.graders / "misconceptions.py"
    if not path.exists():
        return []
    module = _import(path, load_reference(assignment), assignment.module)
    found = [getattr(value, "misconception", None) for value in vars(module).values()]
    return [item for item in found if isinstance(item, Misconception) and item.variant.__module__ == module.__name__]


def _import(path: Path, solution: types.ModuleType, name: str) -> types.ModuleType:
    """Runs a file in which `from <assignment> import …` means the solution."""
    before = sys.modules.get(name)
    sys.modules[name] = solution
    try:
        spec = importlib.util.spec_from_file_location("misconceptions", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception as error:
        raise EngineError(f"{path} does not run: {type(error).__name__}: {error}") from error
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
    return module


def evaluate(probe: bytes, module: types.ModuleType, seed: int) -> Known:
    """The outcome of a shipped probe on trusted code, in this process: the same plain values that a worker would send,
    so that it can be compared with what a worker did send."""
    return as_sent(outcome_of(probe, module, seed))


def outcome_of(probe: bytes, module: types.ModuleType, seed: int) -> Outcome:
    """The same, but with the value itself."""
    seed_torch(seed)
    try:
        return Returned(shipping.loads(probe)(module))
    except (Exception, SystemExit) as error:  # a known mistake may be a call of exit()
        return describe(error, ())


def solution_source(assignment: Assignment) -> str:
    return _read(assignment.solution)


def variant_source(assignment: Assignment, misconception: Misconception) -> str:
    """What a student who gets one exercise wrong in this way and all others right would hand in.

    Functions of the solution that build on the exercise keep the right one: a misconception is about one exercise.

    Raises:
        EngineError: the file of misconceptions does not match the solution.
    """
    shared, own = _sources(assignment, misconception)
    name, variant = misconception.exercise, misconception.name
    text = f"{shared}\n{own}\n"
    return (
        f"_inner = {{'__name__': __name__, '__file__': __file__}}\n"
        f"exec(compile({text!r}, __file__, 'exec'), _inner)\n"
        f"globals().update(_inner)\n"
        f"{name} = {variant} if callable({name}) else {variant}()\n"
    )


def load_variant(assignment: Assignment, misconception: Misconception, *, everywhere: bool = False) -> types.ModuleType:
    """`variant_source` as a module; if it is wrong `everywhere`, then also in what builds on the exercise."""
    shared, own = _sources(assignment, misconception)
    name = misconception.name

    def replace(inner: dict[str, Any]) -> Any:
        exec(compile(own, f"<{name}>", "exec", dont_inherit=True), inner)
        return inner[name] if callable(inner[misconception.exercise]) else inner[name]()

    return _changed(assignment, shared, misconception.exercise, replace, name, everywhere=everywhere)


def load_without(assignment: Assignment, exercise: str) -> types.ModuleType:
    """The solution as a module, in which every use of this exercise raises an exception."""

    def missing(*_: Any, **__: Any) -> None:
        raise NotImplementedError

    source = solution_source(assignment)
    return _changed(assignment, source, exercise, lambda _: missing, f"without {exercise}", everywhere=True)


def _changed(
    assignment: Assignment,
    source: str,
    exercise: str,
    replace: Callable[[dict[str, Any]], Any],
    name: str,
    *,
    everywhere: bool,
) -> types.ModuleType:
    """Runs the source and then puts what `replace` returns in the place of the exercise: for all code in the module, or
    only for whoever uses the module from outside."""
    inner: dict[str, Any] = {"__name__": assignment.module, "__file__": f"<{name}>"}
    module = types.ModuleType(assignment.module)
    try:
        exec(_compiled(source), inner)
        wrong = replace(inner)
        if everywhere:
            inner[exercise] = wrong
        vars(module).update(inner)
        setattr(module, exercise, wrong)
    except Exception as error:
        raise EngineError(f"<{name}> does not run: {type(error).__name__}: {error}") from error
    return module


def module_from_source(name: str, source: str, label: str) -> types.ModuleType:
    """Runs trusted source as a module that is not in `sys.modules`."""
    module = types.ModuleType(name)
    module.__file__ = label
    try:
        exec(compile(source, label, "exec", dont_inherit=True), module.__dict__)
    except Exception as error:
        raise EngineError(f"{label} does not run: {type(error).__name__}: {error}") from error
    return module


def _sources(assignment: Assignment, misconception: Misconception) -> tuple[str, str]:
    """What all variants of an assignment share (the solution, and the helpers from the file of misconceptions), and the
    variant itself."""
    solution = solution_source(assignment)
    if misconception.exercise not in _names(solution):
        raise EngineError(f"misconception {misconception.name}: the solution does not define {misconception.exercise}")
    helpers, variants = _parts(assignment.graders / "misconceptions.py", assignment.module)
    return f"{solution}\n{helpers}\n", variants[misconception.name]


# All three are cached: a class is graded in forks of one process, which inherit the caches.
@functools.lru_cache(maxsize=8)
def _names(source: str) -> set[str]:
    return {name for node in ast.parse(source).body for name in _defined(node)}


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> types.CodeType:
    return compile(source, SHARED, "exec", dont_inherit=True)


@functools.lru_cache(maxsize=8)
def _parts(path: Path, module: str) -> tuple[str, dict[str, str]]:
    """Imports and helpers from the file of misconceptions, and each variant's source without its decorator."""
    shared: list[str] = []
    variants: dict[str, str] = {}
    for node in ast.parse(_read(path)).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            "autograder",
            module,
        ):
            continue
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.decorator_list:
            node.decorator_list = [item for item in node.decorator_list if not _declares(item)]
            variants[node.name] = ast.unparse(node)
        else:
            shared.append(ast.unparse(node))
    return "\n".join(shared), variants


def _declares(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "misconception"


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror}") from error
