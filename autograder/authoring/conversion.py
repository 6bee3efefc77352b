"""Makes an assignment of a source notebook in nbgrader's or otter's form."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring import scaffold
from autograder.authoring.assertions import ASSERTING, Assertion, bound_in, for_module, named, split
from autograder.authoring.notebooks import CODE, PROSE, SOLUTION, TESTS, SourceCell, SourceNotebook, read
from autograder.errors import UsageError

_NO_PUBLIC = "The source notebook has no visible tests of it."
_DRAWS = re.compile(r"\brandom\.(?!seed|manual_seed|default_rng\(\d|RandomState\(\d)")


@dataclass
class Converted:
    """The files of the assignment, and what must be written by hand: a line for each."""

    files: dict[str, str]
    refused: list[str]


@dataclass
class _Exercise:
    points: float = 0.0
    checks: list[str] = field(default_factory=list)
    public: list[str] = field(default_factory=list)


def convert(path: Path, slug: str) -> Converted:
    """What becomes of the notebook.

    Raises:
        UsageError: it is no source notebook, or none of its tests can be converted.
    """
    book = read(path)
    return _Conversion(book, slug).converted(path)


class _Conversion:
    def __init__(self, book: SourceNotebook, slug: str) -> None:
        self._book, self._slug = book, slug
        self._refused = [(number, line, reason, "") for number, line, reason in book.refused]
        self._exercises: dict[str, _Exercise] = defaultdict(_Exercise)
        self._imports: dict[str, str] = {}  # name → statement
        self._own: list[str] = []  # what students write
        self._defined: set[str] = set()  # that, and what the notebook gives them

    def converted(self, path: Path) -> Converted:
        recent: list[str] = []  # what the solutions since the last tests define
        after_tests = False
        for cell in self._book.cells:
            if cell.kind in (CODE, SOLUTION):
                names = self._note(cell)
                if cell.kind == SOLUTION:
                    recent, after_tests = (names if after_tests else [*recent, *names]), False
            elif cell.kind == TESTS:
                after_tests = True
                self._convert(cell, recent)
        exercises = {name: one for name, one in self._exercises.items() if one.checks}
        if not exercises:
            raise UsageError(f"None of the tests in {path} can be converted; begin with `autograder new {self._slug}`.")
        return Converted(self._files(exercises), self._told())

    def _note(self, cell: SourceCell) -> list[str]:
        """Keeps what a cell imports and defines; returns what it defines."""
        try:
            body = ast.parse(re.sub(r"^(\s*)([%!])", r"\1# \2", cell.source, flags=re.MULTILINE)).body
        except SyntaxError:
            self._refused.append((cell.number, 1, "it is not plain Python, so nothing of it is tested", ""))
            return []
        self._keep_imports(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
        names = [name for node in body for name in sorted(bound_in([node]))]
        self._defined |= set(names)
        if cell.kind == SOLUTION:
            self._own += names
        return names

    def _keep_imports(self, statements: Iterable[str]) -> None:
        for statement in statements:
            [node] = ast.parse(statement).body
            assert isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names:
                self._imports[(alias.asname or alias.name).partition(".")[0]] = statement

    def _convert(self, cell: SourceCell, recent: Sequence[str]) -> None:
        """Turns the assertions of a test cell into checks that share its points."""
        found = split(cell.hidden, self._own, displays=cell.displays)
        lines = cell.hidden.split("\n")
        self._keep_imports(found.imports)
        refused = [(line, reason) for line, reason in found.refused]
        usable = []
        for assertion in found.assertions:
            drawn = "\n".join(map(ast.unparse, assertion.setup))
            if _DRAWS.search(drawn) and "seed(" not in drawn and not re.search(r"\btorch\.random\.", drawn):
                refused.append((assertion.line, "its inputs are drawn without a seed"))
            else:
                usable.append(assertion)
        self._refused += [(cell.number, line, reason, lines[line - 1].strip()) for line, reason in refused]
        if not usable:
            left_out = f"no check is made of it, and its {cell.points:g} points are left out"
            self._refused.append((cell.number, 1, left_out, ""))
            return
        points = cell.points or 1.0
        if not cell.points:
            self._refused.append((cell.number, 1, "it is worth no points there, and 1 here", ""))
        name = self._exercise(usable, recent)
        exercise = self._exercises[name]
        exercise.points += points
        for assertion in usable:
            number = len(exercise.checks) + 1
            exercise.checks.append(self._check(assertion, f"{name}_{number}", _share(points, len(usable))))
        if test := self._public(cell.visible):
            exercise.public.append(f"\n\ndef test_{name}__{len(exercise.public) + 1}():\n{test}")

    def _exercise(self, assertions: Sequence[Assertion], recent: Sequence[str]) -> str:
        """The name that these assertions are about, of those that the solution just before them defines if possible."""
        used = [name for one in assertions for part in (*one.values, *one.setup) for name in named(part)]
        for names in (recent, self._own):
            if about := next((name for name in names if name in used), ""):
                return about
        return self._own[-1]

    def _check(self, assertion: Assertion, name: str, points: str) -> str:
        local = bound_in(assertion.setup)
        values = [ast.unparse(for_module(value, "m", self._defined, local)) for value in assertion.values]
        value = values[0] if len(values) == 1 else f"{{{', '.join(f'{n}: {v}' for n, v in _numbered(values))}}}"
        if assertion.bound:
            value = f"float({value})"
        setup = [ast.unparse(for_module(statement, "m", self._defined, local)) for statement in assertion.setup]
        lines = [f"@points({points})", "", f'    """{_title(assertion)}"""']
        probe = f"lambda m: {value}"
        if setup:
            inner = "\n".join([*setup, f"return {value}"])
            lines += ["", "    def probe(m):", _indented(inner, 8), ""]
            probe = "probe"
        if assertion.bound:
            lines[1] = f"def test_{name}(student):"
            lines += [f"    value = student({probe})"]
            said = json.dumps(f"The value should be {assertion.bound}.")
            lines += [f"    expect(isinstance(value, float) and value {assertion.bound}, {said})"]
        else:
            lines[1] = f"def test_{name}(same_outcome):"
            more = f", raises={assertion.raises}" if assertion.raises else ""
            if assertion.tolerance:
                more += f", tolerance=Tolerance({assertion.tolerance[0]}, {assertion.tolerance[1]})"
            lines += [f"    same_outcome({probe}{more})"]
        return "\n\n\n" + "\n".join(lines) + "\n"

    def _public(self, visible: str) -> str:
        """The body of a public test; empty if the visible part asserts nothing."""
        try:
            body = ast.parse(visible).body
        except SyntaxError:
            return ""
        body = [inner for node in body for inner in (node.body if _is_test(node) else [node])]  # type: ignore[attr-defined]
        asserts = any(
            isinstance(part, ast.Assert) or named_call(part) in ASSERTING | {"raises"}
            for node in body
            for part in ast.walk(node)
        )
        if not asserts:
            return ""
        imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        self._keep_imports(map(ast.unparse, imports))
        rest = [node for node in body if node not in imports]
        text = "\n".join(ast.unparse(for_module(node, self._slug, self._defined, bound_in(rest))) for node in rest)
        return _indented(text, 4) + "\n"

    def _files(self, exercises: dict[str, _Exercise]) -> dict[str, str]:
        slug = self._slug
        files = scaffold.assignment_files(slug, list(exercises), self._book.title)
        files[f"solutions/{slug}/{slug}.py"] = _percent(self._book.cells)
        files[f"graders/{slug}/misconceptions.py"] = files[f"graders/{slug}/misconceptions.py"].split("\n")[0] + "\n"
        toml = files[f"graders/{slug}/assignment.toml"]
        for name, one in exercises.items():
            toml = toml.replace(f"\n{name} = 10", f"\n{name} = {round(one.points, 9):g}")
        hidden = [name for name, one in exercises.items() if not one.public]
        if hidden:
            toml += "\n[without_public_tests]\n" + "".join(f'{name} = "{_NO_PUBLIC}"\n' for name in hidden)
        files[f"graders/{slug}/assignment.toml"] = toml
        for name, one in exercises.items():
            grader = next(file for file in files if re.fullmatch(rf"graders/{slug}/test_\d+_{name}\.py", file))
            files[grader] = self._grader(name, "".join(one.checks))
        public = "".join(test for one in exercises.values() for test in one.public)
        tests = f"assignments/{slug}/test_{slug}.py"
        docstring = files[tests].partition('\n"""\n')[0] + '\n"""\n\n'
        files[tests] = docstring + "\n".join([*self._imported(public), f"import {slug}"]) + "\n" + public
        return files

    def _grader(self, name: str, checks: str) -> str:
        ours = [word for word in ("Tolerance", "exercise", "expect", "points") if f"{word}(" in checks + "exercise("]
        head = [f'"""`{name}`: made from a notebook. What the solution computes is what is expected."""', ""]
        head += [*self._imported(checks), f"from autograder.grading import {', '.join(ours)}"]
        return "\n".join(head) + f'\n\npytestmark = exercise("{name}")\n{checks}'

    def _imported(self, text: str) -> list[str]:
        used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        return list(dict.fromkeys(self._imports[name] for name in self._imports if name in used))

    def _told(self) -> list[str]:
        return [
            f"cell {number}, line {line}: {reason}{': ' + code if code else ''}"
            for number, line, reason, code in sorted(self._refused)
        ]


def _share(points: float, parts: int) -> str:
    each = points / parts
    return f"{each:g}" if abs(float(f"{each:g}") * parts - points) < 1e-9 else f"{points:g} / {parts}"


def _numbered(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(json.dumps(f"value {number}"), value) for number, value in enumerate(values, 1)]


def _title(assertion: Assertion) -> str:
    asked = ast.unparse(assertion.values[0])
    text = assertion.message or (f"`{asked}` raises an exception." if assertion.raises else f"`{asked}` is right.")
    plain = " ".join(text.split())
    return "It does what the text asks for." if "\\" in plain or '"' in plain or len(plain) > 100 else plain


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line if line else line for line in text.split("\n"))


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test")


def named_call(node: ast.AST) -> str:
    func = node.func if isinstance(node, ast.Call) else None
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _percent(cells: Collection[SourceCell]) -> str:
    """Prose, code and solutions as a file in percent cells, which begins with prose."""
    import jupytext
    import nbformat

    made: list[Any] = []
    for cell in cells:
        if cell.kind != TESTS and cell.source.strip():
            new: Any = nbformat.v4.new_markdown_cell if cell.kind == PROSE else nbformat.v4.new_code_cell
            made.append(new(cell.source))
    if made[0].cell_type != "markdown":
        made.insert(0, nbformat.v4.new_markdown_cell("# Exercises"))  # type: ignore[no-untyped-call]
    book: Any = nbformat.v4.new_notebook(cells=made)  # type: ignore[no-untyped-call]
    text = str(jupytext.writes(book, fmt="py:percent"))
    return re.sub(r"\A# ---\n.*?# ---\n+", "", text, flags=re.DOTALL)
