#!/usr/bin/env bash
# Installs what grading needs, once, when an image is built or the platform unpacks the zip: a virtual environment in
# /opt/autograder with PyTorch's CPU build. Our own sources are used where they are.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# A page or folder with PyTorch's CPU wheels; the default index would install gigabytes for GPUs.
torch_wheels=${TORCH_WHEELS:-https://download.pytorch.org/whl/cpu/torch/}
venv=/opt/autograder

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends ca-certificates libseccomp2 python3 python3-venv
apt-get clean
rm -rf /var/lib/apt/lists/*

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: choose a newer base image.")'
python3 -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
    --find-links "$torch_wheels" -r "$here/requirements.txt"
# Other packages that the course lets students import (graders/packages.txt, if it exists).
if [ -f "$here/packages.txt" ]; then
    "$venv/bin/python3" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
        --find-links "$torch_wheels" --constraint "$here/requirements.txt" -r "$here/packages.txt"
fi

# Remove what is only needed to compile against PyTorch, test it or install packages: a quarter of a gigabyte.
packages=$("$venv/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$packages"/torch/{include,share,test}
find "$packages/torch/bin" -type f ! -name torch_shm_manager -delete
find "$packages/torch/lib" -name '*.a' -delete
find "$packages" -type d \( -path '*/sympy/*/tests' -o -path '*/networkx/*/tests' -o -path '*/numpy/*/tests' \) -prune -exec rm -rf {} +
"$venv/bin/python3" -m pip uninstall --quiet --yes pip

# Fail here, when the image is built, rather than at the first submission.
"$venv/bin/python3" -I -c 'import torch; assert torch.version.cuda is None, "this is not the CPU build of PyTorch"'
"$venv/bin/python3" -I -c 'import cloudpickle, hypothesis, IPython, landlock, msgspec, pyseccomp, pytest, torch._dynamo'

# Used as a zip, the course is already here: record the reference's answers now rather than for every student.
if [ -d "$here/graders" ]; then
    "$venv/bin/python3" -I -B -X utf8 -c '
import sys
sys.path.insert(0, sys.argv[1])
from autograder.platforms.gradescope.supervisor import main
main(*sys.argv[2:])' "$here" "$(dirname "$here")" --record
fi

# Used as a zip, the platform copies run_autograder from here itself.
if [ -f "$here/run_autograder" ]; then chmod 755 "$here/run_autograder"; fi
