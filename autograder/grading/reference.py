"""The reference solution and its known wrong variants as modules in the judge. All of this is trusted code."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading import mistakes
from autograder.grading.marks import Misconception
from autograder.sandbox import shipping
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.exceptions import describe
from autograder.sandbox.torch_state import seeded_generators
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
    _require_own_names(path, assignment.module)
    module = _import(path, load_reference(assignment), assignment.module)
    found = [getattr(value, "misconception", None) for value in vars(module).values()]
    return [item for item in found if isinstance(item, Misconception) and item.variant.__module__ == module.__name__]


def _require_own_names(path: Path, solution: str) -> None:
    """Raises EngineError if the file imports the solution otherwise than by the names of what it defines: where a
    variant runs, there are those names and no such module."""
    try:
        body = ast.parse(_read(path)).body
    except SyntaxError:  # the import says so
        return
    for node in body:
        if isinstance(node, ast.Import):
            wrong = [alias for alias in node.names if alias.name.partition(".")[0] in (solution, "solutions")]
        elif isinstance(node, ast.ImportFrom) and node.module == solution:
            wrong = [alias for alias in node.names if alias.asname]
        else:
            inside = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "solutions"
            wrong = node.names if inside and isinstance(node, ast.ImportFrom) else []
        if wrong:
            advice = f"write `from {solution} import ...` with the names that it uses, without `as`"
            raise EngineError(f"{path.name}, line {node.lineno}: instead of `{ast.unparse(node)}`, {advice}")


def _import(path: Path, solution: types.ModuleType, name: str) -> types.ModuleType:
    """Runs a file in which `from <assignment> import …` means the solution."""
    try:
        with _found_as(name, solution):
            spec = importlib.util.spec_from_file_location("misconceptions", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            with _found_as(module.__name__, module):
                spec.loader.exec_module(module)
    except Exception as error:
        raise EngineError(f"{path} does not run: {type(error).__name__}: {error}") from error
    return module


def evaluate(probe: bytes, module: types.ModuleType, seed: int) -> Known:
    """The outcome of a shipped probe on trusted code, in this process: the same plain values that a worker would send,
    so that it can be compared with what a worker did send."""
    return as_sent(outcome_of(probe, module, seed))


def outcome_of(probe: bytes, module: types.ModuleType, seed: int) -> Outcome:
    """The same, but with the value itself."""
    with seeded_generators(seed):
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


def load_variant(
    assignment: Assignment, misconception: Misconception, replaced: Mapping[str, Any] = MappingProxyType({})
) -> types.ModuleType:
    """`variant_source` as a module. What is `replaced`, by name, is so for all code in the module; the variant itself
    only for whoever uses the module from outside."""
    shared, own = _sources(assignment, misconception)
    inner = _with(assignment, shared, replaced, misconception.name)
    module = types.ModuleType(assignment.module)
    vars(module).update(vars(inner))
    setattr(module, misconception.exercise, _variant(inner, own, misconception))
    return module


def load_with(assignment: Assignment, replaced: Mapping[str, Any], label: str) -> types.ModuleType:
    """The solution as a module in which everything uses what is in `replaced`, by name, instead of what is right."""
    return _with(assignment, solution_source(assignment), replaced, label)


def replacement(assignment: Assignment, misconception: Misconception) -> Any:
    """What a variant puts in the place of its exercise. Whatever it uses itself is right."""
    shared, own = _sources(assignment, misconception)
    return _variant(_with(assignment, shared, {}, misconception.name), own, misconception)


def missing(*_: Any, **__: Any) -> None:
    """Takes the place of an exercise that is not there."""
    raise NotImplementedError


def _with(assignment: Assignment, source: str, replaced: Mapping[str, Any], label: str) -> types.ModuleType:
    module = types.ModuleType(assignment.module)
    module.__file__ = f"<{label}>"
    with _running(module.__file__, module):
        exec(_compiled(source), vars(module))
    vars(module).update(replaced)
    return module


def _variant(inner: types.ModuleType, source: str, misconception: Misconception) -> Any:
    label, names = misconception.name, vars(inner)
    with _running(f"<{label}>", inner):
        exec(compile(source, f"<{label}>", "exec", annotations.compiler_flag, dont_inherit=True), names)
        return names[label] if callable(names[misconception.exercise]) else names[label]()


@contextlib.contextmanager
def _running(label: str, module: types.ModuleType) -> Iterator[None]:
    """Where the module's own code runs: a dataclass, for one, looks its module up in `sys.modules`."""
    try:
        with _found_as(module.__name__, module), seeded_generators(0):  # as in a worker
            yield
    except Exception as error:
        raise EngineError(f"{label} does not run: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _found_as(name: str, module: types.ModuleType) -> Iterator[None]:
    """For the moment, `import name` means this module."""
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def module_from_source(name: str, source: str, label: str) -> types.ModuleType:
    """Runs trusted source as a module that is not in `sys.modules` afterwards."""
    module = types.ModuleType(name)
    module.__file__ = label
    with _running(label, module):
        exec(compile(source, label, "exec", dont_inherit=True), module.__dict__)
    return module


def _sources(assignment: Assignment, misconception: Misconception) -> tuple[str, str]:
    """What all variants of an assignment share (the solution, and the helpers from the file of misconceptions), and the
    variant itself."""
    solution = solution_source(assignment)
    if misconception.exercise not in _names(solution):
        raise EngineError(f"misconception {misconception.name}: the solution does not define {misconception.exercise}")
    first, helpers, variants = _parts(assignment.graders / "misconceptions.py", assignment.module)
    return f"{first}{solution}\n{helpers}\n", variants[misconception.name]


# All three are cached: a class is graded in forks of one process, which inherit the caches.
@functools.lru_cache(maxsize=8)
def _names(source: str) -> set[str]:
    return {name for node in ast.parse(source).body for name in _defined(node)}


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> types.CodeType:
    return compile(source, SHARED, "exec", dont_inherit=True)


@functools.lru_cache(maxsize=8)
def _parts(path: Path, module: str) -> tuple[str, str, dict[str, str]]:
    """What must come first in a file, imports and helpers from the file of misconceptions, and each variant's source
    without its decorator. What it imports from here is not there in a worker: `mistakes` become part of the text, and
    nothing else is needed."""
    first = ""
    shared: list[str] = []
    variants: dict[str, str] = {}
    for node in ast.parse(_read(path)).body:
        origin = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if origin == "__future__":
            first += f"{ast.unparse(node)}; "
        elif origin == mistakes.__name__:
            shared.append(_read(Path(mistakes.__file__)))
        elif origin.partition(".")[0] in ("autograder", module):
            continue
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and any(map(_declares, node.decorator_list)):
            node.decorator_list = [item for item in node.decorator_list if not _declares(item)]
            variants[node.name] = ast.unparse(node)
        else:
            shared.append(ast.unparse(node))
    return first, "\n".join(shared), variants


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
