"""Right: a function mode follows the tensors through the network; separable filters; a head in two parts."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class DownsampleComparison(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()

        def conv(stride):
            return nn.Conv2d(in_channels, out_channels, (3, 3), (stride, stride), (1, 1))

        self.branches = nn.ModuleDict({
            "maxpool": nn.Sequential(conv(1), nn.ReLU(True), nn.MaxPool2d(2, 2)),
            "strided": nn.Sequential(conv(2), nn.ReLU(True)),
            "avgpool": nn.Sequential(conv(1), nn.ReLU(True), nn.AvgPool2d(2, 2)),
        })

    @property
    def conv_pool(self):
        return self.branches["maxpool"]

    @property
    def strided_conv(self):
        return self.branches["strided"]

    @property
    def conv_avgpool(self):
        return self.branches["avgpool"]

    def forward(self, x, method="strided"):
        if not isinstance(method, str) or method not in self.branches:
            raise ValueError("method: maxpool, strided, avgpool")
        return self.branches[method](x)


class BlurPool(nn.Module):
    def __init__(self, channels, stride=2):
        super().__init__()
        self.stride = int(stride)
        self.register_buffer("row", torch.tensor([0.25, 0.5, 0.25]).view(1, 1, 1, 3))

    def forward(self, x):
        n, c, h, w = x.shape
        if not (h >= 2 and w >= 2):
            raise ValueError(f"{h}x{w} is too small")
        row = self.row.type_as(x)
        y = F.pad(x.reshape(n * c, 1, h, w), [1] * 4, "reflect")
        y = F.conv2d(y, row, stride=(1, self.stride))
        y = F.conv2d(y, row.transpose(2, 3), stride=(self.stride, 1))
        return y.reshape(n, c, *y.shape[2:])


def classifier_head(in_features, num_classes, hidden=256):
    body = nn.Sequential(nn.Dropout(0.3), nn.Linear(in_features, hidden), nn.ReLU())
    return nn.Sequential(body, nn.Sequential(nn.Dropout(0.2), nn.Linear(hidden, num_classes)))


class Macs(TorchFunctionMode):
    """Knows which layer is at work from the weight."""

    def __init__(self, weights):
        super().__init__()
        self.weights, self.total = weights, 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function in (torch.conv2d, F.linear, torch._C._nn.linear) and any(args[1] is w for w in self.weights):
            self.total += result.numel() * args[1][0].numel()
        return result


def count_macs(model, input_shape):
    flags = {m: m.training for m in model.modules()}
    mode = Macs([m.weight for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))])
    try:
        for m in model.modules():
            m.training = False
        with torch.no_grad(), mode:
            model(torch.ones(*input_shape))
    finally:
        for m, flag in flags.items():
            m.training = flag
    return mode.total


class Follow(TorchFunctionMode):
    def __init__(self, x):
        super().__init__()
        self.known = [(x, (1, 1, 0))]

    def field(self, tensor):
        for known, field in reversed(self.known):
            if known is tensor:
                return field
        return None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        flat = []
        for a in (*args, *kwargs.values()):
            flat += list(a) if isinstance(a, (list, tuple)) else [a]
        fields = [f for f in (self.field(a) for a in flat if isinstance(a, torch.Tensor)) if f]
        if not fields or not isinstance(result, torch.Tensor) or result.dim() != 4:
            return result
        size, jump, start = max(fields)
        name = getattr(function, "__name__", "")
        k = s = d = 1
        p = 0
        if name == "conv2d":
            k = args[1].shape[-1]
            rest = dict(zip(("bias", "stride", "padding", "dilation", "groups"), args[2:])) | kwargs
            s, p, d = (rest.get(key, default) for key, default in (("stride", 1), ("padding", 0), ("dilation", 1)))
        elif name.startswith(("max_pool2d", "avg_pool2d", "_max_pool2d")):
            rest = dict(zip(("kernel_size", "stride", "padding"), args[1:4])) | kwargs
            k, s, p = rest["kernel_size"], rest.get("stride"), rest.get("padding", 0)
            s = s or k
        k, s, p, d = (v[0] if isinstance(v, (tuple, list)) else v for v in (k, s, p, d))
        if not (name.startswith("max_pool2d") and self.field(result)):
            self.known.append((result, (size + d * (k - 1) * jump, jump * s, start + (d * (k - 1) / 2 - p) * jump)))
        return result


def compute_receptive_field(model, input_size=224):
    flags = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        x = torch.zeros(1, 3, input_size, input_size)
        follow = Follow(x)
        with torch.no_grad(), follow:
            y = model(x)
        size, jump, start = follow.field(y)
    finally:
        for m, flag in flags:
            m.training = flag
    return size, [start + jump * i for i in range(y.shape[-1])]


def compare_architectures(models, input_shape):
    rows = []
    for macs, name in sorted((count_macs(model, input_shape), name) for name, model in models.items()):
        unique = {id(p): p.numel() for p in models[name].parameters()}
        rows.append({"macs": macs, "name": name, "parameters": sum(unique.values())})
    return rows
