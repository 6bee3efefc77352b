"""Which top-level names of a module depend on which others, judged by its text.

Used to tell a student that one mistake shows in two places; never for points.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable


def references(sources: Iterable[str]) -> dict[str, list[str]]:
    """For each top-level function, class or variable: all names that it mentions, directly or through others.

    Sources that are not valid Python are left out.
    """
    direct: dict[str, set[str]] = {}
    for source in sources:
        try:
            statements = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for statement in statements:
            mentioned = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            for name in _defines(statement):
                direct.setdefault(name, set()).update(mentioned - {name})
    return {name: sorted(_reachable(name, direct)) for name in direct}


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
