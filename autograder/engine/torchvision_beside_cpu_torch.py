"""Makes torchvision importable when its wheel was built for CUDA but PyTorch's was not.

On import, torchvision registers meta kernels for operators that its compiled library declares. That library needs
CUDA's libraries, so with a CPU-only PyTorch it is not loaded, the operators `torchvision::nms` and `torchvision::qnms`
do not exist, and the import raises `RuntimeError: operator torchvision::nms does not exist`. Declaring the two (without
an implementation) is enough for everything except object detection: models, transforms, datasets.
"""

from __future__ import annotations

import functools
import importlib.util

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@functools.cache  # the operators are withdrawn when the library object goes
def declare_operators() -> torch.library.Library | None:
    """Makes `import torchvision` possible. Does nothing if PyTorch was built with CUDA."""
    if torch.version.cuda is not None or importlib.util.find_spec("torchvision") is None:
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS.values():
        library.define(schema)  # type: ignore[no-untyped-call]
    return library
