"""Fourier transforms where nobody expects them, in double precision, cast back at the end."""
import math
import torch
import torch.nn as nn


def _back(like):
    def cast(result):
        return result.to(like.dtype)
    return cast


def _guard(X, K, extra=(0, 0)):
    for dim in (-2, -1):
        if K.shape[dim] > X.shape[dim] + 2 * extra[dim]:
            raise ValueError(f"dimension {dim}: {K.shape[dim]} > {X.shape[dim]} + 2 * {extra[dim]}")


def _fourier(X, K):
    """The correlation theorem on the last two dimensions."""
    _guard(X, K)
    size = X.shape[-2:]
    spectrum = torch.fft.rfft2(X.double()) * torch.fft.rfft2(K.double(), s=size).conj()
    full = torch.fft.irfft2(spectrum, s=size)
    return full[..., : size[0] - K.shape[-2] + 1, : size[1] - K.shape[-1] + 1]


def corr2d(X, K):
    return _back(X)(_fourier(X, K))


class Conv2D(nn.Linear):
    """A linear layer has a matrix of weights, too."""

    def __init__(self, kernel_size):
        rows, columns = kernel_size
        super().__init__(columns, rows, bias=False)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return (_fourier(x, self.weight) + self.bias.double()).to(x.dtype)


def corr2d_multi_in(X, K):
    if X.shape[0] != K.shape[0]:
        raise ValueError("channels")
    return _fourier(X, K).sum(dim=0).to(X.dtype)


def corr2d_multi_in_out(X, K):
    if X.shape[0] != K.shape[1]:
        raise ValueError("channels")
    return _fourier(X.unsqueeze(0), K).sum(dim=1).to(X)


def corr2d_multi_in_out_1x1(X, K):
    if K.shape[-2:] != (1, 1) or K.shape[1] != X.shape[0]:
        raise ValueError("K must be (c_o, c_i, 1, 1)")
    return torch.einsum("oi,ihw->ohw", K.double().flatten(1), X.double()).to(X.dtype)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    padding, stride = ((v, v) if type(v) is int else v for v in (padding, stride))
    _guard(X, K, padding)
    padded = nn.ZeroPad2d((padding[1], padding[1], padding[0], padding[0]))(X[None])[0]
    return _back(X)(_fourier(padded, K)[:: stride[0], :: stride[1]])


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("kernel_size")
    K = nn.Parameter(torch.randn(kernel_size).double())
    x, y = X.detach().double(), Y.detach().double()
    for step in range(1, 1 + steps):
        K.grad = None
        (_fourier(x, K) - y).pow(2).sum().backward()
        with torch.no_grad():
            K -= lr * K.grad
    return K.detach().to(X.dtype)


def corr2d_im2col(X, K, padding=0, stride=1):
    if X.shape[1] != K.shape[1]:
        raise ValueError(f"c_i is {X.shape[1]} and {K.shape[1]}")
    _guard(X, K, (padding, padding))
    h, w = K.shape[2:]
    x = torch.nn.functional.pad(X.double(), [padding] * 4)
    windows = x.unfold(2, h, stride).unfold(3, w, stride)  # (N, c_i, H', W', h, w)
    result = torch.tensordot(windows, K.double(), dims=((1, 4, 5), (1, 2, 3)))
    assert math.prod(result.shape) > 0
    return result.movedim(-1, 1).to(X.dtype)
