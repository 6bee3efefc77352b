"""Which top-level names of a module depend on which others, judged by its text.

Used to tell a student that one mistake shows in two places; never for points.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable


def references(sources: Iterable[str]) -> dict[str, list[str]]:
    """For each top-level function, class or variable: all names that it mentions, directly or through others.

    Sources that are not valid Python are left out.
    """
    direct: dict[str, set[str]] = {}
    for source in sources:
        try:
            mentioned = [(statement, _mentioned(statement)) for statement in ast.parse(source).body]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for statement, names in mentioned:
            for name in _defines(statement):
                direct.setdefault(name, set()).update(names - {name})
    return {name: sorted(_reachable(name, direct)) for name in direct}


def _mentioned(statement: ast.stmt) -> set[str]:
    """The global names that a statement uses; a local variable of the same name does not count."""
    table = symtable.symtable(ast.unparse(statement), "<a statement>", "exec")
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    waiting = table.get_children()
    while waiting:
        scope = waiting.pop()
        found |= {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() and symbol.is_referenced()}
        waiting += scope.get_children()
    return found


def _defines(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)]


def _reachable(start: str, direct: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in direct.get(waiting.pop(), ()):
            if name not in found and name != start:
                found.add(name)
                waiting.append(name)
    return found
