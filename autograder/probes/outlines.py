"""Models without their numbers: names, shapes and counts within a few milliseconds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from autograder.probes.filling import NoDraws, materialise

M = TypeVar("M", bound=nn.Module)


def outline(build: Callable[[], M], *input_shapes: Sequence[int]) -> M:
    """The model that `build()` makes, on the meta device: no memory, no arithmetic.

    If it cannot be built there (because the code looks at numbers while it builds the model), it is built as usual.

    Args:
        build: returns an nn.Module.
        input_shapes: the shapes of the inputs that give lazy parameters their shapes, if there are any.
    """
    with contextlib.suppress(Exception), torch.device("meta"), NoDraws():
        return _built(build, input_shapes)
    return _built(build, input_shapes)


def parameter_count(build: Callable[[], nn.Module], *input_shapes: Sequence[int]) -> int:
    """The number of learnable entries in the model; a shared parameter counts once."""
    return sum(parameter.numel() for parameter in outline(build, *input_shapes).parameters())


def state_shapes(build: Callable[[], nn.Module], *input_shapes: Sequence[int]) -> dict[str, list[int]]:
    """Names and shapes of everything in the model's state_dict."""
    return {name: list(tensor.shape) for name, tensor in outline(build, *input_shapes).state_dict().items()}


def shapes_through(layers: Iterable[nn.Module], input_shape: Sequence[int]) -> list[list[int]]:
    """The output shape of every layer, each fed the previous layer's output, in evaluation mode.

    Runs on the device of the layers' parameters; with the layers of an `outline`, it costs nothing.
    """
    layers = list(layers)
    tensors = [tensor for layer in layers for tensor in (*layer.parameters(), *layer.buffers())]
    known = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    device, dtype = (known.device, known.dtype) if known is not None else (torch.device("meta"), torch.float32)
    x = torch.zeros(tuple(input_shape), device=device, dtype=dtype)
    shapes = []
    with torch.no_grad():
        for layer in layers:
            mode = layer.training
            x = layer.eval()(x)
            layer.train(mode)
            shapes.append(list(x.shape))
    return shapes


def _built(build: Callable[[], M], input_shapes: Sequence[Sequence[int]]) -> M:
    model = build()
    if not isinstance(model, nn.Module):
        raise TypeError(f"an nn.Module was expected, but this is a {type(model).__name__}")
    if any(is_lazy(tensor) for tensor in model.parameters()):
        materialise(model, *(torch.zeros(tuple(shape)) for shape in input_shapes))
    return model
