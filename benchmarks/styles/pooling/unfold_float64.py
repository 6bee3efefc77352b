"""The windows as columns of `F.unfold`, in float64."""

import torch.nn.functional as F


def columns(x, kernel_size, stride):
    height, width = x.shape[-2:]
    if kernel_size > min(height, width):
        raise ValueError("the window does not fit into the map")
    maps = x.double().reshape(-1, 1, height, width)
    found = F.unfold(maps, kernel_size, stride=stride)
    shape = [(side - kernel_size) // stride + 1 for side in (height, width)]
    return found.reshape(*x.shape[:-2], kernel_size**2, *shape)


def max_pool_2d(x, kernel_size=2, stride=2):
    return columns(x, kernel_size, stride).amax(-3).to(x.dtype)


def avg_pool_2d(x, kernel_size=2, stride=2):
    return columns(x, kernel_size, stride).mean(-3).to(x.dtype)
