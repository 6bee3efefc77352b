# wrong: Conv2D, learn_kernel, corr2d_im2col
import torch
from torch import nn
from torch.nn import functional as F


def corr2d(X, K):
    rows, cols = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    if rows < 1 or cols < 1:
        raise ValueError("kernel larger than map")
    return torch.stack([
        torch.stack([(X[r:r + K.shape[0], c:c + K.shape[1]] * K).sum() for c in range(cols)]) for r in range(rows)
    ])


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        conv = nn.Conv2d(1, 1, kernel_size)
        self.weight = nn.Parameter(conv.weight.detach()[0, 0])
        self.bias = nn.Parameter(conv.bias.detach())

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    if X.shape[0] != K.shape[0]:
        raise ValueError("number of channels")
    result = corr2d(X[0], K[0])
    for x, k in zip(X[1:], K[1:]):
        result = result + corr2d(x, k)
    return result


def corr2d_multi_in_out(X, K):
    return torch.stack([corr2d_multi_in(X, k) for k in K], dim=0)


def corr2d_multi_in_out_1x1(X, K):
    if K.dim() != 4 or K.shape[2:] != (1, 1) or K.shape[1] != X.shape[0]:
        raise ValueError("kernel")
    return F.linear(X.permute(1, 2, 0), K[..., 0, 0]).permute(2, 0, 1)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if not isinstance(padding, tuple):
        padding = (padding,) * 2
    if not isinstance(stride, tuple):
        stride = (stride,) * 2
    X = F.pad(X, [padding[1]] * 2 + [padding[0]] * 2)
    return corr2d(X, K)[::stride[0], ::stride[1]]


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    conv2d = nn.Conv2d(1, 1, kernel_size=kernel_size, bias=False).to(X.dtype)
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("kernel larger than map")
    X = X.reshape((1, 1) + tuple(X.shape))
    Y = Y.reshape((1, 1) + tuple(Y.shape))
    for i in range(steps):
        Y_hat = conv2d(X)
        l = (Y_hat - Y) ** 2
        conv2d.zero_grad()
        l.sum().backward()
        conv2d.weight.data[:] -= lr * conv2d.weight.grad
    return conv2d.weight.data.reshape(kernel_size)


def corr2d_im2col(X, K, padding=0, stride=1):
    if X.shape[1] != K.shape[1]:
        raise ValueError("number of channels")
    h, w = K.shape[2:]
    H = (X.shape[2] + 2 * padding - h) // stride + 1
    W = (X.shape[3] + 2 * padding - w) // stride + 1
    if H < 1 or W < 1:
        raise ValueError("kernel larger than images")
    results = []
    for x in X:  # one image after the other
        cols = F.unfold(x.unsqueeze(0), (h, w), padding=padding, stride=stride)[0]
        results.append((K.reshape(len(K), -1) @ cols).reshape(len(K), H, W))
    return torch.stack(results)
