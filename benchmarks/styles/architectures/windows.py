"""Own layers in float64: `einsum` over views of all windows, and the other layers by their formulas."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F


class Conv2d(torch.nn.Conv2d):
    def forward(self, x):
        (p, q), (s, t), (height, width) = self.padding, self.stride, self.kernel_size
        padded = F.pad(x.double(), (q, q, p, p))
        windows = padded.unfold(-2, height, s).unfold(-2, width, t).unflatten(1, (self.groups, -1))
        kernels = self.weight.double().unflatten(0, (self.groups, -1))
        result = torch.einsum("ngihwyx,goiyx->ngohw", windows, kernels).flatten(1, 2)
        if self.bias is not None:
            result = result + self.bias.double().reshape(-1, 1, 1)
        return result.to(x.dtype)


class ReLU(torch.nn.ReLU):
    def forward(self, x):
        return torch.where(x > 0, x, torch.zeros_like(x))


class MaxPool2d(torch.nn.MaxPool2d):
    def forward(self, x):
        k, stride, p = self.kernel_size, self.stride, self.padding
        padded = F.pad(x.double(), (p, p, p, p), value=float("-inf"))
        return padded.unfold(-2, k, stride).unfold(-2, k, stride).flatten(-2).amax(-1).to(x.dtype)


# From here on, the solution's networks are made of these layers.
nn = SimpleNamespace(**vars(torch.nn) | {"Conv2d": Conv2d, "ReLU": ReLU, "MaxPool2d": MaxPool2d})
