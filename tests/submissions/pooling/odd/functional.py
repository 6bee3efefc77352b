"""Right: index arithmetic, F.unfold, where, gather, narrow and matmul; the errors are subclasses of ValueError."""

import torch
import torch.nn.functional as F
from torch import nn


class PoolingError(ValueError):
    pass


class WindowError(PoolingError):
    def __init__(self, window, extents):
        super().__init__(f"{window} > {tuple(extents)}")


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise PoolingError("padding < 0")
    if padding == 0:
        return feature_map
    h, w = feature_map.shape
    row = torch.arange(-padding, h + padding, device=feature_map.device)
    column = torch.arange(-padding, w + padding, device=feature_map.device)
    inside = ((row >= 0) & (row < h)).unsqueeze(1) & ((column >= 0) & (column < w))
    near = feature_map[row.clamp(0, h - 1).unsqueeze(1), column.clamp(0, w - 1)]
    return torch.where(inside, near, torch.full_like(near, value))


def columns(maps, kernel, stride):
    """(B, H, W) -> (B, pixels of a window, windows), and the size of the result."""
    k_h, k_w = kernel
    h, w = maps.shape[-2:]
    if h < k_h or w < k_w:
        raise WindowError(kernel, (h, w))
    size = ((h - k_h) // stride + 1, (w - k_w) // stride + 1)
    return F.unfold(maps.unsqueeze(1), kernel, stride=stride), size


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    framed = naive_padding(feature_map, padding, 0.0 if avg else float("-inf"))
    pixels, size = columns(framed[None], (kernel_size, kernel_size), strides)
    pooled = pixels[0].mean(0) if avg else pixels[0].max(0).values
    return pooled.view(size)


def pool2d(X, pool_size, mode="max"):
    if mode not in {"max", "avg"}:
        raise PoolingError(f"mode {mode}")
    p_h, p_w = pool_size
    h, w = X.shape
    if p_h > h or p_w > w:
        raise WindowError(pool_size, X.shape)
    if mode == "avg":
        kernel = torch.ones(1, 1, p_h, p_w, dtype=torch.float64, device=X.device)
        return (F.conv2d(X.double()[None, None], kernel)[0, 0] / (p_h * p_w)).to(X)
    device = X.device
    corner = torch.arange(h - p_h + 1, device=device)[:, None] * w + torch.arange(w - p_w + 1, device=device)
    offset = torch.arange(p_h, device=device)[:, None] * w + torch.arange(p_w, device=device)
    return X.take(corner[..., None] + offset.flatten()).amax(-1)


def sliding(x, kernel, stride, dim, combine):
    """Combines every `kernel` neighbours: intervals of 1, 2, 4, ... pixels, put together as the bits of kernel say."""
    count = x.shape[dim] - kernel + 1
    if count < 1:
        raise WindowError(kernel, x.shape)
    result, start, width = None, 0, 1
    while True:
        if kernel & width:
            piece = x.narrow(dim, start, count)
            result = piece if result is None else combine(result, piece)
            start += width
        if 2 * width > kernel:
            break
        length = x.shape[dim] - width
        x = combine(x.narrow(dim, 0, length), x.narrow(dim, width, length))
        width *= 2
    return result.transpose(dim, -1)[..., ::stride].transpose(dim, -1)


def max_pool_2d(x, kernel_size=2, stride=2):
    rows = sliding(x, kernel_size, stride, -2, torch.maximum)
    return sliding(rows, kernel_size, stride, -1, torch.maximum).clone()


def avg_pool_2d(x, kernel_size=2, stride=2):
    rows = sliding(x, kernel_size, stride, -2, torch.add)
    return sliding(rows, kernel_size, stride, -1, torch.add) / kernel_size**2


class GlobalAveragePooling(nn.Module):
    learns = False

    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim
        self.seen_shapes = []

    def forward(self, x):
        self.seen_shapes.append(tuple(x.shape))
        pixels = x.reshape(x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        out = pixels @ x.new_full((pixels.shape[-1], 1), 1 / pixels.shape[-1])
        return out.unsqueeze(-1) if self.keepdim else out.squeeze(-1)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        if min(x.shape[1:]) < p:
            raise WindowError((p, p, p), x.shape[1:])
        space = F.max_pool2d(x, p)
        used = x.shape[1] // p * p
        return torch.stack([space[:, c:used:p] for c in range(p)]).max(dim=0)[0]


class WindowModule(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride

    def check(self, x):
        if min(x.shape[-2:]) < self.kernel_size:
            raise WindowError(self.kernel_size, x.shape)

    def extra_repr(self):
        return f"{self.kernel_size}, stride={self.stride}"


class MixedPooling(WindowModule):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride)
        if alpha < 0 or alpha > 1 or alpha != alpha:
            raise PoolingError(f"alpha {alpha}")
        self.alpha = alpha

    def forward(self, x):
        self.check(x)
        largest = F.adaptive_max_pool2d(x, 1) if tuple(x.shape[-2:]) == (self.kernel_size,) * 2 else None
        if largest is None:
            largest = F.max_pool2d(x, self.kernel_size, self.stride)
        return torch.lerp(F.avg_pool2d(x, self.kernel_size, self.stride), largest, float(self.alpha))


class LPPooling(WindowModule):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride)
        if p <= 0 or p != p:
            raise PoolingError(f"p {p}")
        self.p = p

    def forward(self, x):
        self.check(x)
        # Scaled by the largest absolute value of each window, as careful norms do. A window of zeros has none.
        maps = x.reshape(-1, *x.shape[-2:])
        pixels, size = columns(maps, (self.kernel_size, self.kernel_size), self.stride)
        pixels = pixels.abs()
        top = pixels.detach().amax(1, keepdim=True)
        top = torch.where(top > 0, top, torch.ones_like(top))
        ratio = pixels / top
        zero = ratio == 0
        powers = ratio.masked_fill(zero, 1.0).pow(self.p).masked_fill(zero, 0.0)
        mean = powers.mean(1, keepdim=True)
        empty = mean == 0
        root = mean.masked_fill(empty, 1.0).pow(1.0 / self.p).masked_fill(empty, 0.0)
        return (top * root).reshape(*x.shape[:2], *size)


class StochasticPooling(WindowModule):
    def forward(self, x):
        self.check(x)
        if (x < 0).any().item():
            raise PoolingError("x < 0")
        pixels, size = columns(x.reshape(-1, *x.shape[-2:]), (self.kernel_size, self.kernel_size), self.stride)
        shape = (*x.shape[:2], *size)
        if self.training:
            # The Gumbel trick: the largest of log(a) + noise. log(0) never wins, unless all are 0.
            uniform = torch.rand(pixels.shape, dtype=torch.float64, device=x.device).clamp(1e-300, 1 - 1e-16)
            scores = pixels.detach().double().log() - (-uniform.log()).log()
            return pixels.gather(1, scores.argmax(1, keepdim=True)).reshape(shape)
        total = pixels.sum(1, keepdim=True)
        share = torch.where(total > 0, pixels / torch.where(total > 0, total, torch.ones_like(total)), 0 * pixels)
        return (share * pixels).sum(1).reshape(shape)
