# wrong: batch_norm
import torch
from torch import nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() == 2:
        dim = 0
    elif X.dim() == 4:
        dim = (0, 2, 3)
    else:
        raise ValueError("X must be 2d or 4d")
    if training:
        if X.numel() / X.shape[1] < 2:
            raise ValueError("only one value per channel")
        mean = X.mean(dim=dim, keepdim=True)
        var = X.var(dim=dim, keepdim=True)  # divides by n - 1
        with torch.no_grad():
            moving_mean = (1 - momentum) * moving_mean + momentum * mean
            moving_var = (1 - momentum) * moving_var + momentum * var
    else:
        mean, var = moving_mean, moving_var
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta, moving_mean, moving_var


class BatchNorm(nn.Module):
    """Does not use the function above."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        if num_dims != 2 and num_dims != 4:
            raise ValueError("num_dims has to be 2 or 4")
        self.num_dims = num_dims
        self.eps = eps
        self.momentum = momentum
        shape = [1, num_features] + [1, 1] * (num_dims == 4)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    def forward(self, x):
        mean, var = self.moving_mean, self.moving_var
        if self.training:
            dims = (0, 2, 3) if self.num_dims == 4 else 0
            mean = x.mean(dim=dims, keepdim=True)
            var = x.var(dim=dims, keepdim=True, unbiased=False)
            with torch.no_grad():
                unbiased = x.var(dim=dims, keepdim=True)
                self.moving_mean = torch.lerp(self.moving_mean, mean, self.momentum)
                self.moving_var = torch.lerp(self.moving_var, unbiased, self.momentum)
        return (x - mean) / torch.sqrt(var + self.eps) * self.gamma + self.beta


def fold_batchnorm(conv, bn):
    with torch.no_grad():
        w = bn.weight if bn.affine else torch.ones_like(bn.running_var)
        b = bn.bias if bn.affine else torch.zeros_like(bn.running_var)
        factor = w / (bn.running_var + bn.eps) ** 0.5
        folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding,
                           conv.dilation, conv.groups, True, conv.padding_mode, conv.weight.device, conv.weight.dtype)
        folded.weight.copy_(conv.weight * factor.view(-1, 1, 1, 1))
        old = 0 if conv.bias is None else conv.bias
        folded.bias.copy_((old - bn.running_mean) * factor + b)
    return folded
