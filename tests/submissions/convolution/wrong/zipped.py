# wrong: corr2d_multi_in, corr2d_multi_in_out, corr2d_multi_in_out_1x1
import torch
from torch import nn
import torch.nn.functional as F


def corr2d(X, K):
    h, w = K.shape
    H, W = X.shape
    if h > H or w > W:
        raise ValueError(f"({h}, {w}) > ({H}, {W})")
    Y = 0
    for a in range(h):
        for b in range(w):
            Y = Y + X[a:H - h + 1 + a, b:W - w + 1 + b] * K[a, b]
    return Y


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(kernel_size) * 0.1)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    # like the book
    return sum(corr2d(x, k) for x, k in zip(X, K))


def corr2d_multi_in_out(X, K):
    return torch.stack([corr2d_multi_in(X, k) for k in K], 0)


def corr2d_multi_in_out_1x1(X, K):
    c_i, h, w = X.shape
    c_o = K.shape[0]
    X = X.reshape((c_i, h * w))
    K = K.reshape((c_o, c_i))
    return torch.matmul(K, X).reshape((c_o, h, w))


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    ph, pw = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    sh, sw = stride if isinstance(stride, (tuple, list)) else (stride, stride)
    return corr2d(F.pad(X, (pw, pw, ph, ph)), K)[::sh, ::sw]


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    conv = Conv2D(kernel_size).to(X.dtype)
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("kernel_size")
    for i in range(steps):
        Y_hat = corr2d(X, conv.weight)
        l = (Y_hat - Y) ** 2
        conv.zero_grad()
        l.sum().backward()
        conv.weight.data[:] -= lr * conv.weight.grad
    return conv.weight.data.reshape(kernel_size)


def corr2d_im2col(X, K, padding=0, stride=1):
    N, C, H, W = X.shape
    O, CK, h, w = K.shape
    if C != CK:
        raise ValueError("wrong channels")
    Hp, Wp = H + 2 * padding, W + 2 * padding
    if h > Hp or w > Wp:
        raise ValueError("too large")
    cols = F.unfold(X, (h, w), padding=padding, stride=stride)
    out = torch.einsum("ok,nkl->nol", K.reshape(O, -1), cols)
    return out.reshape(N, O, (Hp - h) // stride + 1, (Wp - w) // stride + 1)
