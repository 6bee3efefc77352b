"""In float64, and the statistics are expanded to the shape of the batch and copied, so that all shapes are equal."""

import torch


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    x = X.double()
    dims = (0,) if X.dim() == 2 else (0, 2, 3)
    mean, variance = moving_mean.double(), moving_var.double()
    if training:
        n = X.numel() // X.shape[1]
        if n < 2:
            raise ValueError("more than one value per feature is needed")
        mean = x.mean(dims, keepdim=True)
        variance = torch.pow(x - mean.expand_as(x).contiguous(), 2).mean(dims, keepdim=True)
        with torch.no_grad():
            moving_mean = moving_mean + momentum * (mean.to(X.dtype) - moving_mean)
            moving_var = moving_var + momentum * ((variance * n / (n - 1)).to(X.dtype) - moving_var)
    mean, deviation, scale, shift = (
        part.expand_as(x).contiguous() for part in (mean, torch.sqrt(variance + eps), gamma.double(), beta.double())
    )
    return ((x - mean) / deviation * scale + shift).to(X.dtype), moving_mean, moving_var
