import torch
from torch import nn


def double(x):
<<<<<<< HEAD
    return 2 * x
=======
    return x + x
>>>>>>> mine


def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
