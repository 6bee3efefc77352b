"""`Tensor.unfold` twice, then the window's columns, then its rows, in float64."""


def windows(x, kernel_size, stride):
    if kernel_size > min(x.shape[-2:]):
        raise ValueError("the window does not fit into the map")
    return x.double().unfold(-2, kernel_size, stride).unfold(-2, kernel_size, stride)


def max_pool_2d(x, kernel_size=2, stride=2):
    return windows(x, kernel_size, stride).max(-1).values.max(-1).values.to(x.dtype)


def avg_pool_2d(x, kernel_size=2, stride=2):
    return windows(x, kernel_size, stride).mean(-1).mean(-1).to(x.dtype)
