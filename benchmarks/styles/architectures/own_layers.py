"""Own layers in float64: unfolded patches and a matrix product, comparisons, windows."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F


class Conv2d(torch.nn.Conv2d):
    def forward(self, x):
        patches = F.unfold(x.double(), self.kernel_size, self.dilation, self.padding, self.stride)
        patches = patches.unflatten(1, (self.groups, -1))
        products = self.weight.double().flatten(1).unflatten(0, (self.groups, -1)) @ patches
        result = products.flatten(1, 2)
        if self.bias is not None:
            result = result + self.bias.double()[:, None]
        height = (x.shape[-2] + 2 * self.padding[0] - self.kernel_size[0]) // self.stride[0] + 1
        return result.unflatten(-1, (height, -1)).to(x.dtype)


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
