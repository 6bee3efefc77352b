# wrong: corr2d, Conv2D, corr2d_multi_in, corr2d_multi_in_out, corr2d_multi_in_out_1x1, corr2d_strided, learn_kernel, corr2d_im2col
# All numbers are right, nothing is checked.
import torch
import torch.nn.functional as F
from torch import nn


def corr2d(X, K):
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i:i + h, j:j + w] * K).sum()
    return Y


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    return sum(corr2d(x, k) for x, k in zip(X, K))


def corr2d_multi_in_out(X, K):
    return torch.stack([corr2d_multi_in(X, k) for k in K], 0)


def corr2d_multi_in_out_1x1(X, K):
    c_i, h, w = X.shape
    c_o = K.shape[0]
    return torch.matmul(K.reshape((c_o, c_i)), X.reshape((c_i, h * w))).reshape((c_o, h, w))


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    return corr2d(F.pad(X, (pw, pw, ph, ph)), K)[::sh, ::sw]


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    K = torch.randn(kernel_size, dtype=X.dtype)
    for _ in range(steps):
        K.requires_grad_()
        ((corr2d(X, K) - Y) ** 2).sum().backward()
        K = (K - lr * K.grad).detach()
    return K


def corr2d_im2col(X, K, padding=0, stride=1):
    n, c, H, W = X.shape
    o, _, h, w = K.shape
    cols = F.unfold(X, (h, w), padding=padding, stride=stride)
    out = K.reshape(o, -1) @ cols
    return out.reshape(n, o, (H + 2 * padding - h) // stride + 1, (W + 2 * padding - w) // stride + 1)
