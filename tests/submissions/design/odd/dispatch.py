"""Right: looks at the operators that a copy on the meta device dispatches; unfolds; callable objects."""
import copy
import functools

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


class DownsampleComparison(nn.Module):
    METHODS = ("maxpool", "strided", "avgpool")

    def __init__(self, in_channels, out_channels):
        super().__init__()
        make = functools.partial(nn.Conv2d, in_channels, out_channels, kernel_size=3, padding=1)
        self.conv_avgpool = nn.Sequential(nn.Sequential(make(), nn.ReLU()), nn.AvgPool2d(2))
        self.conv_pool = nn.Sequential(make(), nn.MaxPool2d(2), nn.ReLU())
        self.strided_conv = nn.Sequential(make(stride=2), nn.Threshold(0, 0))

    def forward(self, x, method=METHODS[1]):
        match method:
            case "maxpool":
                return self.conv_pool(x)
            case "strided":
                return self.strided_conv(x)
            case "avgpool":
                return self.conv_avgpool(x)
            case _:
                raise ValueError("one of " + ", ".join(self.METHODS))


class BlurPool(nn.Module):
    def __init__(self, channels, stride=2):
        super().__init__()
        self.stride = stride
        self.register_buffer("blur", torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]], dtype=torch.float64) / 16)

    def forward(self, x):
        if min(x.shape[2:]) <= 1:
            raise ValueError("H and W must be at least 2")
        x = F.pad(x, (1, 1, 1, 1), "reflect")
        windows = x.unfold(2, 3, self.stride).unfold(3, 3, self.stride)
        return (windows * self.blur.to(x.dtype)).sum((-1, -2))


class Head(nn.Sequential):
    def __init__(self, n, k, h):
        super().__init__(nn.Dropout(0.3), nn.Linear(n, h), nn.ReLU(), nn.Dropout(0.2), nn.Linear(h, k))


class MakesHeads:
    def __call__(self, in_features, num_classes, hidden=256):
        return Head(in_features, num_classes, hidden)


classifier_head = MakesHeads()


def count_macs(model, input_shape):
    """Arithmetic: only the shapes matter, so everything happens on the meta device."""
    twin = copy.deepcopy(model).to("meta").eval()
    layers = [m for m in twin.modules() if type(m).forward in (nn.Conv2d.forward, nn.Linear.forward)]
    shapes = []

    def wrapped(layer, forward):
        def call(x):
            y = forward(x)
            shapes.append((layer, tuple(y.shape)))
            return y

        return call

    for layer in layers:
        layer.forward = wrapped(layer, layer.forward)
    with torch.no_grad():
        twin(torch.empty(tuple(input_shape), device="meta"))
    total = 0
    for layer, shape in shapes:
        outputs = 1
        for extent in shape:
            outputs *= extent
        if isinstance(layer, nn.Linear):
            total += outputs * layer.in_features
        else:
            total += outputs * layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1] // layer.groups
    return total


class Fields(TorchDispatchMode):
    def __init__(self, x):
        super().__init__()
        self.fields, self.alive = {id(x): (1, 1, 0.0)}, [x]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        inputs = []
        for a in args:
            inputs += list(a) if isinstance(a, (list, tuple)) else [a]
        before = [self.fields[id(a)] for a in inputs if id(a) in self.fields]
        if before:
            size, jump, start = max(before)
            packet = func.overloadpacket
            window = None
            if packet is aten.convolution:
                window = args[1].shape[-1], args[3][0], args[4][0], args[5][0]
            elif packet in (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.max_pool2d):
                kernel = args[1][0]
                stride = args[2][0] if len(args) > 2 and args[2] else kernel
                window = kernel, stride, args[3][0] if len(args) > 3 else 0, 1
            if window:
                k, s, p, d = window
                size, jump, start = size + d * (k - 1) * jump, jump * s, start + (d * (k - 1) / 2 - p) * jump
            for y in out if isinstance(out, (tuple, list)) else [out]:
                if isinstance(y, torch.Tensor):
                    self.fields[id(y)] = size, jump, start
                    self.alive.append(y)
        return out


def compute_receptive_field(model, input_size=224):
    twin = copy.deepcopy(model).to("meta").eval()
    x = torch.empty(1, 3, input_size, input_size, device="meta")
    with torch.no_grad(), Fields(x) as fields:
        y = twin(x)
    size, jump, start = fields.fields[id(y)]
    return float(size), tuple(start + i * jump for i in range(y.shape[-1]))


def compare_architectures(models, input_shape):
    rows = [{"name": name, "parameters": 0, "macs": count_macs(models[name], input_shape)} for name in sorted(models)]
    for row in rows:
        for parameter in models[row["name"]].parameters():
            row["parameters"] += parameter.nelement()
    return sorted(rows, key=lambda row: row["macs"])
