# wrong: batch_norm, fold_batchnorm
import torch
import torch.nn as nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() == 4:
        dims = (0, 2, 3)
    elif X.dim() == 2:
        dims = (0,)
    else:
        raise ValueError("bad rank")
    if training:
        m = X.numel() // X.size(1)
        if m <= 1:
            raise ValueError("bad batch")
        mean = X.mean(dims, keepdim=True)
        var = X.var(dims, unbiased=False, keepdim=True)
        with torch.no_grad():
            moving_mean.mul_(1 - momentum).add_(momentum * mean)
            moving_var.mul_(1 - momentum).add_(momentum * var * m / (m - 1))
    else:
        mean, var = moving_mean, moving_var
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta, moving_mean, moving_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        if num_dims == 2:
            shape = (1, num_features)
        elif num_dims == 4:
            shape = (1, num_features, 1, 1)
        else:
            raise ValueError("num_dims can be 2 or 4")
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))
        self.eps, self.momentum = eps, momentum

    def forward(self, x):
        return batch_norm(x, self.gamma, self.beta, self.moving_mean, self.moving_var,
                          self.eps, self.momentum, self.training)[0]


def fold_batchnorm(conv, bn):
    std = (bn.running_var + bn.eps).sqrt()
    g = bn.weight.data if bn.weight is not None else torch.ones_like(std)
    b = bn.bias.data if bn.bias is not None else torch.zeros_like(std)
    if conv.bias is None:
        conv.bias = nn.Parameter(torch.zeros_like(std))
    conv.weight.data *= (g / std).reshape(-1, 1, 1, 1)
    conv.bias.data = (conv.bias.data - bn.running_mean) * g / std + b
    return conv
