"""The patches are stacked, one slice for each place in the kernel, in float64; `tensordot` multiplies."""

import torch
import torch.nn.functional as F


def corr2d_multi_in_out_1x1(X, K):
    if K.dim() != 4 or K.shape[1:] != (X.shape[0], 1, 1):
        raise ValueError("K must have the shape (c_o, c_i, 1, 1)")
    return torch.tensordot(K.double(), X.double(), dims=([1], [0])).flatten(0, 2).to(X.dtype)


def corr2d_im2col(X, K, padding=0, stride=1):
    x = F.pad(X.double(), [padding] * 4)
    h, w = K.shape[2:]
    rows, columns = (x.shape[2] - h) // stride + 1, (x.shape[3] - w) // stride + 1
    if X.shape[1] != K.shape[1] or min(rows, columns) < 1:
        raise ValueError("the kernels do not fit")
    slices = []
    for i in range(h):
        for j in range(w):
            slices.append(
                x[:, :, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
            )
    patches = torch.stack(slices, dim=-1)  # (N, c_i, H', W', h * w)
    products = torch.tensordot(patches, K.double().flatten(2), dims=([1, 4], [1, 2]))
    return products.permute(0, 3, 1, 2).to(X.dtype)
