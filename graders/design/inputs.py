"""Images, small models, and what can be read off a model as plain values.

All models are built by functions, so that a probe builds its own wherever it is evaluated.
"""

from __future__ import annotations

import copy
import numbers
import random

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

from autograder.grading import Tolerance
from autograder.grading.strategies import shapes, tensors
from autograder.probes import fill, filled, roles

float32, float64 = torch.float32, torch.float64
NETWORK = Tolerance(1e-4, 1e-5)  # float32 through a convolution

# --- images ----------------------------------------------------------------------------------------------------------


def images(channels=(1, 4), batch=(1, 3), sides=(2, 7), dtype=float32, values="signed", layouts=False):
    """(N, C, H, W), also maps that are not square."""
    return tensors(shapes(batch, channels, sides, sides), dtype=dtype, values=values, layouts=layouts)


def even_images(channels=(1, 4), dtype=float32, values="signed", layouts=False):
    """The same with a height and width of 4 or 6: all ways to halve them give the same size, and a 3×3 window fits."""
    extents = shapes((1, 3), channels, (2, 3), (2, 3)).map(lambda s: (*s[:2], 2 * s[2], 2 * s[3]))
    return tensors(extents, dtype=dtype, values=values, layouts=layouts)


def noise(*shape, seed=0, dtype=float32):
    """Normally distributed numbers, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=float64).to(dtype)


def has_digits_of(y, dtype):
    """Whether the numbers have this dtype, and digits that only float64 has if it is that."""
    fine = not torch.equal(y.float().to(y.dtype), y)
    return y.dtype == dtype and fine == (dtype == float64)


# --- what a module does besides computing ----------------------------------------------------------------------------


def close(one, other):
    return one.shape == other.shape and one.dtype == other.dtype and torch.allclose(one, other, 1e-4, 1e-5)


def same_in_any_layout(call, x):
    """Whether the result is the same for any memory layout of the input."""
    return {'answer to "does a contiguous copy give the same?"': close(call(x), call(x.contiguous().clone()))}


def keeps_its_numbers(build, x):
    """Whether a state_dict carries everything that is learned from one model to another, and a deep copy has its own.
    Either one answers a call with a method."""
    first, second = filled(build, x, seed=1), filled(build, x, seed=2)
    with torch.no_grad():
        wanted, before = first(x), second(x)
        second.load_state_dict(first.state_dict())
        twin = copy.deepcopy(first)
        return {
            'answer to "does the result differ with other numbers?"': not close(before, wanted),
            'answer to "is the result the same after load_state_dict?"': close(second(x), wanted),
            'answer to "does a deep copy give the same result?"': close(twin(x), wanted),
            'answer to "with other numbers, does the copy give what a new one gives?"': close(fill(twin, 2)(x), before),
        }


# --- DownsampleComparison --------------------------------------------------------------------------------------------

BRANCHES = {"maxpool": "conv_pool", "strided": "strided_conv", "avgpool": "conv_avgpool"}


def without_biases(build, x, *, negative=False):
    """A filled model whose biases are 0. Its weights are not negative unless this is asked for: then a ReLU changes
    nothing for an image that is not negative, either."""
    model = filled(build, x)
    with torch.no_grad():
        for (role, _), tensor in roles.parameters(model):
            if role == roles.BIAS:
                tensor.zero_()
            elif not negative:
                tensor.abs_()
    return model


def only_biases(build, x):
    """A filled model whose weights are 0 and whose biases are positive."""
    model = filled(build, x)
    with torch.no_grad():
        for (role, _), tensor in roles.parameters(model):
            tensor.abs_() if role == roles.BIAS else tensor.zero_()
    return model


def branch_of(model, name):
    """A branch, which must be a module."""
    branch = getattr(model, name)
    if not isinstance(branch, nn.Module):
        raise TypeError(f"{name} must be an nn.Module, not a value of type {type(branch).__name__}")
    return branch


def runs_more_than_one_convolution(model, x, method):
    """Whether several of the layers that have kernels are called."""
    called = []
    for layer in model.modules():
        if any(parameter.dim() > 1 for parameter in layer.parameters(recurse=False)):
            layer.register_forward_pre_hook(lambda layer, _: called.append(layer))
    model(x, method)
    return len(called) > 1


# --- BlurPool --------------------------------------------------------------------------------------------------------


def impulse(channels=1, channel=0):
    """A map of zeros with a single 1, so far from the border that the border does not matter."""
    x = torch.zeros(1, channels, 7, 7)
    x[0, channel, 3, 3] = 1
    return x


def around_the_middle(y):
    """The 3×3 numbers in the middle of a map."""
    row, column = y.shape[-2] // 2, y.shape[-1] // 2
    return y[..., row - 1 : row + 2, column - 1 : column + 2]


def reflected(x):
    """x with one more pixel on each side, as in a mirror that stands on the outermost pixels."""
    rows = torch.cat([x[:, :, 1:2], x, x[:, :, -2:-1]], 2)
    return torch.cat([rows[..., 1:2], rows, rows[..., -2:-1]], 3)


def with_empty_state(layer):
    """The same layer with zeros in everything that its state_dict contains."""
    with torch.no_grad():
        for tensor in layer.state_dict().values():
            tensor.zero_()
    return layer


# --- classifier_head -------------------------------------------------------------------------------------------------


def transparent(build):
    """A head from 1 feature to as many results as hidden ones, in training mode: every hidden feature is a copy of the
    input, every result a copy of a hidden feature. So what dropout has removed can be seen."""
    model = filled(build, torch.ones(1, 1))
    with torch.no_grad():
        for (role, shape), tensor in roles.parameters(model):
            if role == roles.BIAS:
                tensor.zero_()
            else:
                tensor.copy_(torch.eye(len(tensor)) if shape[0] == shape[1] else torch.ones_like(tensor))
    return model


def twentieths(share):
    """A share rounded to multiples of 0.05: chance decides on less than that."""
    return round(20 * float(share)) / 20


# --- count_macs ------------------------------------------------------------------------------------------------------


def whole(value):
    """A number without a fraction as an int, whatever its type; others as they are. The type has a check of its own."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    return int(value) if isinstance(value, numbers.Real) and value == int(value) else value


def ratio(one, other):
    """The ratio of one to the other if both are numbers."""
    one, other = whole(one), whole(other)
    return one / other if type(one) is type(other) is int and other else [one, other]


def difference(one, other):
    """How much larger one is than the other if both are numbers."""
    one, other = whole(one), whole(other)
    return one - other if type(one) is type(other) is int else [one, other]


def conv(inputs, outputs, kernel=3, **options):
    """A convolution without bias."""
    return nn.Conv2d(inputs, outputs, kernel, bias=False, **options)


def linear(inputs, outputs):
    """A linear layer without bias."""
    return nn.Linear(inputs, outputs, bias=False)


class Calls(nn.Module):
    """A model whose forward is the given function of its layers and x."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.call = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.call(self, x)


def used_twice(width):
    """One convolution is called twice, and one is called once but registered in two places."""
    once = conv(width, width, 1)
    layers = {"same": conv(width, width, padding=1), "once": once, "again": nn.Sequential(once)}
    return Calls(lambda net, x: net.again(net.same(net.same(x))), **layers)


def partly_used(width):
    """The second layer is never called."""
    return Calls(lambda net, x: net.first(x), first=conv(width, width + 1), spare=conv(width, width + 2))


def nested(width):
    """Layers at several depths, in containers of all kinds; their order is not that of the calls."""
    stages = nn.ModuleList([nn.Sequential(nn.ReLU(), nn.Sequential(conv(width, width, 1))), conv(width, width)])
    heads = nn.ModuleDict({"out": nn.ModuleList([linear(width, 3)]), "stem": conv(width, width, 2)})

    def forward(net, x):
        x = net.heads["stem"](x)
        for stage in net.stages:
            x = stage(x)
        return net.heads["out"][0](x.mean((2, 3)))

    return Calls(forward, heads=heads, stages=stages)


def costless(width):
    """Layers of other kinds only, some of which do have weights."""
    return nn.Sequential(
        nn.BatchNorm2d(width),
        nn.PReLU(),
        nn.MaxPool2d(2),
        nn.ConvTranspose2d(width, 3, 2),
        nn.GroupNorm(1, 3),
        nn.Flatten(2),
        nn.Conv1d(3, 2, 2),
        nn.Dropout(),
        nn.AdaptiveAvgPool1d(1),
    )


def goes_by_the_shape(width):
    """Wide maps take another way than narrow ones."""

    def forward(net, x):
        x = net.stem(x)
        x = net.wide(x) if x.shape[-1] > 5 else net.narrow(x)
        return x if x.size(1) == width else net.fit(x)

    wide, narrow, fit = conv(width, width), conv(width, 2 * width, 2), conv(2 * width, width, 1)
    return Calls(forward, stem=conv(width, width, 1), wide=wide, narrow=narrow, fit=fit)


class OwnConv2d(nn.Conv2d):
    """A class that inherits from nn.Conv2d."""


class OwnLinear(nn.Linear):
    """A class that inherits from nn.Linear."""


def derived(width):
    return nn.Sequential(OwnConv2d(width, 2, 2, bias=False), nn.Flatten(), OwnLinear(18, 3, bias=False))


def raises_overflow(_net, _x):
    raise OverflowError("on purpose")


def fragile(width):
    """The forward pass raises after the first layers."""
    body = nn.Sequential(conv(width, width, 1), nn.BatchNorm2d(width), nn.Dropout(), Calls(raises_overflow))
    return nn.Sequential(body, conv(width, 2, 1))


def lived_in(build, *, seed=None):
    """A model that others use: filled, partly frozen, with gradients, with hooks of others; with a seed, its submodules
    are in different modes, without one in training mode."""
    model = fill(build).train()
    for number, (_, parameter) in enumerate(model.named_parameters()):
        parameter.grad = torch.full_like(parameter, number + 0.5)
        parameter.requires_grad_(number % 3 > 0)
    for module in list(model.modules())[::2]:
        module.register_forward_hook(lambda *_: None)
        module.register_forward_pre_hook(lambda *_: None)
    if seed is not None:
        dice = random.Random(seed)
        for module in model.modules():
            module.training = dice.random() < 0.5
        list(model.modules())[-1].training = not model.training
    return model


def modes(model):
    return {name or "the model itself": module.training for name, module in model.named_modules()}


def hooks(model):
    """{name: number of hooks}, including those that run for every module in the process."""
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    everywhere = nn.modules.module
    found = {
        name or "the model itself": sum(len(getattr(module, kind)) for kind in kinds)
        for name, module in model.named_modules()
    }
    return {**found, "all modules": sum(len(getattr(everywhere, f"_global{kind}")) for kind in kinds)}


def contents(model):
    """Values, gradients and what requires one."""
    values = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    parameters = dict(model.named_parameters())
    return {
        "value of": values,
        "gradient of": {name: p.grad for name, p in parameters.items()},
        "requires_grad of": {name: p.requires_grad for name, p in parameters.items()},
        "result of torch.is_grad_enabled()": torch.is_grad_enabled(),
    }


class Gate(nn.Module):
    """Squeeze-and-excitation with linear layers."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, 2), nn.ReLU(inplace=True), nn.Linear(2, width), nn.Sigmoid())

    def forward(self, x):
        return x * self.layers(x.mean((2, 3)))[:, :, None, None]


class GatedBlock(nn.Module):
    """Convolution, depthwise convolution and gate beside a shortcut that is sometimes a convolution."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, (3, 1), stride, (1, 0), groups=outputs),
            nn.Conv2d(outputs, outputs, 3, padding=2, dilation=2),
            Gate(outputs),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.body(x)
        return torch.relu(y + (x if x.shape == y.shape else self.shortcut(x)))


def gated_network(width):
    """3 channels in; everything that the other models have."""
    stages = [GatedBlock(width, width, 1), GatedBlock(width, 2 * width, 2), GatedBlock(2 * width, 2 * width, 1)]
    stem = nn.Sequential(nn.Conv2d(3, width, 5, 2, 2), nn.MaxPool2d(2))
    return nn.Sequential(stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 4))


# --- compute_receptive_field -----------------------------------------------------------------------------------------


@st.composite
def windows(draw, lengths=(2, 3), kernels=(1, 4), strides=(1, 1), paddings=(0, 0)):
    """A list of (kernel, stride, padding) whose padding is at most half of the kernel."""
    found = []
    for _ in range(draw(st.integers(*lengths))):
        kernel = draw(st.integers(*kernels))
        padding = draw(st.integers(min(paddings[0], kernel // 2), min(paddings[1], kernel // 2)))
        found.append((kernel, draw(st.integers(*strides)), padding))
    return found


def chain(windows, channels=3):
    """Convolutions in a row."""
    return fill(nn.Sequential(*(nn.Conv2d(channels, channels, *window) for window in windows)))


def with_pools(pools):
    """Convolutions with a pool behind the last one; each pool is (class, arguments)."""
    return [fill(nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 2, 2), kind(*args))) for kind, *args in pools]


def pools_as_functions():
    """A convolution, then pooling by a function; in all the usual ways to call it."""
    calls = [
        lambda _, x: F.max_pool2d(x, 3),
        lambda _, x: F.avg_pool2d(x, 2),
        lambda _, x: F.max_pool2d(x, kernel_size=4, stride=2),
        lambda _, x: F.avg_pool2d(x, 3, 1, 1),
    ]
    return [fill(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), Calls(call))) for call in calls]


def pools_with_default_strides():
    """Convolutions behind pools without a stride."""
    pools = [
        Calls(lambda _, x: F.max_pool2d(x, 2)),
        Calls(lambda _, x: F.avg_pool2d(x, kernel_size=3)),
        nn.MaxPool2d(3),
        nn.AvgPool2d(2),
    ]
    return [fill(nn.Sequential(pool, nn.Conv2d(3, 2, 3))) for pool in pools]


def shortcuts():
    """Residual sums, written in several ways; the longer path is sometimes the first summand, sometimes the second."""

    def body(kernel=3, stride=1):
        return nn.Sequential(nn.Conv2d(3, 3, 3, stride, 1), nn.ReLU(), nn.Conv2d(3, 3, kernel, padding=kernel // 2))

    def narrow(stride=1):
        return nn.Conv2d(3, 3, 1, stride)

    def into_itself(net, x):
        y = net.body(x)
        y += x
        return F.relu(y)

    models = [
        Calls(lambda net, x: F.relu(net.body(x) + x), body=body()),
        Calls(lambda net, x: torch.add(x, net.body(x)).relu(), body=body(5)),
        Calls(into_itself, body=body()),
        Calls(lambda net, x: net.body(x) + net.short(x), short=narrow(2), body=body(3, 2)),
        Calls(lambda net, x: net.short(x) + net.body(x), body=body(5, 2), short=narrow(2)),
    ]
    return [fill(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), model)) for model in models]


def concatenations():
    """Parallel paths whose results are concatenated; the longest one is not always in the same place."""

    def paths():
        return {
            "narrow": nn.Conv2d(3, 2, 1),
            "wide": nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 5, padding=2)),
            "pool": nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 1, 1)),
        }

    orders = [("narrow", "wide", "pool"), ("wide", "pool", "narrow"), ("pool", "narrow", "wide")]
    models = [
        Calls(lambda net, x, order=order: torch.cat([getattr(net, name)(x) for name in order], dim=1), **paths())
        for order in orders
    ]
    dense = Calls(lambda net, x: torch.cat((x, net.wide(x)), 1), wide=nn.Conv2d(3, 2, 3, padding=1))
    return [fill(model) for model in [*models, nn.Sequential(dense, nn.Conv2d(5, 2, 3))]]


def elementwise():
    """What looks at single pixels only, between two convolutions."""

    def scaled(_, x):
        return 0.5 * F.silu(x) + 1

    parts = [nn.BatchNorm2d(2), nn.PReLU(), nn.Dropout(), Calls(scaled), nn.LeakyReLU(), nn.Identity(), nn.ELU()]
    return fill(nn.Sequential(nn.Conv2d(3, 2, 3), *parts, nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.SiLU(inplace=True)))


def called_in_another_order():
    """The layers are registered in the opposite order, which makes a difference: there is a stride."""
    layers = {"last": nn.Conv2d(3, 2, 5), "middle": nn.MaxPool2d(2), "first": nn.Conv2d(3, 3, 3)}
    return fill(Calls(lambda net, x: net.last(net.middle(net.first(x))), **layers))


def called_twice():
    """One convolution and one pool are called twice each."""
    layers = {"conv": nn.Conv2d(3, 3, 3), "pool": nn.MaxPool2d(2)}
    return fill(Calls(lambda net, x: net.pool(net.conv(net.pool(net.conv(x)))), **layers))


def with_a_spare_layer():
    """A layer that is never called, and one whose result is not used."""

    def forward(net, x):
        x = net.stem(x)
        net.side(x)
        return net.top(x)

    spare, side = nn.Conv2d(3, 3, 7), nn.Conv2d(3, 1, 9)
    return fill(Calls(forward, stem=nn.Conv2d(3, 3, 3), spare=spare, top=nn.Conv2d(3, 2, 2), side=side))


class Unit(nn.Module):
    """A residual block with a pool, a depthwise and a dilated convolution; nested as in real networks."""

    def __init__(self, width, stride):
        super().__init__()
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(width, width, 3, stride, 1, groups=width), nn.BatchNorm2d(width)),
                nn.ModuleDict({"conv": nn.Conv2d(width, width, 3, padding=2, dilation=2), "act": nn.ReLU()}),
            ]
        )
        self.short = nn.Conv2d(width, width, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = self.blocks[0](x)
        y = self.blocks[1]["act"](self.blocks[1]["conv"](y))
        return F.relu(self.short(x) + y)


def small_network(stem, strides):
    """3 channels in; convolution, pool as a function, units, and a concatenation at the end."""

    def forward(net, x):
        x = F.max_pool2d(net.stem(x), 3, 2, 1)
        for unit in net.units:
            x = unit(x)
        return torch.cat([net.left(x), net.right(x)], 1)

    layers = {
        "right": nn.Conv2d(4, 1, 3, padding=1),
        "units": nn.Sequential(*(Unit(4, stride) for stride in strides)),
        "stem": nn.Sequential(nn.Conv2d(3, 4, *stem), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        "left": nn.AvgPool2d(3, 1, 1),
    }
    return fill(Calls(forward, **layers))


def vgg16_features():
    """With a quarter of the channels, which no field depends on: whoever measures fields should not have to wait."""
    layers, inputs = [], 3
    for convolutions, channels in [(2, 16), (2, 32), (3, 64), (3, 128), (3, 128)]:
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class Block(nn.Module):
    """ResNet's block: (kernel, outputs) of each convolution; the first 3×3 one has the stride."""

    def __init__(self, inputs, outputs, kernels, stride):
        super().__init__()
        widths = (
            [inputs, *(outputs // 4 for _ in kernels[1:]), outputs] if len(kernels) == 3 else [inputs, outputs, outputs]
        )
        layers, place = [], kernels.index(3)
        for i, kernel in enumerate(kernels):
            step = stride if i == place else 1
            layers += [nn.Conv2d(widths[i], widths[i + 1], kernel, step, kernel // 2, bias=False)]
            layers += [nn.BatchNorm2d(widths[i + 1]), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers[:-1])
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.body(x) + shortcut)


def resnet_body(depths, kernels):
    """A ResNet without its head, with a quarter of the channels."""
    stem = [nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    stages, inputs = [], 16
    for number, depth in enumerate(depths):
        outputs = 16 * 2**number * (4 if len(kernels) == 3 else 1)
        blocks = []
        for i in range(depth):
            blocks.append(Block(inputs, outputs, kernels, 2 if i == 0 and number > 0 else 1))
            inputs = outputs
        stages.append(nn.Sequential(*blocks))
    return nn.Sequential(*stem, *stages)


def quickly(build):
    """A large model, built without drawing its numbers at random, and filled."""
    return filled(build, torch.zeros(1, 3, 32, 32))


def halves_of_pair(result):
    """The two entries of what `compute_receptive_field` returns."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(f"the result must be a pair (size, centers), not a value of type {type(result).__name__}")
    return result


def size_of(result):
    """The size of a receptive field, also if it comes second or alone: the order has a check of its own."""
    if isinstance(result, numbers.Real):
        return whole(result)
    one, other = halves_of_pair(result)
    return whole(other if isinstance(one, list) else one)


def centers_of(result):
    """The centres of the receptive fields as floats, also if they come first."""
    one, other = halves_of_pair(result)
    centers = one if isinstance(one, list) else other
    return [float(center) for center in centers] if hasattr(centers, "__iter__") else centers


def kind_of_number(value):
    """Ints and floats (including NumPy's) are numbers here; a bool, a tensor and None are not."""
    return "number" if isinstance(value, numbers.Real) and not isinstance(value, bool) else type(value).__name__


# --- compare_architectures -------------------------------------------------------------------------------------------


def small_models(width):
    """Models without biases, all of them for (N, width, H, W); the order of their work is not that of their names or of
    their parameters."""
    return {
        "pool": nn.Sequential(nn.MaxPool2d(2), conv(width, 8, 1)),
        "wide": conv(width, 6),
        "attic": nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), linear(4 * width, 50)),
        "narrow": nn.Sequential(conv(width, 2), conv(2, 2)),
    }


def twins(names, width):
    """Models with the same work."""
    return {name: conv(width, 2, 1) for name in names}


def models_to_count(width):
    """Models whose parameters are easily miscounted; the work does not matter here."""
    normalised = nn.Sequential(conv(width, 3, 1), nn.BatchNorm2d(3))
    frozen = nn.Sequential(conv(width, 3, 1).requires_grad_(False), nn.PReLU())
    layer = conv(width, width, 1)
    tied = Calls(lambda net, x: net.b(net.a(x)), a=conv(width, width, 1), b=conv(width, width, 1))
    tied.b.weight = tied.a.weight
    return {"buffers": normalised, "frozen": frozen, "a layer twice": nn.Sequential(layer, layer), "tied": tied}


def entry(row, key):
    """The entry of a row, also if its key is only similar: the keys have a check of their own."""
    similar = [name for name in row if str(name).lower()[:3] == key[:3]]
    return whole(row.get(key, row[similar[0]] if similar else None))


def rows_of(result):
    """The rows, which may come in any iterable: the type has a check of its own."""
    return list(result.values() if isinstance(result, dict) else result)


def column(result, key):
    """{name: entry} of all rows."""
    return {entry(row, "name"): entry(row, key) for row in rows_of(result)}
