import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import Function
from torch.nn.modules.utils import _pair


def _check_size(h, w, kh, kw):
    if kh > h or kw > w:
        raise ValueError("Calculated padded input size per channel: ({} x {}). Kernel size: ({} x {}). "
                         "Kernel size can't be greater than actual input size".format(h, w, kh, kw))


def _check_channels(got, expected):
    if got != expected:
        raise ValueError("expected input to have {} channels, but got {} channels instead".format(expected, got))


class _Correlate(Function):
    """Strided cross-correlation of (..., H, W) with (h, w); differentiable twice."""

    @staticmethod
    def forward(ctx, x, k, sh, sw):
        ctx.save_for_backward(x, k)
        ctx.strides = sh, sw
        kh, kw = k.shape
        oh, ow = (x.shape[-2] - kh) // sh + 1, (x.shape[-1] - kw) // sw + 1
        out = x.new_zeros(x.shape[:-2] + (oh, ow))
        for i in range(oh):
            for j in range(ow):
                out[..., i, j] = (x[..., i * sh:i * sh + kh, j * sw:j * sw + kw] * k).sum((-2, -1))
        return out

    @staticmethod
    def backward(ctx, g):
        x, k = ctx.saved_tensors
        sh, sw = ctx.strides
        kh, kw = k.shape
        oh, ow = g.shape[-2:]
        gx = gk = None
        if ctx.needs_input_grad[0]:
            gx = torch.zeros_like(x, memory_format=torch.contiguous_format)
            for u in range(kh):
                for v in range(kw):
                    gx[..., u:u + (oh - 1) * sh + 1:sh, v:v + (ow - 1) * sw + 1:sw] += g * k[u, v]
        if ctx.needs_input_grad[1]:
            gk = torch.stack([
                (x[..., u:u + (oh - 1) * sh + 1:sh, v:v + (ow - 1) * sw + 1:sw] * g).sum()
                for u in range(kh) for v in range(kw)]).view(kh, kw)
        return gx, gk, None, None


def corr2d(X, K):
    _check_size(*X.shape, *K.shape)
    return _Correlate.apply(X, K, 1, 1)


class Conv2D(nn.Module):
    __constants__ = ["kernel_size"]

    def __init__(self, kernel_size):
        super().__init__()
        self.kernel_size = _pair(kernel_size)
        self.register_parameter("weight", nn.Parameter(torch.empty(self.kernel_size)))
        self.register_parameter("bias", nn.Parameter(torch.empty(1)))
        self.reset_parameters()
        self.register_forward_hook(_bias_hook)

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.weight, a=5 ** 0.5)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return corr2d(x, self.weight)


def _bias_hook(module, args, output):
    return output + module.bias


def corr2d_multi_in(X, K):
    _check_channels(X.size(0), K.size(0))
    _check_size(*X.shape[1:], *K.shape[1:])
    columns = F.unfold(X.unsqueeze(0), K.shape[1:])
    rows = K.reshape(1, -1)
    return F.linear(rows, columns[0].t()).view(X.size(1) - K.size(1) + 1, -1)


def corr2d_multi_in_out(X, K):
    _check_channels(X.size(0), K.size(1))
    _check_size(*X.shape[1:], *K.shape[2:])
    maps = []
    for k in K.unbind(0):
        maps.append(sum(_Correlate.apply(x, kk, 1, 1) for x, kk in zip(X.unbind(0), k.unbind(0))))
    return torch.stack(maps, dim=0)


def corr2d_multi_in_out_1x1(X, K):
    if K.ndim != 4 or K.shape[-2:] != torch.Size([1, 1]):
        raise ValueError("expected a pointwise kernel, got {}".format(tuple(K.shape)))
    _check_channels(X.size(0), K.size(1))
    return F.linear(X.permute(1, 2, 0), K.flatten(1)).permute(2, 0, 1)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = _pair(padding), _pair(stride)
    X = nn.ZeroPad2d((pw, pw, ph, ph))(X[None])[0]
    _check_size(*X.shape, *K.shape)
    return _Correlate.apply(X, K, sh, sw)


class _Model(nn.Module):
    def __init__(self, kernel_size, dtype, device):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(*kernel_size, dtype=dtype, device=device))
        nn.init.normal_(self.kernel)

    def forward(self, X):
        return corr2d(X, self.kernel)


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    _check_size(*X.shape, *kernel_size)
    model = _Model(kernel_size, X.dtype, X.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    criterion = nn.MSELoss(reduction="sum")
    X, Y = X.detach(), Y.detach()

    def closure():
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(X), Y)
        loss.backward()
        return loss

    with torch.enable_grad():
        for _ in range(steps):
            optimizer.step(closure)
    return model.kernel.detach()


class _Im2Col(Function):
    @staticmethod
    def forward(ctx, X, K, padding, stride):
        columns = F.unfold(X, K.shape[2:], padding=padding, stride=stride)
        ctx.save_for_backward(columns, K)
        ctx.args = X.shape[2:], padding, stride
        return torch.matmul(K.reshape(K.shape[0], -1), columns)

    @staticmethod
    def backward(ctx, g):
        columns, K = ctx.saved_tensors
        size, padding, stride = ctx.args
        gx = gk = None
        if ctx.needs_input_grad[0]:
            gx = F.fold(K.reshape(K.shape[0], -1).t() @ g, size, K.shape[2:], padding=padding, stride=stride)
        if ctx.needs_input_grad[1]:
            gk = torch.einsum("nol,nkl->ok", g, columns).reshape(K.shape)
        return gx, gk, None, None


def corr2d_im2col(X, K, padding=0, stride=1):
    _check_channels(X.size(1), K.size(1))
    H, W = X.size(2) + 2 * padding, X.size(3) + 2 * padding
    _check_size(H, W, *K.shape[2:])
    Y = _Im2Col.apply(X, K, padding, stride)
    return Y.view(X.size(0), K.size(0), (H - K.size(2)) // stride + 1, (W - K.size(3)) // stride + 1)
