"""`gather` with the flat index of every pixel of every window, in float64."""

import torch


def windows(x, kernel_size, stride):
    height, width = x.shape[-2:]
    if kernel_size > min(height, width):
        raise ValueError("the window does not fit into the map")
    pixels = torch.arange(height * width, device=x.device).reshape(height, width)
    index = pixels.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride)
    flat = x.double().flatten(-2)
    found = flat.gather(-1, index.reshape(-1).expand(*flat.shape[:-1], -1))
    return found.reshape(*x.shape[:-2], *index.shape[:2], kernel_size**2)


def max_pool_2d(x, kernel_size=2, stride=2):
    return windows(x, kernel_size, stride).amax(-1).to(x.dtype)


def avg_pool_2d(x, kernel_size=2, stride=2):
    return windows(x, kernel_size, stride).mean(-1).to(x.dtype)
