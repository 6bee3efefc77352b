"""An autograd.Function with its own backward pass, and gradient descent without autograd."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def strided_windows(x: Tensor, h: int, w: int) -> Tensor:
    x = x.contiguous()
    rows, columns = x.shape[-2:]
    shape = (*x.shape[:-2], rows - h + 1, columns - w + 1, h, w)
    return x.as_strided(shape, (*x.stride(), *x.stride()[-2:]))


class Correlate(Function):
    @staticmethod
    def forward(ctx, x: Tensor, k: Tensor) -> Tensor:
        ctx.save_for_backward(x, k)
        return torch.einsum("chwij,ocij->ohw", strided_windows(x, *k.shape[-2:]), k)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        x, k = ctx.saved_tensors
        h, w = k.shape[-2:]
        grad_k = torch.einsum("chwij,ohw->ocij", strided_windows(x, h, w), grad)
        grad_x = torch.zeros_like(x)
        for i in range(h):
            for j in range(w):
                grad_x[:, i : i + grad.shape[1], j : j + grad.shape[2]] += torch.tensordot(k[:, :, i, j].t(), grad, 1)
        return grad_x, grad_k


def _must_fit(x: Tensor, k: Tensor) -> None:
    excess = [a - b for a, b in zip(k.shape[-2:], x.shape[-2:])]
    if max(excess) > 0:
        raise ValueError(f"larger by {excess}")


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    _must_fit(X, K)
    return Correlate.apply(X[None], K[None, None])[0]


class Conv2D(torch.nn.Module):
    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, kernel_size: tuple[int, int]) -> None:
        nn.Module.__init__(self)
        values = {"weight": torch.empty(kernel_size), "bias": torch.empty(1)}
        for name, value in values.items():
            setattr(self, name, nn.Parameter(value))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.bias + corr2d(x, self.weight)


def corr2d_multi_in(X: Tensor, K: Tensor) -> Tensor:
    if X.size(0) != K.size(0):
        raise ValueError("channels do not match")
    _must_fit(X, K)
    return Correlate.apply(X, K[None])[0]


def corr2d_multi_in_out(X: Tensor, K: Tensor) -> Tensor:
    if X.size(0) != K.size(1):
        raise ValueError("channels do not match")
    _must_fit(X, K)
    return Correlate.apply(X, K)


class Mix(Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x, k)
        return torch.addmm(x.new_zeros(1), k, x)

    @staticmethod
    def backward(ctx, grad):
        x, k = ctx.saved_tensors
        return k.t() @ grad, grad @ x.t()


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    wanted = (K.shape[0], X.shape[0], 1, 1)
    if K.shape != wanted:
        raise ValueError(f"{tuple(K.shape)} is not {wanted}")
    return Mix.apply(X.flatten(1), K.flatten(1)).unflatten(1, X.shape[1:])


def _two(value):
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def corr2d_strided(X: Tensor, K: Tensor, padding=(0, 0), stride=(1, 1)) -> Tensor:
    (p, q), (s, t) = _two(padding), _two(stride)
    rows, columns = X.shape
    top, side = X.new_zeros(p, columns + 2 * q), X.new_zeros(rows, q)
    X = torch.cat([top, torch.cat([side, X, side], dim=1), top])
    _must_fit(X, K)
    windows = X.unfold(0, K.shape[0], s).unfold(1, K.shape[1], t)
    return (windows * K).sum(dim=(2, 3))


@torch.no_grad()
def learn_kernel(X: Tensor, Y: Tensor, kernel_size, lr: float = 3e-2, steps: int = 10) -> Tensor:
    start = torch.normal(0.0, 1.0, size=tuple(kernel_size))
    _must_fit(X, start)
    k = start.to(X.dtype)
    windows = strided_windows(X, *k.shape).flatten(2)
    for _ in range(steps):
        error = windows @ k.flatten() - Y
        k = k - lr * 2 * torch.tensordot(error, windows, 2).reshape(k.shape)
    return k


def corr2d_im2col(X: Tensor, K: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
    if X.size(1) != K.size(1):
        raise ValueError("channels do not match")
    X = nn.ConstantPad2d(padding, 0)(X)
    _must_fit(X, K)
    h, w = K.shape[-2:]
    rows = torch.arange(0, X.shape[2] - h + 1, stride, device=X.device)
    columns = torch.arange(0, X.shape[3] - w + 1, stride, device=X.device)
    i = rows[:, None, None, None] + torch.arange(h, device=X.device)[:, None]
    j = columns[:, None, None] + torch.arange(w, device=X.device)
    patches = X[:, :, i, j]  # (N, c_i, H', W', h, w)
    patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
    out = torch.addmm(X.new_zeros(()), patches, K.reshape(len(K), -1).T)
    return out.reshape(len(X), len(rows), len(columns), -1).permute(0, 3, 1, 2)
