import functools
import operator
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F

RANKS = {2: "nf", 4: "nchw"}


def _means(X, letters):
    """Means by einsum, with the batch flattened into one long axis where there is one."""
    c = "f" if letters == "nf" else "c"
    n = functools.reduce(operator.mul, X.shape) / X.shape[1]
    shape = [1, -1] + [1] * (X.dim() - 2)
    return (torch.einsum(f"{letters}->{c}", X) / n).reshape(shape), n


def _core(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in RANKS:
        raise ValueError(f"got {X.dim()} dimensions, can do {list(RANKS)}")
    mean, var = moving_mean, moving_var
    if training:
        mean, n = _means(X, RANKS[X.dim()])
        if n == 1:
            raise ValueError("a single value has no spread")
        var, _ = _means((X - mean) ** 2, RANKS[X.dim()])
        with torch.no_grad():
            moving_mean = moving_mean * (1 - momentum) + mean * momentum
            moving_var = moving_var * (1 - momentum) + var * (momentum * n / (n - 1))
    unit = torch.true_divide(torch.sub(X, mean), torch.pow(torch.add(var, eps), 0.5))
    return torch.add(torch.mul(unit, gamma), beta), moving_mean, moving_var


batch_norm = partial(_core)


class _Affine(nn.Module):
    pass


class BatchNorm(_Affine):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        self.__dict__["options"] = (num_dims, eps, momentum)
        self.shape = {2: (1, num_features), 4: (1, num_features, 1, 1)}.get(num_dims)
        if self.shape is None:
            raise ValueError("num_dims must be two or four.")
        self._buffers["moving_mean"] = torch.zeros(self.shape)
        self._buffers["moving_var"] = torch.ones(self.shape)
        self.gamma = nn.parameter.Parameter(data=torch.ones(self.shape), requires_grad=True)
        self.beta = nn.parameter.Parameter(data=torch.zeros(self.shape), requires_grad=True)

    # Written out once more, without the function: x̂ through a linear map of (x − μ).
    def forward(self, x):
        _, eps, momentum = self.options
        if not self.training:
            std = (self.moving_var + eps).sqrt()
            return torch.addcmul(self.beta, (x - self.moving_mean) / std, self.gamma)
        flat = x.movedim(1, 0).reshape(x.shape[1], -1)
        n = flat.shape[-1]
        mu = flat.mean(-1)
        centred = flat - mu.unsqueeze(-1)
        var = torch.linalg.vector_norm(centred, dim=-1) ** 2 / n
        self._remember(mu, var * n / max(n - 1, 1), momentum)
        unit = centred / torch.sqrt(var + eps).unsqueeze(-1)
        y = unit * self.gamma.reshape(-1, 1) + self.beta.reshape(-1, 1)
        return y.reshape(x.movedim(1, 0).shape).movedim(0, 1)

    @torch.no_grad()
    def _remember(self, mu, var, momentum):
        self.moving_mean.mul_(1 - momentum).add_(mu.reshape(self.shape), alpha=momentum)
        self.moving_var.mul_(1 - momentum).add_(var.reshape(self.shape), alpha=momentum)


def fold_batchnorm(conv, bn):
    scale = torch.rsqrt(bn.running_var + bn.eps)
    if bn.weight is not None:
        scale = scale * bn.weight
    shift = -bn.running_mean * scale + (0 if bn.bias is None else bn.bias)
    bias = shift if conv.bias is None else torch.addcmul(shift, conv.bias, scale)
    # A 1×1 depthwise "convolution" of the weights does the scaling.
    weight = F.conv2d(conv.weight.transpose(0, 1), scale.reshape(-1, 1, 1, 1), groups=conv.out_channels).transpose(0, 1)
    new = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
        padding_mode=conv.padding_mode,
    )
    # The parameters stay part of the graph of conv and bn.
    del new.weight, new.bias
    new.weight, new.bias = weight, bias
    return new
