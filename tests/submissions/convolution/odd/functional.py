"""Everything is one and the same unfolding, partially applied; nothing is written as a plain function."""

from functools import partial, reduce
from operator import add

import torch
import torch.nn.functional as F
from torch import nn

refuse = lambda wrong, text: (_ for _ in ()).throw(ValueError(text)) if wrong else None


def _general(X, K, padding=0, stride=1, *, product=torch.matmul):
    """(N, c_i, H, W) and (c_o, c_i, h, w), anything an int or a pair."""
    ph, pw = (padding,) * 2 if isinstance(padding, int) else tuple(padding)
    sh, sw = (stride,) * 2 if isinstance(stride, int) else tuple(stride)
    n, c, height, width = X.size()
    o, ci, h, w = K.size()
    refuse(c != ci, f"{c} channels are not {ci}")
    refuse(height + 2 * ph < h or width + 2 * pw < w, "too large")
    columns = nn.Unfold(kernel_size=(h, w), padding=(ph, pw), stride=(sh, sw))(X)
    return product(K.flatten(1), columns).unflatten(-1, ((height + 2 * ph - h) // sh + 1, (width + 2 * pw - w) // sw + 1))


_lift = lambda t: t[None, None]

corr2d = lambda X, K: _general(_lift(X), _lift(K)).squeeze(0).squeeze(0)
corr2d_multi_in = lambda X, K: _general(X[None], K[None])[0, 0]
corr2d_multi_in_out = lambda X, K: _general(X[None], K).squeeze(0)
corr2d_strided = lambda X, K, padding=(0, 0), stride=(1, 1): _general(_lift(X), _lift(K), padding, stride)[0, 0]
corr2d_im2col = partial(_general, product=lambda weights, columns: torch.bmm(weights.expand(len(columns), -1, -1), columns))


class _OneByOne:
    def __call__(self, X, K, *, bias=None):
        refuse(tuple(K.shape) != (len(K), len(X), 1, 1), "the kernels must be 1x1 and have the channels of X")
        return F.linear(X.permute(1, 2, 0), K[:, :, 0, 0], bias).permute(2, 0, 1)


corr2d_multi_in_out_1x1 = _OneByOne()


def Conv2D(kernel_size):
    """A function that makes the module."""

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_parameter("bias", nn.Parameter(torch.zeros((1,))))
            self.register_parameter("weight", nn.Parameter(torch.empty(*kernel_size)))
            nn.init.normal_(self.weight, std=0.01)

        forward = lambda self, x: add(corr2d(x, self.weight), self.bias)

    return Layer()


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10, *, callback=None):
    refuse(any(k > n for k, n in zip(kernel_size, X.shape)), "too large")
    loss = lambda K: F.mse_loss(corr2d(X, K), Y, reduction="sum")
    step = lambda K, _: (K - lr * torch.func.grad(loss)(K)).detach()
    return reduce(step, range(steps), torch.rand(kernel_size, dtype=X.dtype, device=X.device) * 2 - 1)
