"""Right: an fx interpreter whose values are fields; patched methods that are put back; einsum for the blur."""
import contextlib
from typing import NamedTuple

import torch
import torch.fx
import torch.nn as nn
import torch.nn.functional as F


class DownsampleComparison(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv_pool = nn.Sequential(nn.LazyConv2d(out_channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.conv_avgpool = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding="same"), nn.ReLU(),
                                          nn.AvgPool2d(2))
        self.strided_conv = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(in_channels, out_channels, 3, 2), nn.ReLU())
        self.conv_pool[0] = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x, method="strided"):
        known = [("maxpool", self.conv_pool), ("strided", self.strided_conv), ("avgpool", self.conv_avgpool)]
        chosen = [branch for name, branch in known if name == method]
        if not chosen:
            raise ValueError(f"{method!r} is unknown")
        return chosen[0](x)


class BlurPool(nn.Module):
    def __init__(self, channels, stride=2):
        super().__init__()
        self.stride, self.pad = stride, nn.ReflectionPad2d(1)
        row = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("kernel", torch.einsum("i,j->ij", row, row).div(16))

    def forward(self, x):
        if x.shape[-2] < 2 or x.shape[-1] < 2:
            raise ValueError("too small to reflect")
        kernel = self.kernel.to(dtype=x.dtype, device=x.device)
        weight = kernel[None, None].expand(x.shape[1], 1, 3, 3)
        whole = nn.functional.conv2d(self.pad(x), weight, groups=x.shape[1])
        return whole[:, :, :: self.stride, :: self.stride]


def classifier_head(in_features, num_classes, hidden=256):
    head = nn.Sequential()
    for name, layer in {
        "a": nn.Dropout(0.3), "b": nn.Linear(in_features, hidden), "c": nn.ReLU(),
        "d": nn.Dropout(0.2), "e": nn.Linear(hidden, num_classes, bias=True),
    }.items():
        head.add_module(name, layer)
    return head


@contextlib.contextmanager
def evaluation(model):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes.items():
            module.training = mode


def count_macs(model, input_shape):
    log = []
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, args, out: log.append((module, out)) if isinstance(module, (nn.Conv2d, nn.Linear)) else None
    )
    try:
        with evaluation(model), torch.no_grad():
            model(torch.rand(*input_shape))
    finally:
        handle.remove()
    return sum(out.numel() * module.weight.numel() // module.weight.shape[0] for module, out in log)


class Field(NamedTuple):
    size: int
    jump: int
    start: float
    n: int

    def window(self, k, s, p, d=1):
        k, s, p, d = (v if isinstance(v, int) else v[0] for v in (k, k if s is None else s, p, d))
        k = d * (k - 1) + 1
        return Field(self.size + (k - 1) * self.jump, self.jump * s, self.start + ((k - 1) / 2 - p) * self.jump,
                     (self.n + 2 * p - k) // s + 1)


def biggest(args):
    fields = []
    for a in args:
        if isinstance(a, Field):
            fields.append(a)
        elif isinstance(a, (list, tuple)):
            fields += [f for f in a if isinstance(f, Field)]
    return max(fields)


class Fields(torch.fx.Interpreter):
    def call_module(self, target, args, kwargs):
        layer = self.fetch_attr(target)
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            return args[0].window(layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))
        return args[0]

    def call_function(self, target, args, kwargs):
        if "pool2d" in target.__name__ or target in (F.max_pool2d, F.avg_pool2d):
            values = dict(zip(("input", "kernel_size", "stride", "padding"), args[:4])) | kwargs
            return values["input"].window(values["kernel_size"], values.get("stride"), values.get("padding", 0))
        return biggest([*args, *kwargs.values()])

    def call_method(self, target, args, kwargs):
        return biggest(args)


class Leaves(torch.fx.Tracer):
    def is_leaf_module(self, m, name):
        return isinstance(m, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)) or super().is_leaf_module(m, name)


def compute_receptive_field(model, input_size=224):
    holder = nn.ModuleList([model])

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.held = holder

        def forward(self, x):
            return self.held[0](x)

    whole = Whole()
    graph = Leaves().trace(whole)
    field = Fields(torch.fx.GraphModule(whole, graph)).run(Field(1, 1, 0, input_size))
    return field.size, [field.start + field.jump * i for i in range(field.n)]


def compare_architectures(models, input_shape):
    def row(item):
        name, model = item
        return dict(name=name, macs=count_macs(model, input_shape),
                    parameters=sum(p.numel() for p in set(model.parameters())))

    return sorted(map(row, models.items()), key=lambda r: (r["macs"], r["name"]))
