"""The command `autograder` as a user types it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "autograder", *map(str, arguments)]


def autograder(
    *arguments: object, cwd: Path = ROOT, columns: int = 80, seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Runs it in this folder, on a terminal this wide, for at most this long."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": str(columns)}
    return subprocess.run(
        command_line(*arguments), cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=seconds
    )
