"""PyTorch's layers in float64: weights and input are cast whenever a layer is called."""

from types import SimpleNamespace

import torch


class Conv2d(torch.nn.Conv2d):
    def forward(self, x):
        bias = None if self.bias is None else self.bias.double()
        return self._conv_forward(x.double(), self.weight.double(), bias).to(x.dtype)


# From here on, the solution's networks are made of these layers.
nn = SimpleNamespace(**vars(torch.nn) | {"Conv2d": Conv2d})
