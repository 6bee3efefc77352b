"""Right: nothing is computed by formula; layers of torch.nn are built without memory and asked."""

import torch
import torch.nn.functional as F
from torch import nn

META = torch.device("meta")


def _learned(*layers):
    return sum(p.numel() for layer in layers for p in layer.parameters())


def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return _learned(nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias, groups=groups, device=META))


def linear_parameters(in_features, out_features, bias=True):
    return _learned(nn.Linear(in_features, out_features, bias=bias, device=META))


def batchnorm_parameters(num_features, affine=True):
    return _learned(nn.BatchNorm3d(num_features, affine=affine, device=META))


def mlp_parameters(sizes, bias=True):
    if len(sizes) <= 1:
        raise ValueError(f"too few sizes: {sizes}")
    with META:
        return _learned(nn.Sequential(*(nn.Linear(a, b, bias) for a, b in zip(sizes, sizes[1:]))))


def count_parameters(model, trainable_only=False):
    vectors = [p.detach().reshape(-1) for p in model.parameters() if not trainable_only or p.requires_grad]
    return len(torch.cat(vectors)) if vectors else 0


def _layer(kernel, stride, padding):
    if stride < 1:
        raise ValueError("stride: %r" % stride)
    return nn.Conv1d(1, 1, kernel, stride=stride, padding=padding, device=META)


def output_size(input_size, kernel_size, stride=1, padding=0):
    x = torch.empty(1, 1, input_size, device=META)
    try:
        return _layer(kernel_size, stride, padding)(x).shape[2]
    except RuntimeError as error:
        raise ValueError(str(error) or "does not fit") from error


def network_sizes(input_size, layers):
    x, sizes = torch.empty(1, 1, input_size, device=META), (input_size,)
    for layer in layers:
        try:
            x = _layer(*layer)(x)
        except RuntimeError:
            raise ValueError("A layer does not fit") from None
        sizes += (x.size(-1),)
    return sizes


def same_padding(kernel_size):
    for padding in range(kernel_size):
        if output_size(99, kernel_size, padding=padding) == 99:
            return padding
    raise ValueError("There is none.")


def receptive_field(layers, input_size=224):
    # An impulse is sent back from each output to a line of pixels that goes on beyond both ends of the image.
    outputs = network_sizes(input_size, layers)[-1]
    ends = []
    for i in range(outputs):
        low = high = i
        for kernel, stride, padding in reversed(layers):
            low = low * stride - padding
            high = high * stride - padding + kernel - 1
        ends.append((low, high))
    return [ends[0][1] - ends[0][0] + 1, [(low + high) / 2 for low, high in ends]]


def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    weight = torch.empty(out_channels, in_channels // groups, kernel_size, kernel_size, device=META)
    x = torch.empty(1, in_channels, input_size, input_size, device=META)
    y = F.conv2d(x, weight, None, stride, padding, 1, groups)
    return y[0, 0].numel() * weight.numel()


def _conv_bn(i, o, k):
    return nn.Sequential(nn.Conv2d(i, o, k, bias=False, device=META), nn.BatchNorm2d(o, device=META))


class _Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.a, self.b = _conv_bn(i, o, 3), _conv_bn(o, o, 3)
        if i != o:
            self.shortcut = _conv_bn(i, o, 1)


def _resnet34():
    parts, i = [_conv_bn(3, 64, 7)], 64
    for o, n in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for _ in range(n):
            parts.append(_Block(i, o))
            i = o
    return nn.Sequential(*parts, nn.Linear(512, 1000, device=META))


def _vgg16():
    parts, i = [], 3
    for o in [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]:
        parts.append(nn.Conv2d(i, o, 3, device=META))
        i = o
    return nn.Sequential(
        *parts,
        nn.Linear(512 * 49, 4096, device=META),
        nn.Linear(4096, 4096, device=META),
        nn.Linear(4096, 1000, device=META),
    )


ANSWERS = {
    "vgg16": count_parameters(nn.Sequential(_vgg16())),
    "resnet34": _learned(_resnet34()),
    "stem_conv_weights": nn.Conv2d(3, 64, 7, bias=False, device=META).weight.numel(),
    "stem_conv_with_bias": conv2d_parameters(3, 64, (7, 7)),
    "linear_2048_1000": linear_parameters(2048, 1000),
    "mlp_784_392_196_10": mlp_parameters([784, 392, 196, 10]),
    "global_average_pooling": count_parameters(nn.AdaptiveAvgPool2d(1)),
    "one_5x5_64": conv2d_parameters(64, 64, 5),
    "two_3x3_64": conv2d_parameters(64, 64, 3) + conv2d_parameters(64, 64, 3),
    "basic_block_256": _learned(_Block(256, 256)),
    "bottleneck_block_256_64": _learned(_conv_bn(256, 64, 1), _conv_bn(64, 64, 3), _conv_bn(64, 256, 1)),
    "something else": "not asked",
}
