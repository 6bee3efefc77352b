"""Layers of my own whose biases broadcast; stages in a module with a name for each."""
import math
import torch
import torch.nn.functional as F
from torch import nn


def layer_summary(net, input_shape):
    from torch.func import functional_call
    state = {k: v.detach().clone() for k, v in net.state_dict(keep_vars=True).items()}
    modes = {m: m.training for m in net.modules()}
    dt = [v.dtype for v in state.values() if v.is_floating_point()] or [torch.get_default_dtype()]
    x, rows = torch.full(tuple(input_shape), 0.5, dtype=dt[0]), []
    for m in modes:
        m.training = False
    with torch.no_grad():
        for i, layer in enumerate(net):
            own = {k: v.detach().clone() for k, v in layer.state_dict(keep_vars=True).items()}
            x = functional_call(layer, own, (x,))
            rows.append((type(layer).__name__, tuple(x.shape)))
    for m, was in modes.items():
        m.training = was
    return rows


class Conv(nn.Module):
    def __init__(self, i, o, k, stride=1, padding=0, groups=1):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(o, i // groups, k, k))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self.bias = nn.Parameter(torch.zeros(1, o, 1, 1))
        self.args = dict(stride=stride, padding=padding, groups=groups)

    def forward(self, x):
        return F.conv2d(x, self.weight, None, **self.args) + self.bias


class Dense(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(o, i))
        nn.init.xavier_uniform_(self.weight)
        self.bias = nn.Parameter(torch.zeros(1, o))

    def forward(self, x):
        return x @ self.weight.T + self.bias


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        S = nn.Sigmoid
        self.net = nn.Sequential(Conv(1, 6, 5, padding=2), S(), nn.AvgPool2d(2), Conv(6, 16, 5), S(), nn.AvgPool2d(2), nn.Flatten(),
                                 Dense(400, 120), S(), Dense(120, 84), S(), Dense(84, num_classes))

    def forward(self, x):
        return self.net(x)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    c = x.shape[1]
    i = torch.arange(c, device=x.device)
    band = ((i[:, None] - i).abs() <= size // 2).to(x.dtype)
    return x * (k + alpha * torch.einsum("dc,nchw->ndhw", band, x.square())).pow(-beta)


def vgg_block(num_convs, in_channels, out_channels):
    net = nn.Sequential()
    for k in range(num_convs):
        net.add_module(f"conv{k}", Conv(in_channels if k == 0 else out_channels, out_channels, 3, padding=1))
        net.add_module(f"relu{k}", nn.ReLU(inplace=True))
    net.add_module("pool", nn.MaxPool2d(2))
    return net


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.blocks = nn.ModuleList(vgg_block(*a) for a in [(2, 3, 64), (2, 64, 128), (3, 128, 256), (3, 256, 512), (3, 512, 512)])
        self.a, self.b, self.c = Dense(25088, 4096), Dense(4096, 4096), Dense(4096, num_classes)

    def forward(self, x):
        for b in self.blocks:
            x = b(x)
        x = x.flatten(1)
        x = F.dropout(F.relu(self.a(x)), training=self.training)
        x = F.dropout(F.relu(self.b(x)), training=self.training)
        return self.c(x)


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    R = nn.ReLU
    return nn.Sequential(Conv(in_channels, out_channels, kernel_size, strides, padding), R(), Conv(out_channels, out_channels, 1), R(), Conv(out_channels, out_channels, 1), R())


class Stages(nn.Module):
    """Named stages, called one after the other."""
    def __init__(self, **stages):
        super().__init__()
        for k, v in stages.items():
            self.add_module(k, v)

    def forward(self, x):
        for stage in self.children():
            x = stage(x)
        return x


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        P = lambda: nn.MaxPool2d(3, 2)
        self.net = Stages(n1=nin_block(in_channels, 96, 11, 4, 0), p1=P(), n2=nin_block(96, 256, 5, 1, 2), p2=P(), n3=nin_block(256, 384, 3, 1, 1), p3=P(),
                          drop=nn.Dropout(), n4=nin_block(384, num_classes, 3, 1, 1), gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten())

    def forward(self, x):
        return self.net(x)


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.p = nn.ModuleDict(dict(p4=Conv(in_channels, c4, 1), p33=Conv(c3[0], c3[1], 5, padding=2), p31=Conv(in_channels, c3[0], 1),
                               p23=Conv(c2[0], c2[1], 3, padding=1), p21=Conv(in_channels, c2[0], 1), p1=Conv(in_channels, c1, 1)))

    def forward(self, x):
        p, r = self.p, F.relu
        m = F.pad(x, (1, 1, 1, 1), value=float("-inf"))
        return r(torch.cat((p["p1"](x), p["p23"](r(p["p21"](x))), p["p33"](r(p["p31"](x))), p["p4"](F.max_pool2d(m, 3, 1))), -3))


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        I, P, R, S = Inception, lambda: nn.MaxPool2d(3, 2, 1), nn.ReLU, nn.Sequential
        self.net = Stages(
            b1=S(Conv(in_channels, 64, 7, 2, 3), R(), P()), b2=S(Conv(64, 64, 1), R(), Conv(64, 192, 3, padding=1), R(), P()),
            b3=S(I(192, 64, (96, 128), (16, 32), 32), I(256, 128, (128, 192), (32, 96), 64), P()),
            b4=S(I(480, 192, (96, 208), (16, 48), 64), I(512, 160, (112, 224), (24, 64), 64), I(512, 128, (128, 256), (24, 64), 64),
                 I(512, 112, (144, 288), (32, 64), 64), I(528, 256, (160, 320), (32, 128), 128), P()),
            b5=S(I(832, 256, (160, 320), (32, 128), 128), I(832, 384, (192, 384), (48, 128), 128), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            classifier=Dense(1024, num_classes))

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        w = int(round(num_channels * bot_mul))
        if w % group_width:
            raise ValueError("group width")
        B = nn.BatchNorm2d
        self.c = nn.ModuleList([Conv(in_channels, w, 1), Conv(w, w, 3, strides, 1, w // group_width), Conv(w, num_channels, 1)])
        self.n = nn.ModuleList([B(w), B(w), B(num_channels)])
        self.s = nn.Sequential(Conv(in_channels, num_channels, 1, strides), B(num_channels)) if use_1x1conv else (lambda x: x)
        nn.init.zeros_(self.n[-1].weight)

    def forward(self, x):
        y = x
        for k, (c, n) in enumerate(zip(self.c, self.n)):
            y = n(c(F.relu(y) if k else y))
        return F.relu(y + self.s(x))


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        stages = dict(stem=nn.Sequential(Conv(in_channels, stem_channels, 3, 2, 1), nn.BatchNorm2d(stem_channels), nn.ReLU()))
        c = stem_channels
        for i, (d, o, g, b) in enumerate(arch):
            stages[f"stage{i}"] = nn.Sequential(*(ResNeXtBlock(o if k else c, o, g, b, k == 0, 1 if k else 2) for k in range(d)))
            c = o
        self.net = Stages(**stages, head=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Dense(c, num_classes)))

    def forward(self, x):
        return self.net(x)
