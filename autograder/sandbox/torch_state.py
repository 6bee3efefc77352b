"""The global settings and the generator of torch, as every question finds them."""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from collections.abc import Iterator
from typing import Any

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
    random.seed(0)
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


def seed_torch(seed: int) -> None:
    """Seeds the CPU's global generator. (`torch.manual_seed` also looks for accelerators, at 50 µs a call.)"""
    torch.default_generator.manual_seed(seed)


@contextlib.contextmanager
def seeded_torch(seed: int) -> Iterator[None]:
    """Seeds that generator for a while. Afterwards it goes on as if nothing had been drawn: what a judge draws next
    must not follow from a seed that a worker knows as well."""
    with torch.random.fork_rng(devices=[]):
        seed_torch(seed)
        yield
