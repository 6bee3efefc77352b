"""What this machine has for timing on a GPU. Only looks at files: CUDA is initialised in workers and nowhere else."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

if os.name == "posix":
    import fcntl


def why_no_gpu() -> str:
    """What is missing for timing on a GPU; "" if nothing is missing."""
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return "this machine has no NVIDIA GPU (there is no /dev/nvidia0)"
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    if not _built_for_cuda():
        return "the installed PyTorch was built without CUDA"
    return ""


def _built_for_cuda() -> bool:
    """Reads PyTorch's version file, because importing torch takes more than a second."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^cuda\b[^=\n]*= *['\"]", text, re.MULTILINE) is not None


@contextlib.contextmanager
def locked(device: str) -> Iterator[None]:
    """Two measurements on this machine never use a GPU at the same time: the second waits."""
    if device != "cuda":
        yield
        return
    which = re.sub(r"\W", "_", os.environ.get("CUDA_VISIBLE_DEVICES", "0"))
    path = Path(tempfile.gettempdir(), f"autograder-gpu-{which}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
