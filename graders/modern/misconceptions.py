"""Known wrong ways to do the exercises of `modern`, with the hint for a student who did exactly that.

Most variants are the solution's module with one of its parts replaced. If a mistake shows only in a special way, its
docstring begins with that way: gradient, dtype, layout, in place, exception type, random, statistics.
"""

import torch
import torch.nn.functional as F
from modern import (
    ConvBNReLU,
    EfficientNetB0,
    MBConvBlock,
    ModernBlock,
    ModernCNN,
    PreActBlock,
    SqueezeExcitation,
)
from torch import nn

from autograder.grading import misconception
from autograder.grading.mistakes import FirstSize, NoGraphInEvaluation, OneRoom


class Plus(nn.Module):
    """Right: the sum of what two modules return for the input."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return self.first(x) + self.second(x)


class Times(nn.Module):
    """Right: the input times what a module returns for it."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def forward(self, x):
        return x * self.gate(x)


class Largest(nn.Module):
    """Global *maximum* pooling."""

    def forward(self, x):
        return x.amax((2, 3), keepdim=True)


class ViewsItsInput:
    """For any module: `view` refuses an input whose memory is not in the order of its indices."""

    def forward(self, x):
        return super().forward(x.view(-1).view(x.shape))


class FirstOfEachShape(nn.Module):
    """Another module whose first result for every shape is kept and used again, where no graph is needed."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.kept = layer, {}

    def forward(self, x):
        if self.training or torch.is_grad_enabled():
            return self.layer(x)
        if x.shape not in self.kept:
            self.kept[x.shape] = self.layer(x).clone()
        return self.kept[x.shape]


class DetachedInEvaluation(nn.Module):
    """Another module whose result is cut off from the graph in evaluation mode."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x) if self.training else self.layer(x).detach()


class InFloat32(nn.Module):
    """Another module whose result has the precision of float32."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x).float().to(x.dtype)


class MeanOverTheFirstArea(nn.Module):
    """The sum over the pixels, divided by the number of pixels of the first map. Returns (N, C)."""

    area = None

    def forward(self, x):
        self.area = self.area or x.shape[2:].numel()
        return x.sum((2, 3)) / self.area


def with_eps(model, eps=1e-3):
    """The same model, whose batch norms add another number to the variance."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = eps
    return model


class SequentialWithOneRoom(OneRoom, nn.Sequential):
    pass


class SequentialWithoutGraph(NoGraphInEvaluation, nn.Sequential):
    pass


class WithoutExtentsOfOne(nn.Module):
    """`squeeze()` in the place of a flattening."""

    def forward(self, x):
        return x.squeeze()


def conv(in_channels, out_channels, kernel_size=1, stride=1, groups=1):
    """Right: a convolution without bias, padded so that only its stride makes the map smaller."""
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)


def with_bias(convolution):
    """The same convolution, with a bias."""
    like = {name: getattr(convolution, name) for name in ("stride", "padding", "groups")}
    return nn.Conv2d(convolution.in_channels, convolution.out_channels, convolution.kernel_size, **like)


def without_bias(convolution):
    """The same convolution, without a bias."""
    return conv(convolution.in_channels, convolution.out_channels, convolution.kernel_size[0], convolution.stride)


def excitation(channels, squeezed, activation=nn.ReLU):
    """Right: the weights of the channels."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(channels, squeezed, 1),
        activation(),
        nn.Conv2d(squeezed, channels, 1),
        nn.Sigmoid(),
    )


def pre_act_stages(blocks, widths, strides, before, *, last=False):
    """Right (unless `last`, which gives the stride to the last block of a stage): the blocks of a Wide ResNet."""
    for width, stride in zip(widths, strides, strict=True):
        for block in range(blocks):
            yield PreActBlock(before, width, stride if block == (blocks - 1 if last else 0) else 1)
            before = width


def wide(stem, stages, channels, num_classes, between=None):
    """Right: a Wide ResNet of these parts."""
    between = [nn.BatchNorm2d(channels), nn.ReLU()] if between is None else between
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes)]
    return nn.Sequential(stem, *stages, *between, *head)


def blocks_of(depth):
    """Right: n, or a ValueError."""
    if depth < 10 or depth % 6 != 4:
        raise ValueError("the depth is not 6n + 4")
    return (depth - 4) // 6


# ConvBNReLU


@misconception("ConvBNReLU", hint="The batch norm subtracts a mean. What is left of a number added just before it?")
class KeepsTheBias(ConvBNReLU):
    """The convolution has a bias."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups)
        self.conv = with_bias(self.conv)


@misconception("ConvBNReLU", hint="Is there a negative number in your result? The name of the module ends in ReLU.")
class ForgetsTheReLU(ConvBNReLU):
    """Nothing comes after the batch norm."""

    def forward(self, x):
        return self.bn(self.conv(x))


@misconception("ConvBNReLU", hint="Read the name of the module from left to right. In what order do your layers run?")
class ActivatesBeforeTheNorm(ConvBNReLU):
    """The ReLU comes between convolution and batch norm."""

    def forward(self, x):
        return self.bn(F.relu(self.conv(x)))


@misconception("ConvBNReLU", hint="How many channels does your batch norm have? Which layer does it follow?")
class NormalisesTheInput(ConvBNReLU):
    """The batch norm comes before the convolution."""

    def __init__(self, in_channels, out_channels, *others, **named):
        super().__init__(in_channels, out_channels, *others, **named)
        self.bn = nn.BatchNorm2d(in_channels)

    def forward(self, x):
        return F.relu(self.conv(self.bn(x)))


@misconception(
    "ConvBNReLU", hint="A layer belongs between the convolution and the ReLU. Print your module: is it there?"
)
class ForgetsTheNorm(ConvBNReLU):
    """No batch norm."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.bn = nn.Identity()


@misconception("ConvBNReLU", hint="Print `module.conv.stride` for stride=2. Does every argument reach the convolution?")
class IgnoresTheStride(ConvBNReLU):
    """The stride is always 1."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):  # noqa: ARG002
        super().__init__(in_channels, out_channels, kernel_size, 1, padding, groups)


@misconception("ConvBNReLU", hint="The caller chooses the padding; it need not keep the size of the image.")
class KeepsTheSize(ConvBNReLU):
    """The padding is kernel_size // 2 whatever the caller says."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):  # noqa: ARG002
        super().__init__(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups)


@misconception(
    "ConvBNReLU", hint="Print the shape of your kernel with groups=2. How many channels does each group see?"
)
class IgnoresTheGroups(ConvBNReLU):
    """There is only one group."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):  # noqa: ARG002
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)


@misconception("ConvBNReLU", hint="In what order does nn.Conv2d take its arguments? Passing them by name is safer.")
class ExchangesStrideAndPadding(ConvBNReLU):
    """Stride and padding are swapped."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__(in_channels, out_channels, kernel_size, max(1, padding), stride, groups)


@misconception("ConvBNReLU", hint="Look up the second argument of nn.BatchNorm2d. Is it a number of channels?")
class GivesTheNormTwoNumbers(ConvBNReLU):
    """nn.BatchNorm2d(c, c): the second c is eps."""

    def __init__(self, in_channels, out_channels, *others, **named):
        super().__init__(in_channels, out_channels, *others, **named)
        self.bn = nn.BatchNorm2d(out_channels, out_channels)


@misconception("ConvBNReLU", hint="Which statistics does your batch norm use after `module.eval()`?")
class AlwaysUsesTheBatch(ConvBNReLU):
    """Evaluation mode: the statistics of the batch are used there, too."""

    def forward(self, x):
        y = self.conv(x)
        return F.relu(F.batch_norm(y, None, None, self.bn.weight, self.bn.bias, training=True))


@misconception("ConvBNReLU", hint="What dtype is your result when the module and the input are float64?")
class ConvolvesInFloat32(ConvBNReLU):
    """Dtype: everything is computed in float32."""

    def forward(self, x):
        y = F.conv2d(
            x.float(), self.conv.weight.float(), None, self.conv.stride, self.conv.padding, 1, self.conv.groups
        )
        return F.relu(self.bn(y.to(x.dtype)))


@misconception(
    "ConvBNReLU", hint="Evaluate, train, evaluate again. When do you combine the kernel with the batch norm?"
)
class FoldsTheNormOnce(ConvBNReLU):
    """State: kernel and batch norm are combined in the first evaluation and never again, where no graph is needed."""

    folded = None

    def forward(self, x):
        if self.training or torch.is_grad_enabled():
            return super().forward(x)
        if self.folded is None:
            scale = self.bn.weight / (self.bn.running_var + self.bn.eps).sqrt()
            self.folded = self.conv.weight * scale[:, None, None, None], self.bn.bias - self.bn.running_mean * scale
        conv = self.conv
        return F.relu(F.conv2d(x, *self.folded, conv.stride, conv.padding, groups=conv.groups))


@misconception("ConvBNReLU", hint="Give one module an image of 4×4, then one of 8×4. Which size does each result have?")
class KeepsTheSizeOfItsFirstImage(FirstSize, ConvBNReLU):
    """State: every result is brought to the size of the first one."""


@misconception("ConvBNReLU", hint="Keep a result, call the module again, and look at the first result once more.")
class HasOneTensorForAllResults(OneRoom, ConvBNReLU):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("ConvBNReLU", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class RecordsNoGraphInEvaluation(NoGraphInEvaluation, ConvBNReLU):
    """Gradient: none in evaluation mode."""


@misconception("ConvBNReLU", hint="How many digits of the result are right if module and image are float64?")
class NormalisesInFloat32(ConvBNReLU):
    """Dtype: the input of the batch norm has the precision of float32."""

    def forward(self, x):
        return F.relu(self.bn(self.conv(x).float().to(x.dtype)))


@misconception("ConvBNReLU", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesTheResult(ConvBNReLU):
    """A batch of one, and a single channel, lose their dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception(
    "ConvBNReLU", hint="A batch norm adds a small number to the variance. Did you choose another than PyTorch?"
)
class ChoosesAnotherEps(ConvBNReLU):
    """eps is 0.001."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        with_eps(self)


@misconception("ConvBNReLU", hint="Print the shape of your kernels for kernel_size=5. Does every argument arrive?")
class IgnoresTheKernelSize(ConvBNReLU):
    """The kernel is always 3×3."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):  # noqa: ARG002
        super().__init__(in_channels, out_channels, 3, stride, padding, groups)


@misconception(
    "ConvBNReLU", hint="Others call your module by the names in the exercise. What are your arguments called?"
)
class RenamesItsArguments(ConvBNReLU):
    """The arguments have names of their own."""

    def __init__(self, in_channels, out_channels, kernel=3, stride=1, pad=1, groups=1):
        super().__init__(in_channels, out_channels, kernel, stride, pad, groups)


@misconception(
    "ConvBNReLU",
    hint="Not every tensor is stored in the order of its indices. What does `view` need, unlike `reshape`?",
)
class ViewsItsImages(ViewsItsInput, ConvBNReLU):
    """Layout: `view` refuses a transposed or sliced input."""


# SqueezeExcitation


@misconception("SqueezeExcitation", hint="What range should the weight of a channel be in?")
class ForgetsTheSigmoid(SqueezeExcitation):
    """The channels are multiplied by the output of the second convolution itself."""

    def forward(self, x):
        return x * self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))))


@misconception("SqueezeExcitation", hint="Two linear maps in a row are just one linear map. What belongs between them?")
class ForgetsTheReLUBetween(SqueezeExcitation):
    """No activation between the convolutions."""

    def forward(self, x):
        return x * self.excite(self.squeeze(x.mean((2, 3), keepdim=True))).sigmoid()


@misconception(
    "SqueezeExcitation", hint="Does the last activation expect numbers between 0 and 1, or does it take any number?"
)
class RectifiesTwice(SqueezeExcitation):
    """There is a ReLU before the sigmoid, too, so no channel gets a weight below one half."""

    def forward(self, x):
        scale = F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return x * F.relu(self.excite(scale)).sigmoid()


@misconception(
    "SqueezeExcitation", hint="Do the weights of the channels have to add up to 1? Can two channels both matter?"
)
class LetsTheChannelsCompete(SqueezeExcitation):
    """Softmax over the channels instead of sigmoid."""

    def forward(self, x):
        scale = F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return x * self.excite(scale).softmax(1)


@misconception(
    "SqueezeExcitation", hint="Which activation belongs between the convolutions? There are smooth ones, too."
)
class ActivatesSmoothly(SqueezeExcitation):
    """SiLU instead of ReLU."""

    def forward(self, x):
        return x * self.excite(F.silu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="No batch norm follows these convolutions, so nothing cancels a bias.")
class ForgetsTheBiases(SqueezeExcitation):
    """The convolutions have no bias."""

    def __init__(self, channels, squeezed):
        super().__init__(channels, squeezed)
        self.squeeze, self.excite = without_bias(self.squeeze), without_bias(self.excite)


@misconception("SqueezeExcitation", hint="What does your module return: the weights, or the input multiplied by them?")
class ReturnsTheWeights(SqueezeExcitation):
    """The input is not multiplied."""

    def forward(self, x):
        return self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="A channel with weight 0 should vanish. Does it vanish if you add?")
class AddsTheWeights(SqueezeExcitation):
    """The weights are added to the input."""

    def forward(self, x):
        return x + self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="A channel is squeezed to its average. Do you take its largest pixel?")
class SqueezesToTheMaximum(SqueezeExcitation):
    """Global maximum pooling."""

    def forward(self, x):
        return x * self.excite(F.relu(self.squeeze(x.amax((2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="Try a 2 × 6 image. Your window is as wide as the image is high.")
class PoolsOneSquare(SqueezeExcitation):
    """The window is x.size(2) in both directions: right for square images only."""

    def forward(self, x):
        return x * self.excite(F.relu(self.squeeze(F.avg_pool2d(x, x.size(2))))).sigmoid()


@misconception("SqueezeExcitation", hint="Do two images in a batch get the same weights? Should they?")
class AveragesTheBatch(SqueezeExcitation):
    """The mean goes over the images of the batch as well."""

    def forward(self, x):
        return x * self.excite(F.relu(self.squeeze(x.mean((0, 2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="Is `squeezed` a number of channels, or a number to divide by?")
class TakesTheWidthForARatio(SqueezeExcitation):
    """channels // squeezed channels in the middle."""

    def __init__(self, channels, squeezed):
        super().__init__(channels, max(1, channels // squeezed))


@misconception(
    "SqueezeExcitation", hint="Does a gradient reach the input through the weights, too? What cuts the graph?"
)
class DetachesTheWeights(SqueezeExcitation):
    """Gradient: none goes through the squeeze."""

    def forward(self, x):
        return x * self.excite(F.relu(self.squeeze(x.detach().mean((2, 3), keepdim=True)))).sigmoid()


@misconception("SqueezeExcitation", hint="Look at your argument after the call. Whose memory does `*=` write to?")
class MultipliesInPlace(SqueezeExcitation):
    """In place: the input itself is multiplied."""

    def forward(self, x):
        scale = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()
        return x.mul_(scale)


@misconception(
    "SqueezeExcitation", hint="Not every tensor is stored in the order of its indices. What does `view` need?"
)
class ViewsThePixels(SqueezeExcitation):
    """Layout: `view` refuses a transposed or sliced input."""

    def forward(self, x):
        scale = x.view(*x.shape[:2], -1).mean(-1)[..., None, None]
        return x * self.excite(F.relu(self.squeeze(scale))).sigmoid()


@misconception(
    "SqueezeExcitation",
    hint="`squeeze()` removes every dimension of size 1, even the batch dimension of a single image.",
)
class SqueezesTheBatch(SqueezeExcitation):
    """squeeze() also removes N = 1 and C = 1."""

    def forward(self, x):
        scale = F.linear(x.mean((2, 3)).squeeze(), self.squeeze.weight.flatten(1), self.squeeze.bias)
        scale = F.linear(F.relu(scale), self.excite.weight.flatten(1), self.excite.bias).sigmoid()
        return x * scale.unsqueeze(-1).unsqueeze(-1)


@misconception(
    "SqueezeExcitation", hint="Call one module with two images of the same size. Which weights does the second get?"
)
class KeepsItsFirstWeights(SqueezeExcitation):
    """State: the weights of the channels are computed once for every shape, where no graph is needed."""

    def __init__(self, channels, squeezed):
        super().__init__(channels, squeezed)
        self.kept = {}

    def forward(self, x):
        if self.training or torch.is_grad_enabled():
            return super().forward(x)
        if x.shape not in self.kept:
            self.kept[x.shape] = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()
        return x * self.kept[x.shape]


@misconception(
    "SqueezeExcitation", hint="Give one module a small image, then a large one. How many pixels does each mean count?"
)
class DividesByTheFirstArea(SqueezeExcitation):
    """State: the number of pixels to average over is taken from the first image."""

    area = None

    def forward(self, x):
        self.area = self.area or x.shape[2:].numel()
        scale = x.sum((2, 3), keepdim=True) / self.area
        return x * self.excite(F.relu(self.squeeze(scale))).sigmoid()


@misconception(
    "SqueezeExcitation", hint="Keep a result, call the module again, and look at the first result once more."
)
class OverwritesItsFirstResult(OneRoom, SqueezeExcitation):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception(
    "SqueezeExcitation", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image."
)
class GivesNoGradientInEvaluation(NoGraphInEvaluation, SqueezeExcitation):
    """Gradient: none in evaluation mode."""


@misconception(
    "SqueezeExcitation", hint="Two paths lead from the result back to x. Which of them is cut in evaluation mode?"
)
class DetachesTheWeightsInEvaluation(SqueezeExcitation):
    """Gradient: none flows through the weights of the channels in evaluation mode."""

    def forward(self, x):
        scale = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).sigmoid()
        return x * (scale if self.training else scale.detach())


@misconception(
    "SqueezeExcitation", hint="How many digits of a channel's weight are right if module and image are float64?"
)
class AveragesInFloat32(SqueezeExcitation):
    """Dtype: the mean over the pixels has the precision of float32."""

    def forward(self, x):
        scale = x.float().mean((2, 3), keepdim=True).to(x.dtype)
        return x * self.excite(F.relu(self.squeeze(scale))).sigmoid()


@misconception("SqueezeExcitation", hint="On which device does `torch.zeros` make a tensor if you name none?")
class FillsATensorOnTheCPU(SqueezeExcitation):
    """Device: the means of the channels are put into a tensor that is always on the CPU."""

    def forward(self, x):
        scale = torch.zeros(*x.shape[:2], 1, 1, dtype=x.dtype) + x.mean((2, 3), keepdim=True)
        return x * self.excite(F.relu(self.squeeze(scale))).sigmoid()


@misconception("SqueezeExcitation", hint="How large is `exp(1000)`? PyTorch has a sigmoid that never divides ∞ by ∞.")
class WritesTheSigmoidByHand(SqueezeExcitation):
    """exp(z) / (1 + exp(z)) is NaN for a large z."""

    def forward(self, x):
        power = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))).exp()
        return x * (power / (1 + power))


@misconception(
    "SqueezeExcitation", hint="Call your module twice in training mode with the same image. Should the results differ?"
)
class DropsWeights(SqueezeExcitation):
    """Random: dropout between the convolutions in training."""

    def forward(self, x):
        scale = F.dropout(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))), 0.5, self.training)
        return x * self.excite(scale).sigmoid()


@misconception(
    "SqueezeExcitation", hint="After `backward()`, which parameters have a gradient? Look at both convolutions."
)
class DetachesBetweenTheConvolutions(SqueezeExcitation):
    """Gradient: the first convolution gets none, and the input none through it."""

    def forward(self, x):
        scale = F.relu(self.squeeze(x.mean((2, 3), keepdim=True))).detach()
        return x * self.excite(scale).sigmoid()


@misconception(
    "SqueezeExcitation", hint="Others call your module by the names in the exercise. What are your arguments called?"
)
class NamesItsArgumentsDifferently(SqueezeExcitation):
    """The arguments have names of their own."""

    def __init__(self, in_channels, width):
        super().__init__(in_channels, width)


# MBConvBlock


@misconception("MBConvBlock", hint="SiLU is not ReLU: it lets a little of the negative numbers through.")
class UsesReLU(MBConvBlock):
    """ReLU after expansion and depthwise convolution."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.depthwise[2] = nn.ReLU()
        if not isinstance(self.expansion, nn.Identity):
            self.expansion[2] = nn.ReLU()


@misconception("MBConvBlock", hint="Is there a ReLU in your block? This block uses a smoother activation everywhere.")
class UsesReLUEverywhere(MBConvBlock):
    """ReLU in all three places where a SiLU belongs."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.depthwise[2] = self.scale[2] = nn.ReLU()
        if not isinstance(self.expansion, nn.Identity):
            self.expansion[2] = nn.ReLU()


@misconception("MBConvBlock", hint="Which activation is inside the squeeze and excitation of *this* block?")
class SqueezesWithReLU(MBConvBlock):
    """ReLU inside the squeeze and excitation."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.scale[2] = nn.ReLU()


@misconception("MBConvBlock", hint="The projection is linear. What comes after its batch norm?")
class ActivatesTheProjection(MBConvBlock):
    """SiLU after the projection."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.projection.append(nn.SiLU())


@misconception(
    "MBConvBlock",
    hint="The squeeze's width is a fraction of a number of channels. Which number? Print the one you use.",
)
class SqueezesTheExpandedChannels(MBConvBlock):
    """The width of the squeeze is a fraction of the expanded channels."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        expanded = in_channels * expand_ratio
        self.scale = excitation(expanded, max(1, int(expanded * se_ratio)), nn.SiLU)


@misconception("MBConvBlock", hint="What is `int(1.5)`, and what is `round(1.5)`?")
class RoundsTheSqueeze(MBConvBlock):
    """The width of the squeeze is rounded to the nearest number."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        self.scale = excitation(in_channels * expand_ratio, max(1, round(in_channels * se_ratio)), nn.SiLU)


@misconception("MBConvBlock", hint="Change se_ratio: do the parameters of your block change?")
class SqueezesToAQuarter(MBConvBlock):
    """se_ratio is ignored."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):  # noqa: ARG002
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride)


@misconception("MBConvBlock", hint="How many channels does the squeeze have in a block with three input channels?")
class SqueezesToNothing(MBConvBlock):
    """The width of the squeeze may become 0."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        if int(in_channels * se_ratio) == 0:
            raise RuntimeError("a convolution with 0 channels")


@misconception("MBConvBlock", hint="Print a block with expand_ratio=1. Is there a convolution that expands nothing?")
class ExpandsByOne(MBConvBlock):
    """Even with expand_ratio=1 there is a 1×1 convolution, batch norm and SiLU."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        if expand_ratio == 1:
            self.expansion = nn.Sequential(conv(in_channels, in_channels), nn.BatchNorm2d(in_channels), nn.SiLU())


@misconception("MBConvBlock", hint="Can the input be added to a map of a different size? Check again when it is added.")
class AddsASmallerInput(MBConvBlock):
    """At stride 2 with equal channels, every other pixel of the input is added."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        self.adds_input, self.stride = in_channels == out_channels, stride

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = self.projection(y * self.scale(y))
        return x[..., :: self.stride, :: self.stride] + y if self.adds_input else y


@misconception(
    "MBConvBlock", hint="When is the input added? Give your block as many output channels as input channels."
)
class NeverAddsTheInput(MBConvBlock):
    """There is no residual connection."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.adds_input = False


@misconception(
    "MBConvBlock", hint="When the numbers of channels differ, does this block have anything on the shortcut?"
)
class ProjectsTheShortcut(MBConvBlock):
    """If the channels differ or there is a stride, a 1×1 convolution of the input is added, as in a ResNet."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        self.shortcut = None if self.adds_input else conv(in_channels, out_channels, 1, stride)

    def forward(self, x):
        y = super().forward(x)
        return y if self.shortcut is None else y + self.shortcut(x)


@misconception("MBConvBlock", hint="Try a 5×5 kernel. Only the stride should make the map smaller.")
class PadsWithOne(MBConvBlock):
    """The padding is 1 for every kernel."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        self.depthwise[0].padding = (1, 1)


@misconception(
    "MBConvBlock",
    hint="Which convolution takes the stride: the one that mixes channels, or the one that looks at neighbours?",
)
class StridesTheExpansion(MBConvBlock):
    """The 1×1 expansion has the stride, where there is one."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        if not isinstance(self.expansion, nn.Identity):
            self.expansion[0].stride, self.depthwise[0].stride = self.depthwise[0].stride, (1, 1)


@misconception("MBConvBlock", hint="How many channels does one depthwise kernel see? Print the shape of its weights.")
class MixesChannelsInTheMiddle(MBConvBlock):
    """The middle convolution is an ordinary one, with one group."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        expanded = in_channels * expand_ratio
        self.depthwise[0] = conv(expanded, expanded, kernel_size, stride)


@misconception("MBConvBlock", hint="Where in the block are the channels weighted? Follow the drawing from the top.")
class WeighsBeforeTheDepthwise(MBConvBlock):
    """Squeeze and excitation comes before the depthwise convolution."""

    def forward(self, x):
        y = self.expansion(x)
        y = self.projection(self.depthwise(y * self.scale(y)))
        return x + y if self.adds_input else y


@misconception("MBConvBlock", hint="Which channels are weighted: those in the wide middle, or those at the end?")
class WeighsTheProjection(MBConvBlock):
    """Squeeze and excitation comes after the projection."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        self.scale = excitation(out_channels, max(1, int(in_channels * se_ratio)), nn.SiLU)

    def forward(self, x):
        y = self.projection(self.depthwise(self.expansion(x)))
        y = y * self.scale(y)
        return x + y if self.adds_input else y


@misconception("MBConvBlock", hint="Which convolutions are followed by a batch norm, and which have a bias?")
class KeepsAllBiases(MBConvBlock):
    """The convolutions before a batch norm have a bias."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        for part in (self.depthwise, self.projection):
            part[0] = with_bias(part[0])


@misconception(
    "MBConvBlock",
    hint="The convolutions inside the squeeze and excitation have no batch norm. Should they have a bias?",
)
class SqueezesWithoutBias(MBConvBlock):
    """The convolutions of the squeeze and excitation have no bias."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.scale[1], self.scale[3] = without_bias(self.scale[1]), without_bias(self.scale[3])


@misconception(
    "MBConvBlock", hint="Call your block twice in training mode with the same input. Should the results differ?"
)
class DropsTheBranch(MBConvBlock):
    """Random: dropout after the projection in training."""

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = F.dropout(self.projection(y * self.scale(y)), 0.2, self.training)
        return x + y if self.adds_input else y


@misconception("MBConvBlock", hint="Look at your argument after the call. Whose memory does `x += y` write to?")
class AddsInPlace(MBConvBlock):
    """In place: the branch is added to the input itself."""

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = self.projection(y * self.scale(y))
        return x.add_(y) if self.adds_input else y


@misconception(
    "MBConvBlock", hint="Call one block with two maps of the same size. Which weights do the second map's channels get?"
)
class KeepsTheFirstWeights(MBConvBlock):
    """State: the weights of the channels are computed once for every shape, where no graph is needed."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.scale = FirstOfEachShape(self.scale)


@misconception("MBConvBlock", hint="Give one block a map of 4×4, then one of 8×4. Which size does each result have?")
class KeepsTheFirstSize(FirstSize, MBConvBlock):
    """State: every result is brought to the size of the first one."""


@misconception("MBConvBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class WritesAllResultsIntoOneTensor(OneRoom, MBConvBlock):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("MBConvBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
class HasNoGraphInEvaluation(NoGraphInEvaluation, MBConvBlock):
    """Gradient: none in evaluation mode."""


@misconception(
    "MBConvBlock", hint="In evaluation mode, does a gradient flow back through the weights of the channels, too?"
)
class DetachesTheScaleInEvaluation(MBConvBlock):
    """Gradient: none flows through the weights of the channels in evaluation mode."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.scale = DetachedInEvaluation(self.scale)


@misconception("MBConvBlock", hint="How many digits of what you add are right if block and map are float64?")
class AddsItsInputInFloat32(MBConvBlock):
    """Dtype: what is added has the precision of float32."""

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = self.projection(y * self.scale(y))
        return x.float().to(x.dtype) + y if self.adds_input else y


@misconception("MBConvBlock", hint="How many digits of a channel's weight are right if block and map are float64?")
class WeighsInFloat32(MBConvBlock):
    """Dtype: the weights of the channels have the precision of float32."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.scale = InFloat32(self.scale)


@misconception("MBConvBlock", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesASingleImage(MBConvBlock):
    """A batch of one loses its dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("MBConvBlock", hint="A batch norm adds a small number to the variance. Which one does PyTorch choose?")
class TakesTheEpsOfThePaper(MBConvBlock):
    """eps is 0.001 in all batch norms."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        with_eps(self)


@misconception(
    "MBConvBlock", hint="Which of the three convolutions looks at neighbours? Print the shapes of all kernels."
)
class ExpandsWithNeighbours(MBConvBlock):
    """The expansion is 3×3."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio)
        if expand_ratio != 1:
            self.expansion[0] = conv(in_channels, in_channels * expand_ratio, 3)


@misconception(
    "MBConvBlock", hint="Pass the same batch twice in training mode. Is the branch of an image ever missing?"
)
class SkipsTheBranchAtRandom(MBConvBlock):
    """Random: stochastic depth in training, for each image, where the input is added."""

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = self.projection(y * self.scale(y))
        if not self.adds_input:
            return y
        stays = torch.rand(len(x), 1, 1, 1, dtype=x.dtype) < 0.7 if self.training else torch.ones(1, dtype=x.dtype)
        return x + y * stays


@misconception(
    "MBConvBlock", hint="Is a negative number in the sum a mistake? Look at what follows the last plus sign."
)
class ActivatesTheSumSmoothly(MBConvBlock):
    """SiLU after the sum."""

    def forward(self, x):
        result = super().forward(x)
        return F.silu(result) if self.adds_input else result


@misconception(
    "MBConvBlock", hint="`F.dropout` has an argument that says whether the module is training. What is its default?"
)
class DropsEvenInEvaluation(MBConvBlock):
    """Random: dropout after the projection, in evaluation mode as well, where the input is added."""

    def forward(self, x):
        y = self.depthwise(self.expansion(x))
        y = self.projection(y * self.scale(y))
        return x + F.dropout(y, 0.2) if self.adds_input else y


@misconception("MBConvBlock", hint="Print the shape of the depthwise kernels for kernel_size=5.")
class AlwaysLooksAtThreePixels(MBConvBlock):
    """The depthwise kernel is always 3×3."""

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):  # noqa: ARG002
        super().__init__(in_channels, out_channels, expand_ratio, 3, stride, se_ratio)


@misconception(
    "MBConvBlock", hint="Others call your block by the names in the exercise. What are your arguments called?"
)
class UsesItsOwnNames(MBConvBlock):
    """The arguments have names of their own."""

    def __init__(self, in_channels, out_channels, expansion, kernel, stride, ratio=0.25):
        super().__init__(in_channels, out_channels, expansion, kernel, stride, ratio)


@misconception(
    "MBConvBlock",
    hint="Not every tensor is stored in the order of its indices. What does `view` need, unlike `reshape`?",
)
class ViewsItsMaps(ViewsItsInput, MBConvBlock):
    """Layout: `view` refuses a transposed or sliced input."""


# PreActBlock


@misconception(
    "PreActBlock", hint="Where does the shortcut start? In the drawing it branches off before the first batch norm."
)
class ProjectsTheActivatedInput(PreActBlock):
    """The 1×1 convolution takes relu(bn(x))."""

    def forward(self, x):
        activated = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(activated))))
        return y + (x if isinstance(self.shortcut, nn.Identity) else self.shortcut(activated))


@misconception("PreActBlock", hint="With equal channels: is it really x that you add, without a ReLU in between?")
class AddsTheActivatedInput(PreActBlock):
    """The shortcut always starts after the first batch norm and ReLU."""

    def forward(self, x):
        x = F.relu(self.bn1(x))
        return self.shortcut(x) + self.conv2(F.relu(self.bn2(self.conv1(x))))


@misconception(
    "PreActBlock", hint="Which layers are on the shortcut? An older ResNet block has one more there than this one."
)
class NormalisesTheShortcut(PreActBlock):
    """The 1×1 convolution has a batch norm."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut = nn.Sequential(self.shortcut, nn.BatchNorm2d(out_channels))


@misconception("PreActBlock", hint="Is any number in your result negative? What comes after the sum in this block?")
class ActivatesTheSum(PreActBlock):
    """ReLU after the sum."""

    def forward(self, x):
        return F.relu(super().forward(x))


@misconception("PreActBlock", hint="Pre-activation: which layer comes first in each of the two steps?")
class ConvolvesFirst(PreActBlock):
    """conv-BN-ReLU twice, as in an older ResNet."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return self.shortcut(x) + F.relu(self.bn2(self.conv2(y)))


@misconception("PreActBlock", hint="Batch norm, ReLU, convolution: in what order do the first two come?")
class ActivatesBeforeTheNorms(PreActBlock):
    """ReLU before batch norm."""

    def forward(self, x):
        y = self.conv1(self.bn1(F.relu(x)))
        return self.shortcut(x) + self.conv2(self.bn2(F.relu(y)))


@misconception(
    "PreActBlock", hint="Print the shape after each convolution for stride=2. Which one makes the map smaller?"
)
class StridesTheSecond(PreActBlock):
    """The second convolution has the stride."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv1.stride, self.conv2.stride = (1, 1), (stride, stride)


@misconception("PreActBlock", hint="Equal channels and stride 2: what is on the shortcut then?")
class SkipsPixelsOnTheShortcut(PreActBlock):
    """With equal channels and a stride, every other pixel is added without a convolution."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if in_channels == out_channels and stride != 1:
            self.shortcut = nn.MaxPool2d(1, stride)


@misconception(
    "PreActBlock", hint="Count the parameters for equal channels and stride 1. Is a convolution needed there?"
)
class AlwaysProjects(PreActBlock):
    """There is a 1×1 convolution on every shortcut."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = conv(in_channels, out_channels, 1, stride)


@misconception("PreActBlock", hint="How large is the kernel on the shortcut?")
class ProjectsWithNeighbours(PreActBlock):
    """The convolution on the shortcut is 3×3."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut = conv(in_channels, out_channels, 3, stride)


@misconception("PreActBlock", hint="Which convolutions of this block have a bias? Print them.")
class BiasesTheShortcut(PreActBlock):
    """The 1×1 convolution has a bias."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut = with_bias(self.shortcut)


@misconception("PreActBlock", hint="Each convolution has an activation before it. What is before the second?")
class ActivatesOnce(PreActBlock):
    """No ReLU before the second convolution."""

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        return self.shortcut(x) + self.conv2(self.bn2(y))


@misconception(
    "PreActBlock", hint="The two batch norms see different maps. Do you have two, each with its own statistics?"
)
class SharesTheNorm(PreActBlock):
    """Statistics: with equal channels one batch norm is used twice."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if in_channels == out_channels:
            self.bn2 = self.bn1


@misconception("PreActBlock", hint="Look at your argument after the call. Whose memory does `x += y` write to?")
class AddsToItsInput(PreActBlock):
    """In place: the branch is added to the input itself, where there is no convolution on the shortcut."""

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        side = self.shortcut(x)
        side += y
        return side


@misconception(
    "PreActBlock", hint="Call one block with two maps of the same size. What is added to the result for the second?"
)
class AddsItsFirstInput(PreActBlock):
    """State: what is added is computed once for every shape, where no graph is needed."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = FirstOfEachShape(self.shortcut)


@misconception("PreActBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class WritesOverItsFirstResult(OneRoom, PreActBlock):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("PreActBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
class LearnsNothingInEvaluation(NoGraphInEvaluation, PreActBlock):
    """Gradient: none in evaluation mode."""


@misconception("PreActBlock", hint="Two paths lead from the result back to x. Which of them is cut in evaluation mode?")
class DetachesTheShortcutInEvaluation(PreActBlock):
    """Gradient: none flows through the shortcut in evaluation mode."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = DetachedInEvaluation(self.shortcut)


@misconception("PreActBlock", hint="How many digits of what you add are right if block and map are float64?")
class AddsTheInputInFloat32(PreActBlock):
    """Dtype: what is added has the precision of float32."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = InFloat32(self.shortcut)


@misconception("PreActBlock", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesTheSum(PreActBlock):
    """A batch of one, and a single channel, lose their dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("PreActBlock", hint="The branch ends with a convolution. Can what you add to x be negative?")
class ActivatesTheBranch(PreActBlock):
    """ReLU after the second convolution, before the sum."""

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        return self.shortcut(x) + F.relu(self.conv2(F.relu(self.bn2(y))))


@misconception("PreActBlock", hint="Which convolutions of this assignment have a bias? Print the two of your branch.")
class BiasesTheBranch(PreActBlock):
    """Both 3×3 convolutions have a bias."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv1, self.conv2 = with_bias(self.conv1), with_bias(self.conv2)


@misconception(
    "PreActBlock", hint="How much smaller is the map after a block with stride 2? Count the strides on the way."
)
class StridesBoth(PreActBlock):
    """Both 3×3 convolutions have the stride, and the shortcut has its square."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv2.stride = (stride, stride)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut.stride = (stride**2, stride**2)


@misconception("PreActBlock", hint="Give your block stride 2. Is the map half as large afterwards?")
class ForgetsTheStride(PreActBlock):
    """All strides are 1."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv1.stride = (1, 1)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut.stride = (1, 1)


@misconception(
    "PreActBlock", hint="Others call your block by the names in the exercise. What are your arguments called?"
)
class CallsItsArgumentsPlanes(PreActBlock):
    """The arguments have names of their own."""

    def __init__(self, in_planes, planes, stride=1):
        super().__init__(in_planes, planes, stride)


@misconception(
    "PreActBlock",
    hint="Not every tensor is stored in the order of its indices. What does `view` need, unlike `reshape`?",
)
class FlattensItsMaps(ViewsItsInput, PreActBlock):
    """Layout: `view` refuses a transposed or sliced input."""


# ModernBlock


@misconception("ModernBlock", hint="What do you weight: the branch or the sum? Find the place in the drawing.")
class WeighsTheSum(ModernBlock):
    """Squeeze and excitation comes after the sum."""

    def forward(self, x):
        return self.branch[-1](self.shortcut(x) + self.branch[:-1](x))


@misconception(
    "ModernBlock", hint="Which part of this block is missing from an ordinary bottleneck? Count your parameters."
)
class ForgetsToWeigh(ModernBlock):
    """No squeeze and excitation."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.branch = self.branch[:-1]


@misconception("ModernBlock", hint="Where does the shortcut start? It branches off before the first batch norm.")
class ProjectsAfterTheFirstNorm(ModernBlock):
    """The 1×1 convolution on the shortcut takes relu(bn(x))."""

    def forward(self, x):
        activated = self.branch[:2](x)
        side = x if isinstance(self.shortcut, nn.Identity) else self.shortcut(activated)
        return side + self.branch[2:](activated)


@misconception("ModernBlock", hint="Which layers does the shortcut of a PreActBlock have?")
class NormalisesTheSide(ModernBlock):
    """The 1×1 convolution on the shortcut has a batch norm."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut = nn.Sequential(self.shortcut, nn.BatchNorm2d(out_channels))


@misconception("ModernBlock", hint="Is any number in your result negative? What comes after the sum?")
class RectifiesTheSum(ModernBlock):
    """ReLU after the sum."""

    def forward(self, x):
        return F.relu(super().forward(x))


@misconception(
    "ModernBlock",
    hint="Which of the three convolutions takes the stride? A 1×1 one would skip pixels without seeing them.",
)
class StridesTheFirst(ModernBlock):
    """The first 1×1 convolution has the stride."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.branch[2].stride, self.branch[5].stride = (stride, stride), (1, 1)


@misconception("ModernBlock", hint="The middle is narrow: a quarter of which number of channels?")
class NarrowsTheInput(ModernBlock):
    """The width is in_channels // 4."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        width = max(1, in_channels // 4)
        self.branch[2], self.branch[3] = conv(in_channels, width), nn.BatchNorm2d(width)
        self.branch[5], self.branch[6] = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.branch[8] = conv(width, out_channels)


@misconception("ModernBlock", hint="What number do you divide by to get the width of the middle?")
class HalvesTheWidth(ModernBlock):
    """The width is out_channels // 2."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        width = out_channels // 2
        self.branch[2], self.branch[3] = conv(in_channels, width), nn.BatchNorm2d(width)
        self.branch[5], self.branch[6] = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.branch[8] = conv(width, out_channels)


@misconception(
    "ModernBlock", hint="The squeeze's width is a fraction of a number of channels. Which number, in this block?"
)
class SqueezesTheInputChannels(ModernBlock):
    """The width of the squeeze is a fraction of in_channels, as in MBConvBlock."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.branch[-1] = SqueezeExcitation(out_channels, max(1, int(in_channels * se_ratio)))


@misconception("ModernBlock", hint="Change se_ratio: do the parameters of your block change?")
class IgnoresTheRatio(ModernBlock):
    """se_ratio is ignored."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):  # noqa: ARG002
        super().__init__(in_channels, out_channels, stride)


@misconception("ModernBlock", hint="Which activation is inside the squeeze and excitation of this block?")
class WeighsSmoothly(ModernBlock):
    """SiLU inside the squeeze and excitation."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.branch[-1] = Times(excitation(out_channels, max(1, int(out_channels * se_ratio)), nn.SiLU))


@misconception("ModernBlock", hint="Activation first: which layer does each of the three steps begin with?")
class NormalisesAfterTheConvolutions(ModernBlock):
    """conv-BN-ReLU, conv-BN-ReLU, conv-BN."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        _, _, one, norm, relu, two, other_norm, _, three, weigh = self.branch
        self.branch = nn.Sequential(one, norm, relu, two, other_norm, relu, three, nn.BatchNorm2d(out_channels), weigh)


@misconception(
    "ModernBlock", hint="Three batch norms are enough: each comes before a convolution. Where is your fourth?"
)
class NormalisesTheBranch(ModernBlock):
    """A batch norm after the last convolution."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.branch.insert(9, nn.BatchNorm2d(out_channels))


@misconception(
    "ModernBlock", hint="Count the parameters for equal channels and stride 1. Is a convolution needed there?"
)
class ProjectsEverySide(ModernBlock):
    """There is a 1×1 convolution on every shortcut."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.shortcut = conv(in_channels, out_channels, 1, stride)


@misconception("ModernBlock", hint="Is there a ReLU before each of the three convolutions?")
class LeavesOutAnActivation(ModernBlock):
    """No ReLU before the last convolution."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.branch[7] = nn.Identity()


@misconception(
    "ModernBlock", hint="Call your block twice in training mode with the same input. Should the results differ?"
)
class DropsHalf(ModernBlock):
    """Random: dropout in the branch in training."""

    def forward(self, x):
        return self.shortcut(x) + F.dropout(self.branch(x), 0.5, self.training)


@misconception(
    "ModernBlock", hint="Call one block with two maps of the same size. What is added to the result for the second?"
)
class AddsItsFirstMap(ModernBlock):
    """State: what is added is computed once for every shape, where no graph is needed."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.shortcut = FirstOfEachShape(self.shortcut)


@misconception("ModernBlock", hint="Give one block a map of 4×4, then one of 8×4. Which size does each result have?")
class ResizesToItsFirstResult(FirstSize, ModernBlock):
    """State: every result is brought to the size of the first one."""


@misconception("ModernBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class FillsOneTensorAgainAndAgain(OneRoom, ModernBlock):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("ModernBlock", hint="Look at your argument after the call. Whose memory does `x += y` write to?")
class AddsTheBranchInPlace(ModernBlock):
    """In place: the branch is added to the input itself, where there is no convolution on the shortcut."""

    def forward(self, x):
        y = self.branch(x)
        side = self.shortcut(x)
        side += y
        return side


@misconception("ModernBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
class SwitchesTheGraphOffInEvaluation(NoGraphInEvaluation, ModernBlock):
    """Gradient: none in evaluation mode."""


@misconception("ModernBlock", hint="Two paths lead from the result back to x. Which of them is cut in evaluation mode?")
class DetachesTheSideInEvaluation(ModernBlock):
    """Gradient: none flows through the shortcut in evaluation mode."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.shortcut = DetachedInEvaluation(self.shortcut)


@misconception("ModernBlock", hint="How many digits of what you add are right if block and map are float64?")
class AddsItsMapInFloat32(ModernBlock):
    """Dtype: what is added has the precision of float32."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.shortcut = InFloat32(self.shortcut)


@misconception(
    "ModernBlock", hint="The branch ends with the weights of the channels. Can what you add to x be negative?"
)
class RectifiesTheBranch(ModernBlock):
    """ReLU after the squeeze and excitation, before the sum."""

    def forward(self, x):
        return self.shortcut(x) + F.relu(self.branch(x))


@misconception("ModernBlock", hint="Which convolutions of this block have a bias? Print the three of the bottleneck.")
class BiasesTheBottleneck(ModernBlock):
    """The three convolutions of the bottleneck have a bias."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        for place in (2, 5, 8):
            self.branch[place] = with_bias(self.branch[place])


@misconception(
    "ModernBlock", hint="How much smaller is the map after a block with stride 2? Count the strides on the way."
)
class ShrinksTwice(ModernBlock):
    """The first two convolutions have the stride, and the shortcut has its square."""

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride, se_ratio)
        self.branch[2].stride = (stride, stride)
        if not isinstance(self.shortcut, nn.Identity):
            self.shortcut.stride = (stride**2, stride**2)


@misconception(
    "ModernBlock", hint="Others call your block by the names in the exercise. What are your arguments called?"
)
class GivesItsArgumentsOtherNames(ModernBlock):
    """The arguments have names of their own."""

    def __init__(self, in_planes, planes, stride=1, ratio=0.25):
        super().__init__(in_planes, planes, stride, ratio)


@misconception(
    "ModernBlock",
    hint="Not every tensor is stored in the order of its indices. What does `view` need, unlike `reshape`?",
)
class NeedsItsMapsInOrder(ViewsItsInput, ModernBlock):
    """Layout: `view` refuses a transposed or sliced input."""


@misconception("ModernBlock", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesItsResult(ModernBlock):
    """A batch of one loses its dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("ModernBlock", hint="Print `training` of every module after `block.train()` and a call. Who changed it?")
class KeepsItsNormsInEvaluationMode(ModernBlock):
    """Statistics: the batch norms are in evaluation mode, in training as well."""

    def forward(self, x):
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return super().forward(x)


# ModernCNN


@misconception(
    "ModernCNN",
    hint="What comes between the last block and the global pooling? Read the text about the head again.",
)
class NormalisesTheEnd(ModernCNN):
    """Batch norm and ReLU after the last block."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features.append(nn.BatchNorm2d(2048)).append(nn.ReLU())


@misconception("ModernCNN", hint="Nothing comes after the last sum of the features, not even a ReLU.")
class RectifiesTheEnd(ModernCNN):
    """ReLU after the last block."""

    def forward(self, x):
        return self.classifier(F.relu(self.features(x)).mean((2, 3)))


@misconception("ModernCNN", hint="Print the size of the maps after each stage. The first stage keeps the size.")
class ShrinksInTheFirstStage(ModernCNN):
    """The first stage has stride 2 as well."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[2] = ModernBlock(64, 256, 2)


@misconception(
    "ModernCNN", hint="Which block of a stage takes the stride? Print the sizes after the first block of each."
)
class ShrinksInTheSecondBlock(ModernCNN):
    """The second block of stage 2 has the stride."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[5].branch[5].stride = self.features[5].shortcut.stride = (1, 1)
        self.features[6].branch[5].stride = (2, 2)
        self.features[6].shortcut = nn.MaxPool2d(1, 2)


@misconception(
    "ModernCNN",
    hint="How many blocks does each stage have? Counting the parameters will tell you.",
)
class MixesUpTheStages(ModernCNN):
    """Stages of 3, 4, 5 and 3 blocks."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        del self.features[14]


@misconception("ModernCNN", hint="What does the stem consist of? Print the size of the map after it.")
class ForgetsTheFirstPooling(ModernCNN):
    """No max pooling in the stem."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[1] = nn.Identity()


@misconception("ModernCNN", hint="Check the pooling in the stem: kernel, stride and padding, one by one.")
class PoolsTwoByTwo(ModernCNN):
    """The pooling of the stem is 2×2."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[1] = nn.MaxPool2d(2)


@misconception("ModernCNN", hint="A batch norm follows the first convolution. Does that convolution need a bias?")
class BiasesTheStem(ModernCNN):
    """The first convolution has a bias."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[0].conv = with_bias(self.features[0].conv)


@misconception("ModernCNN", hint="Global *average* pooling: what do you compute over the pixels?")
class PoolsTheMaximum(ModernCNN):
    """Global maximum pooling."""

    def forward(self, x):
        return self.classifier(self.features(x).amax((2, 3)))


@misconception(
    "ModernCNN", hint="Do your results add up to 1? A network meant for training returns the linear layer's output."
)
class ReturnsProbabilities(ModernCNN):
    """Softmax at the end."""

    def forward(self, x):
        return super().forward(x).softmax(1)


@misconception(
    "ModernCNN",
    hint="Ask for 10 classes. How many numbers do you get per image?",
)
class AlwaysKnowsAThousandClasses(ModernCNN):
    """num_classes is ignored."""

    def __init__(self, num_classes=1000):  # noqa: ARG002
        super().__init__()


@misconception(
    "ModernCNN", hint="Give one network a small image, then a large one. How many pixels does each mean count?"
)
class AveragesOverTheFirstArea(ModernCNN):
    """State: the number of pixels to average over is taken from the first image."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.mean = MeanOverTheFirstArea()

    def forward(self, x):
        return self.classifier(self.mean(self.features(x)))


@misconception("ModernCNN", hint="Keep the scores of one image, pass another one, and look at the first scores again.")
class OverwritesItsScores(OneRoom, ModernCNN):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("ModernCNN", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class IsFrozenInEvaluation(NoGraphInEvaluation, ModernCNN):
    """Gradient: none in evaluation mode."""


@misconception("ModernCNN", hint="How many digits of the scores are right if network and image are float64?")
class ClassifiesInFloat32(ModernCNN):
    """Dtype: the means of the maps have the precision of float32."""

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)).float().to(x.dtype))


@misconception("ModernCNN", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesInsteadOfFlattening(ModernCNN):
    """A batch of one loses its dimension."""

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3), keepdim=True).squeeze())


# compound_scaling


def refuse_bad_factors(alpha, beta, gamma):
    """Right."""
    if abs(alpha * beta**2 * gamma**2 - 2) > 0.2:
        raise ValueError("alpha · beta² · gamma² is not about 2")


@misconception("compound_scaling", hint="Scale by 1.2 twice: is that a factor of 2.4, or of 1.44?")
def multiplies_by_phi(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """phi times the factor instead of the power."""
    refuse_bad_factors(alpha, beta, gamma)
    return phi * alpha, phi * beta, phi * gamma


@misconception(
    "compound_scaling", hint="Which comes first in the result: depth or width? Which factor goes with which?"
)
def returns_the_width_first(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """(width, depth, resolution)."""
    refuse_bad_factors(alpha, beta, gamma)
    return float(beta) ** phi, float(alpha) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="A product can be too large. Can it also be too small?")
def refuses_only_large_products(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """A product far below 2 is allowed."""
    if alpha * beta**2 * gamma**2 > 2.2:
        raise ValueError("alpha · beta² · gamma² is too large")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="Which of the three factors are squared in the rule, and why?")
def multiplies_without_squares(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The rule is tested with alpha · beta · gamma, and only from above, since the defaults give 1.5."""
    if alpha * beta * gamma > 2.2:
        raise ValueError("alpha · beta · gamma is not about 2")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception(
    "compound_scaling", hint="The cost grows with the square of width and of resolution. Do you square both?"
)
def squares_only_the_width(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The resolution is not squared in the rule."""
    if abs(alpha * beta**2 * gamma - 2) > 0.4:
        raise ValueError("alpha · beta² · gamma is not about 2")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="How much is 10 % of 2?")
def takes_ten_percent_for_a_tenth(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The bound is 0.1 instead of 0.2."""
    if abs(alpha * beta**2 * gamma**2 - 2) > 0.1:
        raise ValueError("alpha · beta² · gamma² is not about 2")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="Try factors whose product is far from 2. What should happen?")
def accepts_all_factors(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Nothing is refused."""
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="Is the rule about one step of the dial, or about phi steps?")
def applies_the_rule_to_phi_steps(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The product to the power phi is compared with 2 to the power phi."""
    if abs((alpha * beta**2 * gamma**2) ** phi / 2**phi - 1) > 0.1:
        raise ValueError("the network grows too much or too little")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_rule(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Exception type: AssertionError."""
    assert abs(alpha * beta**2 * gamma**2 - 2) <= 0.2, "alpha · beta² · gamma² is not about 2"
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception(
    "compound_scaling", hint="What is half a step of the dial? A loop over `range(phi)` only takes whole steps."
)
def makes_whole_steps(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The fraction of phi is lost."""
    refuse_bad_factors(alpha, beta, gamma)
    return float(alpha) ** int(phi), float(beta) ** int(phi), float(gamma) ** int(phi)


@misconception("compound_scaling", hint="A multiplier of 1.2 is not a number of layers. Do you round?")
def rounds_the_multipliers(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The multipliers are rounded to one digit."""
    refuse_bad_factors(alpha, beta, gamma)
    return round(alpha**phi, 1), round(beta**phi, 1), round(gamma**phi, 1)


@misconception("compound_scaling", hint="What do you return: the multipliers, or what they cost?")
def returns_the_cost(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Width and resolution are squared in the result."""
    refuse_bad_factors(alpha, beta, gamma)
    return float(alpha) ** phi, float(beta) ** (2 * phi), float(gamma) ** (2 * phi)


@misconception("compound_scaling", hint="How far from 2 is 2.24? Do you round before you compare?")
def rounds_before_it_compares(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The product is rounded to one digit before it is compared, so some that are too large or too small pass."""
    if abs(round(alpha * beta**2 * gamma**2, 1) - 2) > 0.201:
        raise ValueError("alpha · beta² · gamma² is not about 2")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="10 % of which number: of 2, or of your product?")
def compares_with_its_own_product(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The difference is compared with 10 % of the product instead of 10 % of 2."""
    product = alpha * beta**2 * gamma**2
    if abs(2 - product) > 0.1 * product:
        raise ValueError("alpha · beta² · gamma² is not about 2")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


@misconception("compound_scaling", hint="Give your function other factors. Does anything change in the result?")
def ignores_the_factors(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The factors that the authors found are used, whatever the caller says."""
    refuse_bad_factors(alpha, beta, gamma)
    return 1.2**phi, 1.1**phi, 1.15**phi


@misconception(
    "compound_scaling", hint="Read your own error message as someone who made the mistake. What does it tell you?"
)
def refuses_without_a_word(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Exception type: a ValueError without a message."""
    if abs(alpha * beta**2 * gamma**2 - 2) > 0.2:
        raise ValueError
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


# EfficientNetB0. In the solution's `features`: 0 to 2 stem, 3 to 18 blocks, 19 to 21 head.


@misconception("EfficientNetB0", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class NeedsNoGradientInEvaluation(NoGraphInEvaluation, EfficientNetB0):
    """Gradient: none in evaluation mode."""


@misconception("EfficientNetB0", hint="Which activation do the stem and the head use? It is the same as in the blocks.")
class BeginsWithReLU(EfficientNetB0):
    """ReLU in stem and head."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[2] = self.features[21] = nn.ReLU()


@misconception(
    "EfficientNetB0", hint="Which stages in the table have a kernel of 5, and which have stride 2? Read row by row."
)
class ShrinksInStageFive(EfficientNetB0):
    """Stage 5 has stride 2, and stage 6 has stride 1."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[11] = MBConvBlock(80, 112, 6, 5, 2)
        self.features[14] = MBConvBlock(112, 192, 6, 5, 1)


@misconception(
    "EfficientNetB0", hint="Not every stage has the same kernel size. Count your parameters without the last layer."
)
class UsesOneKernelSize(EfficientNetB0):
    """All depthwise kernels are 3×3."""

    STAGES = tuple((*stage[:3], 3, stage[4]) for stage in EfficientNetB0.STAGES)


@misconception("EfficientNetB0", hint="The first row of the table is not like the others. What is its expansion?")
class ExpandsTheFirstStage(EfficientNetB0):
    """The first stage expands by 6 as well."""

    STAGES = tuple((6, *stage[1:]) for stage in EfficientNetB0.STAGES)


@misconception(
    "EfficientNetB0", hint="How many blocks does each stage have? Print your network, or count its parameters."
)
class ForgetsABlock(EfficientNetB0):
    """Stage 6 has three blocks."""

    STAGES = (*EfficientNetB0.STAGES[:5], (6, 192, 3, 5, 2), EfficientNetB0.STAGES[6])


@misconception("EfficientNetB0", hint="Which block of a stage takes the stride? Print the sizes after each block.")
class ShrinksInTheLastBlock(EfficientNetB0):
    """The last block of stages 2, 3, 4 and 6 has the stride."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        for first, last in ((4, 5), (6, 7), (8, 10), (14, 17)):
            self.features[first].depthwise[0].stride, self.features[last].depthwise[0].stride = (1, 1), (2, 2)
            self.features[last].adds_input = False


@misconception(
    "EfficientNetB0", hint="Call your network twice in training mode with the same batch. Do the results agree?"
)
class DropsBeforeTheClasses(EfficientNetB0):
    """Random: dropout before the linear layer in training."""

    def forward(self, x):
        return self.classifier(F.dropout(self.features(x).mean((2, 3)), 0.2, self.training))


@misconception(
    "EfficientNetB0",
    hint="Does your network leave out any part at random in training? The exercise does not ask for that.",
)
class DropsWholeBlocks(EfficientNetB0):
    """Random: stochastic depth in training."""

    def forward(self, x):
        for layer in self.features:
            skipped = self.training and getattr(layer, "adds_input", False) and torch.rand(()) < 0.2
            x = x if skipped else layer(x)
        return self.classifier(x.mean((2, 3)))


@misconception(
    "EfficientNetB0",
    hint="What comes between the last stage and the pooling? The head begins with a convolution.",
    severe="a whole part of the network is missing, and the classifier is another one",
)
class ForgetsTheHead(EfficientNetB0):
    """The linear layer follows the last stage."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features = self.features[:19]
        self.classifier = nn.Linear(320, num_classes)


@misconception("EfficientNetB0", hint="The head is a convolution and two more layers. Is its activation there?")
class LeavesTheHeadLinear(EfficientNetB0):
    """No SiLU in the head."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[21] = nn.Identity()


@misconception("EfficientNetB0", hint="A batch norm follows the first convolution. Does that convolution need a bias?")
class BiasesStemAndHead(EfficientNetB0):
    """The convolutions of stem and head have a bias."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[0], self.features[19] = with_bias(self.features[0]), with_bias(self.features[19])


@misconception("EfficientNetB0", hint="Print the size of the map after the stem. How large is it for an image of 64?")
class KeepsTheSizeInTheStem(EfficientNetB0):
    """The stem has stride 1."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.features[0].stride = (1, 1)


@misconception("EfficientNetB0", hint="Ask for 10 classes. How many numbers do you get per image?")
class KnowsAThousandClasses(EfficientNetB0):
    """num_classes is ignored."""

    def __init__(self, num_classes=1000):  # noqa: ARG002
        super().__init__()


@misconception(
    "EfficientNetB0",
    hint="Does your network need images of a certain size? The pooling is global.",
    severe="it does not run for images smaller than 193 pixels",
)
class ExpectsLargeImages(EfficientNetB0):
    """A pooling window of 7×7, as in a network for images of 224 pixels."""

    def forward(self, x):
        return self.classifier(F.avg_pool2d(self.features(x), 7).flatten(1))


@misconception(
    "EfficientNetB0", hint="Give one network a small image, then a large one. How many pixels does each mean count?"
)
class KeepsTheAreaOfItsFirstImage(EfficientNetB0):
    """State: the number of pixels to average over is taken from the first image."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.mean = MeanOverTheFirstArea()

    def forward(self, x):
        return self.classifier(self.mean(self.features(x)))


@misconception(
    "EfficientNetB0", hint="Keep the scores of one image, pass another one, and look at the first scores again."
)
class KeepsOnlyItsLastScores(OneRoom, EfficientNetB0):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("EfficientNetB0", hint="How many digits of the scores are right if network and image are float64?")
class AveragesWithLittlePrecision(EfficientNetB0):
    """Dtype: the means of the maps have the precision of float32."""

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)).float().to(x.dtype))


@misconception("EfficientNetB0", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesBeforeTheClassifier(EfficientNetB0):
    """A batch of one loses its dimension."""

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3), keepdim=True).squeeze())


@misconception(
    "EfficientNetB0", hint="`F.dropout` has an argument that says whether the network is training. What is its default?"
)
class DropsInEvaluation(EfficientNetB0):
    """Random: dropout before the linear layer, in evaluation mode as well."""

    def forward(self, x):
        return self.classifier(F.dropout(self.features(x).mean((2, 3)), 0.2))


@misconception(
    "EfficientNetB0", hint="A batch norm adds a small number to the variance. Which one does PyTorch choose?"
)
class TakesTheEpsOfTheAuthors(EfficientNetB0):
    """eps is 0.001 in all batch norms."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        with_eps(self)


# wide_resnet


@misconception("wide_resnet", hint="What does your function do with a depth of 12? Integer division rounds silently.")
def rounds_the_depth(depth, widen_factor, num_classes=10):
    """A depth that is not 6n + 4 is rounded down."""
    k = widen_factor
    stages = pre_act_stages(max(1, (depth - 4) // 6), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="In a network of depth 4, how many blocks does each stage have?")
def accepts_no_blocks(depth, widen_factor, num_classes=10):
    """A depth of 4 gives a network without blocks."""
    if (depth - 4) % 6 or depth < 4:
        raise ValueError("the depth is not 6n + 4")
    k = widen_factor
    if depth == 4:
        return wide(conv(3, 64 * k, 3), [], 64 * k, num_classes)
    return wide_resnet_of(blocks_of(depth), k, num_classes)


def wide_resnet_of(blocks, k, num_classes):
    """Right."""
    stages = pre_act_stages(blocks, (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_depth(depth, widen_factor, num_classes=10):
    """Exception type: AssertionError."""
    assert (depth - 4) % 6 == 0, "the depth is not 6n + 4"
    assert depth > 4, "the depth is not 6n + 4"
    return wide_resnet_of((depth - 4) // 6, widen_factor, num_classes)


@misconception(
    "wide_resnet",
    hint="A CIFAR ResNet has 6n + 2 layers. Which depths can a Wide ResNet have?",
    severe="every right depth is refused",
)
def counts_as_a_resnet(depth, widen_factor, num_classes=10):
    """The depth is 6n + 2."""
    if (depth - 2) % 6 or depth < 8:
        raise ValueError("the depth is not 6n + 2")
    return wide_resnet_of((depth - 2) // 6, widen_factor, num_classes)


@misconception("wide_resnet", hint="A PreActBlock ends with a sum. So which layers does the head begin with?")
def forgets_the_last_norm(depth, widen_factor, num_classes=10):
    """No batch norm and no ReLU after the last block."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes, between=[])


@misconception("wide_resnet", hint="There is one more layer between the last batch norm and the pooling.")
def forgets_the_last_relu(depth, widen_factor, num_classes=10):
    """No ReLU after the last batch norm."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes, between=[nn.BatchNorm2d(64 * k)])


@misconception("wide_resnet", hint="Is the stem widened as well? Count the parameters for k = 2.")
def widens_the_stem(depth, widen_factor, num_classes=10):
    """The stem has 16k channels."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16 * k)
    return wide(conv(3, 16 * k, 3), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="The first block begins with batch norm and ReLU. Does the stem need them, too?")
def normalises_the_stem(depth, widen_factor, num_classes=10):
    """Batch norm and ReLU after the first convolution."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(ConvBNReLU(3, 16), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="Print the size of the maps after each stage. How large are they in the first?")
def shrinks_in_every_stage(depth, widen_factor, num_classes=10):
    """The first stage has stride 2 as well."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (2, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes)


@misconception(
    "wide_resnet", hint="Which block of a stage takes the stride?", severe="it is another network: every result changes"
)
def shrinks_at_the_end_of_a_stage(depth, widen_factor, num_classes=10):
    """The last block of a stage has the stride."""
    k = widen_factor
    stages = pre_act_stages(blocks_of(depth), (16 * k, 32 * k, 64 * k), (1, 2, 2), 16, last=True)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="Try two widen factors: does the number of channels follow?")
def ignores_the_widen_factor(depth, widen_factor, num_classes=10):  # noqa: ARG001
    """k is 1."""
    return wide_resnet_of(blocks_of(depth), 1, num_classes)


@misconception("wide_resnet", hint="`[block] * n` is one block n times. Count the parameters.")
def repeats_one_block(depth, widen_factor, num_classes=10):
    """All blocks of a stage except the first are the same object."""
    blocks, k, before, layers = blocks_of(depth), widen_factor, 16, []
    for width, stride in ((16 * k, 1), (32 * k, 2), (64 * k, 2)):
        layers += [PreActBlock(before, width, stride), *[PreActBlock(width, width)] * (blocks - 1)]
        before = width
    return wide(conv(3, 16, 3), layers, 64 * k, num_classes)


@misconception("wide_resnet", hint="The smallest network has one block per stage. How deep is it?")
def refuses_the_smallest_depth(depth, widen_factor, num_classes=10):
    """A depth of 10 raises a ValueError."""
    if depth <= 10:
        raise ValueError("the depth is not 6n + 4")
    return wide_resnet_of(blocks_of(depth), widen_factor, num_classes)


@misconception("wide_resnet", hint="Make two networks of the same kind and train one. Has the other one changed?")
def makes_every_network_only_once(depth, widen_factor, num_classes=10, *, kept={}):  # noqa: B006
    """Memory: calls with the same arguments return the same network (unless that one was moved to the meta device)."""
    key = (depth, widen_factor, num_classes)
    if key not in kept or next(kept[key].parameters()).is_meta:
        kept[key] = wide_resnet_of(blocks_of(depth), widen_factor, num_classes)
    return kept[key]


@misconception(
    "wide_resnet", hint="Keep the scores of one batch, pass another one, and look at the first scores again."
)
def has_one_tensor_for_all_scores(depth, widen_factor, num_classes=10):
    """Memory: the scores of a later pass overwrite those of an earlier one."""
    return SequentialWithOneRoom(*wide_resnet_of(blocks_of(depth), widen_factor, num_classes))


@misconception("wide_resnet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
def records_no_graph_in_evaluation(depth, widen_factor, num_classes=10):
    """Gradient: none in evaluation mode."""
    return SequentialWithoutGraph(*wide_resnet_of(blocks_of(depth), widen_factor, num_classes))


@misconception("wide_resnet", hint="How many digits of the scores are right if network and image are float64?")
def averages_in_float32(depth, widen_factor, num_classes=10):
    """Dtype: the means of the maps have the precision of float32."""
    net = wide_resnet_of(blocks_of(depth), widen_factor, num_classes)
    net[-3] = InFloat32(net[-3])
    return net


@misconception("wide_resnet", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
def squeezes_in_the_head(depth, widen_factor, num_classes=10):
    """A batch of one loses its dimension."""
    net = wide_resnet_of(blocks_of(depth), widen_factor, num_classes)
    net[-2] = WithoutExtentsOfOne()
    return net


@misconception(
    "wide_resnet", hint="What does your function say to a depth of 12, or of 4? The exercise asks for an error."
)
def never_looks_at_the_depth(depth, widen_factor, num_classes=10):
    """A depth that is not 6n + 4 is rounded down, and there may be no blocks."""
    k = widen_factor
    stages = pre_act_stages((depth - 4) // 6, (16 * k, 32 * k, 64 * k), (1, 2, 2), 16)
    return wide(conv(3, 16, 3), stages, 64 * k, num_classes)


@misconception("wide_resnet", hint="Ask for 100 classes. How many numbers do you get per image?")
def always_has_ten_classes(depth, widen_factor, num_classes=10):  # noqa: ARG001
    """num_classes is ignored."""
    return wide_resnet_of(blocks_of(depth), widen_factor, 10)


@misconception(
    "wide_resnet", hint="Others call your function by the names in the exercise. What are its arguments called?"
)
def has_names_of_its_own(depth, k, classes=10):
    """The arguments have names of their own."""
    return wide_resnet_of(blocks_of(depth), k, classes)
