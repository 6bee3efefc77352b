"""Images, and small modules that probes put into blocks and networks.

All modules are built by functions, so that a probe builds its own wherever it is evaluated. Tensors are stored row by
row in memory unless `layouts` is set: one check of each exercise sets it.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn
from torch.nn.parameter import is_lazy

from autograder.grading import Tolerance
from autograder.grading.strategies import shapes, tensors
from autograder.probes import fill, filled

float32, float64 = torch.float32, torch.float64
NETWORK = Tolerance(1e-3, 1e-4)  # float32 through some layers
EXACT = Tolerance(1e-6, 1e-7)  # float64 through some layers and back


def images(channels=(1, 5), batch=(1, 3), sides=(2, 7), dtype=float32, values="signed", layouts=False):
    """(N, C, H, W), also maps that are not square."""
    return tensors(shapes(batch, channels, sides, sides), dtype=dtype, values=values, layouts=layouts)


def batches(channels=(1, 5), layouts=False):
    """Batches for training in float64: at least two samples, all entries different, from -1 to 1."""
    shape = shapes((2, 3), channels, (2, 5), (2, 5))
    return tensors(shape, dtype=float64, values="distinct", layouts=layouts).map(lambda x: x / x.abs().max())


def noise(*shape, seed=0, dtype=float32):
    """Normally distributed numbers, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=float64).to(dtype)


other_channels = st.sampled_from([-2, -1, 1, 2, 3])  # how many more channels come out than go in


def reshaper(inplanes, outplanes, stride):
    """A module to pass as `downsample`: a subsampling and a 1×1 convolution with a bias."""
    return nn.Sequential(nn.MaxPool2d(1, stride), nn.Conv2d(inplanes, outplanes, 1))


def toy_block(expansion):
    """A block class for ResNet; each block records how it was built, what it last saw and what it returned."""

    class Toy(nn.Module):
        def __init__(self, inplanes, planes, stride=1, downsample=None):
            super().__init__()
            outplanes = planes * expansion
            self.channels, self.stride = (inplanes, planes), stride
            self.mix = nn.Conv2d(inplanes, outplanes, 1, stride, groups=math.gcd(inplanes, outplanes))
            self.downsample = downsample

        def forward(self, x):
            self.seen = x.detach().clone()
            y = torch.tanh(self.mix(x) + (x if self.downsample is None else self.downsample(x)))
            self.given = y.detach().clone()
            return y

    Toy.expansion, Toy.__module__, Toy.__qualname__ = expansion, "grader", f"BlockWithExpansion{expansion}"
    return Toy


def tolerant_block(expansion, size=None):
    """A block class like `toy_block` that never minds what it is given: it returns a map for any number of channels and
    does not use its downsample. With `size`, the map has this height and width."""

    class Tolerant(nn.Module):
        def __init__(self, inplanes, planes, stride=1, downsample=None):  # noqa: ARG002
            super().__init__()
            self.outplanes, self.stride, self.downsample = planes * expansion, stride, downsample

        def forward(self, x):
            self.seen = x.detach().clone()
            if self.downsample is not None and any(is_lazy(value) for value in self.downsample.parameters()):
                self.downsample(x)  # gives lazy layers their shapes
            x = x[:, :, :: self.stride, :: self.stride] if size is None else F.adaptive_avg_pool2d(x, size)
            mean = x.mean(1, keepdim=True)
            y = torch.sin(mean * torch.arange(1, self.outplanes + 1, device=x.device).view(1, -1, 1, 1) / 8)
            self.given = y.detach().clone()
            return y

    Tolerant.expansion, Tolerant.__module__, Tolerant.__qualname__ = (
        expansion,
        "grader",
        f"BlockWithExpansion{expansion}",
    )
    return Tolerant


def blocks_of(stage, kind):
    """All blocks of a class in a stage, in order."""
    if isinstance(stage, nn.Module):
        return [module for module in stage.modules() if isinstance(module, kind)]
    return list(stage)


def stages(net, kind):
    """The blocks of `layer1` to `layer4`."""
    return [blocks_of(stage, kind) for stage in (net.layer1, net.layer2, net.layer3, net.layer4)]


def reshapes(block):
    """Whether a block was given layers for its shortcut; a module without parameters does not count."""
    return block.downsample is not None and any(True for _ in block.downsample.parameters())


def close(one, other):
    return one.shape == other.shape and one.dtype == other.dtype and torch.allclose(one, other, 1e-3, 1e-4)


def keeps_its_state(build, x):
    """Whether a state_dict carries everything that matters from one model to another, and a deep copy has its own."""
    first, second = filled(build, x, seed=1).eval(), filled(build, x, seed=2).eval()
    with torch.no_grad():
        wanted, before = first(x), second(x)
        second.load_state_dict(first.state_dict())
        loaded = second(x)
        twin = copy.deepcopy(first)
        copied = twin(x)
        changed = fill(twin, seed=2)(x)
        return {
            'answer to "does the result differ with other numbers?"': not close(before, wanted),
            'answer to "is the result the same after load_state_dict?"': close(loaded, wanted),
            'answer to "does a deep copy give the same result?"': close(copied, wanted),
            'answer to "with other numbers, does the copy give what a new one gives?"': close(changed, before),
            'answer to "does the original still give the same result?"': close(first(x), wanted),
        }


def serves_every_call(build, x):
    """Whether a model that was used before gives what a new one gives, for other maps, sizes and batches, and whether
    its first result stays as it was."""
    others = [x + 1, torch.cat([x, x + 1], 2), torch.cat([x - 1, x], 3), torch.cat([x, x + 2], 0), x[:1, :, :1] + 3]
    used = filled(build, x).eval()
    with torch.no_grad():
        first = used(x)
        before = first.clone()
        same = [close(used(other), filled(build, x).eval()(other)) for other in others]
    return {
        'list of answers to "does it give what a new one gives?" for other maps': same,
        'answer to "is its first result still the same?"': torch.equal(first, before),
    }


def inputs_afterwards(model, x):
    """The input after calls in both modes, without and with a graph."""
    hidden = x.clone().requires_grad_() * 1
    for training in (False, True):
        model.train(training)(x)
        model(hidden)
    return {"input after the call": x, "input with a graph after the call": hidden}


def same_in_any_layout(model, x):
    """Whether the result is the same for any memory layout of the input."""
    model.eval()
    with torch.no_grad():
        return {'answer to "does a contiguous copy give the same?"': close(model(x), model(x.contiguous().clone()))}
