import math
import torch
from torch import nn
from torch.nn import functional as F

INF = math.inf


def _places(n, k, s=1, p=0):
    m = (n + 2 * p - k) // s + 1
    if m < 1:
        raise ValueError(f"window {k} > extent {n} + 2*{p}")
    return m


def _frames(x, kh, kw, s):
    """All windows as a view (..., oh, ow, kh, kw)."""
    *lead, H, W = x.shape
    *ls, sh, sw = x.stride()
    return x.as_strided((*lead, _places(H, kh, s), _places(W, kw, s), kh, kw), (*ls, sh * s, sw * s, sh, sw), x.storage_offset())


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("padding >= 0 needed")
    H, W = feature_map.shape
    i = torch.arange(-padding, H + padding, device=feature_map.device)[:, None]
    j = torch.arange(-padding, W + padding, device=feature_map.device)[None, :]
    inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
    # the number H*W is the address of the border
    address = torch.where(inside, i * W + j, H * W)
    return torch.cat([feature_map.reshape(-1), feature_map.new_tensor([value])]).take(address)


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    H, W = feature_map.shape
    k, s, p = kernel_size, strides, padding
    oh, ow = _places(H, k, s, p), _places(W, k, s, p)
    dev = feature_map.device
    r = (torch.arange(oh, device=dev) * s - p)[:, None] + torch.arange(k, device=dev)   # (oh, k)
    c = (torch.arange(ow, device=dev) * s - p)[:, None] + torch.arange(k, device=dev)   # (ow, k)
    r, c = r[:, None, :, None], c[None, :, None, :]
    outside = (r < 0) | (r >= H) | (c < 0) | (c >= W)
    a = feature_map[r.clamp(0, H - 1), c.clamp(0, W - 1)]
    if avg:
        return torch.einsum("ijuv->ij", a.masked_fill(outside, 0)) / k ** 2
    return a.masked_fill(outside, -INF).flatten(2).sort(-1).values[..., -1]


def pool2d(X, pool_size, mode="max"):
    if mode not in ("max", "avg"):
        raise ValueError("mode?")
    (H, W), (a, b) = X.shape, pool_size
    oh, ow = _places(H, a), _places(W, b)
    if mode == "max":
        return _frames(X, a, b, 1).amax((-1, -2))
    # banded matrices: A X B
    band = lambda m, n, k: torch.ones(m, n, dtype=torch.float64, device=X.device).triu().tril(k - 1) / k
    return (band(oh, H, a) @ X.double() @ band(ow, W, b).T).to(X.dtype)


# Both kinds are separable: first along the rows, then along the columns.
def max_pool_2d(x, kernel_size=2, stride=2):
    _places(x.shape[-2], kernel_size), _places(x.shape[-1], kernel_size)
    return x.unfold(-2, kernel_size, stride).amax(-1).unfold(-1, kernel_size, stride).amax(-1)


def avg_pool_2d(x, kernel_size=2, stride=2):
    _places(x.shape[-2], kernel_size), _places(x.shape[-1], kernel_size)
    return x.unfold(-2, kernel_size, stride).mean(-1).unfold(-1, kernel_size, stride).mean(-1)


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.form = "nc->nc" if not keepdim else None

    def forward(self, x):
        y = torch.einsum("nchw->nc", x.double()).div(x.shape[2] * x.shape[3]).to(x.dtype)
        return y if self.form else y[..., None, None]


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.p = pool_size

    def forward(self, x):
        p = self.p
        c, h, w = (_places(n, p, p) for n in x.shape[1:])
        cubes = x[:, :c * p, :h * p, :w * p].unflatten(3, (w, p)).unflatten(2, (h, p)).unflatten(1, (c, p))
        return torch.einsum("ncphqwr->nchwpqr", cubes).amax((-1, -2, -3))


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if not (alpha - 0) * (1 - alpha) >= 0:
            raise ValueError("0 <= alpha <= 1 needed")
        self.k, self.s, self.alpha = kernel_size, stride if stride is not None else kernel_size, float(alpha)

    def forward(self, x):
        a = _frames(x, self.k, self.k, self.s)
        return torch.lerp(a.mean((-1, -2)), a.amax((-1, -2)), self.alpha)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if not p > 0:
            raise ValueError("p > 0 needed")
        self.k, self.s, self.p = kernel_size, stride if stride is not None else kernel_size, p

    def forward(self, x):
        # (mean a^p)^(1/p) = exp((logsumexp(p log a) - log n) / p)
        a = _frames(x, self.k, self.k, self.s).flatten(-2).to(torch.float64).abs()
        zero = a == 0
        dead = zero.all(-1)
        log = a.masked_fill(zero, 1).log().mul(self.p).masked_fill(zero & ~dead[..., None], -INF)
        y = ((log.logsumexp(-1) - math.log(self.k ** 2)) / self.p).exp()
        return y.masked_fill(dead, 0).to(x.dtype)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.k, self.s = kernel_size, stride if stride is not None else kernel_size

    def forward(self, x):
        if torch.any(torch.lt(x, 0)):
            raise ValueError("x >= 0 needed")
        N, C, H, W = x.shape
        k, s = self.k, self.s
        oh, ow = _places(H, k, s), _places(W, k, s)
        a = _frames(x, k, k, s).flatten(-2)
        if not self.training:
            mass = torch.einsum("ncijk->ncij", a)
            mass = torch.where(mass == 0, torch.ones_like(mass), mass)
            return torch.einsum("ncijk,ncijk->ncij", a / mass[..., None], a)
        # inverse of the distribution function, then addresses in the flat map
        cdf = a.detach().to(torch.float64).cumsum(-1)
        u = torch.rand(N, C, oh, ow, 1, dtype=torch.float64, device=x.device) * cdf[..., -1:]
        i = torch.searchsorted(cdf, u, right=True).squeeze(-1).clamp(max=k * k - 1)
        row = torch.arange(oh, device=x.device)[:, None] * s + torch.div(i, k, rounding_mode="floor")
        col = torch.arange(ow, device=x.device) * s + i % k
        return x.reshape(N, C, H * W).gather(2, (row * W + col).reshape(N, C, -1)).reshape(N, C, oh, ow)
