"""Right: measures receptive fields with gradients in a copy, counts in a copy, slices instead of convolutions."""
import copy
import operator
from collections import OrderedDict
from unittest import mock

import torch
import torch.nn as nn
import torch.nn.functional as F


class Branch(nn.Module):
    def __init__(self, i, o, s, pool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(o, i, 3, 3))
        self.bias = nn.Parameter(torch.zeros(o))
        nn.init.kaiming_normal_(self.weight)
        self.s, self.pool = s, pool

    def forward(self, x):
        y = F.conv2d(x, self.weight, self.bias, stride=self.s, padding=1)
        if self.pool == "max":
            return F.max_pool2d(y, (2, 2)).clamp(min=0)
        y = torch.where(y > 0, y, torch.zeros_like(y))
        return y if self.pool is None else F.avg_pool2d(y, 2)


class DownsampleComparison(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv_pool = Branch(in_channels, out_channels, 1, "max")
        self.strided_conv = Branch(in_channels, out_channels, 2, None)
        self.conv_avgpool = Branch(in_channels, out_channels, 1, "mean")

    def forward(self, x, method="strided"):
        names = dict(maxpool="conv_pool", strided="strided_conv", avgpool="conv_avgpool")
        try:
            branch = getattr(self, names[method])
        except (KeyError, TypeError):
            raise ValueError(f"no such method: {method}") from None
        return branch(x)


class BlurPool(nn.Module):
    def __init__(self, channels, stride=2):
        super().__init__()
        self.stride = stride
        self.register_buffer("taps", torch.tensor([1, 2, 1]))

    def forward(self, x):
        if x.size(2) == 1 or x.size(3) == 1:
            raise ValueError("nothing to reflect")
        taps = self.taps.to(x.dtype)
        for dim in (2, 3):
            n = x.size(dim)
            before = torch.cat([x.narrow(dim, 1, 1), x.narrow(dim, 0, n - 1)], dim)
            after = torch.cat([x.narrow(dim, 1, n - 1), x.narrow(dim, n - 2, 1)], dim)
            x = (taps[0] * before + taps[1] * x + taps[2] * after) / 4
        return x[..., :: self.stride, :: self.stride].contiguous()


def classifier_head(in_features, num_classes, hidden=256):
    return nn.Sequential(OrderedDict(
        drop1=nn.Dropout(p=0.3), fc1=nn.Linear(in_features, hidden), act=nn.ReLU(inplace=True),
        drop2=nn.Dropout(p=0.2), fc2=nn.Linear(hidden, num_classes)))


def count_macs(model, input_shape):
    twin = copy.deepcopy(model).eval()
    work = []

    def post(module, args, y):
        work.append(y.numel() * module.weight[0].numel())

    for part in twin.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            part.register_forward_hook(post)
    with torch.inference_mode():
        twin(torch.randn(*input_shape))
    return sum(work)


def smooth(model):
    """A copy without dead ends for gradients: positive weights, means instead of maxima."""
    twin = copy.deepcopy(model).eval().requires_grad_(False)
    for part in twin.modules():
        for name, child in list(part.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(part, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
    for part in twin.modules():
        if isinstance(part, nn.Conv2d):
            part.weight.fill_(1.0 / part.weight[0].numel())
            if part.bias is not None:
                part.bias.zero_()
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_running_stats()
            if part.affine:
                part.weight.fill_(1)
                part.bias.zero_()
        elif isinstance(part, nn.PReLU):
            part.weight.fill_(0.5)
    return nn.AvgPool2d(twin.kernel_size, twin.stride, twin.padding) if isinstance(twin, nn.MaxPool2d) else twin


def mean_instead(x, kernel_size, stride=None, padding=0, *args, **kwargs):
    return F.avg_pool2d(x, kernel_size, stride, padding)


def extents(model, image, places):
    """First and last pixel that each of the given outputs depends on."""
    x = torch.ones(1, 3, image, image, requires_grad=True)
    with mock.patch.object(F, "max_pool2d", mean_instead), mock.patch.object(torch, "max_pool2d", mean_instead):
        y = model(x)
    middle, found = y.shape[-2] // 2, []
    for place in places(y.shape[-1]):
        (g,) = torch.autograd.grad(y[0, :, middle, place].sum(), x, retain_graph=True)
        touched = g[0].abs().sum((0, 1)).nonzero()[:, 0]
        found.append((touched[0].item(), touched[-1].item()))
    return found, y.shape[-1]


def compute_receptive_field(model, input_size=224):
    with torch.no_grad():
        twin = smooth(model)
    image = max(64, input_size)
    with torch.enable_grad():
        while True:
            fields, n = extents(twin, image, lambda n: [n // 2, n // 2 + 1] if n > 3 else [0, 0])
            if n > 3 and all(0 < first and last < image - 1 for first, last in fields):
                break
            image += 96
    with torch.no_grad():
        outputs = n if image == input_size else twin(torch.zeros(1, 3, input_size, input_size)).shape[-1]
    (a, b), (c, _) = fields
    return b - a + 1, [(a + b) / 2 + (k - n // 2) * (c - a) for k in range(outputs)]


def compare_architectures(models, input_shape):
    table = [dict(name=n, parameters=sum(map(torch.numel, m.parameters())), macs=count_macs(m, input_shape))
             for n, m in models.items()]
    table.sort(key=operator.itemgetter("name"))
    table.sort(key=operator.itemgetter("macs"))
    return table
