"""Cells define the same names with the same values as in IPython itself, or differ as is said here."""

# ruff: noqa: E501 (cells are data)

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FACTORS = "%%writefile factors.py\nfactor = 3\n"

# Notebooks by what is special about them: their cells, one after the other.
SAME = {
    "indented": ["    x = 1\n    if x:\n        y = 2\n"],
    "indented after blank lines": ["\n\n  x = 1\n  y = 2"],
    "prompts": [">>> x = 1\n>>> def f(a):\n...     return a\n", "In [3]: y = 2", ">>> z = f(3)\n"],
    "prompt on the second line": ["# from the lecture\n>>> x = 1"],
    "future import in an earlier cell": ["from __future__ import annotations", "def f(a: Unknown): ...\nx = f.__annotations__"],
    "main": ['x = __name__\nif __name__ == "__main__":\n    y = 2', "import sys\nz = sys.modules[__name__].x"],
    "await": [
        "import asyncio\nasync def f(a):\n    await asyncio.sleep(0)\n    return a",
        "x = await f(1)\ny = [await f(i) for i in range(2)]\nawait f(3)",
        "async with asyncio.Lock():\n    z = 3",
        "async def g():\n    yield 1\nasync for w in g(): pass",
    ],
    "tasks": [
        "import asyncio\nasync def f():\n    return 5",
        "x = await asyncio.gather(f(), f())",
    ],
    "values of magics": ["import os\nx = %pwd\nx = x == os.getcwd()", "%env CELL=3\ny = %env CELL", "%set_env CELL 4\nz = os.environ['CELL']"],
    "time": ["%%time\nx = 1\nx + 1", "%time y = 2", "z = %time 3\n%time\n", "def f():\n    a = 4\n    w = %time a\n    return w\nv = f()"],
    "profiled": ["%prun -q x = 1", "%%prun -q\ny = 2"],
    "timed many times": ["%%timeit -n 1 -r 1\nx = 1", "%timeit -n 1 -r 1 y = 2", "z = 3"],
    "capture": ["%%capture out\nprint('a')\nx = 1", "y = out.stdout\nz = str(out)", "%%capture --no-stderr\nw = 2"],
    "capture and time": ["%%capture out\n%%time\nx = 1\nprint(x)", "y = out.stdout[:2]"],
    "file": [FACTORS, "from factors import factor as x", "%run factors.py", "%run factors\ny = factor", "%%file -a factors.py\nother = 4"],
    "help": ["x = 1\nx?\nx??\n?x", "len?", "%time?", "str.*join*?"],
    "quoted and called": [",print a b\n;print a b\n/print 1 2", "x = 1"],
    "semicolons": ["1 + 1;", "x = 1;", "x;\ny = 2;"],
    "extensions": ["%load_ext autoreload\n%autoreload 2\nx = 1", "%config InteractiveShell.ast_node_interactivity = 'last_expr'\ny = 2"],
    "long command": ["x = 1\n%env CELL=\\\n  5\ny = 2"],
    "magics in blocks": ["for i in range(2):\n    %time x = i\nif True:\n    y = %pwd\n    y = 1"],
    "what only looks like a magic": ["x = '''\n%time\n!ls\n'''\ny = 7 \\\n% 4\nz = (9\n% 5)\n"],
    "last values": ["3", "x = _", "4;", "y = _", "5", "z = (_, __)"],
    "last values of the student's own": ["_ = 3", "4", "x = _"],
    "display": ["display(1)\nx = display('a')", "from IPython.display import HTML, display\ndisplay(2)\ny = 1"],
    "shell that IPython knows": ["from IPython import get_ipython as g\nx = g() is get_ipython()", "y = g().user_ns is globals()"],
    "inner cell": ["get_ipython().run_cell('x = 1')", "get_ipython().run_line_magic('time', 'y = 2')\nget_ipython().magic('time z = 3')"],
    "own magic": ["from IPython.core.magic import register_line_magic\n@register_line_magic\ndef twice(line):\n    return line * 2\nx = 1"],
    "exception that is caught": ["try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    x = str(error)"],
    "dataclass": ["from dataclasses import dataclass\n@dataclass\nclass C:\n    a: 'int' = 1\nx = repr(C())\ny = C.__module__"],
    "pickled": ["import pickle\nclass C: ...\nx = type(pickle.loads(pickle.dumps(C()))) is C"],
    "not Python": ["x = = 1\ny = 2", "z = 3"],
    "docstring and comments": ['"""About."""\n# %time\n# !ls\nx = 1'],
    "html": ["%%html\n<b>x</b>", "%%javascript\nx", "%%latex\nx", "y = 1"],
    "empty": ["", "\n\n", "# nothing", "%%time\n", "x = 1"],
    "formfeed": ["x = 1\n\x0cy = 2"],
}  # fmt: skip
# Where we differ on purpose: the cells, and the names with the values that they have in IPython and here.
DIFFERENT: dict[str, tuple[list[str], dict[str, str], dict[str, str]]] = {
    "a statement that raises costs only itself": (["x = 1\n1 / 0\ny = 2"], {"x": "1"}, {"x": "1", "y": "2"}),
    "and in a timed cell as well": (["%%time\n1 / 0\ny = 2"], {}, {"y": "2"}),
    "no commands": (["x = !echo a", "y = x.n"], {"x": "['a']", "y": "'a'"}, {"x": "[]", "y": "''"}),
    "no other languages": (["%%sh --out x\necho a", "y = 1"], {"x": "'a\\n'", "y": "1"}, {"y": "1"}),
    "names stay": (["x = 1", "%reset -f", "y = 2"], {"y": "2"}, {"x": "1", "y": "2"}),
    "nothing to quit": (["x = 1\nimport sys\nsys.exit()\ny = 2"], {"x": "1"}, {"x": "1", "y": "2"}),
    "commands without a sign": (["time x = 1"], {"x": "1"}, {}),
    "blank lines in a text": (["x = '''a\n   \nb'''"], {"x": "'a\\n\\nb'"}, {"x": "'a\\n   \\nb'"}),
}

_DUMP = """
import json, os, sys, tempfile, types
def dump(names):
    return {
        name: value.__name__ if isinstance(value, (type, types.FunctionType, types.ModuleType)) else repr(value)
        for name, value in names.items()
        if name[0] != "_" and name not in ("In", "Out", "exit", "quit", "open", "get_ipython", "display", "out")
    }
notebooks, found = json.load(sys.stdin), {}
written = sys.stdout
sys.stdout = sys.stderr = open(os.devnull, "w")
"""
_THEIRS = (
    _DUMP
    + """
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance()
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
sys.path.insert(0, "")
for name, cells in notebooks.items():
    shell.reset(new_session=True)
    shell.displayhook.flush()
    for cell in cells:
        shell.run_cell(cell, store_history=True)
    found[name] = dump(shell.user_ns)
print(json.dumps(found), file=written)
"""
)
_OURS = (
    _DUMP
    + """
from pathlib import Path
from autograder.sandbox.shell import Shell
for name, cells in notebooks.items():
    module = types.ModuleType("warmup")
    shell = Shell(module, lambda error: None, Path.cwd())
    shell.run([(f"cell {i}", cell) for i, cell in enumerate(cells, 1)], notebook=True)
    found[name] = dump(vars(module))
print(json.dumps(found), file=written)
"""
)


def defined(program: str, folder: Path) -> dict[str, Any]:
    notebooks = SAME | {name: cells for name, (cells, _, _) in DIFFERENT.items()}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(notebooks), cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return defined(_THEIRS, tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return defined(_OURS, tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize("name", SAME)
def test_cells_define_what_they_define_in_ipython(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    assert ours[name] == theirs[name] != {}


@pytest.mark.parametrize("name", DIFFERENT)
def test_cells_differ_only_as_documented(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    _, in_ipython, here = DIFFERENT[name]
    for found, expected in ((theirs[name], in_ipython), (ours[name], here)):
        assert {key: value for key, value in found.items() if key != "sys"} == expected
