# Lazy layers, hooks, buffers, parametrizations, checkpoints, an autograd function of its own.
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint


def materialise(layer, *shape):
    """A dry run with zeros makes an ordinary layer of a lazy one."""
    with torch.no_grad():
        layer(torch.zeros(*shape))
    return layer


class AddReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        out = torch.add(a, b).clamp_(min=0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        grad = grad * (out > 0)
        return grad, grad


add_relu = AddReLU.apply


class ChannelsLast(nn.Module):
    """A parametrization that changes only the layout of a kernel."""

    def forward(self, weight):
        return weight.contiguous(memory_format=torch.channels_last)


def relu_hook(module, args, output):
    return F.relu(output)


def conv3x3(in_planes, out_planes, stride=1):
    return materialise(nn.LazyConv2d(out_planes, 3, stride=stride, padding=1, bias=False), 1, in_planes, 1, 1)


def conv1x1(in_planes, out_planes, stride=1):
    return materialise(nn.LazyConv2d(out_planes, 1, stride=stride, bias=False), 1, in_planes, 1, 1)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.lower = parametrize.register_parametrization(conv3x3(in_channels, out_channels, stride), "weight", ChannelsLast())
        self.lower_norm = nn.BatchNorm2d(out_channels)
        self.lower_norm.register_forward_hook(relu_hook)
        self.upper = parametrize.register_parametrization(conv3x3(out_channels, out_channels), "weight", ChannelsLast())
        self.upper_norm = nn.BatchNorm2d(out_channels)
        if stride == 1 and in_channels == out_channels:
            self.register_module("shortcut", nn.Identity())
        else:
            self.register_module("shortcut", nn.Sequential(conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels)))

    def forward(self, x):
        # a checkpoint around convolutions only: batch norms must not see a batch twice
        y = self.lower_norm(checkpoint(self.lower, x, use_reentrant=False))
        y = self.upper_norm(checkpoint(self.upper, y, use_reentrant=False))
        return add_relu(y, self.shortcut(x))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.register_module("downsample", downsample)
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.conv2 = conv3x3(planes, planes)
        self.bn1 = nn.BatchNorm2d(planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return add_relu(y, x if self.downsample is None else self.downsample(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = conv1x1(inplanes, planes)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = conv1x1(planes, planes * 4)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.relu = nn.ReLU()
        self.register_module("downsample", downsample)
        for norm in (self.bn1, self.bn2):
            norm.register_forward_hook(relu_hook)

    def forward(self, x):
        y = x
        for k in (1, 2, 3):
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
        return add_relu(x if self.downsample is None else self.downsample(x), y)


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        self.inplanes = 64
        self.conv1 = materialise(nn.LazyConv2d(64, 7, 2, 3, bias=False), 1, 3, 7, 7)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2)
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2)
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = materialise(nn.LazyLinear(num_classes), 1, self.inplanes)

    def _make_layer(self, block, planes, blocks, stride=1):
        outplanes = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != outplanes:
            downsample = nn.Sequential(conv1x1(self.inplanes, outplanes, stride), nn.BatchNorm2d(outplanes))
        stage = nn.Sequential()
        stage.add_module("0", block(self.inplanes, planes, stride, downsample))
        self.inplanes = outplanes
        for k in range(1, blocks):
            stage.add_module(str(k), block(outplanes, planes, 1, None))
        return stage

    def forward(self, x):
        for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"):
            x = self.get_submodule(name)(x)
        return self.fc(x.squeeze(-1).squeeze(-1))


def resnet18(num_classes=1000):
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes=num_classes)


def resnet34(num_classes=1000):
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes=num_classes)


def resnet50(num_classes=1000):
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes=num_classes)


def resnet101(num_classes=1000):
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes=num_classes)


def resnet152(num_classes=1000):
    return ResNet(Bottleneck, (3, 8, 36, 3), num_classes=num_classes)


class OptionA(nn.Module):
    """A convolution with a constant kernel, which is a buffer and not part of the state."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("kernel", torch.eye(2 * channels, channels)[:, :, None, None], persistent=False)

    def forward(self, x):
        return F.conv2d(x, self.kernel.to(x.dtype), stride=2)


def cifar_resnet(n, num_classes=10):
    net = nn.Sequential()
    net.add_module("stem", conv3x3(3, 16))
    net.add_module("norm", nn.BatchNorm2d(16))
    net.norm.register_forward_hook(relu_hook)
    for k in range(3):
        for j in range(n):
            first = j == 0 and k > 0
            width = 16 * 2**k
            block = BasicBlock(width // 2, width, 2, OptionA(width // 2)) if first else BasicBlock(width, width)
            net.add_module(f"block{k}_{j}", block)
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", nn.Flatten())
    net.add_module("head", materialise(nn.LazyLinear(num_classes), 1, 64))
    return net
