"""The batch as a matrix with one row for each channel, in float64, and back again; the last results are kept."""

import torch


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    global kept  # for a look at them later
    rows = X.double().transpose(0, 1).contiguous()
    shape = rows.shape
    rows = rows.reshape(X.shape[1], -1)
    if training:
        n = rows.shape[1]
        if n < 2:
            raise ValueError("more than one value per feature is needed")
        mean = rows.mean(1, keepdim=True)
        variance = rows.var(1, unbiased=False, keepdim=True)
        with torch.no_grad():
            unbiased = rows.var(1, keepdim=True)
            new_mean, new_variance = (
                ((1 - momentum) * old + momentum * found.reshape(old.shape)).to(old.dtype)
                for old, found in ((moving_mean, mean), (moving_var, unbiased))
            )
    else:
        mean, variance = moving_mean.reshape(-1, 1).double(), moving_var.reshape(-1, 1).double()
        new_mean, new_variance = moving_mean, moving_var
    y = (rows - mean) / torch.sqrt(variance + eps) * gamma.reshape(-1, 1) + beta.reshape(-1, 1)
    kept = rows, mean, variance, y
    return y.reshape(shape).transpose(0, 1).contiguous().to(X.dtype), new_mean, new_variance
