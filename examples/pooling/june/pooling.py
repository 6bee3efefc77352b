import torch
import torch.nn as nn
import torch.nn.functional as F

DEBUG = True

print("#" * 80)
print("loading pooling.py with torch", torch.__version__)
print("#" * 80)


def log(*things):
    if DEBUG:
        print("[june]", *things)


def naive_padding(feature_map, padding, value=0.0):
    log("naive_padding", tuple(feature_map.shape), padding, value)
    if padding < 0:
        log("NEGATIVE!!!")
        raise ValueError("padding has to be 0 or more")
    h, w = feature_map.shape
    log("new shape will be", h + 2 * padding, w + 2 * padding)
    out = feature_map.new_full((h + 2 * padding, w + 2 * padding), value)
    out[padding:h + padding, padding:w + padding] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    log("naive_pooling", tuple(feature_map.shape), "k", kernel_size, "s", strides, "p", padding, "avg", avg)
    x = F.pad(feature_map, (padding,) * 4, value=0.0 if avg else -float("inf"))
    h, w = x.shape
    if h < kernel_size or w < kernel_size:
        raise ValueError(f"kernel {kernel_size} does not fit in {h} x {w}")
    rows = []
    for top in range(0, h - kernel_size + 1, strides):
        row = []
        for left in range(0, w - kernel_size + 1, strides):
            log("  window at", top, left)
            window = x[top:top + kernel_size, left:left + kernel_size]
            row.append(torch.mean(window) if avg else torch.amax(window))
        log("row finished:", len(row), "numbers")
        rows.append(torch.stack(row))
    log("done")
    return torch.stack(rows)


def pool2d(X, pool_size, mode="max"):
    log("pool2d", tuple(X.shape), pool_size, mode)
    if mode == "max":
        reduce = torch.amax
    elif mode == "avg":
        reduce = torch.mean
    else:
        raise ValueError("I only know max and avg, not " + repr(mode))
    (h, w), (ph, pw) = X.shape, pool_size
    if h < ph or w < pw:
        raise ValueError(f"pool {ph} x {pw} does not fit in {h} x {w}")
    rows = []
    for i in range(h - ph + 1):
        rows.append(torch.stack([reduce(X[i:i + ph, j:j + pw], dim=(0, 1)) for j in range(w - pw + 1)]))
        log("row", i, "finished")
    return torch.stack(rows)


def max_pool_2d(x, kernel_size=2, stride=2):
    log("max_pool_2d", tuple(x.shape), kernel_size, stride)
    h, w = x.shape[-2:]
    if h < kernel_size or w < kernel_size:
        raise ValueError(f"kernel {kernel_size} does not fit in {h} x {w}")
    # end of the slices: one after the start of the last window
    eh = h - kernel_size + 1
    ew = w - kernel_size + 1
    y = x[..., :eh:stride, :ew:stride]
    log("output", tuple(y.shape))
    y = y.clone()
    for k in range(1, kernel_size * kernel_size):
        i, j = divmod(k, kernel_size)
        y = torch.maximum(y, x[..., i:i + eh:stride, j:j + ew:stride])
    return y


def avg_pool_2d(x, kernel_size=2, stride=2):
    log("avg_pool_2d", tuple(x.shape), kernel_size, stride)
    h, w = x.shape[-2:]
    if h < kernel_size or w < kernel_size:
        raise ValueError(f"kernel {kernel_size} does not fit in {h} x {w}")
    eh = h - kernel_size + 1
    ew = w - kernel_size + 1
    y = x[..., :eh:stride, :ew:stride]
    log("output", tuple(y.shape))
    for k in range(1, kernel_size * kernel_size):
        i, j = divmod(k, kernel_size)
        y = y + x[..., i:i + eh:stride, j:j + ew:stride]
    return y / (kernel_size * kernel_size)


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim
        log("GlobalAveragePooling", keepdim)

    def forward(self, x):
        log("GlobalAveragePooling.forward", tuple(x.shape))
        y = F.adaptive_avg_pool2d(x, 1)
        return y if self.keepdim else y[:, :, 0, 0]


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size
        log("DepthPool", pool_size)

    def forward(self, x):
        log("DepthPool.forward", tuple(x.shape))
        p = self.pool_size
        n, c, h, w = x.shape
        if c < p:
            raise ValueError(f"{c} channels, but I need {p}")
        if h < p or w < p:
            raise ValueError(f"kernel {p} does not fit in {h} x {w}")
        y = F.max_pool2d(x, p)
        y = y[:, :c - c % p]
        return y.unflatten(1, (c // p, p)).max(dim=2).values


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        log("MixedPooling", kernel_size, stride, alpha)
        if not 0 <= alpha <= 1:
            raise ValueError("alpha has to be in [0, 1]")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.alpha = alpha

    def forward(self, x):
        log("MixedPooling.forward", tuple(x.shape))
        if min(x.shape[2], x.shape[3]) < self.kernel_size:
            raise ValueError("kernel does not fit")
        a = F.max_pool2d(x, self.kernel_size, self.stride)
        b = F.avg_pool2d(x, self.kernel_size, self.stride)
        return b + self.alpha * (a - b)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        log("LPPooling", kernel_size, stride, p)
        if p <= 0:
            raise ValueError("p has to be positive")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.p = p

    def forward(self, x):
        log("LPPooling.forward", tuple(x.shape))
        if min(x.shape[2], x.shape[3]) < self.kernel_size:
            raise ValueError("kernel does not fit")
        a = x.abs()
        zero = a == 0
        a = torch.where(zero, torch.ones_like(a), a) ** self.p
        a = torch.where(zero, torch.zeros_like(a), a)
        m = F.avg_pool2d(a, self.kernel_size, self.stride)
        zero = m == 0
        r = torch.where(zero, torch.ones_like(m), m) ** (1 / self.p)
        return torch.where(zero, torch.zeros_like(r), r)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        log("StochasticPooling", kernel_size, stride)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride

    def forward(self, x):
        log("StochasticPooling.forward", tuple(x.shape), "training" if self.training else "evaluation")
        k = self.kernel_size
        if min(x.shape[2], x.shape[3]) < k:
            raise ValueError("kernel does not fit")
        if bool((x < 0).any()):
            raise ValueError("negative activation found")
        win = x.unfold(2, k, self.stride).unfold(3, k, self.stride)
        shape = win.shape[:4]
        log("windows:", tuple(shape))
        win = win.reshape(-1, k * k)
        s = win.sum(1, keepdim=True)
        if self.training:
            w = win.detach()
            w = torch.where(s.detach() == 0, torch.ones_like(w), w)
            pick = torch.multinomial(w, 1)
            return torch.gather(win, 1, pick).reshape(shape)
        s = torch.where(s == 0, torch.ones_like(s), s)
        return (win * win / s).sum(1).reshape(shape)
