import torch
from torch import nn
from tqdm.auto import tqdm


def double(x):
    for _ in tqdm(range(2)):
        y = 2 * x
    return y


def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
