# wrong: batch_norm, BatchNorm, fold_batchnorm
import torch
import torch.nn as nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions, not {}".format(X.dim()))
    dims = (0,) if X.dim() == 2 else (0, 2, 3)
    if training:
        n = X.numel() / X.shape[1]
        if X.shape[0] == 1:
            raise ValueError("batch of one")
        mean = X.mean(dims, keepdim=True)
        var = ((X - mean) ** 2).mean(dims, keepdim=True)
        Y = gamma * (X - mean) / torch.sqrt(var + eps) + beta
        moving_mean = (1 - momentum) * moving_mean + momentum * mean
        moving_var = (1 - momentum) * moving_var + momentum * var * n / (n - 1)
    else:
        Y = gamma * (X - moving_mean) / torch.sqrt(moving_var + eps) + beta
    return Y, moving_mean, moving_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        assert num_dims in (2, 4)
        shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        self.eps = eps
        self.momentum = momentum
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    def forward(self, x):
        y, self.moving_mean, self.moving_var = batch_norm(
            x, self.gamma, self.beta, self.moving_mean, self.moving_var, self.eps, self.momentum, self.training
        )
        return y


def fold_batchnorm(conv, bn):
    folded = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups,
        padding_mode=conv.padding_mode,
    ).to(conv.weight.dtype)
    var = bn.running_var + bn.eps
    weight = bn.weight if bn.weight is not None else 1
    bias = bn.bias if bn.bias is not None else 0
    old_bias = conv.bias if conv.bias is not None else 0
    scale = weight / var.sqrt()
    with torch.no_grad():
        folded.weight[:] = conv.weight * scale.reshape(len(var), 1, 1, 1)
        folded.bias[:] = (old_bias - bn.running_mean) * scale + bias
    return folded
