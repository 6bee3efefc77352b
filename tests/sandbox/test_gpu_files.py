"""What a worker with a GPU may open and use: what the driver needs of the machine, and nothing more. The driver's
devices and files are false ones, in a mount namespace of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confinement is for Linux")

# In a process of its own: makes the machine, locks itself down, and prints what it could open.
MACHINE = """
import ctypes, json, os, pathlib, sys, threading

root, gpu = pathlib.Path(sys.argv[1]), sys.argv[2] == "gpu"
libc = ctypes.CDLL(None, use_errno=True)


def require(result):
    if result:
        print(os.strerror(ctypes.get_errno()))
        sys.exit(77)


def mount(kind, place, options=b"", flags=0):
    require(libc.mount(b"none", str(place).encode(), kind, flags, options))


require(libc.unshare(0x20000))
mount(None, "/", flags=0x44000)  # private, with everything below
mount(b"tmpfs", root)
for name in ("upper", "work"):
    (root / name).mkdir()
local = "/usr/local"
mount(b"overlay", local, f"lowerdir={local},upperdir={root / 'upper'},workdir={root / 'work'}".encode())
mount(b"tmpfs", "/proc/driver")
mount(b"tmpfs", "/run")
mount(b"tmpfs", "/dev")
for name, number in {"null": 3, "nvidia0": 3, "nvidia-caps/nvidia-cap1": 3, "zero": 5, "urandom": 9}.items():
    path = pathlib.Path("/dev", name)
    path.parent.mkdir(exist_ok=True)
    os.mknod(path, 0o20666, os.makedev(1, number))
    path.chmod(0o666)
files = {
    "/proc/driver/nvidia/params", "/proc/driver/nvidia-uvm/fault_stats", "/usr/local/nvidia/lib64/libcuda.so.1",
    f"{root}/store/libcuda.so.1", f"{root}/libraries/libother.so.2", f"{root}/libraries/solution.py",
}
for name in sorted(files):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
pathlib.Path("/run/opengl-driver/lib").mkdir(parents=True)
pathlib.Path("/run/opengl-driver/lib/libcuda.so.1").symlink_to(root / "store/libcuda.so.1")
os.environ["LD_LIBRARY_PATH"] = f"{root}/libraries:/nowhere::libraries"
(root / "scratch").mkdir()

from autograder.sandbox import confinement

thread, parent = threading.get_native_id(), os.getppid()
asked = {"own": f"/proc/self/task/{thread}/comm", "parent's": f"/proc/{parent}/task/{parent}/comm"}
report = confinement.confine(scratch=root / "scratch", uid=None, memory_mb=512, gpu=gpu)


def opens(path, mode):
    try:
        with open(path, mode) as file:
            file.write("named") if mode == "w" else None
    except OSError:
        return False
    return True


print(json.dumps({
    "landlock": report["landlock"],
    "read": [name for name in (*sorted(files), "/run/opengl-driver/lib/libcuda.so.1") if opens(name, "r")],
    "write": [name for name in ("/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap1", "/dev/zero") if opens(name, "r+b")],
    "named": [name for name, path in asked.items() if opens(path, "w")],
}))
"""


def opened(tmp_path: Path, kind: str) -> dict[str, list[str]]:
    command = [sys.executable, "-c", MACHINE, str(tmp_path), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    if done.returncode == 77:
        pytest.skip(f"no mount namespace here: {done.stdout.strip()}")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if found["landlock"]:
        pytest.skip(f"no landlock here: {found['landlock']}")
    return {
        name: sorted(path.replace(str(tmp_path), "") for path in found[name]) for name in ("read", "write", "named")
    }


def test_the_driver_finds_its_devices_its_libraries_and_the_names_of_its_threads(tmp_path: Path) -> None:
    assert opened(tmp_path, "gpu") == {
        "read": [
            "/libraries/libother.so.2",
            "/proc/driver/nvidia-uvm/fault_stats",
            "/proc/driver/nvidia/params",
            "/run/opengl-driver/lib/libcuda.so.1",
            "/store/libcuda.so.1",
            "/usr/local/nvidia/lib64/libcuda.so.1",
        ],
        "write": ["/dev/nvidia-caps/nvidia-cap1", "/dev/nvidia0"],
        "named": ["own"],
    }


RESERVING = """
import mmap

from autograder.sandbox import confinement

confinement.limit_data(100)
mmap.mmap(-1, 2**40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0)
try:
    bytearray(5 * 2**30)
except MemoryError:
    print("refused")
"""


def test_addresses_can_be_reserved_but_no_more_memory_used_than_allowed() -> None:
    command = [sys.executable, "-c", RESERVING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_a_worker_without_a_gpu_opens_none_of_it(tmp_path: Path) -> None:
    assert opened(tmp_path, "none") == {"read": [], "write": [], "named": []}
