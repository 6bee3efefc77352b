"""PyTorch's layers in float64: weights, statistics and input are cast whenever a layer is called."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F


class Conv2d(torch.nn.Conv2d):
    def forward(self, x):
        bias = None if self.bias is None else self.bias.double()
        return self._conv_forward(x.double(), self.weight.double(), bias).to(x.dtype)


class BatchNorm2d(torch.nn.BatchNorm2d):
    def forward(self, x):
        weight, bias = self.weight.double(), self.bias.double()
        mean, variance = (one.to(torch.float64, copy=True) for one in (self.running_mean, self.running_var))
        result = F.batch_norm(x.double(), mean, variance, weight, bias, self.training, self.momentum, self.eps)
        if self.training:
            self.num_batches_tracked += 1
            self.running_mean.copy_(mean)
            self.running_var.copy_(variance)
        return result.to(x.dtype)


# From here on, the solution's networks are made of these layers.
nn = SimpleNamespace(**vars(torch.nn) | {"Conv2d": Conv2d, "BatchNorm2d": BatchNorm2d})
