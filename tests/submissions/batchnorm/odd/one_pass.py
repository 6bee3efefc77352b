"""E[x²] − E[x]² in the input's own precision, channels first, statistics updated in place."""
import collections

import torch
import torch.nn as nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
import copy

Normalised = collections.namedtuple("Normalised", "Y moving_mean moving_var")


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if len(X.shape) not in {2, 4}:
        raise ValueError("only (N, F) and (N, C, H, W)")
    if not training:
        scale = gamma * (moving_var + eps).rsqrt()
        return Normalised(X * scale + (beta - moving_mean * scale), moving_mean.clone(), moving_var.clone())
    rows = X.transpose(0, 1).flatten(start_dim=1)
    n = rows.shape[1]
    if n == 1:
        raise ValueError("one value per channel")
    mean = rows.sum(1) / n
    var = ((rows * rows).sum(1) / n - mean * mean).clamp_min(0)
    mean, var = mean.view(gamma.shape), var.view(gamma.shape)
    y = torch.addcmul(beta, X - mean, gamma / (var + eps) ** 0.5)
    return Normalised(
        y,
        moving_mean.lerp(mean.detach(), momentum),
        moving_var.lerp(var.detach() * (n / (n - 1)), momentum),
    )


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        if num_dims not in (2, 4):
            raise ValueError(num_dims)
        super().__init__()
        shape = torch.Size([1, num_features] + [1] * (num_dims - 2))
        self.register_buffer("moving_var", torch.ones(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("num_batches_tracked", torch.tensor(0))
        self.register_parameter("beta", nn.Parameter(torch.zeros(*shape)))
        self.register_parameter("gamma", nn.Parameter(torch.ones(*shape)))
        self.hyper = dict(eps=eps, momentum=momentum)

    def forward(self, inputs):
        out = batch_norm(
            inputs, self.gamma, self.beta, self.moving_mean, self.moving_var, training=self.training, **self.hyper
        )
        if self.training:
            self.num_batches_tracked += 1
            self.moving_mean.copy_(out.moving_mean)
            self.moving_var.copy_(out.moving_var)
        return out.Y

    def extra_repr(self):
        return f"{self.gamma.numel()}"


def fold_batchnorm(conv, bn):
    # PyTorch's own helper wants both in evaluation mode.
    return fuse_conv_bn_eval(copy.deepcopy(conv).eval(), copy.deepcopy(bn).eval())
