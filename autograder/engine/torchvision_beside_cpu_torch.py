"""Lets torchvision be imported where its wheel was built for CUDA and PyTorch's was not.

On import torchvision registers meta kernels for operators that its compiled library declares. That library needs
CUDA's own, so beside a CPU-only PyTorch it is not loaded, the operators `torchvision::nms` and `torchvision::qnms` do
not exist, and the import ends with `RuntimeError: operator torchvision::nms does not exist`. Declaring the two (without
any implementation) is enough for everything that is not object detection: models, transforms, datasets.
"""

from __future__ import annotations

import importlib.util
import types

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[torch.library.Library] = []  # they are withdrawn when the library object goes


def declare_operators() -> None:
    """Makes `import torchvision` possible. Does nothing beside a PyTorch with CUDA, or where it was done before."""
    if _declared or torch.version.cuda is not None or importlib.util.find_spec("torchvision") is None:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS.values():
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)


def import_torchvision() -> types.ModuleType:
    """The package torchvision. Its import costs about a second, so ask for it where it is used.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    declare_operators()
    import torchvision

    return torchvision  # type: ignore[no-any-return]
