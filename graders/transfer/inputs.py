"""Small models of many shapes, built inside the probes, and what can be read off a model as plain values.

Every builder takes no arguments and returns a model whose numbers `fill` sets, so that both sides have the same.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import OrderedDict

import torch
from torch import nn

from autograder.probes import fill

float32, float64 = torch.float32, torch.float64

# --- what a model looks like -----------------------------------------------------------------------------------------


def named(model):
    """{name: module} of the model and everything below; the model itself has a name that a reader understands."""
    return {name or "the model itself": module for name, module in model.named_modules()}


def modes(model):
    """{name: True for training, False for evaluation}"""
    return {name: module.training for name, module in named(model).items()}


def trainable(model):
    """{name of a parameter: requires_grad}"""
    return {name: parameter.requires_grad for name, parameter in model.named_parameters(remove_duplicate=False)}


def values(model):
    """{name: copy of a parameter or buffer}"""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def hooks(model):
    """{name: number of hooks that run in a forward pass}, including those that run for every module in the process."""
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    everywhere = torch.nn.modules.module
    counts = {name: sum(len(getattr(module, kind)) for kind in kinds) for name, module in named(model).items()}
    return {**counts, "all modules": sum(len(getattr(everywhere, f"_global{kind}")) for kind in kinds)}


def identity(result, model):
    """What `result` is in relation to the model, in words."""
    if result is model:
        return "the model that was passed in"
    if type(result) is type(model):
        return "a copy of the model"
    return "nothing" if result is None else "something else"


def moved(model, before):
    """{name: whether the value differs from the one in `before` by more than rounding}"""
    return {name: bool((value - before[name]).abs().max() > 1e-9) for name, value in values(model).items()}


def states(model):
    """Modes, hooks and what requires a gradient, with keys that begin a sentence: "The … stem.0 should be"."""
    return {
        "mode (True for training) of": modes(model),
        "number of hooks of": hooks(model),
        "requires_grad of": trainable(model),
    }


# --- putting a model into some state ---------------------------------------------------------------------------------


def mix_modes(model, seed):
    """Put every submodule, and the model itself, in a mode of its own; not all in the same one."""
    dice = random.Random(seed)
    modules = list(model.modules())
    for module in modules:
        module.training = dice.random() < 0.5
    if len(modules) > 1:
        modules[dice.randrange(1, len(modules))].training = not modules[0].training
    return model


def freeze_some(model, seed):
    """Freeze about half of the parameters, here and there, but never all of them."""
    dice = random.Random(seed)
    *parameters, last = model.parameters()
    for parameter in parameters:
        parameter.requires_grad_(dice.random() < 0.5)
    last.requires_grad_()
    return model


# --- parts -----------------------------------------------------------------------------------------------------------


class Unit(nn.Module):
    """Convolution, normalisation, ReLU; the input is added where it fits. Its layers' names are in no special order."""

    def __init__(self, c_in, c_out, norm=nn.BatchNorm2d):
        super().__init__()
        self.norm = norm(c_out)
        self.act = nn.ReLU()
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.act(self.norm(self.conv(x)))
        return y + x if y.shape == x.shape else y


class Scaled(nn.Module):
    """Parameters of its own, in addition to those of its layers."""

    def __init__(self, size=3):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))
        self.inner = nn.Linear(size, size)
        self.shifts = nn.ParameterList([nn.Parameter(torch.zeros(size)), nn.Parameter(torch.zeros(size))])

    def forward(self, x):
        return self.inner(x * self.scale + self.shifts[0]) + self.shifts[1]


class Photo(nn.Module):
    """An image classifier with a ModuleList, a ModuleDict, a Sequential of named layers, and dropout. 3 channels."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.stages = nn.ModuleList([Unit(4, 4), Unit(4, 5)])
        self.branches = nn.ModuleDict({"wide": nn.Conv2d(5, 3, 3, padding=1), "narrow": nn.Conv2d(5, 2, 1)})
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        layers = [("hidden", nn.Linear(5, 6)), ("act", nn.Tanh()), ("out", nn.Linear(6, 4))]
        self.head = nn.Sequential(OrderedDict(layers))

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        x = torch.cat([self.branches["wide"](x), self.branches["narrow"](x)], dim=1)
        return self.head(self.dropout(self.pool(x).flatten(1)))


def photo():
    return fill(Photo())


def mixed_layers():
    """Layers of many kinds; nothing to call."""
    return fill(
        nn.ModuleDict(
            {
                "words": nn.Embedding(4, 3),
                "norms": nn.ModuleList([nn.LayerNorm(3), nn.GroupNorm(1, 4), nn.BatchNorm1d(3)]),
                "memory": nn.GRUCell(3, 2),
                "deep": nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.Dropout()), nn.Flatten()),
                "scaled": Scaled(),
                "up": nn.ConvTranspose2d(2, 2, 2, bias=False),
                "slope": nn.PReLU(),
            }
        )
    )


def perceptron():
    return fill(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)))


# --- freeze ----------------------------------------------------------------------------------------------------------


def usual_names():
    """Layers with the names that well-known networks use; nothing to call."""
    layers = {
        "conv1": nn.Conv2d(1, 2, 1),
        "bn1": nn.BatchNorm2d(2),
        "layer1": nn.ModuleDict({"bn": nn.BatchNorm2d(2), "downsample": nn.Sequential(nn.Conv2d(2, 2, 1))}),
        "fc": nn.Linear(2, 3),
        "classifier": nn.Sequential(nn.Linear(3, 2)),
    }
    return fill(nn.ModuleDict(layers))


NESTED = [photo, mixed_layers, perceptron, usual_names]


def weights_only():
    """Layers in a row, each with a weight and nothing else."""
    return fill(nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False)))


def convolutions_only():
    layers = (
        nn.Conv2d(2, 3, 1, bias=False),
        nn.Tanh(),
        nn.Conv2d(3, 3, (1, 2), bias=False),
        nn.Conv2d(3, 1, 1, bias=False),
    )
    return fill(nn.Sequential(*layers))


def with_biases():
    return fill(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))


def other_layers():
    """Layers other than linear ones and convolutions, whose parameters have other names; none has a bias."""
    return fill(
        nn.Sequential(
            nn.Embedding(4, 3), nn.GRUCell(3, 2, bias=False), nn.PReLU(), nn.ConvTranspose2d(2, 2, 2, bias=False)
        )
    )


def deeply_nested():
    """Layers like those of `weights_only`, at every depth; nothing to call."""
    deep = nn.Sequential(nn.Sequential(nn.Linear(2, 2, bias=False)), nn.Linear(2, 2, bias=False))
    listed = nn.ModuleList([nn.ModuleDict({"last": nn.Linear(2, 3, bias=False)}), nn.Linear(2, 2, bias=False)])
    return fill(nn.Sequential(deep, listed, nn.Linear(3, 3, bias=False)))


def well_known_names():
    """The names that layers have in well-known networks, for layers with a weight only; nothing to call."""
    names = ["conv1", "bn1", "bn", "downsample", "fc", "classifier", "head"]
    return fill(nn.ModuleDict({name: nn.Linear(2, 2, bias=False) for name in names}))


class Scale(nn.Module):
    """A parameter of its own, and a layer."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.inner = nn.Linear(3, 3, bias=False)


def scale():
    return fill(Scale())


def linear():
    return fill(nn.Linear(3, 2, bias=False))


def convolution():
    return fill(nn.Conv2d(2, 3, (1, 2), bias=False))


def convolution_in_front():
    return fill(nn.Conv2d(3, 3, 1))


def batch_normalisation():
    return fill(nn.BatchNorm2d(3))


def relu():
    return nn.ReLU()


ALONE = [linear, convolution, relu, scale]


# --- replace_head: builders, and the name of the head ----------------------------------------------------------------


class Plain(nn.Module):
    """The head is a direct child, here with a name that nobody would guess."""

    def __init__(self, bias=True):
        super().__init__()
        self.body = nn.Linear(3, 5)
        self.verdict = nn.Linear(5, 4, bias=bias)

    def forward(self, x):
        return self.verdict(torch.tanh(self.body(x)))


class Early(nn.Module):
    """The head is registered last of all linear layers, but other layers are registered after it."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 6)
        self.fc = nn.Linear(6, 5)
        self.last = nn.Sequential(OrderedDict([("out", nn.Linear(5, 4)), ("drop", nn.Dropout(0.1))]))
        self.norm = nn.BatchNorm1d(6)
        self.act = nn.Sequential(nn.Tanh())

    def forward(self, x):
        return self.last(self.act(self.fc(self.norm(self.first(x)))))


class Wrapped(nn.Module):
    """A whole model inside a model."""

    def __init__(self, inner):
        super().__init__()
        self.before = nn.Linear(3, 3)
        self.model = nn.ModuleDict({"backbone": nn.Sequential(inner)})

    def forward(self, x):
        return self.model["backbone"](self.before(x))


class Several(nn.Module):
    """A list of linear layers, used one after another."""

    def __init__(self, bias=True):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 4, bias=bias)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


class Backwards(nn.Module):
    """The layer that computes the result is registered first, so it is not the one that counts."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 4)
        self.side = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Sequential(nn.Linear(5, 3, bias=False)))

    def forward(self, x):
        return self.out(x), self.side(x)


class HalfDouble(nn.Module):
    """A float32 body, and a head in double precision."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 5)
        self.norm = nn.BatchNorm1d(4)
        self.top = nn.Linear(5, 4).double()

    def forward(self, x):
        return self.norm(self.top(self.body(x).double()).float())


def plain():
    return fill(Plain())


def plain_without_bias():
    return fill(Plain(bias=False))


def early():
    return fill(Early())


def wrapped():
    return fill(Wrapped(Plain()))


def wrapped_without_bias():
    return fill(Wrapped(Several(bias=False)))


def several():
    return fill(Several())


def several_without_bias():
    return fill(Several(bias=False))


def backwards():
    return fill(Backwards())


def half_double():
    return fill(HalfDouble())


def head_in_the_middle():
    """In an nn.Sequential the order of the layers matters: what comes after the head stays after it."""
    return fill(nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4), nn.Softmax(dim=1), nn.Dropout(0.1)))


def long_sequence():
    """Eleven layers: "10" comes after "9", though not in alphabetical order."""
    return fill(nn.Sequential(*(nn.Linear(3, 3) for _ in range(10)), nn.Linear(3, 4)))


def single():
    """There is only one linear layer."""
    return fill(nn.Sequential(nn.Tanh(), nn.Linear(3, 4)))


# Where the head is hard to find, it costs points in few checks only: in all others it is the last direct child.
LAST_HEADS = {plain: "verdict", long_sequence: "10"}
WITHOUT_BIAS = {**LAST_HEADS, plain_without_bias: "verdict"}
FLAT_HEADS = {**WITHOUT_BIAS, head_in_the_middle: "2"}
NESTED_HEADS = [early, wrapped, wrapped_without_bias, several, several_without_bias, backwards, photo]


def new_layer(model, before):
    """The first linear layer that is not one of the modules `before`, or the last one if there is none.

    So it is the new one, wherever it is. Only some checks are about whether the right one was replaced.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return next((layer for layer in layers if all(layer is not old for old in before)), layers[-1])


class OneByOne(nn.Module):
    """Classifies by a 1×1 convolution; it has a layer called fc anyway."""

    def __init__(self):
        super().__init__()
        self.body = Unit(3, 4)
        self.fc = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.fc(self.body(x)).mean((2, 3))


def one_by_one():
    return fill(OneByOne())


def normalised_only():
    return fill(nn.Sequential(nn.BatchNorm1d(3), nn.ReLU(), nn.Bilinear(2, 2, 2)))


HEADLESS = [one_by_one, normalised_only, relu, batch_normalisation]


def linears(model):
    """What a reader needs to know about each linear layer, in registration order."""
    return [
        f"{name}: {module.in_features} → {module.out_features}, weight of shape {tuple(module.weight.shape)}"
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]


def without(names, where):
    """A dictionary keyed by name, without the entries that belong to the module `where`."""
    return {name: value for name, value in names.items() if name != where and not name.startswith(f"{where}.")}


# --- discriminative_parameter_groups ---------------------------------------------------------------------------------


def child(kind):
    """A child of one kind, as in CHILDREN below."""
    if kind == "linear":
        return nn.Linear(2, 3)
    if kind == "unit":
        return Unit(2, 2)
    if kind == "nested":
        return nn.ModuleList([nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.ModuleDict({"norm": nn.BatchNorm1d(2)})])
    if kind == "own parameters":
        return Scaled()
    if kind == "tied":
        layer, other = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
        other.weight = layer.weight
        return nn.Sequential(layer, nn.Tanh(), layer, other, nn.Linear(2, 2, bias=False))
    if kind == "relu":
        return nn.ReLU()
    if kind == "empty sequence":
        return nn.Sequential(nn.Flatten(), nn.Dropout())
    if kind == "statistics only":
        return nn.BatchNorm1d(2, affine=False)
    if kind == "frozen":
        return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).requires_grad_(False)
    layer = nn.Linear(2, 2)
    frozen = {"frozen weight": layer.weight, "frozen bias": layer.bias}[kind]
    frozen.requires_grad_(False)
    return layer


FLAT = ["linear"]
DEEP = ["unit", "nested", "own parameters"]
PARTLY_FROZEN = ["frozen weight", "frozen bias"]
NOTHING_TO_LEARN = ["relu", "empty sequence", "statistics only"]


def family(kinds, names):
    """A model with children of these kinds, under these names; an nn.Sequential where there are no names."""
    model = nn.Module() if names else nn.Sequential()
    for position, kind in enumerate(kinds):
        model.add_module(names[position] if names else str(position), child(kind))
    return fill(model)


def members(group):
    """The parameters of a group, given in any of the forms that an optimizer accepts."""
    parameters = group["params"]
    parameters = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    return [item[1] if isinstance(item, tuple) else item for item in parameters]


def groups_for(module, model, base_lr, decay):
    """The submission's groups for this model. Those that hold parameters of other models are left out if there are any
    of this one: another check is about whether earlier calls matter."""
    own = {id(parameter) for parameter in model.parameters()}
    found = module.discriminative_parameter_groups(model, base_lr, decay)
    found = [{**group, "params": members(group)} for group in found]
    return [group for group in found if not group["params"] or own & set(map(id, group["params"]))] or found


def names_in(groups, model):
    """For each group, the sorted names of its parameters."""
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    return [sorted(known.get(id(item), "(not of this model)") for item in members(group)) for group in groups]


def all_names_in(groups, model):
    """The names of the parameters of all groups."""
    return [name for names in names_in(groups, model) for name in names]


def largest_factor(numbers):
    """Between neighbours, once they are sorted: it does not depend on the direction in which the numbers grow."""
    ordered = sorted(numbers)
    return max((two / one if one else math.inf for one, two in itertools.pairwise(ordered)), default=1.0)


def rates(groups):
    """The learning rates as plain numbers."""
    return [float(group["lr"]) for group in groups]


# --- extract_features ------------------------------------------------------------------------------------------------

CHILDREN = ["stem", "pool", "dropout", "head"]
DOTTED = [
    "stem.0",
    "stem.1",
    "stem.2",
    "stages.0",
    "stages.1",
    "stages.1.conv",
    "stages.0.norm",
    "branches.wide",
    "branches.narrow",
    "head.hidden",
    "head.out",
]
UNKNOWN = [
    "fc",
    "tail",
    "stem.3",
    "stages.2",
    "stages.-1",
    "stage",
    "head.hidde",
    "hidden",
    "norm",
    "1.conv",
    "stem.conv",
    "stages.0.forward",
    "head.out.weight",
]


class AsksItself(nn.Module):
    """Layers that do not share one mode with the model: their outputs show whether all are in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.noise = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 4))
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.top = nn.BatchNorm1d(4, affine=False)

    def forward(self, x):
        x = self.norm(self.noise(x))
        x = 2 * x if self.training else x
        return self.top(self.drop(x))


def asks_itself():
    return fill(AsksItself())


class Limited(nn.Module):
    """Raises an OverflowError for a batch of more than two samples."""

    def forward(self, x):
        if len(x) > 2:
            raise OverflowError("a batch of more than two")
        return x


class Fragile(nn.Module):
    def __init__(self):
        super().__init__()
        self.before = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        self.guard = Limited()
        self.after = nn.Sequential(nn.Dropout(), nn.Linear(3, 2))

    def forward(self, x):
        return self.after(self.guard(self.before(x)))


def fragile():
    return fill(Fragile())


class InPlaceFirst(nn.Module):
    """Writes into its input, through a view."""

    def __init__(self):
        super().__init__()
        self.flat = nn.Flatten()
        self.act = nn.ReLU(inplace=True)
        self.top = nn.Linear(6, 2)

    def forward(self, x):
        return self.top(self.act(self.flat(x)))


def view_then_in_place():
    return fill(InPlaceFirst())


def in_place_first():
    return fill(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(6, 2)))


class InPlaceLater(nn.Module):
    """The tensors that `first` and `second` return are overwritten later, by layers and by operators."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.act = nn.Sequential(nn.ReLU(inplace=True))
        self.second = nn.Linear(6, 6)
        self.top = nn.Linear(6, 2)

    def forward(self, x):
        y = self.second(self.act(self.first(x.flatten(1))))
        y.view(-1).mul_(3)
        y += 1
        return self.top(y)


def in_place_later():
    return fill(InPlaceLater())


def in_place_next():
    """Linear, normalisation, ReLU that overwrites the normalised numbers."""
    return fill(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2)))


# --- freeze_batchnorm ------------------------------------------------------------------------------------------------


class Renamed(nn.BatchNorm2d):
    """A batch normalisation under another name."""


class BatchNormBlock(nn.Module):
    """Not a batch normalisation, though it contains one and is named like one."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.batchnorm_conv = nn.Conv2d(c_in, c_out, 1)
        self.inner = nn.BatchNorm2d(c_out)
        self.bn = nn.GroupNorm(1, c_out)

    def forward(self, x):
        return torch.tanh(self.bn(self.inner(self.batchnorm_conv(x))))


class Normalised(nn.Module):
    """Images of 3 channels through normalisations of several kinds."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Tanh())
        self.blocks = nn.ModuleList([BatchNormBlock(4, 4), Unit(4, 4)])
        self.instance = nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
        self.top = nn.ModuleDict({"norm": nn.LayerNorm(4), "out": nn.Linear(4, 2)})

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.instance(x).abs().mean((2, 3))
        return self.top["out"](self.top["norm"](x))


def normalised():
    return fill(Normalised())


class Flat(nn.Module):
    """Every layer is a direct child and has the name that most people would give it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.tanh(self.bn1(self.conv1(x)))
        x = torch.tanh(self.bn2(self.conv2(x)))
        return self.fc(self.dropout(x.abs().mean((2, 3))))


def flat():
    return fill(Flat())


def flat_without_dropout():
    model = Flat()
    model.dropout = nn.Identity()
    return fill(model)


def in_a_row(*layers):
    """These layers under the names bn1, bn2 and so on."""
    return fill(nn.Sequential(OrderedDict((f"bn{number}", layer) for number, layer in enumerate(layers, 1))))


def nested_layers():
    """Nothing to call."""
    deep = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ModuleList([nn.ModuleDict({"bn": nn.BatchNorm2d(2)}), nn.Dropout()]))
    return fill(
        nn.ModuleDict({"bn1": nn.BatchNorm2d(2), "deep": deep, "wide": nn.ModuleDict({"bn": nn.BatchNorm2d(2)})})
    )


def unusual_names():
    """Batch normalisations with any name, and other layers with theirs; nothing to call."""
    layers = {
        "first": nn.BatchNorm2d(2),
        "bn": nn.Conv2d(2, 2, 1),
        "norm": nn.Dropout(),
        "0": nn.BatchNorm2d(3),
        "batchnorm_block": nn.PReLU(),
        "fc": nn.BatchNorm2d(2),
    }
    return fill(nn.ModuleDict(layers))


class BatchNormFree(nn.Module):
    """A block without batch normalisation, whatever its name seems to say."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 2, 1)
        self.scale = nn.Parameter(torch.ones(2))


def misleading_class():
    """Nothing to call."""
    return fill(nn.ModuleDict({"bn1": nn.BatchNorm2d(2), "block": BatchNormFree()}))


def other_normalisations():
    layers = {
        "bn1": nn.BatchNorm2d(4),
        "group": nn.GroupNorm(1, 4),
        "instance": nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
        "layer": nn.LayerNorm(4),
    }
    return fill(nn.ModuleDict(layers))


def other_dimensions():
    return in_a_row(nn.BatchNorm1d(2), nn.BatchNorm3d(3), nn.BatchNorm2d(2))


def other_kinds():
    return in_a_row(Renamed(2), nn.SyncBatchNorm(2), nn.BatchNorm2d(2))


def without_affine():
    return in_a_row(
        nn.BatchNorm2d(3, affine=False),
        nn.BatchNorm2d(2, track_running_stats=False),
        nn.BatchNorm2d(2, affine=False, track_running_stats=False),
        nn.BatchNorm2d(2),
    )


def without_batch_normalisation():
    return fill(nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4), nn.Dropout(), nn.Conv2d(4, 2, 1)))


def descend(model, x):
    """One step of gradient descent."""
    model(x).square().sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad


def batch_norms(model):
    """The names of the batch normalisations, before anything happens to the model."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return [name for name, module in named(model).items() if isinstance(module, kinds)]


def affine(model, layers):
    """{name: whether it requires a gradient} of the scales and shifts of these layers."""
    found = {}
    for name in layers:
        for what in ("weight", "bias"):
            value = getattr(model.get_submodule(name), what, None)
            found[f"{name}.{what}"] = value is not None and value.requires_grad
    return found


def reached(model):
    """{name: whether the module is in evaluation mode or one of its own parameters is frozen}

    It is so for what a function took for a batch normalisation, even if it forgot half of what it should then do.
    """
    owned = {name: list(module.parameters(recurse=False)) for name, module in named(model).items()}
    modes_of = modes(model)
    return {
        name: not modes_of[name] or not all(parameter.requires_grad for parameter in parameters)
        for name, parameters in owned.items()
    }


def only(by_name, owners):
    """A dictionary keyed by name, with only the entries that belong to one of the modules `owners`."""
    return {name: value for name, value in by_name.items() if name in owners or name.rpartition(".")[0] in owners}


def all_but(by_name, owners):
    """A dictionary keyed by name, without the entries that belong to one of the modules `owners`."""
    kept = only(by_name, owners)
    return {name: value for name, value in by_name.items() if name not in kept}


NORMALISED = [normalised, photo]
