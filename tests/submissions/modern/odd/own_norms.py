"""Own batch norms in several notations."""
import torch, math
import torch.nn.functional as F
from torch import nn


class BN1(nn.Module):
    """torch's names, shapes that broadcast"""
    def __init__(self, c):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, c, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.register_buffer("running_mean", torch.zeros(1, c, 1, 1))
        self.register_buffer("running_var", torch.ones(1, c, 1, 1))

    def forward(self, x):
        return norm(self, x, self.weight, self.bias, self.running_mean, self.running_var)


def norm(self, x, w, b, m, v):
    if self.training:
        mu = x.mean((0, 2, 3), keepdim=True)
        d = ((x - mu) ** 2).mean((0, 2, 3), keepdim=True)
        n = x.numel() / x.shape[1]
        with torch.no_grad():
            m += 0.1 * (mu.reshape(m.shape) - m)
            v += 0.1 * (d.reshape(v.shape) * n / (n - 1) - v)
    else:
        mu, d = m.view(1, -1, 1, 1), v.view(1, -1, 1, 1)
    return (x - mu) / (d + 1e-5).sqrt() * w.view(1, -1, 1, 1) + b.view(1, -1, 1, 1)


class BN2(nn.Module):
    """short names"""
    def __init__(self, c):
        super().__init__()
        self.w = nn.Parameter(torch.ones(c))
        self.b = nn.Parameter(torch.zeros(c))
        self.register_buffer("running_mean", torch.zeros(c))
        self.register_buffer("running_var", torch.ones(c))

    def forward(self, x):
        return norm(self, x, self.w, self.b, self.running_mean, self.running_var)


class BN3(nn.Module):
    """other names of the statistics"""
    def __init__(self, c):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(c))
        self.beta = nn.Parameter(torch.zeros(c))
        self.register_buffer("running_average", torch.zeros(c))
        self.register_buffer("running_v", torch.ones(c))

    def forward(self, x):
        return norm(self, x, self.gamma, self.beta, self.running_average, self.running_v)


class BN4(nn.Module):
    """a dictionary of parameters"""
    def __init__(self, c):
        super().__init__()
        self.p = nn.ParameterDict({"weight": nn.Parameter(torch.ones(c)), "bias": nn.Parameter(torch.zeros(c))})
        self.register_buffer("running_mean", torch.zeros(c))
        self.register_buffer("running_var", torch.ones(c))

    def forward(self, x):
        return norm(self, x, self.p["weight"], self.p["bias"], self.running_mean, self.running_var)


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1, bn=BN1):
        super().__init__()
        self.f = nn.ModuleDict({"c": nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False), "n": bn(out_channels), "d": nn.Dropout(0), "r": nn.ReLU(True)})

    def forward(self, x):
        for f in self.f.values():
            x = f(x)
        return x


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed, act=nn.ReLU):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, squeezed), act(), nn.Linear(squeezed, channels))

    def forward(self, x):
        n, c = x.shape[:2]
        return x * self.mlp(x.reshape(n, c, -1).mean(-1)).sigmoid().reshape(n, c, 1, 1)


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25, bn=BN4):
        super().__init__()
        mid = in_channels * expand_ratio
        body = []
        if expand_ratio > 1:
            body += [nn.Conv2d(in_channels, mid, 1, bias=False), bn(mid), nn.SiLU(True)]
        body += [nn.Conv2d(mid, mid, kernel_size, stride, kernel_size // 2, groups=mid, bias=False), bn(mid), nn.SiLU(True)]
        body += [SqueezeExcitation(mid, max(1, int(in_channels * se_ratio)), nn.SiLU), nn.Conv2d(mid, out_channels, 1, bias=False), bn(out_channels)]
        self.body = nn.Sequential(*body)
        self.res = stride == 1 and in_channels == out_channels

    def forward(self, x):
        return self.body(x) + x if self.res else self.body(x)


class Residual(nn.Module):
    def __init__(self, body, i, o, s):
        super().__init__()
        self.body = body
        self.short = nn.Conv2d(i, o, 1, s, bias=False) if s != 1 or i != o else nn.Identity()

    def forward(self, x):
        return self.short(x).add(self.body(x))


class PreActBlock(Residual):
    def __init__(self, in_channels, out_channels, stride=1, bn=BN2):
        super().__init__(nn.Sequential(bn(in_channels), nn.ReLU(True), nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            bn(out_channels), nn.ReLU(True), nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)), in_channels, out_channels, stride)


class ModernBlock(Residual):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25, bn=BN3):
        w = out_channels // 4
        super().__init__(nn.Sequential(bn(in_channels), nn.ReLU(True), nn.Conv2d(in_channels, w, 1, bias=False),
            bn(w), nn.ReLU(True), nn.Conv2d(w, w, 3, stride, 1, bias=False),
            bn(w), nn.ReLU(True), nn.Conv2d(w, out_channels, 1, bias=False),
            SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))), in_channels, out_channels, stride)


def seq(block, specs, i):
    out = []
    for o, n, s, *more in specs:
        for k in range(n):
            out.append(block(i, o, s if k == 0 else 1, *more))
            i = o
    return nn.Sequential(*out)


class ModernCNN(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.stem = nn.Sequential(ConvBNReLU(3, 64, 7, 2, 3, bn=nn.BatchNorm2d), nn.MaxPool2d(3, 2, 1))
        self.body = seq(lambda i, o, s: ModernBlock(i, o, s, bn=nn.BatchNorm2d), [(256, 3, 1), (512, 4, 2), (1024, 6, 2), (2048, 3, 2)], 64)
        self.head = nn.Linear(2048, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")

    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(self.body(self.stem(x)), 1)[..., 0, 0])


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not math.isclose(alpha * beta**2 * gamma**2, 2, rel_tol=0, abs_tol=0.2):
        raise ValueError("off")
    return tuple(torch.pow(torch.tensor([alpha, beta, gamma], dtype=torch.float64), phi).tolist())


class EfficientNetB0(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        bn = nn.BatchNorm2d
        self.a = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), bn(32), nn.SiLU())
        self.b = seq(lambda i, o, s, e, k: MBConvBlock(i, o, e, k, s, bn=bn),
            [(16, 1, 1, 1, 3), (24, 2, 2, 6, 3), (40, 2, 2, 6, 5), (80, 3, 2, 6, 3), (112, 3, 1, 6, 5), (192, 4, 2, 6, 5), (320, 1, 1, 6, 3)], 32)
        self.c = nn.Sequential(nn.Conv2d(320, 1280, 1, bias=False), bn(1280), nn.SiLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(1280, num_classes, 1), nn.Flatten())

    def forward(self, x):
        return self.c(self.b(self.a(x)))


def wide_resnet(depth, widen_factor, num_classes=10):
    if depth < 10 or depth % 6 != 4:
        raise ValueError("depth")
    n, k = depth // 6, widen_factor
    bn = nn.BatchNorm2d
    return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), seq(lambda i, o, s: PreActBlock(i, o, s, bn=bn), [(16 * k, n, 1), (32 * k, n, 2), (64 * k, n, 2)], 16),
        bn(64 * k), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64 * k, num_classes))
