# wrong: batch_norm, BatchNorm
import torch
import torch.nn as nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() != 2 and X.dim() != 4:
        raise ValueError("expected 2D or 4D input")
    axes = [0] if X.dim() == 2 else [0, 2, 3]
    if training:
        n = X.numel() // X.size(1)
        if n < 2:
            raise ValueError("expected more than one value per channel")
        mean = X.mean(axes, keepdim=True)
        var = X.pow(2).mean(axes, keepdim=True) - mean.pow(2)
        new_mean = momentum * moving_mean + (1 - momentum) * mean.detach()
        new_var = momentum * moving_var + (1 - momentum) * var.detach() * n / (n - 1)
    else:
        mean, var, new_mean, new_var = moving_mean, moving_var, moving_mean, moving_var
    return (X - mean) * torch.rsqrt(var + eps) * gamma + beta, new_mean, new_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims, eps=1e-3, momentum=0.99):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError("num_dims must be 2 or 4")
        self.eps = eps
        self.momentum = momentum
        shape = (1, num_features) + (1, 1) * (num_dims // 4)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    def forward(self, x):
        out, mean, var = batch_norm(x, self.gamma, self.beta, self.moving_mean, self.moving_var,
                                    self.eps, self.momentum, self.training)
        self.moving_mean.copy_(mean)
        self.moving_var.copy_(var)
        return out


def fold_batchnorm(conv, bn):
    kwargs = dict(stride=conv.stride, padding=conv.padding, dilation=conv.dilation, groups=conv.groups,
                  padding_mode=conv.padding_mode, device=conv.weight.device, dtype=conv.weight.dtype)
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, bias=True, **kwargs)
    scale = torch.rsqrt(bn.running_var + bn.eps)
    if bn.affine:
        scale = scale * bn.weight.data
    shift = -scale * bn.running_mean
    if bn.affine:
        shift = shift + bn.bias.data
    if conv.bias is not None:
        shift = shift + scale * conv.bias.data
    folded.weight.data.copy_(conv.weight.data * scale.view(-1, 1, 1, 1))
    folded.bias.data.copy_(shift)
    return folded
