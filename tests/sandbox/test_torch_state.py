"""What a submission allowed is not allowed in the next call."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from autograder.sandbox.torch_state import use_full_precision

BACKENDS: Any = torch.backends
PLACES = ["", "cuda.matmul", "cudnn", "cudnn.conv", "cudnn.rnn", "mkldnn", "mkldnn.matmul", "mkldnn.conv", "mkldnn.rnn"]
is_old = not hasattr(BACKENDS, "fp32_precision")


def found(name: str) -> Any:
    place = BACKENDS
    for part in filter(None, name.split(".")):
        place = getattr(place, part)
    return place


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {} if is_old else {name: found(name).fp32_precision for name in PLACES}
    yield
    for name, precision in before.items():
        found(name).fp32_precision = precision


@pytest.mark.skipif(is_old, reason="PyTorch has had these settings since 2.9")
@pytest.mark.parametrize("name", PLACES)
def test_lower_precision_is_undone_wherever_it_was_allowed(name: str) -> None:
    found(name).fp32_precision = "bf16" if name.startswith("mkldnn") else "tf32"
    use_full_precision()
    assert {found(place).fp32_precision for place in PLACES} == {"ieee"}


def test_the_older_flags_are_undone_as_well() -> None:
    torch.set_float32_matmul_precision("medium")
    BACKENDS.cudnn.allow_tf32 = True
    use_full_precision()
    assert torch.get_float32_matmul_precision() == "highest"
    assert not BACKENDS.cuda.matmul.allow_tf32
    assert not BACKENDS.cudnn.allow_tf32


def test_a_pytorch_that_has_only_the_older_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    matmul, cudnn = types.SimpleNamespace(allow_tf32=True), types.SimpleNamespace(allow_tf32=True)
    old = types.SimpleNamespace(cuda=types.SimpleNamespace(matmul=matmul), cudnn=cudnn)
    monkeypatch.setattr(torch, "backends", old)
    use_full_precision()
    assert not matmul.allow_tf32
    assert not cudnn.allow_tf32
