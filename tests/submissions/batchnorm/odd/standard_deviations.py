"""Thinks in deviations, not in variances; one class for everything; statistics made in inference mode."""
import functools
import typing

import torch
import torch.nn as nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def refuse(*wrong: type) -> typing.Callable:
    """Turns exceptions of these kinds into a ValueError."""

    def decorate(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except wrong as error:
                raise ValueError(f"not allowed here: {error!r}") from error

        return inner

    return decorate


@refuse(KeyError, ZeroDivisionError)
def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    axes = {2: (0,), 4: (0, 2, 3)}[X.dim()]
    if training:
        n = functools.reduce(lambda size, axis: size * X.size(axis), axes, 1)
        bessel = n / (n - 1)
        std, mean = torch.std_mean(X, axes, correction=0, keepdim=True)
        with torch.inference_mode():
            new_mean = torch.lerp(moving_mean, mean, momentum)
            new_var = torch.lerp(moving_var, std.square() * bessel, momentum)
        moving_mean, moving_var = new_mean, new_var
    else:
        mean, std = moving_mean, moving_var.sqrt()
    length = torch.hypot(std, torch.full_like(std, eps**0.5))  # sqrt(std² + eps)
    return (X - mean).div(length).mul(gamma).add(beta), moving_mean, moving_var


class BatchNorm(nn.Module):
    gamma: nn.Parameter
    beta: nn.Parameter

    def __init__(self, num_features: int, num_dims: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        if num_dims not in range(2, 5, 2):
            raise ValueError(f"{num_dims} dimensions")
        blank = torch.zeros(num_features).reshape(1, num_features, *[1] * (num_dims - 2))
        for register, name, start in (
            (self.register_buffer, "moving_mean", 0.0),
            (self.register_buffer, "moving_var", 1.0),
            (lambda n, t: self.register_parameter(n, nn.Parameter(t)), "gamma", 1.0),
            (lambda n, t: self.register_parameter(n, nn.Parameter(t)), "beta", 0.0),
        ):
            register(name, blank + start)
        self.eps, self.momentum = eps, momentum

    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def forward(self, input):
        call = functools.partial(batch_norm, eps=self.eps, momentum=self.momentum, training=self.training)
        y, mean, var = call(input, self.gamma, self.beta, self.moving_mean, self.moving_var)
        if self.training:
            self.load_state_dict({"moving_mean": mean.clone(), "moving_var": var.clone()}, strict=False)
        return y


def fold_batchnorm(conv, bn):
    weight, bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    keep = {k: v for k, v in vars(conv).items() if k in nn.Conv2d.__constants__ and k != "output_padding"}
    new = nn.Conv2d(**keep)
    new.weight, new.bias = weight, bias
    return new
