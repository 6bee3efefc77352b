"""Depthwise convolutions as a sum of shifted slices, 1×1 convolutions as `einsum`, all of it in float64."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F


class Conv2d(torch.nn.Conv2d):
    def forward(self, x):
        weight, bias = self.weight.double(), 0 if self.bias is None else self.bias.double().reshape(-1, 1, 1)
        if self.kernel_size == (1, 1) and self.groups == 1:
            strided = x.double()[:, :, :: self.stride[0], :: self.stride[1]]
            return (torch.einsum("nihw,oi->nohw", strided, weight[:, :, 0, 0]) + bias).to(x.dtype)
        if self.groups != self.in_channels:
            return super().forward(x)
        (p, q), (s, t), (height, width) = self.padding, self.stride, self.kernel_size
        padded = F.pad(x.double(), (q, q, p, p))
        rows, columns = (padded.shape[2] - height) // s + 1, (padded.shape[3] - width) // t + 1
        total = bias
        for i in range(height):
            for j in range(width):
                part = padded[:, :, i : i + (rows - 1) * s + 1 : s, j : j + (columns - 1) * t + 1 : t]
                total = total + part * weight[:, 0, i, j].reshape(-1, 1, 1)
        return total.to(x.dtype)


class BatchNorm2d(torch.nn.BatchNorm2d):
    def forward(self, x):
        wide, state = (1, -1, 1, 1), (self.running_mean, self.running_var)
        mean, variance = (one.double().reshape(wide) for one in state)
        if self.training:
            n = x.numel() // x.shape[1]
            mean = x.double().mean((0, 2, 3), keepdim=True)
            variance = (x.double() - mean).square().mean((0, 2, 3), keepdim=True)
            with torch.no_grad():
                self.num_batches_tracked += 1
                for old, new in zip(state, (mean, variance * n / (n - 1)), strict=True):
                    old.lerp_(new.flatten().to(old.dtype), self.momentum)
        x_hat = (x.double() - mean) / torch.sqrt(variance + self.eps)
        return (self.weight.double().reshape(wide) * x_hat + self.bias.double().reshape(wide)).to(x.dtype)


# From here on, the solution's networks are made of these layers.
nn = SimpleNamespace(**vars(torch.nn) | {"Conv2d": Conv2d, "BatchNorm2d": BatchNorm2d})
