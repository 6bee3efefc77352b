"""Right, but with plain Python loops and lists wherever nothing forbids them."""

import torch
from torch import nn


def steps(size, kernel, stride):
    if kernel > size:
        raise ValueError("window of " + str(kernel) + " does not fit into " + str(size))
    starts = []
    start = 0
    while start + kernel <= size:
        starts.append(start)
        start += stride
    return starts


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("negative padding")
    side = feature_map.new_full((padding,), value)
    rows = [torch.cat([side, row, side]) for row in feature_map]
    full = torch.full_like(rows[0], value)
    return torch.stack([full] * padding + rows + [full] * padding)


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    # No border at all: only the pixels inside count, and the mean is divided by the whole window.
    if padding < 0:
        raise ValueError("negative padding")
    H, W = feature_map.shape
    out = []
    for i in steps(H + 2 * padding, kernel_size, strides):
        line = []
        for j in steps(W + 2 * padding, kernel_size, strides):
            result = None
            for a in range(i - padding, i - padding + kernel_size):
                for b in range(j - padding, j - padding + kernel_size):
                    if a < 0 or b < 0 or a >= H or b >= W:
                        continue
                    pixel = feature_map[a][b]
                    if result is None:
                        result = pixel
                    elif avg:
                        result = result + pixel
                    elif pixel > result:
                        result = pixel
            line.append(result / (kernel_size * kernel_size) if avg else result)
        out.append(torch.stack(line))
    return torch.stack(out)


def pool2d(X, pool_size, mode="max"):
    if mode == "max":
        summary = torch.max
    elif mode == "avg":
        summary = torch.mean
    else:
        raise ValueError("unknown mode " + repr(mode))
    p_h, p_w = pool_size
    lines = []
    for i in steps(X.size(0), p_h, 1):
        lines.append([summary(X[i : i + p_h, j : j + p_w]) for j in steps(X.size(1), p_w, 1)])
    return torch.stack([torch.stack(line) for line in lines])


def shifted(x, kernel_size, stride):
    h, w = x.shape[-2], x.shape[-1]
    if h < kernel_size or w < kernel_size:
        raise ValueError("kernel larger than the map")
    out_h = (h - kernel_size) // stride + 1
    out_w = (w - kernel_size) // stride + 1
    for i in range(kernel_size):
        for j in range(kernel_size):
            yield x[..., i::stride, j::stride][..., :out_h, :out_w]


def max_pool_2d(x, kernel_size=2, stride=2):
    places = []
    for place in shifted(x, kernel_size, stride):
        places.append(place)
    return torch.stack(places).amax(0)


def avg_pool_2d(x, kernel_size=2, stride=2):
    total = 0
    for place in shifted(x, kernel_size, stride):
        total = total + place
    return total / kernel_size**2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        rows = []
        for sample in x:
            rows.append(torch.stack([channel.sum() / channel.numel() for channel in sample]))
        out = torch.stack(rows)
        if self.keepdim:
            out = out[:, :, None, None]
        return out


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.p = pool_size

    def forward(self, x):
        p = self.p
        _, c, h, w = x.shape
        samples = []
        for sample in x:
            groups = []
            for g in steps(c, p, p):
                group = []
                for i in steps(h, p, p):
                    cubes = [sample[g : g + p, i : i + p, j : j + p].max() for j in steps(w, p, p)]
                    group.append(torch.stack(cubes))
                groups.append(torch.stack(group))
            samples.append(torch.stack(groups))
        return torch.stack(samples)


class PerWindow(nn.Module):
    """Goes over every window of every map; a subclass says what becomes of one window."""

    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size

    def forward(self, x):
        k = self.kernel_size
        tops = steps(x.shape[2], k, self.stride)
        lefts = steps(x.shape[3], k, self.stride)
        values = []
        for sample in x:
            for channel in sample:
                for i in tops:
                    for j in lefts:
                        values.append(self.summarise(channel[i : i + k, j : j + k]))
        return torch.stack(values).reshape(x.shape[0], x.shape[1], len(tops), len(lefts))


class MixedPooling(PerWindow):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride)
        if not (alpha >= 0 and alpha <= 1):
            raise ValueError("alpha is " + str(alpha))
        self.alpha = alpha

    def summarise(self, window):
        return self.alpha * window.max() + (1 - self.alpha) * window.mean()


class LPPooling(PerWindow):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride)
        if not p > 0:
            raise ValueError("p is " + str(p))
        self.p = p

    def summarise(self, window):
        pixels = window.abs().flatten()
        pixels = pixels[pixels > 0]
        if len(pixels) == 0:
            return (window * 0).sum()
        return ((pixels**self.p).sum() / window.numel()) ** (1 / self.p)


class StochasticPooling(PerWindow):
    def forward(self, x):
        if x.min() < 0:
            raise ValueError("negative input")
        return super().forward(x)

    def summarise(self, window):
        window = window.flatten()
        total = window.sum()
        if total == 0:
            return window[0] if self.training else (window * 0).sum()
        if self.training:
            return window[torch.multinomial(window.detach() / total.detach(), 1).item()]
        return (window / total * window).sum()
