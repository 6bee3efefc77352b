# wrong: BatchNorm, fold_batchnorm
import copy

import torch
import torch.nn as nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.ndim not in (2, 4):
        raise ValueError("wrong shape: %s" % (X.shape,))
    axis = (0,) if X.ndim == 2 else (0, 2, 3)
    if training:
        n = 1
        for a in axis:
            n = n * X.shape[a]
        if n == 1:
            raise ValueError("need more than one value")
        mu = torch.mean(X, axis, keepdim=True)
        var = torch.var(X, axis, unbiased=False, keepdim=True)
        moving_mean = momentum * mu.detach() + (1 - momentum) * moving_mean
        moving_var = momentum * (var.detach() * n / (n - 1)) + (1 - momentum) * moving_var
        return gamma * ((X - mu) / torch.sqrt(var + eps)) + beta, moving_mean, moving_var
    return gamma * ((X - moving_mean) / torch.sqrt(moving_var + eps)) + beta, moving_mean, moving_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        if num_dims not in [2, 4]:
            raise ValueError("num_dims")
        shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))
        self.eps, self.momentum = eps, momentum

    def forward(self, x):
        # d2l: "Use is_grad_enabled to determine whether we are in training mode"
        y, self.moving_mean, self.moving_var = batch_norm(
            x, self.gamma, self.beta, self.moving_mean, self.moving_var, self.eps, self.momentum,
            training=torch.is_grad_enabled())
        return y


def fold_batchnorm(conv, bn):
    bn.eval()
    new = copy.deepcopy(conv)
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    new.weight = nn.Parameter(conv.weight * scale.reshape(-1, 1, 1, 1))
    bias = conv.bias if conv.bias is not None else torch.zeros_like(bn.running_mean)
    new.bias = nn.Parameter((bias - bn.running_mean) * scale + bn.bias)
    return new
