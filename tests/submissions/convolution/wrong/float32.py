# wrong: corr2d, corr2d_strided, learn_kernel
import torch
import torch.nn as nn
import torch.nn.functional as F


def corr2d(X, K):
    h, w = K.shape
    if h > X.shape[0] or w > X.shape[1]:
        raise ValueError("The kernel is too large")
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i:i + h, j:j + w] * K).sum()
    return Y


def _corr(X, K):
    if K.shape[-2] > X.shape[-2] or K.shape[-1] > X.shape[-1]:
        raise ValueError("The kernel is too large")
    return torch.einsum("...hwij,...ij->...hw", X.unfold(-2, K.shape[-2], 1).unfold(-2, K.shape[-1], 1), K)


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return _corr(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    if len(X) != len(K):
        raise ValueError(f"{len(X)} != {len(K)}")
    return _corr(X, K).sum(0)


def corr2d_multi_in_out(X, K):
    return torch.stack([corr2d_multi_in(X, k) for k in K])


def corr2d_multi_in_out_1x1(X, K):
    c_i, h, w = X.shape
    if K.shape[1:] != (c_i, 1, 1):
        raise ValueError(f"K is {tuple(K.shape)}")
    return torch.einsum("oc,chw->ohw", K[:, :, 0, 0], X)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if isinstance(padding, int):
        padding = (padding, padding)
    if isinstance(stride, int):
        stride = (stride, stride)
    P = torch.zeros(X.shape[0] + 2 * padding[0], X.shape[1] + 2 * padding[1])
    P[padding[0]:padding[0] + X.shape[0], padding[1]:padding[1] + X.shape[1]] = X
    return corr2d(P, K)[::stride[0], ::stride[1]]


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("The kernel is too large")
    K = torch.rand(kernel_size, requires_grad=True)
    for _ in range(steps):
        loss = torch.mean((corr2d(X, K) - Y) ** 2)
        loss.backward()
        with torch.no_grad():
            K -= lr * K.grad
            K.grad = None
    return K.detach()


def corr2d_im2col(X, K, padding=0, stride=1):
    N, C, H, W = X.shape
    O, I, h, w = K.shape
    if C != I:
        raise ValueError(f"{C} != {I}")
    H, W = H + 2 * padding, W + 2 * padding
    if h > H or w > W:
        raise ValueError("The kernel is too large")
    patches = F.unfold(X, (h, w), padding=padding, stride=stride).transpose(1, 2)
    out = (patches @ K.reshape(O, -1).T).transpose(1, 2)
    return out.reshape(N, O, (H - h) // stride + 1, (W - w) // stride + 1)
