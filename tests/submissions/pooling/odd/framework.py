import torch
import torch.nn.functional as F
import torch.utils.checkpoint
from torch import nn
from torch.autograd import Function


def _need(h, w, kh, kw):
    if h < kh or w < kw:
        raise ValueError("The pooling window (%d, %d) exceeds the input (%d, %d)" % (kh, kw, h, w))


class _Frame(Function):
    @staticmethod
    def forward(ctx, x, p, value):
        ctx.p = p
        h, w = x.shape
        out = x.new_empty(h + 2 * p, w + 2 * p).fill_(value)
        out.narrow(0, p, h).narrow(1, p, w).copy_(x)
        return out

    @staticmethod
    def backward(ctx, g):
        p = ctx.p
        h, w = g.shape
        return g[p:h - p, p:w - p].clone(), None, None


class _WindowMax(Function):
    """Largest number along the last dimension; remembers where it was."""

    @staticmethod
    def forward(ctx, w):
        y, i = torch.max(w, -1)
        ctx.save_for_backward(i)
        ctx.shape = w.shape
        return y

    @staticmethod
    def backward(ctx, g):
        (i,) = ctx.saved_tensors
        return torch.zeros(ctx.shape, dtype=g.dtype, device=g.device).scatter(-1, i.unsqueeze(-1), g.unsqueeze(-1))


class _PowerMean(Function):
    """(mean w^p)^(1/p) along the last dimension, w >= 0, slope 0 at 0."""

    @staticmethod
    def forward(ctx, w, p):
        d = w.double()
        top = d.amax(-1, keepdim=True)
        top = top + (top == 0)
        y = (d / top).pow(p).mean(-1).pow(1 / p) * top.squeeze(-1)
        ctx.save_for_backward(d, y)
        ctx.p, ctx.dtype = p, w.dtype
        return y.to(w.dtype)

    @staticmethod
    def backward(ctx, g):
        d, y = ctx.saved_tensors
        y = y.unsqueeze(-1)
        dead = (d == 0) | (y == 0)
        ratio = d.masked_fill(dead, 1) / y.masked_fill(y == 0, 1)
        slope = ratio.pow(ctx.p - 1).masked_fill(dead, 0) / d.shape[-1]
        return (g.unsqueeze(-1).double() * slope).to(ctx.dtype), None


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("padding must not be negative, got %r" % (padding,))
    return _Frame.apply(feature_map, padding, value)


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    k = kernel_size
    m = _Frame.apply(feature_map, padding, 0.0 if avg else float("-inf"))
    _need(*m.shape, k, k)
    h, w = ((n - k) // strides + 1 for n in m.shape)
    out = m.new_empty((h, w))
    for i in range(h):
        for j in range(w):
            window = m[i * strides:i * strides + k, j * strides:j * strides + k].reshape(-1)
            out[i, j] = window.mean() if avg else _WindowMax.apply(window)
    return out


def pool2d(X, pool_size, mode="max"):
    if mode != "max" and mode != "avg":
        raise ValueError("unknown mode %r" % (mode,))
    kh, kw = pool_size
    _need(*X.shape, kh, kw)
    columns = F.unfold(X[None, None], (kh, kw))[0]
    flat = _WindowMax.apply(columns.t()) if mode == "max" else columns.mean(0)
    return flat.view(X.shape[0] - kh + 1, X.shape[1] - kw + 1)


class _FastMax(Function):
    """Max pooling that stores one byte-sized place per window instead of the whole graph."""

    @staticmethod
    def forward(ctx, x, k, s):
        h, w = (x.shape[-2] - k) // s + 1, (x.shape[-1] - k) // s + 1
        best, place = None, None
        needs = ctx.needs_input_grad[0]
        for n in range(k * k):
            u, v = divmod(n, k)
            part = x[..., u:u + (h - 1) * s + 1:s, v:v + (w - 1) * s + 1:s]
            if best is None:
                best = part.clone(memory_format=torch.contiguous_format)
                place = torch.zeros(best.shape, dtype=torch.int16, device=x.device) if needs else None
            else:
                if needs:
                    place.masked_fill_(part > best, n)
                torch.maximum(best, part, out=best)
        ctx.save_for_backward(place)
        ctx.args = x.shape, k, s
        return best

    @staticmethod
    def backward(ctx, g):
        (place,) = ctx.saved_tensors
        shape, k, s = ctx.args
        h, w = g.shape[-2:]
        out = torch.zeros(shape, dtype=g.dtype, device=g.device)
        for n in range(k * k):
            u, v = divmod(n, k)
            out[..., u:u + (h - 1) * s + 1:s, v:v + (w - 1) * s + 1:s] += g * (place == n)
        return out, None, None


def max_pool_2d(x, kernel_size=2, stride=2):
    _need(x.shape[-2], x.shape[-1], kernel_size, kernel_size)
    return _FastMax.apply(x, kernel_size, stride)


class _FastMean(Function):
    """Sum over the rows of the windows, then over their columns; the backward pass spreads the gradient again."""

    @staticmethod
    def forward(ctx, x, k, s):
        h, w = (x.shape[-2] - k) // s * s + 1, (x.shape[-1] - k) // s * s + 1
        ctx.args = x.shape, k, s, h, w
        tall = x[..., 0:h:s, :].clone(memory_format=torch.contiguous_format)
        for u in range(1, k):
            tall.add_(x[..., u:u + h:s, :])
        out = tall[..., 0:w:s].clone(memory_format=torch.contiguous_format)
        for v in range(1, k):
            out.add_(tall[..., v:v + w:s])
        return out.div_(k * k)

    @staticmethod
    def backward(ctx, g):
        shape, k, s, h, w = ctx.args
        g = g / (k * k)
        out = g.new_zeros(shape)
        for u in range(k):
            for v in range(k):
                out[..., u:u + h:s, v:v + w:s] += g
        return out, None, None


def avg_pool_2d(x, kernel_size=2, stride=2):
    _need(x.shape[-2], x.shape[-1], kernel_size, kernel_size)
    return _FastMean.apply(x, kernel_size, stride)


def _fit_hook(module, args):
    _need(*args[0].shape[-2:], module.kernel_size, module.kernel_size)


class _Base(nn.Module):
    def __init__(self, kernel_size, stride):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.register_forward_pre_hook(_fit_hook)

    def windows(self, x):
        N, C, H, W = x.shape
        k, s = self.kernel_size, self.stride
        columns = F.unfold(x, k, stride=s)
        return columns.view(N, C, k * k, (H - k) // s + 1, (W - k) // s + 1).movedim(2, -1)


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        if not keepdim:
            self.register_forward_hook(_drop_hook)

    def forward(self, x):
        return F.avg_pool2d(x, x.shape[-2:])


def _drop_hook(module, args, out):
    return out.flatten(1)


class DepthPool(_Base):
    def __init__(self, pool_size=2):
        super().__init__(pool_size, None)

    def forward(self, x):
        if x.size(1) < self.kernel_size:
            raise ValueError("only %d channels for groups of %d" % (x.size(1), self.kernel_size))
        x = F.max_pool2d(x, self.kernel_size)
        n, c, h, w = x.shape
        return F.max_pool1d(x.permute(0, 2, 3, 1).reshape(n * h * w, 1, c), self.kernel_size).reshape(n, h, w, -1).permute(0, 3, 1, 2)


class MixedPooling(_Base):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        if not 0.0 <= alpha <= 1.0:
            raise ValueError("alpha must be in [0, 1], got %r" % (alpha,))
        super().__init__(kernel_size, stride)
        self.alpha = alpha

    def get_extra_state(self):
        return {"alpha": self.alpha}

    def set_extra_state(self, state):
        self.alpha = state["alpha"]

    def _compute(self, x):
        a = self.alpha
        return a * F.max_pool2d(x, self.kernel_size, self.stride) + (1 - a) * F.avg_pool2d(x, self.kernel_size, self.stride)

    def forward(self, x):
        return torch.utils.checkpoint.checkpoint(self._compute, x, use_reentrant=False)


class LPPooling(_Base):
    def __init__(self, kernel_size, stride=None, p=2):
        if not p > 0:
            raise ValueError("p must be positive, got %r" % (p,))
        super().__init__(kernel_size, stride)
        self.p = p

    def forward(self, x):
        return _PowerMean.apply(self.windows(x).abs(), self.p)


class StochasticPooling(_Base):
    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)

    def forward(self, x):
        if x.lt(0).any():
            raise ValueError("stochastic pooling is defined for non-negative activations")
        w = self.windows(x)
        total = w.sum(-1, keepdim=True)
        dead = total == 0
        if self.training:
            probs = (w + dead).detach()
            dice = torch.distributions.Categorical(probs=probs, validate_args=False).sample()
            return torch.take_along_dim(w, dice.unsqueeze(-1), -1).squeeze(-1)
        return (w / (total + dead) * w).sum(-1)
