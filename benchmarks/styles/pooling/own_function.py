"""An autograd function that keeps, for every window, the place of the largest value; the mean is a matrix product."""

import torch
import torch.nn.functional as F


def columns(x, kernel_size, stride):
    height, width = x.shape[-2:]
    if kernel_size > min(height, width):
        raise ValueError("the window does not fit into the map")
    return F.unfold(x.reshape(-1, 1, height, width), kernel_size, stride=stride)


class Largest(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        largest, place = values.double().max(dim=1)
        ctx.save_for_backward(place)
        ctx.shape = values.shape
        return largest.to(values.dtype)

    @staticmethod
    def backward(ctx, grad):
        (place,) = ctx.saved_tensors
        return grad.new_zeros(ctx.shape).scatter(1, place[:, None], grad[:, None])


def out_shape(x, kernel_size, stride):
    return (*x.shape[:-2], *((side - kernel_size) // stride + 1 for side in x.shape[-2:]))


def max_pool_2d(x, kernel_size=2, stride=2):
    return Largest.apply(columns(x, kernel_size, stride)).reshape(out_shape(x, kernel_size, stride))


def avg_pool_2d(x, kernel_size=2, stride=2):
    found = columns(x, kernel_size, stride).double()
    weights = found.new_full((kernel_size**2,), 1 / kernel_size**2)
    mean = torch.einsum("k,nkl->nl", weights, found)
    return mean.to(x.dtype).reshape(out_shape(x, kernel_size, stride))
