"""The gradient by hand, in an autograd function of its own."""
import torch
from torch import nn


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, gamma, beta, eps):
        dims = tuple(d for d in range(X.dim()) if d != 1)
        mean = X.mean(dims, keepdim=True)
        var = (X - mean).pow(2).mean(dims, keepdim=True)
        istd = (var + eps).reciprocal().sqrt()
        xhat = (X - mean) * istd
        ctx.save_for_backward(xhat, gamma, istd)
        ctx.dims = dims
        ctx.mark_non_differentiable(mean, var)
        return xhat * gamma + beta, mean, var

    @staticmethod
    def backward(ctx, grad, _mean, _var):
        xhat, gamma, istd = ctx.saved_tensors
        dims = ctx.dims
        dbeta = grad.sum(dims, keepdim=True)
        dgamma = (grad * xhat).sum(dims, keepdim=True)
        g = grad * gamma
        dx = istd * (g - g.mean(dims, keepdim=True) - xhat * (g * xhat).mean(dims, keepdim=True))
        return dx, dgamma, dbeta, None


def _train(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    n = X[:, 0].numel()
    if n <= 1:
        raise ValueError("Expected more than 1 value per channel when training")
    Y, mean, var = _Normalise.apply(X, gamma, beta, eps)
    keep = 1.0 - momentum
    return Y, keep * moving_mean + momentum * mean, keep * moving_var + momentum * n / (n - 1) * var


def _evaluate(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    return (X - moving_mean) / (moving_var + eps).sqrt() * gamma + beta, moving_mean, moving_var


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True, *, check=True):
    if check and X.dim() != 2 and X.dim() != 4:
        raise ValueError("2 or 4 dimensions")
    return (_train if training else _evaluate)(X, gamma, beta, moving_mean, moving_var, eps, momentum)


class BatchNorm(nn.Module):
    """Keeps its state in .data and its options in a closure; the statistics are written in place."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1, name="bn", **ignored):
        super().__init__()
        try:
            shape = {2: [1, num_features], 4: [1, num_features, 1, 1]}[num_dims]
        except KeyError:
            raise ValueError("BatchNorm is for 2 or 4 dimensions") from None
        for key, value in {"beta": 0.0, "gamma": 1.0}.items():
            setattr(self, key, nn.Parameter(torch.full(shape, value)))
        for key, value in {"moving_var": 1.0, "moving_mean": 0.0}.items():
            self.register_buffer(key, torch.full(shape, value))
        self.name = name
        self.eps = torch.tensor(eps)  # an ordinary attribute
        self.momentum = momentum

    def forward(self, x):
        eps = float(self.eps)
        args = x, self.gamma, self.beta, self.moving_mean, self.moving_var, eps, self.momentum
        y, mean, var = batch_norm(*args, training=self.training)
        self.moving_mean.data, self.moving_var.data = mean.data, var.data
        return y


def fold_batchnorm(conv, bn):
    class Folded(nn.Conv2d):
        """Knows where it comes from."""

        origin = "conv + bn"

    options = {k: getattr(conv, k) for k in ("stride", "padding", "dilation", "groups", "padding_mode")}
    new = Folded(conv.in_channels, conv.out_channels, conv.kernel_size, bias=True, **options).to(conv.weight)
    gamma = bn.weight.data if bn.affine else 1.0
    beta = bn.bias.data if bn.affine else 0.0
    k = gamma / torch.sqrt(bn.running_var + bn.eps)
    b0 = conv.bias.data if conv.bias is not None else 0.0
    new.weight.data = (conv.weight.data.flatten(1) * k.unsqueeze(1)).unflatten(1, conv.weight.shape[1:])
    new.bias.data = (b0 - bn.running_mean) * k + beta
    return new.train(conv.training)
