import torch
from torch import nn
from torch.nn.functional import pad


def _need(condition, *facts):
    if not condition:
        raise ValueError("does not fit: " + ", ".join(map(str, facts)))


def _toeplitz(k, n):
    """T[i, j] = k[i - j], shape (n, n - len(k) + 1)."""
    m = n - k.shape[-1] + 1
    d = torch.arange(n, device=k.device)[:, None] - torch.arange(m, device=k.device)
    valid = (d >= 0) & (d < k.shape[-1])
    return k[..., d.clamp(0, k.shape[-1] - 1)] * valid


def corr2d(X, K):
    _need(K.shape[0] <= X.shape[0] and K.shape[1] <= X.shape[1], X.shape, K.shape)
    h, m = K.shape[0], X.shape[0] - K.shape[0] + 1
    T = _toeplitz(K, X.shape[1])                                 # (h, W, out_W)
    rows = torch.arange(h, device=X.device)[:, None] + torch.arange(m, device=X.device)
    return torch.einsum("uiw,uwj->ij", X[rows], T)


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        g = torch.randn(*kernel_size, dtype=torch.float64) / (kernel_size[0] * kernel_size[1]) ** 0.5
        self.weight = nn.Parameter(g.to(torch.get_default_dtype()))
        self.bias = nn.Parameter(self.weight.detach().new_zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def corr2d_multi_in(X, K):
    # correlation theorem
    _need(X.shape[0] == K.shape[0], X.shape, K.shape)
    _need(K.shape[1] <= X.shape[1] and K.shape[2] <= X.shape[2], X.shape, K.shape)
    s = X.shape[1:]
    x, k = (torch.fft.rfft2(t.double(), s=s) for t in (X, K))
    y = torch.fft.irfft2((x * k.conj()).sum(0), s=s)
    return y[:s[0] - K.shape[1] + 1, :s[1] - K.shape[2] + 1].to(X.dtype)


def corr2d_multi_in_out(X, K):
    _need(X.shape[0] == K.shape[1], X.shape, K.shape)
    (c, H, W), (h, w) = X.shape, K.shape[2:]
    _need(h <= H and w <= W, X.shape, K.shape)
    a, b, d = X.stride()
    windows = torch.as_strided(X, (c, H - h + 1, W - w + 1, h, w), (a, b, d, b, d), X.storage_offset())
    return torch.einsum("cijuv,ocuv->oij", windows, K)


def corr2d_multi_in_out_1x1(X, K):
    _need(K.dim() == 4 and K.shape[1:] == (X.shape[0], 1, 1), X.shape, K.shape)
    return torch.einsum("cij,ocuv->oij", X, K)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    (p, q), (s, t) = (v if not isinstance(v, int) else (v, v) for v in (padding, stride))
    (H, W), (h, w) = X.shape, K.shape
    m, n = (H + 2 * p - h) // s + 1, (W + 2 * q - w) // t + 1
    _need(m > 0 and n > 0, X.shape, K.shape, (p, q))
    # Y[i, j] = sum over (a, b) of X[a, b] K[a - s i + p, b - t j + q]
    u = torch.arange(H, device=X.device)[:, None] - s * torch.arange(m, device=X.device) + p
    v = torch.arange(W, device=X.device)[:, None] - t * torch.arange(n, device=X.device) + q
    U = (u[..., None] == torch.arange(h, device=X.device)).to(X.dtype)   # (H, m, h)
    V = (v[..., None] == torch.arange(w, device=X.device)).to(X.dtype)   # (W, n, w)
    return torch.einsum("ab,aik,bjl,kl->ij", X, U, V, K)


def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    h, w = kernel_size
    _need(h <= X.shape[0] and w <= X.shape[1], X.shape, kernel_size)
    K = torch.randn(h, w, dtype=X.dtype, device=X.device)
    # L(k) = |A k - y|^2, so its gradient is 2 (A'A k - A'y)
    A = X.detach().unfold(0, h, 1).unfold(1, w, 1).reshape(-1, h * w).double()
    y = Y.detach().reshape(-1).double()
    G, b, k = A.T @ A, A.T @ y, K.reshape(-1).double()
    for _ in range(steps):
        k = k - 2 * lr * (G @ k - b)
    return k.reshape(h, w).to(X.dtype)


def corr2d_im2col(X, K, padding=0, stride=1):
    _need(X.shape[1] == K.shape[1], X.shape, K.shape)
    N, c = X.shape[:2]
    o, _, h, w = K.shape
    Z = pad(X, (padding, padding, padding, padding)).contiguous()
    H, W = Z.shape[2:]
    _need(h <= H and w <= W, Z.shape, K.shape)
    m, n = (H - h) // stride + 1, (W - w) // stride + 1
    a, b, d, e = Z.stride()
    P = Z.as_strided((c, h, w, N, m, n), (b, d, e, a, d * stride, e * stride)).reshape(c * h * w, N * m * n)
    return torch.mm(K.reshape(o, -1), P).reshape(o, N, m, n).transpose(0, 1)
