"""Loops down to the single number where they are allowed, and results that are filled in step by step."""

import torch
from torch import nn, optim


class DoesNotFit(ValueError):
    pass


def check(big, small):
    for b, s in zip(big, small):
        if s > b:
            raise DoesNotFit("kernel of size %d on %d pixels" % (s, b))


def corr2d(X, K):
    check(X.shape, K.shape)
    Y = torch.zeros(X.size(0) - K.size(0) + 1, X.size(1) - K.size(1) + 1, dtype=X.dtype, device=X.device)
    for i in range(Y.size(0)):
        for j in range(Y.size(1)):
            for a in range(K.size(0)):
                for b in range(K.size(1)):
                    Y[i, j] += X[i + a, j + b] * K[a, b]
    return Y


class Conv2D(nn.Module):
    steps_seen: int

    def __init__(self, kernel_size, bias_start=0.0):
        super().__init__()
        bound = 1 / (kernel_size[0] * kernel_size[1]) ** 0.5
        self.weight = nn.Parameter(torch.Tensor(*kernel_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.tensor([bias_start]))
        self.register_buffer("calls", torch.zeros(1))
        self.history = []

    def forward(self, x):
        self.calls += 1
        self.history.append(tuple(x.shape))
        out = corr2d(x, self.weight)
        return out + self.bias.expand_as(out)


def corr2d_multi_in(X, K):
    if not len(X) == len(K):
        raise ValueError("channels: {} and {}".format(len(X), len(K)))
    result = corr2d(X[0], K[0])
    for c in range(1, len(X)):
        result += corr2d(X[c], K[c])
    return result


def corr2d_multi_in_out(X, K):
    results = []
    for o in range(K.size(0)):
        results.append(corr2d_multi_in(X, K[o]).unsqueeze(0))
    return torch.cat(results, 0)


def corr2d_multi_in_out_1x1(X, K):
    try:
        c_o, c_i, h, w = K.shape
    except ValueError:
        raise ValueError("K needs four dimensions")
    if (h, w) != (1, 1):
        raise ValueError("K is not 1x1")
    if X.size(0) != c_i:
        raise ValueError("channels")
    flat = X.contiguous().view(c_i, -1)
    return torch.mm(K.contiguous().view(c_o, c_i), flat).view((c_o,) + tuple(X.shape[1:]))


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if not hasattr(padding, "__len__"):
        padding = [padding] * 2
    if not hasattr(stride, "__len__"):
        stride = [stride] * 2
    big = torch.zeros(X.size(0) + 2 * padding[0], X.size(1) + 2 * padding[1], dtype=X.dtype, device=X.device)
    big[padding[0]:padding[0] + X.size(0), padding[1]:padding[1] + X.size(1)] = X
    check(big.shape, K.shape)
    return corr2d(big, K)[::stride[0], ::stride[1]].clone()


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    check(X.shape, kernel_size)
    net = Conv2D(kernel_size).to(X.dtype)
    optimizer = optim.SGD([net.weight], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.sum((net(X.detach()) - net.bias.detach() - Y) ** 2)
        loss.backward()
        optimizer.step()
    return net.weight.data


def corr2d_im2col(X, K, padding=0, stride=1):
    N, C, H, W = X.shape
    O, C2, h, w = K.shape
    if C != C2:
        raise ValueError("wrong number of channels: %d, not %d" % (C, C2))
    big = torch.zeros(N, C, H + 2 * padding, W + 2 * padding, dtype=X.dtype, device=X.device)
    big[:, :, padding:padding + H, padding:padding + W] = X
    check(big.shape[2:], (h, w))
    oh, ow = (big.size(2) - h) // stride + 1, (big.size(3) - w) // stride + 1
    columns = torch.zeros(h, w, C, N, oh, ow, dtype=X.dtype, device=X.device)
    for a in range(h):
        for b in range(w):
            columns[a, b] = big[:, :, a:a + stride * oh:stride, b:b + stride * ow:stride].transpose(0, 1)[..., :oh, :ow]
    product = K.permute(0, 2, 3, 1).reshape(O, -1).mm(columns.reshape(h * w * C, -1))
    return product.reshape(O, N, oh, ow).transpose(0, 1).contiguous()
