# wrong: corr2d, Conv2D, corr2d_multi_in, corr2d_multi_in_out
import torch
import torch.nn as nn
import torch.nn.functional as F


def corr2d(X, K):
    # convolution: flip the kernel first
    K = torch.flip(K, [0, 1])
    h, w = K.shape
    if X.shape[0] < h or X.shape[1] < w:
        raise ValueError("kernel bigger than input")
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), dtype=X.dtype, device=X.device)
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
    if X.shape[0] != K.shape[0]:
        raise ValueError("X and K must have the same number of channels")
    return sum(corr2d(x, k) for x, k in zip(X, K))


def corr2d_multi_in_out(X, K):
    return torch.stack([corr2d_multi_in(X, k) for k in K], 0)


def corr2d_multi_in_out_1x1(X, K):
    c_i, h, w = X.shape
    c_o = K.shape[0]
    if tuple(K.shape) != (c_o, c_i, 1, 1):
        raise ValueError("K must be (c_o, c_i, 1, 1)")
    X = X.reshape((c_i, h * w))
    K = K.reshape((c_o, c_i))
    Y = torch.matmul(K, X)
    return Y.reshape((c_o, h, w))


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if isinstance(padding, int):
        padding = (padding, padding)
    if isinstance(stride, int):
        stride = (stride, stride)
    X = F.pad(X, (padding[1], padding[1], padding[0], padding[0]))
    h, w = K.shape
    if X.shape[0] < h or X.shape[1] < w:
        raise ValueError("kernel bigger than input")
    out_h = (X.shape[0] - h) // stride[0] + 1
    out_w = (X.shape[1] - w) // stride[1] + 1
    rows = []
    for i in range(out_h):
        row = []
        for j in range(out_w):
            a, b = i * stride[0], j * stride[1]
            row.append((X[a:a + h, b:b + w] * K).sum())
        rows.append(torch.stack(row))
    return torch.stack(rows)


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    h, w = kernel_size
    if X.shape[0] < h or X.shape[1] < w:
        raise ValueError("kernel bigger than input")
    K = torch.randn(h, w, dtype=X.dtype, device=X.device)
    for _ in range(steps):
        K.requires_grad_(True)
        loss = ((corr2d_strided(X, K) - Y) ** 2).sum()
        loss.backward()
        K = (K - lr * K.grad).detach()
    return K


def corr2d_im2col(X, K, padding=0, stride=1):
    n, c_i, h, w = X.shape
    c_o, k_c, k_h, k_w = K.shape
    if c_i != k_c:
        raise ValueError("channels do not match")
    if k_h > h + 2 * padding or k_w > w + 2 * padding:
        raise ValueError("kernel bigger than input")
    cols = F.unfold(X, (k_h, k_w), padding=padding, stride=stride)
    out = K.reshape(c_o, -1) @ cols
    return out.reshape(n, c_o, (h + 2 * padding - k_h) // stride + 1, (w + 2 * padding - k_w) // stride + 1)
