"""The global settings of torch, and the generators of torch, NumPy and `random`, as every question finds them."""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


def reset_torch() -> None:
    """Resets torch's global settings to those of a new process."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)
    torch._C._set_deterministic_algorithms(False)  # the public function imports the whole compiler first
    torch.autograd.set_detect_anomaly(False)
    torch.backends.cudnn.benchmark = False
    use_full_precision()
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    sys.settrace(None)
    sys.setprofile(None)


def use_full_precision() -> None:
    """Computes in float32 where a tensor says float32, everywhere. From PyTorch 2.9 on, TF32 can be allowed in many
    places, of which the older flags reset only two; reading those is an error unless they say the same."""
    backends: Any = torch.backends
    torch.set_float32_matmul_precision("highest")
    backends.cuda.matmul.allow_tf32 = False
    backends.cudnn.allow_tf32 = False
    if not hasattr(backends, "fp32_precision"):
        return
    cudnn, mkldnn = backends.cudnn, backends.mkldnn
    places = (backends, backends.cuda.matmul, cudnn, cudnn.conv, cudnn.rnn, mkldnn, mkldnn.matmul, mkldnn.conv)
    for place in (*places, mkldnn.rnn):
        place.fp32_precision = "ieee"


def seed_generators(seed: int) -> None:
    """Seeds the global generators of the CPU. (`torch.manual_seed` also looks for accelerators, at 50 µs a call.)"""
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


@contextlib.contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Seeds them for a while. Afterwards they go on as if nothing had been drawn: what a judge draws next must not
    follow from a seed that a worker knows as well."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            seed_generators(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
