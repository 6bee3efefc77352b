"""In float64, and the layer keeps all it computed for a look at it later."""

import torch


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    return _steps(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)[:3]


def _steps(X, gamma, beta, moving_mean, moving_var, eps, momentum, training):
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    x = X.double()
    dims = (0,) if X.dim() == 2 else (0, 2, 3)
    mean, variance = moving_mean.double(), moving_var.double()
    if training:
        if X.numel() == X.shape[1]:
            raise ValueError("more than one value per feature is needed")
        variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        unbiased = x.detach().var(dims, keepdim=True)
        moving_mean = moving_mean.lerp(mean.detach().to(X.dtype), momentum)
        moving_var = moving_var.lerp(unbiased.to(X.dtype), momentum)
    centred = x - mean
    x_hat = centred / (variance + eps).sqrt()
    y = (gamma * x_hat + beta).to(X.dtype)
    return y, moving_mean, moving_var, x, centred, x_hat


class BatchNorm(BatchNorm):  # noqa: F821 the solution's
    def forward(self, x):
        self.kept = _steps(
            x, self.gamma, self.beta, self.moving_mean, self.moving_var, self.eps, self.momentum, self.training
        )
        y, self.moving_mean, self.moving_var, *_ = self.kept
        return y
