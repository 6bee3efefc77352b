"""Builds the image and runs it where there is no Docker engine: with buildah, podman and runc.

The base is a stand-in made by debootstrap under the name of Gradescope's own. A container gets no network, the memory
and the processor of the platform's 1.5 GB tier, Docker's default capabilities, and a seccomp profile like Docker's:
podman's without what makes namespaces and mounts.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BASE = "gradescope/autograder-base:ubuntu-22.04"
IMAGE = "localhost/course-autograder:test"
NEEDED = ("buildah", "podman", "runc", "debootstrap")
MEMORY_MB, CPUS = 1536, 1

CAPABILITIES = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
SYS_CHROOT KILL AUDIT_WRITE"""
NAMESPACES = """unshare setns mount umount umount2 mount_setattr move_mount open_tree fsopen fsmount fsconfig fspick
pivot_root clone clone3"""
CLONE_NEW = 0x7E020000  # the flags of clone(2) that make namespaces


@dataclass
class ContainerEngine:
    """buildah and podman with storage and settings of their own, below `folder`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.folder / "settings"
        settings.mkdir(parents=True, exist_ok=True)
        seccomp = settings / "seccomp.json"
        seccomp.write_text(json.dumps(docker_like(json.loads(Path("/usr/share/containers/seccomp.json").read_text()))))
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        ulimits = [f'"{name}={_limit(which)}:{_limit(which)}"' for name, which in limits.items()]
        names = ", ".join(f'"CAP_{name}"' for name in CAPABILITIES.split())
        contents = {
            "CONTAINERS_CONF": f"""[containers]
default_capabilities = [{names}]
default_ulimits = [{", ".join(ulimits)}]
seccomp_profile = "{seccomp}"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
""",
            "CONTAINERS_STORAGE_CONF": f"""[storage]
driver = "overlay"
graphroot = "{self.folder}/storage"
runroot = "{self.folder}/run"
""",
            "CONTAINERS_REGISTRIES_CONF": 'unqualified-search-registries = ["docker.io"]\n',
        }
        self.environment = dict(os.environ)
        for name, text in contents.items():
            (settings / name.lower()).write_text(text)
            self.environment[name] = str(settings / name.lower())

    def call(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(
                f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done

    def make_base(self) -> None:
        """A small Debian under the base's name, with what matters here of Gradescope's: apt, certificates, Python."""
        if self.call("podman", "image", "exists", f"docker.io/{BASE}", check=False).returncode == 0:
            return
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        self.call("debootstrap", "--variant=minbase", "--include=ca-certificates,python3", "bookworm", str(root))
        archive = self.folder / "base.tar"
        self.call("tar", "-C", str(root), "--exclude=./var/cache/apt/archives/*.deb", "-cf", str(archive), ".")
        self.call("podman", "import", "--quiet", str(archive), f"docker.io/{BASE}")
        shutil.rmtree(root)
        archive.unlink()

    def build(self, source: Path = REPO) -> str:
        """Builds the Dockerfile with what is in `source`; returns what was printed.

        The certificates and the local wheels of the machine that builds are lent to the build, and not kept in it.
        """
        pip = pip_settings()
        wheels = pip.get("find-links", "")
        lent = self.folder / "settings" / "pip.conf"
        lent.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in pip.items()))
        mounts = {lent: "/etc/pip.conf"}
        for place in (wheels, pip.get("cert", "")):
            if place.startswith("/") and Path(place).exists():
                mounts[Path(place)] = place
        volumes = [f"--volume={here}:{there}:ro" for here, there in mounts.items()]
        arguments = [f"--build-arg=TORCH_WHEELS={wheels}"] if wheels else []
        options = ["--pull-never", "--isolation=chroot", "--network=host", "--layers", f"--tag={IMAGE}"]
        done = self.call("buildah", "bud", *options, *volumes, *arguments, str(source))
        return done.stdout + done.stderr

    def run(
        self, *command: str, volumes: dict[Path, str], environment: dict[str, str] | None = None, seconds: int = 900
    ) -> subprocess.CompletedProcess[str]:
        """A command in a fresh container, as the platform would have it."""
        options = ["--rm", "--network=none", f"--memory={MEMORY_MB}m", f"--memory-swap={MEMORY_MB}m", f"--cpus={CPUS}"]
        options += ["--pids-limit=256", "--cpuset-cpus=0", f"--timeout={seconds}", "--workdir=/autograder"]
        options += [f"--volume={here}:{there}" for here, there in volumes.items()]
        options += [f"--env={name}={value}" for name, value in (environment or {}).items()]
        return self.call("podman", "run", *options, IMAGE, *command, check=False)

    def sizes(self) -> tuple[int, list[tuple[int, str]]]:
        """Bytes of the whole image, and of each of its layers with the instruction that made it."""
        total = json.loads(self.call("podman", "image", "inspect", IMAGE).stdout)[0]["Size"]
        history = json.loads(self.call("podman", "history", "--format=json", "--no-trunc", IMAGE).stdout)
        return total, [(layer["size"], layer["CreatedBy"]) for layer in history if layer["size"]]


def docker_like(profile: dict[str, object]) -> dict[str, object]:
    """podman's default seccomp profile without namespaces and mounts, which Docker's does not allow either."""
    refused = set(NAMESPACES.split())
    rules = [dict(rule, names=[name for name in rule["names"] if name not in refused]) for rule in profile["syscalls"]]  # type: ignore[attr-defined]
    flags = {"index": 0, "value": CLONE_NEW, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    rules = [rule for rule in rules if rule["names"]]
    rules.append({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [flags]})
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})  # glibc falls back to clone
    return profile | {"syscalls": rules}


def pip_settings() -> dict[str, str]:
    """How this machine's pip finds packages, from `pip config list`: "global.find-links='…'"."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        if option in ("cert", "find-links", "index-url", "trusted-host", "proxy"):
            found[option] = value.strip("'\"")
    return found


def missing_tools() -> list[str]:
    return [name for name in NEEDED if shutil.which(name) is None]


def _limit(which: int) -> int:
    hard = resource.getrlimit(which)[1]
    return 16384 if hard == resource.RLIM_INFINITY else min(hard, 16384)


def main() -> None:
    """Builds only, for trying things out: `python tests/container/engine.py FOLDER`."""
    started = time.monotonic()
    engine = ContainerEngine(Path(sys.argv[1]))
    engine.make_base()
    print(f"base after {time.monotonic() - started:.0f} s")
    print(engine.build()[-2000:])
    print(f"image after {time.monotonic() - started:.0f} s: {engine.sizes()}")


if __name__ == "__main__":
    main()
