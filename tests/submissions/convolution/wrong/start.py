# wrong: Conv2D, learn_kernel, corr2d_multi_in_out
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def corr2d(X, K):
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise ValueError("kernel too big")
    out = X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = torch.sum(X[i:i + K.shape[0], j:j + K.shape[1]] * K)
    return out


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        # numpy has nice random numbers
        self.weight = nn.Parameter(torch.tensor(np.random.randn(*kernel_size), dtype=torch.float32))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    if X.shape[0] != K.shape[0]:
        raise ValueError("channels do not match")
    out = 0
    for i in range(X.shape[0]):
        out = out + corr2d(X[i], K[i])
    return out


def corr2d_multi_in_out(X, K):
    maps = [corr2d_multi_in(X, K[i]) for i in range(K.shape[0])]
    return torch.stack(maps).squeeze()


def corr2d_multi_in_out_1x1(X, K):
    c_o, c_i, h, w = K.shape
    if h != 1 or w != 1 or c_i != X.shape[0]:
        raise ValueError("K must be c_o x c_i x 1 x 1")
    return (K.view(c_o, c_i) if K.is_contiguous() else K.reshape(c_o, c_i)).matmul(X.flatten(1)).reshape(c_o, *X.shape[1:])


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    p = padding if isinstance(padding, tuple) else (padding, padding)
    s = stride if isinstance(stride, tuple) else (stride, stride)
    X = F.pad(X, (p[1], p[1], p[0], p[0]))
    oh = (X.shape[0] - K.shape[0]) // s[0] + 1
    ow = (X.shape[1] - K.shape[1]) // s[1] + 1
    if oh <= 0 or ow <= 0:
        raise ValueError("kernel too big")
    out = X.new_zeros(oh, ow)
    for i in range(oh):
        for j in range(ow):
            out[i, j] = (X[i * s[0]:i * s[0] + K.shape[0], j * s[1]:j * s[1] + K.shape[1]] * K).sum()
    return out


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("kernel too big")
    torch.manual_seed(0)  # reproducible
    K = torch.randn(kernel_size, dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([K], lr=lr)
    for _ in range(steps):
        loss = ((corr2d(X, K) - Y) ** 2).sum()
        loss.backward()
        optimizer.step()
    return K


def corr2d_im2col(X, K, padding=0, stride=1):
    n, c, h, w = X.shape
    if K.shape[1] != c:
        raise ValueError("channels do not match")
    if K.shape[2] > h + 2 * padding or K.shape[3] > w + 2 * padding:
        raise ValueError("kernel too big")
    x = F.pad(X, (padding, padding, padding, padding))
    p = x.unfold(2, K.shape[2], stride).unfold(3, K.shape[3], stride)
    oh, ow = p.shape[2], p.shape[3]
    p = p.permute(0, 2, 3, 1, 4, 5).reshape(n * oh * ow, -1)
    y = p @ K.reshape(K.shape[0], -1).t()
    return y.reshape(n, oh, ow, -1).permute(0, 3, 1, 2)
