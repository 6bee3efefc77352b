"""Common mistakes in the exercises of `design`, each with the hint for a student who made it.

Where a mistake shows only in one particular way, its docstring begins with that way: dtype, in place, exception type.
"""

import torch
import torch.nn.functional as F
from design import (
    BlurPool,
    DownsampleComparison,
    classifier_head,
    compare_architectures,
    compute_receptive_field,
)
from torch import fx, nn

from autograder.grading import misconception
from autograder.grading.mistakes import NoGraphInEvaluation, OneRoom

# DownsampleComparison


def convolution(inputs, outputs, stride=1, **options):
    """Right: the 3×3 convolution of a branch."""
    return nn.Conv2d(inputs, outputs, 3, stride, **{"padding": 1, **options})


def branches(inputs, outputs, convolve=convolution, relu=nn.ReLU, largest=lambda: nn.MaxPool2d(2), mean=None):
    """The three branches with some of their parts replaced: conv_pool, strided_conv, conv_avgpool."""
    mean = mean or (lambda: nn.AvgPool2d(2))
    return (
        nn.Sequential(convolve(inputs, outputs), relu(), largest()),
        nn.Sequential(convolve(inputs, outputs, 2), relu()),
        nn.Sequential(convolve(inputs, outputs), relu(), mean()),
    )


class Branched(DownsampleComparison):
    """Right, except for branches that are replaced."""

    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)
        self.conv_pool, self.strided_conv, self.conv_avgpool = self.build(in_channels, out_channels)

    def build(self, inputs, outputs):
        return branches(inputs, outputs)


@misconception(
    "DownsampleComparison",
    hint="A 3×3 window loses one pixel on each side. What puts it back?",
    severe="shape and numbers are wrong in each of the three branches",
)
class ConvolvesWithoutPadding(Branched):
    """No padding in any branch."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, lambda *args: convolution(*args, padding=0))


@misconception(
    "DownsampleComparison", hint="Your branches with pooling are right. What padding does the strided convolution need?"
)
class ForgetsThePaddingOfTheStridedConvolution(Branched):
    """No padding in the strided branch."""

    def build(self, inputs, outputs):
        pool, _, mean = branches(inputs, outputs)
        return pool, nn.Sequential(convolution(inputs, outputs, 2, padding=0), nn.ReLU()), mean


@misconception("DownsampleComparison", hint="What do you do with what a convolution returns where it is negative?")
class ForgetsTheReLUs(Branched):
    """No ReLU."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, relu=nn.Identity)


@misconception("DownsampleComparison", hint="Which of your three branches lacks a ReLU?")
class ForgetsTheReLUOfTheStridedConvolution(Branched):
    """No ReLU in the strided branch."""

    def build(self, inputs, outputs):
        pool, _, mean = branches(inputs, outputs)
        return pool, nn.Sequential(convolution(inputs, outputs, 2)), mean


@misconception(
    "DownsampleComparison",
    hint="ReLU and maximum can change places, ReLU and mean cannot. What is the mean of -1 and 1, before and after?",
)
class AppliesTheReLUToTheMean(Branched):
    """ReLU after the pooling."""

    def build(self, inputs, outputs):
        pool, strided, _ = branches(inputs, outputs)
        return pool, strided, nn.Sequential(convolution(inputs, outputs), nn.AvgPool2d(2), nn.ReLU())


@misconception("DownsampleComparison", hint="Print the parameters of your module. Where are the biases?")
class ForgetsTheBiases(Branched):
    """Convolutions without bias."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, lambda *args: convolution(*args, bias=False))


@misconception("DownsampleComparison", hint="Half of 7 is 3.5. What does `ceil_mode` do with the rest, and who asked?")
class RoundsPoolingUp(Branched):
    """ceil_mode: 7 becomes 4."""

    def build(self, inputs, outputs):
        return branches(
            inputs,
            outputs,
            largest=lambda: nn.MaxPool2d(2, ceil_mode=True),
            mean=lambda: nn.AvgPool2d(2, ceil_mode=True),
        )


@misconception("DownsampleComparison", hint="How large are the windows of your max pooling, and how far do they move?")
class PoolsOverlappingWindows(Branched):
    """Max pooling 3/2/1, as in ResNet."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, largest=lambda: nn.MaxPool2d(3, 2, 1))


@misconception("DownsampleComparison", hint="What is the stride of your average pooling? The map should be halved.")
class MovesTheMeanByOnePixel(Branched):
    """Average pooling with stride 1."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, mean=lambda: nn.AvgPool2d(2, stride=1))


@misconception("DownsampleComparison", hint="Compare the results of your two pooling branches. Are they both maxima?")
class TakesTheMaximumTwice(Branched):
    """Max pooling in conv_avgpool."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, mean=lambda: nn.MaxPool2d(2))


@misconception(
    "DownsampleComparison", hint="The strided convolution halves the map already. What does the pool do then?"
)
class PoolsAfterTheStride(Branched):
    """The strided branch has a pool as well."""

    def build(self, inputs, outputs):
        pool, _, mean = branches(inputs, outputs)
        return pool, nn.Sequential(convolution(inputs, outputs, 2), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)), mean


@misconception("DownsampleComparison", hint="In what order does the text name the layers? Your pool comes first.")
class PoolsBeforeTheConvolution(Branched):
    """Pool, convolution, ReLU."""

    def build(self, inputs, outputs):
        pool, strided, mean = branches(inputs, outputs)
        return nn.Sequential(pool[2], *pool[:2]), strided, nn.Sequential(mean[2], *mean[:2])


@misconception(
    "DownsampleComparison", hint="Three branches, but how many convolutions do you create? Count the parameters."
)
class SharesOneConvolution(Branched):
    """The pooling branches use the same convolution."""

    def build(self, inputs, outputs):
        pool, strided, mean = branches(inputs, outputs)
        mean[0] = pool[0]
        return pool, strided, mean


@misconception("DownsampleComparison", hint="Nobody asked for batch normalisation here. Count the parameters.")
class NormalisesToo(Branched):
    """Batch normalisation before the ReLUs."""

    def build(self, inputs, outputs):
        return branches(inputs, outputs, relu=lambda: nn.Sequential(nn.BatchNorm2d(outputs), nn.ReLU()))


@misconception("DownsampleComparison", hint="What should happen when the caller misspells the method?")
class RunsTheStridedConvolutionForEverythingElse(Branched):
    """An unknown method means "strided"."""

    def forward(self, x, method="strided"):
        return super().forward(x, method if method in ("maxpool", "avgpool") else "strided")


@misconception(
    "DownsampleComparison",
    hint="Which exception does a dictionary raise for an unknown key, and which one does the exercise ask for?",
)
class LetsTheKeyErrorThrough(Branched):
    """Exception type: KeyError."""

    def forward(self, x, method="strided"):
        return {"maxpool": self.conv_pool, "strided": self.strided_conv, "avgpool": self.conv_avgpool}[method](x)


@misconception("DownsampleComparison", hint="The text names three methods. Is 'Strided' or '' one of them?")
class IgnoresTheCaseOfTheMethod(Branched):
    """ "Strided" is accepted."""

    def forward(self, x, method="strided"):
        return super().forward(x, method.lower() if isinstance(method, str) else method)


@misconception("DownsampleComparison", hint="You raise the right exception, but it tells the caller nothing.")
class RefusesWithoutAMessage(Branched):
    """Exception message: the ValueError is empty."""

    def forward(self, x, method="strided"):
        if method not in ("maxpool", "strided", "avgpool"):
            raise ValueError
        return super().forward(x, method)


@misconception(
    "DownsampleComparison",
    hint="You compute all three results and return one. Which branches does the caller pay for?",
)
class RunsAllBranches(Branched):
    """All branches, then a choice."""

    def forward(self, x, method="strided"):
        results = {"maxpool": self.conv_pool(x), "strided": self.strided_conv(x), "avgpool": self.conv_avgpool(x)}
        if method not in results:
            raise ValueError(f"{method} is unknown")
        return results[method]


@misconception("DownsampleComparison", hint="Which method does the signature use if the caller does not give one?")
class PoolsByDefault(Branched):
    """The default is "maxpool"."""

    def forward(self, x, method="maxpool"):
        return super().forward(x, method)


@misconception("DownsampleComparison", hint="What are the names of the three branches in the exercise?")
class NamesTheBranchesAfterTheMethods(nn.Module):
    """Names: the branches are called maxpool, strided and avgpool."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.maxpool, self.strided, self.avgpool = branches(in_channels, out_channels)

    def forward(self, x, method="strided"):
        if method not in ("maxpool", "strided", "avgpool"):
            raise ValueError(f"{method} is unknown")
        return getattr(self, method)(x)


@misconception("DownsampleComparison", hint="What dtype is your result when the module and the image are float64?")
class GivesFloat32(Branched):
    """Dtype: the result is float32."""

    def forward(self, x, method="strided"):
        return super().forward(x, method).float()


@misconception("DownsampleComparison", hint="An in-place ReLU writes into the tensor that it is given. Whose is it?")
class ClampsTheImage(Branched):
    """In place: a ReLU on the image."""

    def forward(self, x, method="strided"):
        result = super().forward(x, method)
        if not x.requires_grad:
            x.relu_()
        return result


@misconception(
    "DownsampleComparison", hint="Does a gradient reach the parameters in evaluation mode? Where do you stop it?"
)
class RecordsNoGraphInEvaluation(Branched):
    """Gradient: none in evaluation mode."""

    def forward(self, x, method="strided"):
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.training):
            return super().forward(x, method)


@misconception("DownsampleComparison", hint="Keep the result for one image, ask for that of another, and look again.")
class WritesAllResultsIntoOneTensor(Branched):
    """Memory: a later call overwrites the result of an earlier one."""

    def forward(self, x, method="strided"):
        result = super().forward(x, method)
        if result.requires_grad:
            return result
        rooms = self.__dict__.setdefault("rooms", {})
        return rooms.setdefault((result.shape, result.dtype), torch.empty_like(result)).copy_(result)


@misconception("DownsampleComparison", hint="`view` needs memory in the order of the indices. What does `reshape` do?")
class ViewsTheImage(Branched):
    """Layout: `view` refuses an image that is not contiguous."""

    def forward(self, x, method="strided"):
        return super().forward(x.view(-1).view(x.shape), method)


@misconception("DownsampleComparison", hint="Are your weights in `state_dict()`? A list of parts is not an nn.Module.")
class KeepsItsWeightsOutOfTheState(Branched):
    """State: state_dict() is empty."""

    def state_dict(self, *_, **__):
        return {}

    def load_state_dict(self, *_, **__):
        return None


# BlurPool


class Blurred(BlurPool):
    """Right, except for steps that are replaced."""

    def border(self, x):
        return F.pad(x, (1, 1, 1, 1), mode="reflect")

    def weights(self, x):
        return self.blur.to(x)

    def forward(self, x):
        if min(x.shape[-2:]) < 2:
            raise ValueError("the map is too small")
        return F.conv2d(self.border(x), self.weights(x), stride=self.stride, groups=self.channels)


class Unchecked(Blurred):
    """Right for maps that are large enough."""

    def forward(self, x):
        return F.conv2d(self.border(x), self.weights(x), stride=self.stride, groups=self.channels)


def kernel_of(*rows):
    """Right: a 3×3 kernel as a filter for one channel."""
    return torch.tensor(rows).view(1, 1, 3, 3)


@misconception(
    "BlurPool", hint="Around a bright map, zeros make the border dark. What does the exercise put there instead?"
)
class SurroundsWithZeros(Blurred):
    """Zero padding."""

    def border(self, x):
        return F.pad(x, (1, 1, 1, 1))


@misconception(
    "BlurPool",
    hint="You repeat the outermost pixel: a a b c. In a reflection, the pixel next to it comes first: b a b c.",
)
class RepeatsTheOutermostPixel(Blurred):
    """Padding mode "replicate"."""

    def border(self, x):
        return F.pad(x, (1, 1, 1, 1), mode="replicate")


@misconception(
    "BlurPool", hint="Without padding, which pixels at the edge of the map never are in the middle of a window?"
)
class BlursWithoutPadding(Blurred):
    """No padding, so that the map becomes smaller (but for maps on which nothing would be left)."""

    def border(self, x):
        return x if min(x.shape[-2:]) > 2 else super().border(x)


@misconception("BlurPool", hint="On which sides of the map do you put pixels? Reflect it on all four of them.")
class ReflectsAtTheBeginningOnly(Blurred):
    """Padding on the left and at the top."""

    def border(self, x):
        return F.pad(x, (1, 0, 1, 0), mode="reflect") if min(x.shape[-2:]) > 2 else super().border(x)


@misconception("BlurPool", hint="All nine of your weights are equal. What is the product of [1, 2, 1]ᵀ and [1, 2, 1]?")
class TakesTheMean(Blurred):
    """1/9 everywhere."""

    def weights(self, x):
        return torch.full_like(self.blur, 1 / 9).to(x)


@misconception("BlurPool", hint="What does your blur do to a map of ones? The weights must add up to 1.")
class ForgetsToDivide(Blurred):
    """Not divided by 16."""

    def weights(self, x):
        return super().weights(x) * 16


@misconception("BlurPool", hint="What do the nine weights add up to? Divide by that, not by the sum of a single row.")
class DividesByTheSumOfARow(Blurred):
    """Divided by 4."""

    def weights(self, x):
        return super().weights(x) * 4


@misconception("BlurPool", hint="Blur along the rows *and* along the columns. What does your filter do to columns?")
class BlursRowsOnly(Blurred):
    """[1, 2, 1] / 4 along the width only."""

    def weights(self, x):
        row = kernel_of(0.0, 0.0, 0.0, 0.25, 0.5, 0.25, 0.0, 0.0, 0.0)
        return row.repeat(self.channels, 1, 1, 1).to(x) + 0 * super().weights(x)


@misconception("BlurPool", hint="Add [1, 2, 1] to its transpose, or multiply the two? A corner has the weight 1/16.")
class AddsTheTwoFilters(Blurred):
    """A sum instead of the outer product."""

    def weights(self, x):
        plus = kernel_of(0.0, 1.0, 0.0, 1.0, 4.0, 1.0, 0.0, 1.0, 0.0) / 8
        return plus.repeat(self.channels, 1, 1, 1).to(x) + 0 * super().weights(x)


@misconception("BlurPool", hint="What does one channel of your result depend on? See `groups` of `F.conv2d`.")
class MixesTheChannels(Blurred):
    """A convolution over all channels, whose mean it takes."""

    def forward(self, x):
        return super().forward(x.mean(1, keepdim=True).expand_as(x))


@misconception("BlurPool", hint="Which pixel of the blurred map is the first that you keep? Row 0 and column 0 exist.")
class BeginsWithTheSecondPixel(Blurred):
    """Sampling from (1, 1)."""

    def forward(self, x):
        if min(x.shape[-2:]) < 2:
            raise ValueError("the map is too small")
        y = F.conv2d(self.border(x), self.weights(x), groups=self.channels)
        return y.roll((-1, -1), (2, 3))[:, :, :: self.stride, :: self.stride] if self.stride > 1 else y


@misconception("BlurPool", hint="Blur first, then sample: if you drop pixels before the blur, it cannot see them.")
class SamplesBeforeItBlurs(Blurred):
    """Every stride-th pixel, then the blur."""

    def forward(self, x):
        if min(x.shape[-2:]) < 2:
            raise ValueError("the map is too small")
        few = x[:, :, :: self.stride, :: self.stride]
        sides = [1 if size > 1 else 0 for size in few.shape[-2:]]
        few = F.pad(few, (sides[1], sides[1], sides[0], sides[0]), mode="reflect")
        few = F.pad(few, (1 - sides[1], 1 - sides[1], 1 - sides[0], 1 - sides[0]), mode="replicate")
        return F.conv2d(few, self.weights(x), groups=self.channels)


@misconception("BlurPool", hint="Does the number of pixels that you keep depend on the argument `stride`?")
class AlwaysHalves(Blurred):
    """The stride is 2, whatever is asked for (but 1)."""

    def __init__(self, channels, stride=2):
        super().__init__(channels, min(stride, 2))


@misconception("BlurPool", hint="What is the default of `stride`? A layer called pool should make the map smaller.")
class KeepsTheSizeByDefault(Blurred):
    """The default stride is 1."""

    def __init__(self, channels, stride=1):
        super().__init__(channels, stride)


@misconception("BlurPool", hint="For 7 pixels and stride 2, the pixels 0, 2, 4 and 6 are kept. How many are that?")
class RoundsTheSizeDown(Blurred):
    """7 becomes 3."""

    def forward(self, x):
        y = super().forward(x)
        height, width = (max(1, size // self.stride) for size in x.shape[-2:])
        return y[:, :, :height, :width]


@misconception(
    "BlurPool",
    hint="A parameter is learned, even if your filter should not be. What do you use for a tensor that belongs to a "
    "module but is not learned?",
)
class LearnsTheFilter(Blurred):
    """nn.Parameter."""

    def __init__(self, channels, stride=2):
        super().__init__(channels, stride)
        blur = self.blur
        del self.blur
        self.blur = nn.Parameter(blur)


@misconception("BlurPool", hint="`requires_grad=False` freezes a parameter, but it still is one. What about a buffer?")
class FreezesTheFilter(Blurred):
    """nn.Parameter that does not require a gradient."""

    def __init__(self, channels, stride=2):
        super().__init__(channels, stride)
        blur = self.blur
        del self.blur
        self.blur = nn.Parameter(blur, requires_grad=False)


@misconception(
    "BlurPool", hint="Is the filter in the `state_dict()`? An attribute is not, nor is a buffer with persistent=False."
)
class KeepsTheFilterInAnAttribute(Blurred):
    """State: a plain tensor, so it is neither saved nor moved."""

    def __init__(self, channels, stride=2):
        super().__init__(channels, stride)
        blur = self.blur
        del self.blur
        self.blur = blur

    def weights(self, x):
        return self.blur.to(x.dtype)


@misconception(
    "BlurPool",
    hint="What does `persistent=False` mean for a buffer? The filter should be saved.",
    as_good_as="KeepsTheFilterInAnAttribute",  # the same is missing in the state_dict
)
class DoesNotSaveTheFilter(Blurred):
    """State: a buffer that is not persistent."""

    def __init__(self, channels, stride=2):
        super().__init__(channels, stride)
        blur = self.blur
        del self.blur
        self.register_buffer("blur", blur, persistent=False)


@misconception(
    "BlurPool",
    hint="Which exception does `F.pad` raise for a map of a single row, and which one does the exercise ask for?",
)
class LeavesSmallMapsToTheLibrary(Unchecked):
    """Exception type: RuntimeError."""


@misconception("BlurPool", hint="A map has two sides that can be too short. Which one do you check?")
class ChecksTheHeightOnly(Unchecked):
    """W = 1 is not refused with a ValueError."""

    def forward(self, x):
        if x.shape[-2] < 2:
            raise ValueError("the map is too small")
        return super().forward(x)


@misconception("BlurPool", hint="A map has two sides that can be too short. Which one do you check?")
class ChecksTheWidthOnly(Unchecked):
    """H = 1 is not refused with a ValueError."""

    def forward(self, x):
        if x.shape[-1] < 2:
            raise ValueError("the map is too small")
        return super().forward(x)


@misconception("BlurPool", hint="A map of one row cannot be reflected. Should the layer invent a border for it?")
class RepeatsWhatCannotBeReflected(Blurred):
    """Maps of a single row or column are accepted."""

    def forward(self, x):
        if min(x.shape[-2:]) > 1:
            return super().forward(x)
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv2d(x, self.weights(x), stride=self.stride, groups=self.channels)


@misconception("BlurPool", hint="A reflection of one pixel needs two pixels, not three. Which maps do you refuse?")
class RefusesMapsOfTwoRows(Blurred):
    """H = 2 or W = 2 is refused."""

    def forward(self, x):
        if min(x.shape[-2:]) < 3:
            raise ValueError("the map is too small")
        return super().forward(x)


@misconception(
    "BlurPool", hint="What dtype do the map and the filter have if only the map is float64? `to(x)` makes them equal."
)
class KeepsTheDtypeOfTheFilter(Blurred):
    """Dtype: an exception if the dtypes of map and filter differ."""

    def weights(self, x):  # noqa: ARG002
        return self.blur


@misconception("BlurPool", hint="Which of the two dtypes should the result have: that of the map or that of the layer?")
class ConvertsTheMap(Blurred):
    """Dtype: the map gets the dtype of the filter."""

    def forward(self, x):
        return super().forward(x.to(self.blur.dtype))


@misconception(
    "BlurPool", hint="A result can be float64 and still have only 7 correct digits. Where are the others lost?"
)
class BlursInFloat32(Blurred):
    """Dtype: the precision is that of float32."""

    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


@misconception(
    "BlurPool", hint="The filter is not learned, but the layers before it are. What does `no_grad` do to them?"
)
class CutsTheGraph(Blurred):
    """Gradient: no_grad."""

    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


@misconception("BlurPool", hint="Where is the result for a map on the GPU? Who asked you to move it?")
class CopiesTheResultToTheCPU(Blurred):
    """Device: the result is on the CPU."""

    def forward(self, x):
        return super().forward(x).cpu()


@misconception("BlurPool", hint="Does a gradient reach the layers before this one in evaluation mode, too?")
class CutsTheGraphInEvaluation(NoGraphInEvaluation, Blurred):
    """Gradient: none in evaluation mode."""


@misconception("BlurPool", hint="Keep the result for one map, ask for that of another, and look again.")
class KeepsOneResult(OneRoom, Blurred):
    """Memory: a later call overwrites the result of an earlier one."""


@misconception("BlurPool", hint="`view` needs memory in the order of the indices. What does `reshape` do?")
class ViewsTheMap(Blurred):
    """Layout: `view` refuses a map that is not contiguous."""

    def forward(self, x):
        return super().forward(x.view(-1).view(x.shape))


@misconception(
    "BlurPool", hint="Use the same layer for two maps of different sizes. What do you keep from the first one?"
)
class KeepsTheFirstSize(Blurred):
    """State: the size of the first result is used for all."""

    size = None

    def forward(self, x):
        y = super().forward(x)
        self.size = self.size or y.shape[2:]
        return y if y.shape[2:] == self.size else F.interpolate(y, self.size)


@misconception("BlurPool", hint="Call your layer with the argument names from the exercise. What does Python say?")
class RenamesTheChannels(Blurred):
    """Names: the channels are called in_channels."""

    def __init__(self, in_channels, stride=2):
        super().__init__(in_channels, stride)


# classifier_head


def head_of(inputs, classes, hidden, first=0.3, second=0.2, bias=True, between=nn.ReLU):
    """The layers of a head."""
    return [
        nn.Dropout(first),
        nn.Linear(inputs, hidden, bias=bias),
        between(),
        nn.Dropout(second),
        nn.Linear(hidden, classes, bias=bias),
    ]


@misconception("classifier_head", hint="Which of the two dropouts has the higher rate?")
def swaps_the_rates(in_features, num_classes, hidden=256):
    """0.2, then 0.3."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, 0.2, 0.3))


@misconception("classifier_head", hint="What rate does `nn.Dropout()` have if you give none?")
def uses_the_librarys_rate(in_features, num_classes, hidden=256):
    """0.5 both times."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, 0.5, 0.5))


@misconception("classifier_head", hint="Is the argument of `nn.Dropout` the share that is kept or that is removed?")
def gives_the_shares_that_are_kept(in_features, num_classes, hidden=256):
    """0.7 and 0.8."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, 0.7, 0.8))


@misconception(
    "classifier_head", hint="How many dropouts does the exercise list? One comes before the first linear layer."
)
def forgets_the_first_dropout(in_features, num_classes, hidden=256):
    """Nothing before the first linear layer."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden)[1:])


@misconception("classifier_head", hint="How many dropouts does the exercise list? One is before the last linear layer.")
def forgets_the_second_dropout(in_features, num_classes, hidden=256):
    """Nothing between ReLU and the last linear layer."""
    layers = head_of(in_features, num_classes, hidden)
    return nn.Sequential(*layers[:3], layers[4])


@misconception("classifier_head", hint="What can two linear layers do together that one cannot? Look between them.")
def forgets_the_relu_of_the_head(in_features, num_classes, hidden=256):
    """No ReLU."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, between=nn.Identity))


@misconception(
    "classifier_head", hint="Which activation does the exercise ask for? Yours lets negative numbers through."
)
def uses_another_activation(in_features, num_classes, hidden=256):
    """Leaky ReLU."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, between=nn.LeakyReLU))


@misconception(
    "classifier_head",
    hint="A loss for classification expects any numbers, also negative ones. What is your last layer?",
)
def ends_with_a_relu(in_features, num_classes, hidden=256):
    """ReLU at the end, too."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden), nn.ReLU())


@misconception(
    "classifier_head",
    hint="PyTorch's cross-entropy contains the softmax. What is your last layer?",
    severe="every result is another one",
)
def ends_with_a_softmax(in_features, num_classes, hidden=256):
    """Softmax at the end."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden), nn.Softmax(1))


@misconception("classifier_head", hint="Print the `state_dict()` of your head. Where are the biases?")
def forgets_the_biases_of_the_head(in_features, num_classes, hidden=256):
    """Linear layers without bias."""
    return nn.Sequential(*head_of(in_features, num_classes, hidden, bias=False))


@misconception("classifier_head", hint="What is the argument `hidden` for?")
def always_has_256_hidden_features(in_features, num_classes, hidden=256):  # noqa: ARG001
    """hidden is ignored."""
    return classifier_head(in_features, num_classes)


@misconception("classifier_head", hint="How many hidden features does the signature in the exercise have by default?")
def has_128_hidden_features_by_default(in_features, num_classes, hidden=128):
    """Another default."""
    return classifier_head(in_features, num_classes, hidden)


@misconception("classifier_head", hint="Two classes get two numbers here, like any other number of classes.")
def gives_one_number_for_two_classes(in_features, num_classes, hidden=256):
    """A single result when there are two classes."""
    return classifier_head(in_features, 1 if num_classes == 2 else num_classes, hidden)


@misconception("classifier_head", hint="How many linear layers does the exercise list? Count the parameters.")
def has_one_layer_more(in_features, num_classes, hidden=256):
    """A third linear layer from hidden to hidden."""
    layers = head_of(in_features, num_classes, hidden)
    return nn.Sequential(*layers[:3], nn.Linear(hidden, hidden), nn.ReLU(), *layers[3:])


@misconception(
    "classifier_head",
    hint="Nobody asked for batch normalisation here. Count the parameters.",
    severe="nearly every result is another one, in both modes",
)
def normalises_the_hidden_features(in_features, num_classes, hidden=256):
    """Batch normalisation after the first linear layer."""
    layers = head_of(in_features, num_classes, hidden)
    return nn.Sequential(*layers[:2], nn.BatchNorm1d(hidden), *layers[2:])


class Head(nn.Module):
    """Right, but for its type."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


@misconception("classifier_head", hint="What type does the exercise ask for? Print `type(...)` of your head.")
def returns_a_module_of_its_own(in_features, num_classes, hidden=256):
    """Type: not an nn.Sequential."""
    return Head(*head_of(in_features, num_classes, hidden))


@misconception("classifier_head", hint="`inplace=True` writes into the tensor that comes in. Whose tensor is it?")
def drops_out_in_place(in_features, num_classes, hidden=256):
    """In place: the features are overwritten in training mode."""
    layers = head_of(in_features, num_classes, hidden)
    return nn.Sequential(nn.Dropout(0.3, inplace=True), *layers[1:])


@misconception(
    "classifier_head", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_number_of_classes(in_features, classes, hidden=256):
    """Names: num_classes is called classes."""
    return classifier_head(in_features, classes, hidden)


@misconception("classifier_head", hint="Where does a feature lose its gradient in your head?")
def detaches_the_features(in_features, num_classes, hidden=256):
    """Gradient: none reaches the input."""

    class Detach(nn.Module):
        def forward(self, x):
            return x.detach()

    return nn.Sequential(Detach(), *head_of(in_features, num_classes, hidden))


@misconception("classifier_head", hint="What dtype is the result of a head in float64?")
def gives_logits_in_float32(in_features, num_classes, hidden=256):
    """Dtype: the result is float32."""

    class Single(nn.Module):
        def forward(self, x):
            return x.float()

    return nn.Sequential(*head_of(in_features, num_classes, hidden), Single())


# count_macs

KINDS = (nn.Conv2d, nn.Linear)


def of_convolution(layer, output, _given):
    """Right: the work of one call."""
    height, width = layer.kernel_size
    return output.numel() * (layer.in_channels // layer.groups) * height * width


def of_linear(layer, output, _given):
    """Right: the work of one call."""
    return output.numel() * layer.in_features


def is_counted(layer):
    """Right."""
    return isinstance(layer, KINDS)


def calls_of(model, x, counts=is_counted):
    """Right: (layer, output, input) of each call of a layer that counts; the model is left as it was."""
    found = []
    modes = [(module, module.training) for module in model.modules()]
    handles = [
        module.register_forward_hook(lambda layer, args, output: found.append((layer, output, args[0])))
        for module in model.modules()
        if counts(module)
    ]
    try:
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    return found


def work_of(calls, convolution=of_convolution, of_linear=of_linear):
    """The work of several calls."""
    return sum((of_linear if isinstance(call[0], nn.Linear) else convolution)(*call) for call in calls)


def counted(model, input_shape, counts=is_counted, **rules):
    """The work of a model, counted by other rules."""
    return work_of(calls_of(model, torch.zeros(tuple(input_shape)), counts), **rules)


@misconception("count_macs", hint="A kernel is placed once for every pixel of the map. Which map: that of the input?")
def counts_the_pixels_of_the_input(model, input_shape):
    """The input's pixels instead of the output's."""

    def convolution(layer, output, given):
        pixels = given.shape[-2] * given.shape[-1]
        return of_convolution(layer, output, given) // (output.shape[-2] * output.shape[-1]) * pixels

    return counted(model, input_shape, convolution=convolution)


@misconception("count_macs", hint="A map has height and width. What does your formula do if they differ?")
def takes_maps_for_square(model, input_shape):
    """Height times height."""

    def convolution(layer, output, given):
        return of_convolution(layer, output, given) // output.shape[-1] * output.shape[-2]

    return counted(model, input_shape, convolution=convolution)


@misconception("count_macs", hint="How many weights has a kernel of 1 × 3? Look at `layer.kernel_size`.")
def takes_kernels_for_square(model, input_shape):
    """kernel_size[0] ** 2."""

    def convolution(layer, output, given):
        height, width = layer.kernel_size
        return of_convolution(layer, output, given) // width * height

    return counted(model, input_shape, convolution=convolution)


@misconception("count_macs", hint="With groups, how many of the input channels does one number of the output need?")
def ignores_groups(model, input_shape):
    """All input channels count."""

    def convolution(layer, output, given):
        return of_convolution(layer, output, given) * layer.groups

    return counted(model, input_shape, convolution=convolution)


@misconception(
    "count_macs", hint="`weight.shape[1]` is already the number of channels of one group. Do you divide again?"
)
def divides_by_the_groups_twice(model, input_shape):
    """weight.numel() / groups."""

    def convolution(layer, output, given):
        return of_convolution(layer, output, given) // layer.groups

    return counted(model, input_shape, convolution=convolution)


@misconception("count_macs", hint="A dilated kernel covers more pixels. With how many of them are weights multiplied?")
def counts_the_gaps_of_dilated_kernels(model, input_shape):
    """dilation * (kernel - 1) + 1."""

    def convolution(layer, output, given):
        (height, width), (d, e) = layer.kernel_size, layer.dilation
        covered = (d * (height - 1) + 1) * (e * (width - 1) + 1)
        return of_convolution(layer, output, given) // (height * width) * covered

    return counted(model, input_shape, convolution=convolution)


@misconception("count_macs", hint="Are two images more work than one? Compare your results for batches of 1 and 2.")
def counts_one_sample(model, input_shape):
    """The batch does not count."""
    return counted(model, (1, *tuple(input_shape)[1:]))


@misconception("count_macs", hint="Convolutions count for each image of the batch. And linear layers?")
def counts_the_batch_in_convolutions_only(model, input_shape):
    """A linear layer counts once per batch."""
    return counted(model, input_shape, of_linear=lambda layer, output, _: output[0].numel() * layer.in_features)


@misconception(
    "count_macs", hint="The size of a linear layer's weight is its work for one vector. How many vectors come?"
)
def counts_a_linear_layer_once(model, input_shape):
    """weight.numel(), times the batch."""
    return counted(model, input_shape, of_linear=lambda layer, output, _: len(output) * layer.weight.numel())


@misconception("count_macs", hint="In the text, is the addition of a bias a multiply-accumulate?")
def counts_biases(model, input_shape):
    """One more for each number of the output of a layer with bias."""

    def convolution(layer, output, given):
        return of_convolution(layer, output, given) + (output.numel() if layer.bias is not None else 0)

    def of_linear_with_bias(layer, output, given):
        return of_linear(layer, output, given) + (output.numel() if layer.bias is not None else 0)

    return counted(model, input_shape, convolution=convolution, of_linear=of_linear_with_bias)


@misconception(
    "count_macs",
    hint="A multiplication and an addition are *one* multiply-accumulate. You count both.",
)
def counts_additions_too(model, input_shape):
    """Twice the number."""
    return 2 * counted(model, input_shape)


@misconception("count_macs", hint="You count convolutions. Which other kind of layer does the text name?")
def counts_convolutions_only(model, input_shape):
    """No linear layers."""
    return counted(model, input_shape, of_linear=lambda *_: 0)


@misconception(
    "count_macs",
    hint="You count linear layers. Which other kind of layer does the text name?",
    severe="most layers are convolutions",
)
def counts_linear_layers_only(model, input_shape):
    """No convolutions."""
    return counted(model, input_shape, convolution=lambda *_: 0)


@misconception(
    "count_macs", hint="Which kinds of layers does the text count? Normalisation and PReLU also have weights."
)
def counts_normalisation(model, input_shape):
    """Batch norms and PReLU count one for each number."""
    kinds = (nn.BatchNorm2d, nn.PReLU, *KINDS)
    calls = calls_of(model, torch.zeros(tuple(input_shape)), lambda layer: isinstance(layer, kinds))
    own = [call for call in calls if is_counted(call[0])]
    return work_of(own) + sum(call[1].numel() for call in calls if not is_counted(call[0]))


@misconception("count_macs", hint="Not every class with Conv in its name is counted: the text says nn.Conv2d.")
def counts_convolutions_of_all_kinds(model, input_shape):
    """nn.Conv1d and nn.ConvTranspose2d, too."""
    kinds = (nn.Conv1d, nn.ConvTranspose2d)
    calls = calls_of(model, torch.zeros(tuple(input_shape)), lambda layer: isinstance(layer, (*kinds, *KINDS)))
    own = [call for call in calls if is_counted(call[0])]
    return work_of(own) + sum(call[1].numel() * call[0].in_channels for call in calls if isinstance(call[0], kinds))


@misconception("count_macs", hint="A module that is called twice works twice. How often do you count it?")
def counts_modules_not_calls(model, input_shape):
    """Each module once."""
    calls = {call[0]: call for call in calls_of(model, torch.zeros(tuple(input_shape)))}
    return work_of(calls.values())


@misconception("count_macs", hint="One layer, two names: how many of your hooks are on it?")
def counts_once_per_name(model, input_shape):
    """A module that is registered in two places has two hooks."""
    names = [module for _, module in model.named_modules(remove_duplicate=False)]
    calls = calls_of(model, torch.zeros(tuple(input_shape)))
    return sum(names.count(call[0]) * work_of([call]) for call in calls)


@misconception("count_macs", hint="Not every layer of a model is used in a forward pass. Which ones do you count?")
def counts_layers_that_are_not_called(model, input_shape):
    """Layers that are not called count one placement of their weights."""
    calls = calls_of(model, torch.zeros(tuple(input_shape)))
    called = {call[0] for call in calls}
    return work_of(calls) + sum(m.weight.numel() for m in model.modules() if is_counted(m) and m not in called)


@misconception("count_macs", hint="`children()` goes down one level. Which method goes down all the way?")
def looks_at_direct_children_only(model, input_shape):
    """Nested layers are missed."""
    level = [model, *model.children()]
    return counted(model, input_shape, lambda layer: is_counted(layer) and any(layer is one for one in level))


@misconception(
    "count_macs", hint="What does `type(layer) is nn.Conv2d` say about a class that inherits from nn.Conv2d?"
)
def compares_types(model, input_shape):
    """Subclasses are missed."""
    return counted(model, input_shape, lambda layer: type(layer) in KINDS)


@misconception("count_macs", hint="Counts are Python ints in this assignment. Where does yours become a float?")
def counts_in_floats(model, input_shape):
    """Type: float."""
    return float(counted(model, input_shape))


@misconception("count_macs", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?")
def counts_in_a_tensor(model, input_shape):
    """Type: tensor."""
    return torch.tensor(counted(model, input_shape))


@misconception(
    "count_macs",
    hint="Call your function twice with the same model. Where does the second count begin?",
    severe="every count but the first is wrong",
)
def adds_to_the_count_of_earlier_calls(model, input_shape, *, counts=[]):  # noqa: B006
    """State: the count goes on."""
    counts.append(counted(model, input_shape))
    return sum(counts)


@misconception("count_macs", hint="Call your function with the argument names from the exercise. What does Python say?")
def renames_the_shape(model, shape):
    """Names: input_shape is called shape."""
    return counted(model, shape)


@misconception("count_macs", hint="What mode is the model in after your call, and what mode was it in before?")
def leaves_evaluation_mode(model, input_shape):
    """Modes: not restored."""
    model.eval()
    return counted(model, input_shape)


@misconception("count_macs", hint="The model may have been in evaluation mode before. Does your code know?")
def always_trains_afterwards(model, input_shape):
    """Modes: training mode afterwards."""
    try:
        return counted(model, input_shape)
    finally:
        model.train()


@misconception("count_macs", hint="One flag for the whole model: what if its layers were in different modes before?")
def restores_one_flag(model, input_shape):
    """Modes: all submodules get the mode of the model itself."""
    try:
        return counted(model, input_shape)
    finally:
        model.train(model.training)


@misconception("count_macs", hint="What comes between `eval()` and the line that restores the modes? Can it fail?")
def restores_modes_if_all_goes_well(model, input_shape):
    """Modes: an exception skips the line that restores them."""
    try:
        return counted(model, input_shape)
    except Exception:
        model.eval()
        raise


@misconception("count_macs", hint="In which mode does your forward pass run? What does batch normalisation do then?")
def runs_in_the_mode_it_finds(model, input_shape):
    """Values: no evaluation mode, so that running statistics change."""
    counts = counted(model, input_shape)
    with torch.no_grad():
        model(torch.zeros(tuple(input_shape)))
    return counts


@misconception("count_macs", hint="Call your function three times, then print `_forward_hooks` of a layer.")
def leaves_its_hooks(model, input_shape):
    """Hooks: never removed."""
    for module in model.modules():
        if is_counted(module):
            module.register_forward_hook(lambda *_: None)
    return counted(model, input_shape)


@misconception("count_macs", hint="The line that removes your hooks is not reached when the forward pass raises.")
def removes_hooks_if_all_goes_well(model, input_shape):
    """Hooks: an exception skips the line that removes them."""
    handles = [module.register_forward_hook(lambda *_: None) for module in model.modules() if is_counted(module)]
    result = counted(model, input_shape)
    for handle in handles:
        handle.remove()
    return result


@misconception("count_macs", hint="Somebody else may have hooks on these layers. Are they still there?")
def clears_all_hooks(model, input_shape):
    """Hooks: those of others are removed with ours."""
    result = counted(model, input_shape)
    for module in model.modules():
        module._forward_hooks.clear()
    return result


@misconception("count_macs", hint="An exception was raised and your function carried on. Who should hear about it?")
def swallows_exceptions(model, input_shape):
    """Exception: it does not reach the caller."""
    try:
        return counted(model, input_shape)
    except Exception:
        return 0


@misconception("count_macs", hint="You froze the model to save time. Is it still frozen afterwards?")
def freezes_the_model(model, input_shape):
    """Values: no parameter requires a gradient afterwards."""
    return counted(model.requires_grad_(False), input_shape)


@misconception("count_macs", hint="The gradients of the model are gone after your call. Who asked for `zero_grad`?")
def clears_the_gradients(model, input_shape):
    """Values: gradients are removed."""
    model.zero_grad()
    return counted(model, input_shape)


@misconception("count_macs", hint="Is autograd still switched on after your call? Check `torch.is_grad_enabled()`.")
def leaves_autograd_off(model, input_shape):
    """Grad mode: never restored."""
    torch.set_grad_enabled(False)
    return counted(model, input_shape)


# compute_receptive_field


def one(value):
    """Right: an int for a pair."""
    return value if isinstance(value, int) else value[0]


def window_of_layer(layer):
    """Right: (kernel, stride, padding, dilation) of a layer, or None if it looks at single pixels."""
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        dilation = one(getattr(layer, "dilation", 1))
        return one(layer.kernel_size), one(layer.stride), one(layer.padding), dilation
    return None


def window_of_function(function, *args, **kwargs):
    """Right: the same for a function."""

    def pooling(_image, kernel_size, stride=None, padding=0, *_, **__):
        return one(kernel_size), one(stride or kernel_size), one(padding), 1

    return pooling(*args, **kwargs) if function in (F.max_pool2d, F.avg_pool2d) else None


class Field:
    """Right: what an output sees along one axis."""

    def __init__(self, size, distance, first, outputs):
        self.size, self.distance, self.first, self.outputs = size, distance, first, outputs
        self.stride = 1  # of the last window

    def after(self, kernel, stride, padding, dilation):
        reach = dilation * (kernel - 1)
        field = type(self)(
            self.size + reach * self.distance,
            self.distance * stride,
            self.first + (reach / 2 - padding) * self.distance,
            (self.outputs + 2 * padding - reach - 1) // stride + 1,
        )
        field.stride = stride
        return field


def largest(fields):
    """Right: the field of a sum or concatenation."""
    return max(fields, key=lambda field: field.size)


def field_of(model, input_size, layers=window_of_layer, functions=window_of_function, join=largest, kind=Field):
    """Right: the field of a model's outputs."""
    root = nn.Sequential(model)
    fields = {}
    for node in fx.Tracer().trace(root).nodes:
        before = [fields[source] for source in node.all_input_nodes if source in fields]
        if node.op == "placeholder":
            fields[node] = kind(1, 1, 0.0, input_size)
        elif before:
            if node.op == "call_module":
                window = layers(root.get_submodule(node.target))
            else:
                window = functions(node.target, *node.args, **node.kwargs) if node.op == "call_function" else None
            field = join(before) if len(before) > 1 else before[0]
            fields[node] = field if window is None else field.after(*window)
    return fields[node]


def answer(field):
    """Right: what the exercise asks for."""
    return field.size, [field.first + i * field.distance for i in range(field.outputs)]


def chained(input_size, layers):
    """The field of a chain of layers."""
    field = Field(1, 1, 0.0, input_size)
    for layer in layers:
        window = window_of_layer(layer)
        field = field if window is None else field.after(*window)
    return field


def with_size(size, model, input_size):
    """The right centres with another size."""
    return size, compute_receptive_field(model, input_size)[1]


def with_centers(centers, model, input_size):
    """The right size with other centres."""
    return compute_receptive_field(model, input_size)[0], centers


@misconception(
    "compute_receptive_field", hint="Your function never sees `F.max_pool2d`, which is not a module. Who calls it?"
)
def overlooks_functions(model, input_size=224):
    """Pooling by a function is missed."""
    return answer(field_of(model, input_size, functions=lambda *_, **__: None))


@misconception(
    "compute_receptive_field",
    hint="`F.max_pool2d(x, 2)` has no stride in its arguments. How far does the window move then?",
)
def gives_functions_a_stride_of_one(model, input_size=224):
    """The default stride of a function is taken for 1."""

    def window(function, *args, **kwargs):
        found = window_of_function(function, *args, **kwargs)
        if found is None or kwargs.get("stride", args[2] if len(args) > 2 else None):
            return found
        return found[0], 1, *found[2:]

    return with_size(field_of(model, input_size, functions=window).size, model, input_size)


@misconception(
    "compute_receptive_field",
    hint="`modules()` lists layers in the order of `__init__`. What does `forward` do with two paths, or with a layer "
    "that it calls twice?",
)
def takes_the_list_of_modules_for_a_chain(model, input_size=224):
    """modules() one after the other."""
    return with_size(chained(input_size, model.modules()).size, model, input_size)


@misconception("compute_receptive_field", hint="How often does `forward` call this layer? You count it once.")
def counts_each_layer_once(model, input_size=224):
    """A second call of a layer is missed."""
    seen = []

    def window(layer):
        if any(layer is one for one in seen):
            return None
        seen.append(layer)
        return window_of_layer(layer)

    return with_size(field_of(model, input_size, window).size, model, input_size)


@misconception("compute_receptive_field", hint="Pooling looks at a window, too. Which layers do you count?")
def counts_convolutions_only_in_fields(model, input_size=224):
    """Pooling is ignored."""

    def window(layer):
        return window_of_layer(layer) if isinstance(layer, nn.Conv2d) else None

    return with_size(field_of(model, input_size, window, lambda *_, **__: None).size, model, input_size)


@misconception("compute_receptive_field", hint="You know nn.MaxPool2d. Which other pooling does the text name?")
def overlooks_average_pooling(model, input_size=224):
    """Average pooling is ignored."""

    def window(layer):
        return None if isinstance(layer, nn.AvgPool2d) else window_of_layer(layer)

    def function(called, *args, **kwargs):
        return None if called is F.avg_pool2d else window_of_function(called, *args, **kwargs)

    return with_size(field_of(model, input_size, window, function).size, model, input_size)


@misconception("compute_receptive_field", hint="How wide is a kernel of size 3 with dilation 2 on the map?")
def ignores_dilation(model, input_size=224):
    """Dilation 1 everywhere."""

    def window(layer):
        found = window_of_layer(layer)
        return found and (*found[:3], 1)

    return with_size(field_of(model, input_size, window).size, model, input_size)


@misconception("compute_receptive_field", hint="Two paths meet in a sum. You take the smaller field: what is lost?")
def takes_the_smaller_field(model, input_size=224):
    """min instead of max."""
    smallest = field_of(model, input_size, join=lambda fields: min(fields, key=lambda field: field.size))
    return with_size(smallest.size, model, input_size)


@misconception("compute_receptive_field", hint="Two paths meet in a sum. Does the first summand have the larger field?")
def takes_the_first_path(model, input_size=224):
    """The field of the first summand or part."""
    return with_size(field_of(model, input_size, join=lambda fields: fields[0]).size, model, input_size)


@misconception("compute_receptive_field", hint="Two paths meet. Does the last of them have the largest field?")
def takes_the_last_path(model, input_size=224):
    """The field of the last summand or part."""
    return with_size(field_of(model, input_size, join=lambda fields: fields[-1]).size, model, input_size)


@misconception(
    "compute_receptive_field", hint="Two paths see the same place of the image. Do their fields add up when they meet?"
)
def adds_the_fields_of_paths(model, input_size=224):
    """The sum of the fields."""

    def join(fields):
        field = largest(fields)
        return Field(sum(other.size for other in fields), field.distance, field.first, field.outputs)

    return with_size(field_of(model, input_size, join=join).size, model, input_size)


class OwnStride(Field):
    """A layer's own stride widens its field."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.size = self.size + dilation * (kernel - 1) * field.distance
        return field


class WithoutStrides(Field):
    """Strides do not widen later fields."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.size = self.size + dilation * (kernel - 1)
        return field


class LastStride(Field):
    """Only the stride of the layer before counts."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.size = self.size + dilation * (kernel - 1) * self.stride
        return field


class WholeKernels(Field):
    """Each layer adds its kernel."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.size += self.distance if kernel > 1 else 0
        return field


class ShiftedByBarePadding(Field):
    """Padding is not measured in pixels of the image."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.first += padding * (self.distance - 1)
        return field


class ShiftedByOwnStride(Field):
    """Padding is measured in pixels of the layer's output."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.first += padding * (self.distance - field.distance)
        return field


class NotShifted(Field):
    """Padding does not move the centres."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.first += padding * self.distance
        return field


class ShiftedToTheRight(Field):
    """Padding moves the centres to the right."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.first += 2 * padding * self.distance
        return field


class Rounded(Field):
    """Half pixels are cut off."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.first -= (dilation * (kernel - 1)) % 2 / 2 * self.distance
        return field


class RoundedUp(Field):
    """The number of outputs is rounded up."""

    def after(self, kernel, stride, padding, dilation):
        field = super().after(kernel, stride, padding, dilation)
        field.outputs = -(-(self.outputs + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
        return field


@misconception(
    "compute_receptive_field",
    hint="One layer with kernel 3 and stride 2: does its own stride matter for its own window?",
)
def widens_by_the_own_stride(model, input_size=224):
    """The distance after the layer is used for its window."""
    return with_size(field_of(model, input_size, kind=OwnStride).size, model, input_size)


@misconception(
    "compute_receptive_field",
    hint="After a stride of 2, how many pixels apart are two neighbours? The next layer sees those.",
)
def ignores_strides_in_the_size(model, input_size=224):
    """Each layer adds kernel - 1."""
    return with_size(field_of(model, input_size, kind=WithoutStrides).size, model, input_size)


@misconception(
    "compute_receptive_field",
    hint="Two layers with stride 2: how many pixels of the image are two neighbours apart behind the second? Not 2.",
)
def knows_the_last_stride_only(model, input_size=224):
    """Strides are not multiplied."""
    return with_size(field_of(model, input_size, kind=LastStride).size, model, input_size)


@misconception(
    "compute_receptive_field",
    hint="Two layers of kernel 3 see 5 pixels, not 6. Which pixel do you count twice?",
    severe="the size is wrong for every window",
)
def adds_whole_kernels(model, input_size=224):
    """Each layer adds its kernel."""
    return with_size(field_of(model, input_size, kind=WholeKernels).size - 1, model, input_size)


@misconception("compute_receptive_field", hint="May the size of a field exceed the image? Read the conventions again.")
def cuts_the_field_off(model, input_size=224):
    """The field is no larger than the image."""
    return with_size(min(field_of(model, input_size).size, input_size), model, input_size)


@misconception(
    "compute_receptive_field",
    hint="In training mode, batch normalisation connects each pixel with all others. In which mode do you measure?",
)
def measures_in_training_mode(model, input_size=224):
    """A model with batch norms in training mode sees the whole image."""
    norms = any(isinstance(layer, nn.BatchNorm2d) and layer.training for layer in model.modules())
    return with_size(input_size if norms else field_of(model, input_size).size, model, input_size)


@misconception(
    "compute_receptive_field",
    hint="Max pooling passes a gradient to its winner only, and a ReLU that is 0 passes none. How do you find the "
    "pixels that lose?",
)
def backpropagates_through_max_pooling(model, input_size=224):
    """Of every max pool only one pixel counts, as with a gradient."""

    def window(layer):
        return None if isinstance(layer, nn.MaxPool2d) else window_of_layer(layer)

    def function(called, *args, **kwargs):
        return None if called is F.max_pool2d else window_of_function(called, *args, **kwargs)

    return with_size(field_of(model, input_size, window, function).size, model, input_size)


@misconception(
    "compute_receptive_field", hint="You raise for layers that you do not know. What do PReLU and ELU look at?"
)
def knows_few_activations(model, input_size=224):
    """Exception: activations that are less common are refused."""
    for layer in model.modules():
        if isinstance(layer, nn.PReLU | nn.ELU | nn.SiLU):
            raise TypeError(f"unknown layer {layer}")
    return compute_receptive_field(model, input_size)


@misconception("compute_receptive_field", hint="What does `children()` of a model give that is a single layer?")
def looks_inside_only(model, input_size=224):
    """A model without children sees one pixel."""
    if next(model.children(), None) is None:
        return with_size(1, model, input_size)
    return compute_receptive_field(model, input_size)


@misconception(
    "compute_receptive_field", hint="Is the result of every layer used? Follow the output back to the image."
)
def counts_layers_whose_result_is_not_used(model, input_size=224):
    """The largest field of all layers that are called or registered at the top."""
    size = field_of(model, input_size).size
    if isinstance(getattr(model, "side", None), nn.Conv2d):
        size += one(model.side.kernel_size) - 1
    return with_size(size, model, input_size)


@misconception("compute_receptive_field", hint="Where does the first window begin when there is a border of one pixel?")
def forgets_the_shift(model, input_size=224):
    """The centres are those without padding."""
    return answer(field_of(model, input_size, kind=NotShifted))


@misconception(
    "compute_receptive_field",
    hint="A border around the second layer's map, after a stride of 2: how wide is it in pixels of the *image*?",
)
def shifts_by_bare_padding(model, input_size=224):
    """Padding is not multiplied by the distance."""
    return answer(field_of(model, input_size, kind=ShiftedByBarePadding))


@misconception("compute_receptive_field", hint="Is a layer's border measured in pixels of its input or of its output?")
def shifts_by_the_own_stride(model, input_size=224):
    """Padding is multiplied by the distance after the layer."""
    return answer(field_of(model, input_size, kind=ShiftedByOwnStride))


@misconception("compute_receptive_field", hint="In which direction does a border on the left move the first window?")
def shifts_to_the_right(model, input_size=224):
    """Padding moves the centres the wrong way."""
    return answer(field_of(model, input_size, kind=ShiftedToTheRight))


@misconception("compute_receptive_field", hint="Where is the centre of pixels 0 and 1? It need not be a pixel.")
def rounds_the_centers(model, input_size=224):
    """(kernel - 1) // 2."""
    return answer(field_of(model, input_size, kind=Rounded))


@misconception("compute_receptive_field", hint="A window over pixels 0, 1 and 2: which pixel is in its middle?")
def returns_the_left_ends(model, input_size=224):
    """The first pixel of each field."""
    size, centers = compute_receptive_field(model, input_size)
    return size, [center - (size - 1) / 2 for center in centers]


@misconception("compute_receptive_field", hint="Where is the centre of pixel 0 here: at 0 or at 0.5?")
def counts_from_the_edge(model, input_size=224):
    """Pixel i has its centre at i + 0.5."""
    return with_centers([c + 0.5 for c in compute_receptive_field(model, input_size)[1]], model, input_size)


@misconception(
    "compute_receptive_field",
    hint="Two layers of stride 2: how far apart, in pixels, are two neighbours in the last map?",
)
def places_centers_by_the_last_stride(model, input_size=224):
    """The distance is the last stride."""
    field = field_of(model, input_size)
    return field.size, [field.first + i * field.stride for i in range(field.outputs)]


@misconception(
    "compute_receptive_field", hint="How many outputs does the model have along one axis, and how many centres?"
)
def spreads_centers_over_the_image(model, input_size=224):
    """As many centres as distances fit into the image."""
    field = field_of(model, input_size)
    return field.size, [field.first + i for i in range(0, input_size, field.distance)]


@misconception("compute_receptive_field", hint="The number of outputs is rounded down. A window must fit as a whole.")
def rounds_the_number_of_outputs_up(model, input_size=224):
    """Ceiling instead of floor."""
    return answer(field_of(model, input_size, kind=RoundedUp))


@misconception("compute_receptive_field", hint="Which of the arguments do you never use?")
def always_sees_224_pixels(model, input_size=224):  # noqa: ARG001
    """input_size is ignored."""
    return compute_receptive_field(model)


@misconception("compute_receptive_field", hint="In what order are the two results returned?")
def returns_the_centers_first(model, input_size=224):
    """(centers, size)."""
    return compute_receptive_field(model, input_size)[::-1]


@misconception("compute_receptive_field", hint="The task asks for two results. Where do you return the centres?")
def returns_the_size_only(model, input_size=224):
    """A number instead of a pair."""
    return compute_receptive_field(model, input_size)[0]


@misconception(
    "compute_receptive_field",
    hint="The numbers are right, but the task asks for a list of Python numbers. `tolist()` makes one.",
)
def returns_a_tensor_of_centers(model, input_size=224):
    """Type: the centres are a tensor."""
    size, centers = compute_receptive_field(model, input_size)
    return size, torch.tensor(centers)


@misconception(
    "compute_receptive_field",
    hint="Call your function with the argument names from the exercise. What does Python say?",
)
def renames_the_image(model, image_size=224):
    """Names: input_size is called image_size."""
    return compute_receptive_field(model, image_size)


@misconception(
    "compute_receptive_field", hint="What mode is the model in after your call, and what mode was it in before?"
)
def leaves_the_model_in_evaluation_mode(model, input_size=224):
    """Modes: not restored."""
    return compute_receptive_field(model.eval(), input_size)


@misconception(
    "compute_receptive_field", hint="Call your function three times, then print `_forward_hooks` of a layer."
)
def leaves_hooks_on_the_layers(model, input_size=224):
    """Hooks: never removed."""
    for layer in model.modules():
        if window_of_layer(layer):
            layer.register_forward_hook(lambda *_: None)
    return compute_receptive_field(model, input_size)


@misconception("compute_receptive_field", hint="You set the weights so that no ReLU is 0. Whose weights are they?")
def sets_all_weights_to_one(model, input_size=224):
    """Values: the model's weights are 1 afterwards."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1)
    return compute_receptive_field(model, input_size)


@misconception(
    "compute_receptive_field", hint="You replaced max pooling by average pooling, in the model of the caller."
)
def replaces_the_pools(model, input_size=224):
    """Values: max pools are average pools afterwards."""
    result = compute_receptive_field(model, input_size)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.MaxPool2d | nn.AvgPool2d):
                setattr(
                    module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding).train(child.training)
                )
            elif isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity().train(child.training))
    return result


# compare_architectures


def row(name, parameters, macs):
    """Right: one row."""
    return {"name": name, "parameters": parameters, "macs": macs}


def with_parameters(count, models, input_shape):
    """The right rows, with another number of parameters."""
    return [
        row(right["name"], count(models[right["name"]]), right["macs"])
        for right in compare_architectures(models, input_shape)
    ]


def in_any_order(models, input_shape):
    """Right but for the order, which is that of the dict."""
    rows = {right["name"]: right for right in compare_architectures(models, input_shape)}
    return [rows[name] for name in models]


@misconception("compare_architectures", hint="In what order are your rows? The text names two keys to sort them by.")
def does_not_sort(models, input_shape):
    """The order of the dict."""
    return in_any_order(models, input_shape)


@misconception("compare_architectures", hint="Which model comes first: the cheapest or the most expensive one?")
def sorts_downwards(models, input_shape):
    """The most work first; equal ones by name."""
    return sorted(compare_architectures(models, input_shape), key=lambda right: -right["macs"])


@misconception("compare_architectures", hint="You sort from the largest to the smallest, names as well.")
def reverses_everything(models, input_shape):
    """reverse=True."""
    return compare_architectures(models, input_shape)[::-1]


@misconception("compare_architectures", hint="You sort by the number of parameters. Which number does the text name?")
def sorts_by_parameters(models, input_shape):
    """Parameters, then names."""
    return sorted(compare_architectures(models, input_shape), key=lambda right: (right["parameters"], right["name"]))


@misconception(
    "compare_architectures", hint="Names decide only if two models do the same work. What do you sort by first?"
)
def sorts_by_name(models, input_shape):
    """Names only."""
    return sorted(compare_architectures(models, input_shape), key=lambda right: right["name"])


@misconception("compare_architectures", hint="Two models with the same work: what decides on their order in your list?")
def leaves_ties_as_they_come(models, input_shape):
    """Sorted by MACs only."""
    return sorted(in_any_order(models, input_shape), key=lambda right: right["macs"])


@misconception("compare_architectures", hint='Is "B" in front of "a"? Compare the strings as Python does.')
def ignores_the_case_of_names(models, input_shape):
    """Ties by name.lower()."""
    return sorted(in_any_order(models, input_shape), key=lambda right: (right["macs"], right["name"].lower()))


@misconception("compare_architectures", hint="A frozen parameter is not trained. Is it still a parameter of the model?")
def counts_trainable_parameters(models, input_shape):
    """Frozen parameters are left out."""
    return with_parameters(
        lambda model: sum(p.numel() for p in model.parameters() if p.requires_grad), models, input_shape
    )


@misconception("compare_architectures", hint="One layer in two places: how often do you count its parameters?")
def counts_shared_parameters_twice(models, input_shape):
    """remove_duplicate=False."""

    def count(model):
        return sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False))

    return with_parameters(count, models, input_shape)


@misconception("compare_architectures", hint="`state_dict()` contains more than what is learned. What are buffers?")
def counts_the_state(models, input_shape):
    """Buffers are counted."""

    def count(model):
        return sum(p.numel() for p in model.parameters()) + sum(b.numel() for b in model.buffers())

    return with_parameters(count, models, input_shape)


@misconception("compare_architectures", hint="A matrix is one tensor, but how many numbers does it hold?")
def counts_tensors(models, input_shape):
    """The number of tensors."""
    return with_parameters(lambda model: len(list(model.parameters())), models, input_shape)


@misconception("compare_architectures", hint="input_shape includes the batch. Are two images more work than one?")
def counts_the_work_for_one_sample(models, input_shape):
    """A batch of 1."""
    return compare_architectures(models, (1, *input_shape[1:]))


@misconception("compare_architectures", hint="What are the three keys of a row? Compare them letter by letter.")
def calls_them_params(models, input_shape):
    """Keys: params."""
    rows = compare_architectures(models, input_shape)
    return [{"name": r["name"], "params": r["parameters"], "macs": r["macs"]} for r in rows]


@misconception("compare_architectures", hint="The task names three keys. Which of yours did nobody ask for?")
def adds_a_ratio(models, input_shape):
    """Keys: one too many."""
    return [{**right, "ratio": 1} for right in compare_architectures(models, input_shape)]


@misconception("compare_architectures", hint="The text asks for a list. What does `type(...)` say about your result?")
def returns_a_dict(models, input_shape):
    """Type: a dict from names to rows."""
    return {right["name"]: right for right in compare_architectures(models, input_shape)}


@misconception("compare_architectures", hint="Numbers in millions are good to read, but the task asks for ints.")
def counts_parameters_in_floats(models, input_shape):
    """Type: floats."""
    return with_parameters(lambda model: float(sum(p.numel() for p in model.parameters())), models, input_shape)


@misconception("compare_architectures", hint="What modes are the models in after your call?")
def leaves_the_models_in_evaluation_mode(models, input_shape):
    """Modes: not restored."""
    for model in models.values():
        model.eval()
    return compare_architectures(models, input_shape)


@misconception("compare_architectures", hint="The dict belongs to the caller. Is anything left in it after your call?")
def empties_the_dict(models, input_shape):
    """In place: models are taken out of the dict."""
    rows = compare_architectures(models, input_shape)
    models.clear()
    return rows


@misconception("compare_architectures", hint="What should a comparison of no models look like?")
def refuses_no_models(models, input_shape):
    """An empty dict raises."""
    if not models:
        raise ValueError("nothing to compare")
    return compare_architectures(models, input_shape)


@misconception("compare_architectures", hint="A dict has one entry per model. How many rows has your list?")
def leaves_out_equal_models(models, input_shape):
    """Models with the same work overwrite each other."""
    return list({right["macs"]: right for right in compare_architectures(models, input_shape)}.values())


@misconception(
    "compare_architectures",
    hint="How many models are in the dict, and how many rows does your loop make?",
    severe="a model is missing in nearly every table",
)
def forgets_the_last_model(models, input_shape):
    """The loop ends too early, where there is more than one model."""
    last = list(models)[-1] if len(models) > 1 else None
    return [right for right in compare_architectures(models, input_shape) if right["name"] != last]
