"""Everything in float64, each formula as it stands in the lecture."""

import torch


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    x = X.double()
    dims = (0,) if X.dim() == 2 else (0, 2, 3)
    if training:
        n = X.numel() // X.shape[1]
        if n < 2:
            raise ValueError("more than one value per feature is needed")
        mean = x.mean(dims, keepdim=True)
        variance = ((x - mean) ** 2).sum(dims, keepdim=True) / n
        unbiased = ((x - mean) ** 2).sum(dims, keepdim=True) / (n - 1)
        with torch.no_grad():
            moving_mean = ((1 - momentum) * moving_mean.double() + momentum * mean).to(X.dtype)
            moving_var = ((1 - momentum) * moving_var.double() + momentum * unbiased).to(X.dtype)
    else:
        mean, variance = moving_mean.double(), moving_var.double()
    x_hat = (x - mean) / torch.sqrt(variance + eps)
    y = gamma.double() * x_hat + beta.double()
    return y.to(X.dtype), moving_mean, moving_var
