"""`F.linear` on the pixels and on the unfolded patches, in float64."""

import torch.nn.functional as F


def corr2d_multi_in_out_1x1(X, K):
    if K.dim() != 4 or K.shape[1:] != (X.shape[0], 1, 1):
        raise ValueError("K must have the shape (c_o, c_i, 1, 1)")
    pixels = X.permute(1, 2, 0).double()
    return F.linear(pixels, K.flatten(1).double()).permute(2, 0, 1).to(X.dtype)


def corr2d_im2col(X, K, padding=0, stride=1):
    size = [(side + 2 * padding - k) // stride + 1 for side, k in zip(X.shape[2:], K.shape[2:], strict=True)]
    if X.shape[1] != K.shape[1] or min(size) < 1:
        raise ValueError("the kernels do not fit")
    patches = F.unfold(X.double(), K.shape[2:], padding=padding, stride=stride)
    products = F.linear(patches.transpose(1, 2), K.flatten(1).double())
    return products.transpose(1, 2).reshape(len(X), len(K), *size).to(X.dtype)
