"""What a notebook's cells have around them in Jupyter: `get_ipython()`, `display`, `_`, top-level `await` and the rest.

IPython only translates its syntax (`submissions/magics.py`). What the magics do is here, as far as it matters for what
a notebook defines; there are no commands, since nobody's files and network are there.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import importlib
import inspect
import io
import os
import re
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.sandbox.hosted import NOTHING
from autograder.submissions.magics import as_python, cells_in

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_FLAGS_OF_PRUN = re.compile(r"^(?:-[rq]\s+|-[lsTD]\s*\S+\s+)*")
_PYLAB = (
    "import numpy, matplotlib\nfrom matplotlib import mlab, pylab, pyplot\nnp, plt = numpy, pyplot\n"
    "from matplotlib.pylab import *\nfrom numpy import *"
)
_RUN_BY = "time", "prun", "capture", "debug"  # cell magics that run the Python below them
_SHELLS = "bash", "sh", "system", "sx", "!", "script", "cmd"
_HARMLESS = {
    *("matplotlib", "config", "load_ext", "reload_ext", "unload_ext", "autoreload", "aimport", "check", "precision"),
    *("pinfo", "pinfo2", "psearch", "pdb", "xmode", "colors", "autoawait", "autocall", "automagic", "pip", "conda"),
    *("cd", "who", "whos", "who_ls", "lsmagic", "history"),
}


class Shell:
    """What `get_ipython()` returns. It runs cells in the namespace of `module`; what it does not know does nothing.

    `failed` is told what a statement raises, and `shown` what is to be displayed, and whether as a "result". Files that
    cells write lie in `folder`.
    """

    def __init__(
        self,
        module: types.ModuleType,
        failed: Callable[[BaseException], None],
        folder: Path,
        shown: Callable[[str, object], None] = lambda _kind, _value: None,
    ) -> None:
        self._module = module
        self._file = f"{module.__name__}.py"
        self.failed, self.shown = failed, shown
        self._folder = folder
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop: AbstractEventLoop | None = None
        self.label = ""
        self.ran: list[str] = []  # the Python that cells came to
        self.user_ns = module.__dict__

    def run(
        self, cells: Sequence[tuple[str, str]], *, notebook: bool, begin: Callable[[int], None] = lambda _: None
    ) -> bool:
        """Runs the cells (label, source) of a notebook, or a Python file or its parts, and says whether a file is a
        notebook as well: if it is not, what it raises is raised. `begin` is called with the position of each cell."""
        if not notebook:
            self._module.__file__ = cells[0][0]  # a file knows its own name, a notebook does not
            inside = [(label, cell) for label, source in cells for cell in cells_in(source)] if len(cells) == 1 else []
            cells, notebook = inside or cells, bool(inside)
        self._provide(notebook=notebook)
        for position, (label, source) in enumerate(cells):
            begin(position)
            if notebook:
                self.run_cell(source, label)
            else:
                exec(compile(source, label, "exec", dont_inherit=True), self.user_ns)
                self.ran.append(source)
        return notebook

    def _provide(self, *, notebook: bool) -> None:
        """Defines what is everywhere in Jupyter; for a `notebook`, what a file would not expect, too."""
        names: dict[str, Any] = vars(builtins)
        names.update(get_ipython=lambda: self, display=self._display)
        if notebook:
            self._module.__name__ = "__main__"
            sys.modules["__main__"] = self._module
            names.update(dict.fromkeys(["exit", "quit"], NOTHING), In=[""], Out={}, _ih=[""], _oh={}, _dh=[Path.cwd()])
            names.update(dict.fromkeys(["_", "__", "___", "_i", "_ii", "_iii"], ""))

    def run_cell(self, source: str, label: str = "", **_: object) -> None:
        """Runs the statements of a cell one by one, as far as each of them can be run."""
        self.label = label or self.label
        if "IPython" in source:
            self._provide_to_ipython()
        try:
            source = as_python(source)
            statements = ast.parse(source, self.label).body
        except (SyntaxError, ValueError, RecursionError, MemoryError, RuntimeError) as error:
            return self.failed(error)
        self.ran.append(source)
        quiet = source.rstrip().endswith(";")
        for statement in statements:
            try:
                value = self._value(statement)
                if statement is statements[-1] and not quiet:
                    self._show(value)
            except BaseException as error:
                self.failed(error)

    def _value(self, statement: ast.stmt, local: dict[str, object] | None = None) -> object:
        """Runs one statement; the value of an expression, else None."""
        tree: ast.Module | ast.Expression = ast.Module([statement], [])
        mode = "exec"
        if isinstance(statement, ast.Expr):
            tree, mode = ast.Expression(statement.value), "eval"
        code: types.CodeType = compile(tree, self.label, mode, self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURE
        value = eval(code, self.user_ns, local)
        return self._awaited(value) if code.co_flags & inspect.CO_COROUTINE else value

    def _awaited(self, coroutine: object) -> object:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)  # type: ignore[arg-type]

    def _show(self, value: object) -> None:
        if value is not None:
            names = vars(builtins)
            names.update(_=value, __=names["_"], ___=names["__"])
            self.shown("result", value)

    def _display(self, *values: object, **options: object) -> object:
        for value in values:
            self.shown("display", value)
        return NOTHING if options.get("display_id") else None  # what would change the display later

    def run_line_magic(self, name: str, line: str, *_: object, **__: object) -> object:
        """What `%name line` does, and `%%name` where it is not at the top of a cell."""
        return self._line_magic(name.lstrip("%"), line, sys._getframe(1).f_locals)

    def magic(self, line: str) -> object:
        """`run_line_magic` as older exports of notebooks call it."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self._line_magic(name, rest, sys._getframe(1).f_locals)

    def _line_magic(self, name: str, line: str, local: dict[str, object]) -> object:
        if name in ("time", "prun"):
            code = _FLAGS_OF_PRUN.sub("", line, count=1) if name == "prun" else line
            value = None
            for statement in ast.parse(as_python(code), self.label).body:
                value = self._value(statement, local)
            return value if name == "time" else None
        if name == "pwd":
            return os.getcwd()  # noqa: PTH109
        if name in ("env", "set_env") and line:
            variable, *text = line.split("=" if "=" in line else None, 1)
            if not text:
                return os.environ[variable]
            os.environ[variable.strip()] = text[0].strip()
        elif name == "run":
            self._run_file(line.removeprefix("-i ").split()[0] if line.split() else "")
        elif name == "pylab":
            exec(_PYLAB, self.user_ns)
        elif name in _SHELLS:
            return self.getoutput(line)
        elif name not in _HARMLESS:
            self._refuse("This magic is", f"%{name} {line}")
        return None

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """What `%%name line` does with the `cell` below it."""
        below = "\n" * sys._getframe(1).f_lineno + cell  # its lines keep their numbers
        if name in ("writefile", "file"):
            self._write_file(line, cell, below)
        elif name == "capture":
            self._capture(line, below)
        elif name in _RUN_BY:
            started = time.perf_counter()
            self.run_cell(below)
            if name == "time":
                print(f"Wall time: {(time.perf_counter() - started) * 1000:.3g} ms")
        elif name in _SHELLS:
            self._refuse("Shell commands are", f"%%{name}")
        else:
            self._refuse("This magic is", f"%%{name}")

    def system(self, command: str) -> None:
        """`!command`"""
        self._refuse("Shell commands are", f"!{command}")

    def getoutput(self, command: str, *_: object, **__: object) -> list[str]:
        """`lines = !command`: nothing."""
        from IPython.utils.text import SList

        self._refuse("Shell commands are", f"!{command}")
        nothing: list[str] = SList()
        return nothing

    def __getattr__(self, name: str) -> object:
        return getattr(NOTHING, name)

    def _capture(self, line: str, cell: str) -> None:
        from IPython.utils.capture import CapturedIO

        printed: list[Any] = [None, None]
        shown, self.shown = self.shown, lambda _kind, _value: None
        with contextlib.ExitStack() as stack:
            if "--no-stdout" not in line:
                printed[0] = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            if "--no-stderr" not in line:
                printed[1] = stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            self.run_cell(cell)
        self.shown = shown
        for name in [word for word in line.split() if not word.startswith("-")][:1]:
            self.user_ns[name] = CapturedIO(*printed)

    def _write_file(self, line: str, text: str, below: str) -> None:
        """A file of the assignment's own name is the submission: its code belongs to the module itself."""
        *flags, name = line.split() or [""]
        path = Path(name)
        if path.name == self._file:
            before, self._module.__name__ = self._module.__name__, Path(self._file).stem
            self.run_cell(below)
            self._module.__name__ = before
        if path.is_absolute() or ".." in path.parts:
            path = Path(path.name)
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if "-a" in flags and target.exists():
            text = target.read_text(encoding="utf-8") + text
        target.unlink(missing_ok=True)  # a file that was handed in cannot be written to
        target.write_text(text, encoding="utf-8")
        if str(self._folder) not in sys.path:
            sys.path.append(str(self._folder))
        importlib.invalidate_caches()

    def _run_file(self, name: str) -> None:
        name = name.strip("'\"")
        name = name if name.endswith((".py", ".ipynb")) else f"{name}.py"
        path = self._folder / name
        if path.name == self._file:
            return  # its code has been run
        if not path.is_file():
            raise FileNotFoundError(f"{path.name} is not here, so it was not run")
        names: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
        exec(compile(path.read_bytes(), name, "exec", dont_inherit=True), names)
        self.user_ns.update({key: value for key, value in names.items() if not key.startswith("__")})

    def _provide_to_ipython(self) -> None:
        """Lets code that asks IPython itself find this shell."""
        from IPython import display
        from IPython.core import display_functions, interactiveshell

        kind: Any = interactiveshell.InteractiveShell
        kind.initialized, kind.instance = lambda: True, lambda *_, **__: self
        modules: list[Any] = [display, display_functions]
        for module in modules:
            module.display = self._display

    def _refuse(self, what: str, line: str) -> None:
        print(f"{what} not run where notebooks are graded: {line.strip()[:100]}", file=sys.stderr)
