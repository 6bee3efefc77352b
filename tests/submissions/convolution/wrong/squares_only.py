# wrong: corr2d_strided, corr2d_im2col, corr2d_multi_in_out_1x1
import torch
import torch.nn.functional as F
from torch import nn


def corr2d(X, K):
    h, w = K.size()
    if X.size(0) < h or X.size(1) < w:
        raise ValueError("K does not fit")
    windows = X.unfold(0, h, 1).unfold(1, w, 1)
    return (windows * K).sum(dim=(-1, -2))


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super(Conv2D, self).__init__()
        self.weight = nn.Parameter(torch.empty(kernel_size))
        nn.init.uniform_(self.weight, -1, 1)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    if X.size(0) != K.size(0):
        raise ValueError("channels")
    if X.size(1) < K.size(1) or X.size(2) < K.size(2):
        raise ValueError("K does not fit")
    windows = X.unfold(1, K.size(1), 1).unfold(2, K.size(2), 1)
    return (windows * K[:, None, None]).sum(dim=(0, 3, 4))


def corr2d_multi_in_out(X, K):
    out = [corr2d_multi_in(X, K[o]) for o in range(K.size(0))]
    return torch.stack(out)


def corr2d_multi_in_out_1x1(X, K):
    if K.size()[1:] != (X.size(0), 1, 1):
        raise ValueError("K must be 1x1")
    pixels = X.permute(1, 2, 0).reshape(-1, X.size(0))
    out = pixels @ K[:, :, 0, 0].t()
    return out.view(K.size(0), X.size(1), X.size(2))  # should be permuted first


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if isinstance(padding, int):
        padding = (padding, padding)
    if isinstance(stride, int):
        stride = (stride, stride)
    # F.pad starts with the last dimension
    X = F.pad(X, (padding[0], padding[0], padding[1], padding[1]))
    return corr2d(X, K)[::stride[0], ::stride[1]]


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    if X.size(0) < kernel_size[0] or X.size(1) < kernel_size[1]:
        raise ValueError("kernel_size does not fit")
    weight = nn.Parameter(torch.randn(kernel_size, dtype=X.dtype, device=X.device))
    for _ in range(steps):
        loss = (corr2d(X, weight) - Y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            weight -= lr * weight.grad
        weight.grad.zero_()
    return weight.detach()


def corr2d_im2col(X, K, padding=0, stride=1):
    N, C, H, W = X.shape
    if C != K.shape[1]:
        raise ValueError("channels")
    if min(H, W) + 2 * padding < max(K.shape[2:]):
        raise ValueError("K does not fit")
    cols = F.unfold(X, K.shape[2:], padding=padding, stride=stride)
    out = K.flatten(1) @ cols
    side = (H + 2 * padding - K.shape[2]) // stride + 1
    return out.view(N, K.shape[0], side, -1)
