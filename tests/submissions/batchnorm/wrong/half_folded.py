# wrong: fold_batchnorm
import torch
from torch import nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() == 2:
        dims = [0]
    elif X.dim() == 4:
        dims = [0, 2, 3]
    else:
        raise ValueError("X has %d dimensions" % X.dim())
    if training:
        count = X.numel() // X.shape[1]
        if count == 1:
            raise ValueError("one value per channel is not enough")
        mean = X.mean(dims, keepdim=True)
        diff = X - mean
        var = diff.pow(2).sum(dims, keepdim=True) / count
        moving_mean = moving_mean + momentum * (mean.detach() - moving_mean)
        moving_var = moving_var + momentum * (var.detach() * count / (count - 1) - moving_var)
    else:
        diff = X - moving_mean
        var = moving_var
    return diff / (var + eps).sqrt() * gamma + beta, moving_mean, moving_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError("num_dims must be 2 or 4, not %s" % num_dims)
        shape = (1, num_features, 1, 1)[:num_dims]
        self.gamma = nn.Parameter(torch.ones(*shape))
        self.beta = nn.Parameter(torch.zeros(*shape))
        self.register_buffer("moving_mean", torch.zeros(*shape))
        self.register_buffer("moving_var", torch.ones(*shape))
        self.eps = eps
        self.momentum = momentum

    def forward(self, x):
        out = batch_norm(x, self.gamma, self.beta, self.moving_mean, self.moving_var,
                         self.eps, self.momentum, self.training)
        if self.training:
            self.moving_mean, self.moving_var = out[1], out[2]
        return out[0]


def fold_batchnorm(conv, bn):
    new = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride[0], conv.padding[0],
                    groups=conv.groups)
    scale = 1 / torch.sqrt(bn.running_var + bn.eps)
    if bn.affine:
        scale = bn.weight * scale
    new.weight.data = conv.weight.data * scale.reshape(-1, 1, 1, 1)
    new.bias.data = -bn.running_mean * scale
    if bn.affine:
        new.bias.data += bn.bias
    if conv.bias is not None:
        new.bias.data += conv.bias
    return new
