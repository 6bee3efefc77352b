"""An autograd function with a backward pass of its own, in float64."""

import torch


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, gamma, beta, eps):
        x = X.double()
        dims = tuple(dim for dim in range(X.dim()) if dim != 1)
        mean = x.mean(dims, keepdim=True)
        variance = (x - mean).pow(2).mean(dims, keepdim=True)
        inverse = (variance + eps).rsqrt()
        x_hat = (x - mean) * inverse
        ctx.save_for_backward(x_hat, gamma, inverse)
        ctx.dims = dims
        ctx.mark_non_differentiable(mean, variance)
        return (x_hat * gamma + beta).to(X.dtype), mean, variance

    @staticmethod
    def backward(ctx, grad, _mean, _variance):
        x_hat, gamma, inverse = ctx.saved_tensors
        dims, dtype = ctx.dims, grad.dtype
        grad = grad.double()
        for_beta = grad.sum(dims, keepdim=True)
        for_gamma = (grad * x_hat).sum(dims, keepdim=True)
        g = grad * gamma
        for_x = inverse * (g - g.mean(dims, keepdim=True) - x_hat * (g * x_hat).mean(dims, keepdim=True))
        return for_x.to(dtype), for_gamma.to(gamma.dtype), for_beta.to(gamma.dtype), None


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    if not training:
        return (X - moving_mean) / (moving_var + eps).sqrt() * gamma + beta, moving_mean, moving_var
    n = X.numel() // X.shape[1]
    if n < 2:
        raise ValueError("more than one value per feature is needed")
    y, mean, variance = Normalise.apply(X, gamma, beta, eps)
    mean, variance = (found.to(moving_mean.dtype) for found in (mean, variance))
    new_mean = (1 - momentum) * moving_mean + momentum * mean
    new_variance = (1 - momentum) * moving_var + momentum * n / (n - 1) * variance
    return y, new_mean.detach(), new_variance.detach()
