"""What this machine has for timing on a GPU. Only looks at files: CUDA is initialised in workers and nowhere else."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import EngineError

if os.name == "posix":
    import fcntl

WSL = Path("/usr/lib/wsl/lib")
UNKNOWN = "unknown"
_DEV, _GPUS = Path("/dev"), Path("/proc/driver/nvidia/gpus")
_LOCKS = Path("/tmp")  # for all users of the machine, whatever their TMPDIR
_WAIT_SECONDS = 600.0  # a class server may have a judge on each core, and each of them measures for some seconds
_INSTALL = "install one with it: https://pytorch.org/get-started/locally"


def why_no_gpu() -> str:
    """What is missing for timing on a GPU, and what to do about it; "" if nothing is missing."""
    nodes = sorted(_DEV.glob("nvidia[0-9]*"))
    if not nodes and not (_DEV / "dxg").exists():
        return _no_device()
    if not nodes and not (WSL / "libcuda.so.1").exists():
        return f"WSL has no NVIDIA driver ({WSL}/libcuda.so.1 is missing); install NVIDIA's driver in Windows"
    if not re.match(r"\d|GPU-|MIG-", _first_visible()):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    for node in (*nodes, _DEV / "nvidiactl", _DEV / "nvidia-uvm"):
        if node.exists() and not _is_open_to_workers(node):
            return f"workers may not open {node}; run chmod a+rw {_DEV}/nvidia*"
    built = _built_for()
    if built != "cuda":
        return f"the installed PyTorch was built {'for AMD GPUs' if built else 'without CUDA'}; {_INSTALL}"
    return ""


def _no_device() -> str:
    if list(_gpus()):
        return f"there is no {_DEV}/nvidia0, though the driver has a GPU; start this container with --gpus all"
    if (_DEV / "kfd").exists():
        return "this machine has an AMD GPU, but only NVIDIA's are supported"
    if sys.platform == "darwin":
        return "only NVIDIA's GPUs are supported, and this is a Mac"
    return f"this machine has no NVIDIA GPU (there is no {_DEV}/nvidia0)"


def _first_visible() -> str:
    """The first entry of CUDA_VISIBLE_DEVICES: a number, or the beginning of a UUID."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0].strip()


def _is_open_to_workers(node: Path) -> bool:
    """Workers that root starts have a uid of their own, and no group."""
    return node.stat().st_mode & 0o006 == 0o006 if os.geteuid() == 0 else os.access(node, os.R_OK | os.W_OK)


def _built_for() -> str:
    """ "cuda", "hip" or "". Reads PyTorch's version file, because importing torch takes more than a second."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return ""
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^(cuda|hip)\b[^=\n]*= *['\"]", text, re.MULTILINE)
    return found[1] if found else ""


@contextlib.contextmanager
def locked(device: str) -> Iterator[None]:
    """Two measurements on this machine never use a GPU at the same time: the second waits. Whoever dies releases it.

    Raises:
        EngineError: others use the GPU all the time, or the lock cannot be opened.
    """
    if device != "cuda":
        yield
        return
    path = _LOCKS / f"autograder-gpu-{physical_gpu()}.lock"
    descriptor = _opened(path)
    try:
        give_up = time.monotonic() + _WAIT_SECONDS
        while not _acquired(descriptor):
            if time.monotonic() > give_up:
                text = (
                    f"another process has kept the GPU for more than {_WAIT_SECONDS:.0f} s; find it with fuser {path}"
                )
                raise EngineError(text)
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def physical_gpu() -> str:
    """The PCI address of the GPU that CUDA counts as its first (the engine makes it count in this order)."""
    visible = _first_visible()
    known = [(address, uuid) for address, uuid, minor in _gpus() if (_DEV / f"nvidia{minor}").exists()]
    if visible.isdigit():
        known = known[int(visible) :][:1]
    elif len(known) > 1:
        known = [(address, uuid) for address, uuid in known if uuid.startswith(visible)]
    return known[0][0] if known else UNKNOWN


def _gpus() -> Iterator[tuple[str, str, str]]:
    """PCI address, UUID and number in /dev of the GPUs that the driver has, in the order of their addresses."""
    for folder in sorted(_GPUS.glob("*")):
        with contextlib.suppress(OSError):
            lines = (folder / "information").read_text().splitlines()
            facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            yield folder.name, facts.get("GPU UUID", ""), facts.get("Device Minor", "")


def _opened(path: Path) -> int:
    """Only for reading, which is enough for a lock: nobody needs to be allowed to write the file of another user."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o444))
            path.chmod(0o444)  # whatever the umask is
        return os.open(path, flags)
    except OSError as error:
        raise EngineError(f"the GPU's lock {path} cannot be opened ({error.strerror}); remove it") from None


def _acquired(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
