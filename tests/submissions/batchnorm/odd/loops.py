import copy
import math

import torch
import torch.nn as nn


class _BatchNormFunction:
    """A callable object; loops over the features."""

    def __call__(self, X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
        rank = len(X.size())
        if rank == 2 or rank == 4:
            pass
        else:
            raise ValueError("wrong number of dimensions: %d" % rank)
        values = math.prod(X.size()) // X.size(1)
        if training and values == 1:
            raise ValueError("cannot take the variance of one value")
        columns, means, variances = [], [], []
        for c in range(X.size(1)):
            x = X.select(1, c)
            g, b, m, v = (t.reshape(-1)[c] for t in (gamma, beta, moving_mean, moving_var))
            if training:
                mu = x.mean()
                # the norm of the centred values, squared, is n times the variance
                total = (x - mu).square().sum()
                columns.append(g * (x - mu) / torch.sqrt(total / values + eps) + b)
                means.append(m + momentum * (mu.detach() - m))
                variances.append(v + momentum * (total.detach() / (values - 1) - v))
            else:
                columns.append(g * (x - m) / torch.sqrt(v + eps) + b)
                means.append(m)
                variances.append(v)
        shape = moving_mean.shape
        return torch.stack(columns, 1), torch.stack(means).reshape(shape), torch.stack(variances).reshape(shape)


batch_norm = _BatchNormFunction()


class BatchNorm(nn.Module):
    function = batch_norm

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super(BatchNorm, self).__init__()
        if not (num_dims == 2 or num_dims == 4):
            raise ValueError("num_dims: 2 or 4")
        one = torch.ones(num_features)[None]
        if num_dims == 4:
            one = one[..., None, None]
        self.gamma = nn.Parameter(one.clone())
        self.beta = nn.Parameter(one * 0)
        self.register_buffer("moving_mean", one * 0)
        self.register_buffer("moving_var", one.clone())
        self.arguments = (eps, momentum)

    def forward(self, x):
        mean, var = self.moving_mean.clone(), self.moving_var.clone()
        y, mean, var = self.function(x, self.gamma, self.beta, mean, var, *self.arguments, self.training)
        with torch.no_grad():
            self.moving_mean[:] = mean
            self.moving_var[:] = var
        return y


def fold_batchnorm(conv, bn):
    new = copy.deepcopy(conv)
    new.bias = nn.Parameter(torch.zeros(conv.out_channels, dtype=conv.weight.dtype, device=conv.weight.device))
    new.weight = nn.Parameter(torch.empty_like(conv.weight))
    with torch.no_grad():
        for o in range(conv.out_channels):
            deviation = torch.sqrt(bn.running_var[o] + bn.eps)
            scale = 1 / deviation
            shift = -bn.running_mean[o] / deviation
            if bn.affine:
                scale = scale * bn.weight[o]
                shift = shift * bn.weight[o] + bn.bias[o]
            new.weight[o] = conv.weight[o] * scale
            new.bias[o] = shift
            if conv.bias is not None:
                new.bias[o] += conv.bias[o] * scale
    return new
