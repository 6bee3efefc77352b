"""`F.pad` once for each side, `Tensor.unfold` once for each direction, copies where they are needed, in float64."""

import torch
import torch.nn.functional as F


def corr2d_multi_in_out_1x1(X, K):
    if K.dim() != 4 or K.shape[1:] != (X.shape[0], 1, 1):
        raise ValueError("K must have the shape (c_o, c_i, 1, 1)")
    rows = X.double().movedim(0, 1).contiguous()  # (H, c_i, W): one matrix for each row of pixels
    return torch.matmul(K.double()[:, :, 0, 0], rows).movedim(0, 1).to(X.dtype)


def corr2d_im2col(X, K, padding=0, stride=1):
    x = X.double()
    for sides in ((padding, 0), (0, padding), (0, 0, padding, 0), (0, 0, 0, padding)):
        x = F.pad(x, sides)
    h, w = K.shape[2:]
    if X.shape[1] != K.shape[1] or h > x.shape[2] or w > x.shape[3]:
        raise ValueError("the kernels do not fit")
    windows = x.unfold(2, h, stride).unfold(3, w, stride).permute(0, 2, 3, 1, 4, 5).contiguous()
    n, rows, columns = windows.shape[:3]
    patches = windows.view(n * rows * columns, -1).T.contiguous()
    products = torch.matmul(K.double().flatten(1), patches)
    return products.view(len(K), n, rows, columns).permute(1, 0, 2, 3).contiguous().to(X.dtype)
