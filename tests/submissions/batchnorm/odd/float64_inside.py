from __future__ import annotations

import torch
from torch import Tensor, nn


def batch_norm(
    X: Tensor,
    gamma: Tensor,
    beta: Tensor,
    moving_mean: Tensor,
    moving_var: Tensor,
    eps: float,
    momentum: float,
    training: bool = True,
) -> list[Tensor]:
    """Everything in double precision, cast back at the end."""
    match X.ndim:
        case 2:
            axes = [0]
        case 4:
            axes = [0, 2, 3]
        case _:
            raise ValueError(f"rank {X.ndim}")
    x, g, b, mm, mv = (t.to(torch.float64) for t in (X, gamma, beta, moving_mean, moving_var))
    if training:
        count = 1
        for axis in axes:
            count *= X.size(axis)
        if count < 2:
            raise ValueError("at least two values, please")
        var, mean = torch.var_mean(x, dim=axes, correction=0, keepdim=True)
        mm = torch.add(mm, mean.detach() - mm, alpha=momentum)
        mv = torch.add(mv, var.detach() / (1 - 1 / count) - mv, alpha=momentum)
    else:
        mean, var = mm, mv
    y = torch.div(x - mean, torch.sqrt(torch.add(var, eps))).mul(g).add(b)
    return [t.to(X.dtype) for t in (y, mm, mv)]


class _Norm(nn.Module):
    shape: tuple[int, ...]

    def __init__(self, num_features: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        shape = self.view_of(num_features)
        self.gamma = nn.Parameter(torch.empty(shape))
        self.beta = nn.Parameter(torch.empty(shape))
        self.register_buffer("moving_mean", torch.empty(shape))
        self.register_buffer("moving_var", torch.empty(shape))
        self.reset()

    def reset(self) -> None:
        nn.init.constant_(self.gamma, 1.0)
        nn.init.constant_(self.beta, 0.0)
        self.moving_mean.zero_()
        self.moving_var.fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        state = self.moving_mean, self.moving_var
        y, *state = batch_norm(x, self.gamma, self.beta, *state, self.eps, self.momentum, training=self.training)
        if self.training:
            for name, value in zip(("moving_mean", "moving_var"), state):
                setattr(self, name, value)
        return y


class _VectorNorm(_Norm):
    @staticmethod
    def view_of(n):
        return 1, n


class _ImageNorm(_Norm):
    @staticmethod
    def view_of(n):
        return 1, n, 1, 1


def BatchNorm(num_features: int, num_dims: int, eps: float = 1e-5, momentum: float = 0.1) -> nn.Module:
    """A function where others write a class."""
    kinds = {2: _VectorNorm, 4: _ImageNorm}
    if num_dims not in kinds:
        raise ValueError(f"num_dims is one of {sorted(kinds)}")
    return kinds[num_dims](num_features, eps, momentum)


@torch.inference_mode()
def fold_batchnorm(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> nn.Conv2d:
    double = lambda t, default: torch.full_like(bn.running_var, default).double() if t is None else t.double()
    std = (bn.running_var.double() + bn.eps).sqrt()
    scale = double(bn.weight, 1) / std
    bias = (double(conv.bias, 0) - bn.running_mean.double()) * scale + double(bn.bias, 0)
    weight = torch.einsum("o,oihw->oihw", scale, conv.weight.double())
    new = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation,
        conv.groups, True, conv.padding_mode, dtype=conv.weight.dtype, device=conv.weight.device,
    )  # fmt: skip
    new.load_state_dict({"weight": weight, "bias": bias})
    return new.requires_grad_(False)
