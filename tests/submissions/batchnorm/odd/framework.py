import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


class Normalise(torch.autograd.Function):
    """Training-mode batch normalisation with the derivative worked out by hand. Returns y, mean, biased variance."""

    @staticmethod
    def forward(ctx, x, gamma, beta, eps, dims):
        mean = x.mean(dims, keepdim=True)
        centred = x - mean
        var = centred.square().mean(dims, keepdim=True)
        ctx.save_for_backward(x, gamma)
        ctx.eps, ctx.dims = eps, dims
        ctx.mark_non_differentiable(mean, var)
        return centred.mul_(gamma * (var + eps).rsqrt()).add_(beta), mean, var

    @staticmethod
    def backward(ctx, g, _mean, _var):
        x, gamma = ctx.saved_tensors
        dims = ctx.dims
        var, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        r = (var + ctx.eps).rsqrt()
        x_hat = (x - mean) * r
        gx = ggamma = gbeta = None
        if ctx.needs_input_grad[0]:
            gx = gamma * r * (g - g.mean(dims, keepdim=True) - x_hat * (g * x_hat).mean(dims, keepdim=True))
        if ctx.needs_input_grad[1]:
            ggamma = (g * x_hat).sum(dims, keepdim=True)
        if ctx.needs_input_grad[2]:
            gbeta = g.sum(dims, keepdim=True)
        return gx, ggamma, gbeta, None, None


def _dims(x):
    if x.ndim == 2:
        return [0]
    if x.ndim == 4:
        return [0, 2, 3]
    raise ValueError(f"expected 2D or 4D input (got {x.ndim}D input)")


def _train_step(x, gamma, beta, eps):
    dims = _dims(x)
    n = x.numel() // x.size(1)
    if n < 2:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
    y, mean, var = Normalise.apply(x, gamma, beta, eps, dims)
    return y, mean.detach(), var.detach() * (n / (n - 1))


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    _dims(X)
    if training:
        Y, mean, var = _train_step(X, gamma, beta, eps)
        moving_mean = moving_mean.detach().mul(1 - momentum).add_(mean, alpha=momentum)
        moving_var = moving_var.detach().mul(1 - momentum).add_(var, alpha=momentum)
        return Y, moving_mean, moving_var
    Y = torch.addcmul(beta, X - moving_mean, gamma * (moving_var + eps).rsqrt())
    return Y, moving_mean, moving_var


class BatchNorm(nn.Module):
    __constants__ = ["num_features", "num_dims", "eps", "momentum"]

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1, *, device=None, dtype=None):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError(f"num_dims has to be 2 or 4, but got {num_dims}")
        self.num_features, self.num_dims, self.eps, self.momentum = num_features, num_dims, eps, momentum
        shape = (1, num_features) + (1,) * (num_dims - 2)
        kw = {"device": device, "dtype": dtype}
        self.gamma = nn.Parameter(torch.empty(shape, **kw))
        self.beta = nn.Parameter(torch.empty(shape, **kw))
        self.register_buffer("moving_mean", torch.empty(shape, **kw))
        self.register_buffer("moving_var", torch.empty(shape, **kw))
        self.reset_parameters()
        self.register_forward_pre_hook(self._check)

    @torch.no_grad()
    def reset_parameters(self):
        nn.init.ones_(self.gamma)
        nn.init.zeros_(self.beta)
        self.moving_mean.zero_()
        self.moving_var.fill_(1)

    @staticmethod
    def _check(module, args):
        (x,) = args
        if x.ndim != module.num_dims:
            raise ValueError(f"expected {module.num_dims}D input (got {x.ndim}D input)")

    def forward(self, x):
        if not self.training:
            inv = (self.moving_var + self.eps).rsqrt_()
            return torch.addcmul(self.beta, x - self.moving_mean, self.gamma * inv)
        y, mean, var = _train_step(x, self.gamma, self.beta, self.eps)
        with torch.no_grad():
            self.moving_mean.lerp_(mean, self.momentum)
            self.moving_var.lerp_(var, self.momentum)
        return y

    def extra_repr(self):
        return f"{self.num_features}, num_dims={self.num_dims}, eps={self.eps}, momentum={self.momentum}"


def fold_batchnorm(conv, bn):
    weight, bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    folded = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
        groups=conv.groups,
        padding_mode=conv.padding_mode,
        device="meta",
    )
    folded.weight = nn.Parameter(weight.detach().clone())
    folded.bias = nn.Parameter(bias.detach().clone())
    return folded
