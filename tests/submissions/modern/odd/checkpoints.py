"""Everything of a block in one owner, with short names; a fused graph of lambdas; checkpoints in the networks."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


class ConvBNReLU(nn.Module):
    """torchvision-like: norm and activation can be chosen; the module inherits nothing and calls through hooks."""
    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, padding: int = 1, groups: int = 1, norm_layer=nn.BatchNorm2d, act=F.relu, **kw) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        nn.init.kaiming_normal_(self.conv.weight.data, mode="fan_out")
        self.bn = norm_layer(out_channels, eps=1e-5, momentum=0.1)
        self.act = act
        self.register_buffer("calls", torch.zeros((), dtype=torch.long), persistent=False)

    @torch.jit.ignore
    def extra(self):
        return "x"

    def forward(self, x):
        self.calls += 1
        return self.act(self.bn(self.conv(x)))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.register_buffer("multiplier", torch.ones(1), persistent=False)  # gain of the gate
        nn.init.zeros_(self.fc2.bias)

    def forward(self, x):
        g = torch.einsum("nchw->nc", x)[..., None, None] / (x.shape[2] * x.shape[3])
        return x * (self.multiplier * torch.sigmoid(self.fc2(F.relu(self.fc1(g)))))


class MBConvBlock(nn.Module):
    """one owner of all tensors: weights w…, biases b…, and standard names for batch norm"""
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        e, q = in_channels * expand_ratio, max(1, int(in_channels * se_ratio))
        self.cfg = (e, kernel_size // 2, stride, expand_ratio != 1, stride == 1 and in_channels == out_channels)
        P = lambda *s: nn.Parameter(torch.randn(s) * 0.1)
        if expand_ratio != 1:
            self.w0 = P(e, in_channels, 1, 1)
            self.norm("n0", e)
        self.w1 = P(e, 1, kernel_size, kernel_size)
        self.norm("n1", e)
        self.w_squeeze, self.b_squeeze = P(q, e, 1, 1), nn.Parameter(torch.zeros(q))
        self.w_excite, self.b_excite = P(e, q, 1, 1), nn.Parameter(torch.zeros(e))
        self.w2 = P(out_channels, e, 1, 1)
        self.norm("n2", out_channels)

    def norm(self, n, c):
        self.register_parameter(n + "_gamma", nn.Parameter(torch.ones(c)))
        self.register_parameter(n + "_beta", nn.Parameter(torch.zeros(c)))
        self.register_buffer(n + "_running_mean", torch.zeros(c))
        self.register_buffer(n + "_running_var", torch.ones(c))

    def bn(self, n, x):
        g = lambda k: getattr(self, f"{n}_{k}")
        return F.batch_norm(x, g("running_mean"), g("running_var"), g("gamma"), g("beta"), self.training)

    def forward(self, x):
        e, pad, s, expands, adds = self.cfg
        y = F.silu(self.bn("n0", F.conv2d(x, self.w0))) if expands else x
        y = F.silu(self.bn("n1", F.conv2d(y, self.w1, None, s, pad, 1, e)))
        g = F.conv2d(y.mean((2, 3), True), self.w_squeeze, self.b_squeeze)
        y = y * F.conv2d(F.silu(g), self.w_excite, self.b_excite).sigmoid()
        y = self.bn("n2", F.conv2d(y, self.w2))
        return x + y if adds else y


class PreActBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.shortcut = None
        layers = [nn.BatchNorm2d(in_channels), nn.ReLU(), nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(), nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)]
        nn.init.zeros_(layers[-1].weight)
        if (stride, in_channels) != (1, out_channels):
            self.shortcut = nn.Sequential(nn.AvgPool2d(1, stride), nn.Conv2d(in_channels, out_channels, 1, bias=False))
        self.layers = nn.ModuleList(layers)
        self.run = lambda x: __import__("functools").reduce(lambda v, l: l(v), self.layers, x)

    def forward(self, x):
        return self.run(x) + (x if self.shortcut is None else self.shortcut(x))


class ModernBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        w = out_channels // 4
        for i, (a, b, k, s) in enumerate([(in_channels, w, 1, 1), (w, w, 3, stride), (w, out_channels, 1, 1)]):
            self.add_module(f"n{i}", nn.BatchNorm2d(a))
            self.add_module(f"c{i}", nn.Conv2d(a, b, k, s, k // 2, bias=False))
        self.se = SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))
        self.proj = nn.LazyConv2d(out_channels, 1, stride, bias=False) if stride > 1 or in_channels != out_channels else nn.Identity()

    def forward(self, x):
        y = x
        for i in range(3):
            y = self.get_submodule(f"c{i}")(self.get_submodule(f"n{i}")(y).relu())
        return self.se(y) + self.proj(x)


def chain(block, table, i):
    for o, n, s, *a in table:
        for k in range(n):
            yield block(i, o, *a, stride=s if k == 0 else 1)
            i = o


class ModernCNN(nn.Sequential):
    def __init__(self, num_classes=1000):
        super().__init__(ConvBNReLU(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1), *chain(ModernBlock, [(256, 3, 1), (512, 4, 2), (1024, 6, 2), (2048, 3, 2)], 64),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, num_classes))


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not 1.8 <= alpha * beta**2 * gamma**2 <= 2.2:
        raise ValueError("alpha * beta^2 * gamma^2 must be about 2")
    from collections import namedtuple
    return namedtuple("S", "depth width resolution")(alpha**phi, beta**phi, gamma**phi)


class EfficientNetB0(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        mb = lambda i, o, e, k, stride: MBConvBlock(i, o, e, k, stride)
        self.stem = ConvBNReLU(3, 32, 3, 2, act=F.silu)
        self.blocks = nn.ModuleList(chain(mb, [(16, 1, 1, 1, 3), (24, 2, 2, 6, 3), (40, 2, 2, 6, 5), (80, 3, 2, 6, 3), (112, 3, 1, 6, 5), (192, 4, 2, 6, 5), (320, 1, 1, 6, 3)], 32))
        self.head = ConvBNReLU(320, 1280, 1, 1, 0, act=F.silu)
        self.fc = nn.Linear(1280, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.uniform_(m.weight, -0.03, 0.03)

    def forward(self, x):
        x = self.stem(x)
        for b in self.blocks:
            x = b(x)
        return self.fc(self.head(x).flatten(2).mean(-1))


def wide_resnet(depth, widen_factor, num_classes=10):
    if depth not in range(10, 10**6, 6):
        raise ValueError("depth must be 6n + 4")
    n, k = (depth - 4) // 6, widen_factor
    model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False))
    model.extend(chain(PreActBlock, [(16 * k, n, 1), (32 * k, n, 2), (64 * k, n, 2)], 16))
    return model.extend([nn.BatchNorm2d(64 * k), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64 * k, num_classes)])
