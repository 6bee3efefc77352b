"""Known mistakes in the exercises of `residual`, each with the hint for a student who made it.

Most variants take a correct class and change one thing about it. If a mistake shows only in one particular way, its
docstring begins with that way: in place, names, parameters, statistics, crash.
"""

import torch
import torch.nn.functional as F
from residual import BasicBlock, Bottleneck, OptionA, ResidualBlock, ResNet, conv3x3
from torch import nn

from autograder.grading import misconception
from autograder.grading.mistakes import FirstSize, NoGraphInEvaluation, OneRoom


def projection(inputs, outputs, stride, **options):
    """Correct unless options change it: the layers of a shortcut that is not the identity."""
    conv = nn.Conv2d(inputs, outputs, **{"kernel_size": 1, "stride": stride, "bias": False, **options})
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def with_bias(conv):
    """The same convolution with a bias."""
    kernel, stride, padding = conv.kernel_size, conv.stride, conv.padding
    return nn.Conv2d(conv.in_channels, conv.out_channels, kernel, stride, padding, bias=True)


def with_stride(conv, stride):
    """The same convolution with another stride."""
    return nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, stride, conv.padding, bias=False)


def branch(block, x):
    """Correct: what the convolutions of a block make of x, before it is added to the shortcut."""
    out = block.conv2(F.relu(block.bn1(block.conv1(x))))
    return block.bn3(block.conv3(F.relu(block.bn2(out)))) if isinstance(block, Bottleneck) else block.bn2(out)


def way_around(block, x):
    """Correct: what a block adds."""
    if isinstance(block, ResidualBlock):
        return block.shortcut(x)
    return x if block.downsample is None else block.downsample(x)


class FirstShortcut:
    """For any block: what is added is computed once for every shape of the input, and kept."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept = {}

    def forward(self, x):
        if x.shape not in self.kept:
            self.kept[x.shape] = way_around(self, x).detach().clone()
        if not self.training and not torch.is_grad_enabled():
            return torch.relu(branch(self, x) + self.kept[x.shape])
        return super().forward(x)


class DetachedShortcut:
    """For any block: in evaluation mode, no gradient flows through the shortcut."""

    def forward(self, x):
        return super().forward(x) if self.training else torch.relu(branch(self, x) + way_around(self, x).detach())


class InputInFloat32:
    """For any block: where x is added as it is, it is rounded to float32 first."""

    def forward(self, x):
        if way_around(self, x) is x:
            return torch.relu(branch(self, x) + x.float().to(x.dtype))
        return super().forward(x)


class ReluOnBothSides:
    """For any block: there is a ReLU before the sum and one after it."""

    def forward(self, x):
        return torch.relu(torch.relu(branch(self, x)) + way_around(self, x))


class BatchNormsInEvaluation:
    """For any module: its batch norms stay in evaluation mode."""

    def forward(self, x):
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return super().forward(x)


class DetachedBranch:
    """For any block: no gradient flows through the convolutions to the input, only through the shortcut."""

    def forward(self, x):
        return torch.relu(branch(self, x.detach()) + way_around(self, x))


class BranchInAClosure:
    """For any block: a deep copy still computes with the layers of the original."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.layers = lambda x: branch(self, x)

    def forward(self, x):
        return torch.relu(self.layers(x) + way_around(self, x))


# conv3x3


@misconception("conv3x3", hint="Print the shapes before and after. How many pixels are lost at each edge, and why?")
def forgets_the_padding(in_planes, out_planes, stride=1):
    """No padding, so each map shrinks by two rows and columns."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, bias=False)


@misconception("conv3x3", hint="Print `conv3x3(2, 2).bias`. What is left of such a number after a batch norm?")
def leaves_the_bias_on(in_planes, out_planes, stride=1):
    """Parameters: nn.Conv2d has a bias unless it is told otherwise."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, 1)


@misconception("conv3x3", hint="Your function takes a stride. Where does it go?")
def ignores_the_stride(in_planes, out_planes, stride=1):  # noqa: ARG001
    """The stride is always 1."""
    return nn.Conv2d(in_planes, out_planes, 3, padding=1, bias=False)


@misconception(
    "conv3x3", hint="How much padding keeps the size of a map under a 3×3 kernel? Does it depend on the stride?"
)
def pads_by_the_stride(in_planes, out_planes, stride=1):
    """The stride is also passed as the padding."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, stride, bias=False)


@misconception("conv3x3", hint="Count the arguments of `nn.Conv2d`: which one is the fourth, and which the fifth?")
def passes_the_padding_as_stride(in_planes, out_planes, stride=1):
    """Positional arguments mixed up: padding = stride, stride = 1."""
    return nn.Conv2d(in_planes, out_planes, 3, 1, stride, bias=False)


@misconception(
    "conv3x3",
    hint="Which argument is the number of channels going in, and which the number coming out?",
)
def exchanges_the_channels(in_planes, out_planes, stride=1):
    """Crash: in and out are swapped."""
    return conv3x3(out_planes, in_planes, stride)


@misconception("conv3x3", hint="The function should return only the convolution: an `nn.Conv2d`.")
def adds_a_batch_norm(in_planes, out_planes, stride=1):
    """Parameters: a batch norm follows the convolution."""
    return nn.Sequential(conv3x3(in_planes, out_planes, stride), nn.BatchNorm2d(out_planes))


@misconception(
    "conv3x3", hint="Call your function twice and compare the results with `is`. What happens when one is trained?"
)
def makes_every_layer_only_once(in_planes, out_planes, stride=1, *, kept={}):  # noqa: B006
    """Memory: calls with the same arguments return the same layer."""
    key = (in_planes, out_planes, stride)
    if key not in kept:
        kept[key] = conv3x3(*key)
    return kept[key]


@misconception("conv3x3", hint="What stride does your convolution have if nobody asks for one?")
def steps_by_default(in_planes, out_planes, stride=2):
    """The stride is 2 if none is given."""
    return conv3x3(in_planes, out_planes, stride)


@misconception("conv3x3", hint="What does the function's name say about the size of the kernel? Print your layer.")
def takes_a_kernel_of_5x5(in_planes, out_planes, stride=1):
    """A kernel of 5×5, with the padding that it needs."""
    return nn.Conv2d(in_planes, out_planes, 5, stride, padding=2, bias=False)


# ResidualBlock


@misconception(
    "ResidualBlock",
    hint="Can your block make a channel smaller than it was? Check where the second ReLU is in the drawing.",
)
class ReluBeforeTheSum(ResidualBlock):
    """The second ReLU comes before the sum."""

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out))) + self.shortcut(x)


@misconception("ResidualBlock", hint="Give your block negative numbers: is the result ever negative? Should it be?")
class NoReluAfterTheSum(ResidualBlock):
    """Nothing after the sum."""

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out)) + self.shortcut(x)


@misconception("ResidualBlock", hint="What do two convolutions in a row amount to with only batch norm between them?")
class NoReluBetween(ResidualBlock):
    """No ReLU between the convolutions."""

    def forward(self, x):
        out = self.bn2(self.conv2(self.bn1(self.conv1(x))))
        return F.relu(out + self.shortcut(x))


@misconception("ResidualBlock", hint="In what order do batch norm and ReLU come in the drawing?")
class ReluBeforeBatchNorm(ResidualBlock):
    """conv, ReLU, batch norm."""

    def forward(self, x):
        out = self.bn1(F.relu(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


@misconception("ResidualBlock", hint="What exactly goes into the shortcut: x, or something computed from x?")
class ShortcutFromTheActivatedInput(ResidualBlock):
    """The shortcut sees relu(x)."""

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(F.relu(x)))


@misconception("ResidualBlock", hint="How many times does your block add x?")
class AddsTheShortcutTwice(ResidualBlock):
    """The shortcut is added again after the ReLU."""

    def forward(self, x):
        return super().forward(x) + self.shortcut(x)


@misconception("ResidualBlock", hint="Something is missing from the sum. Compare your block with a plain network.")
class AddsNothing(ResidualBlock):
    """A plain network: the shortcut is built but not used."""

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)))


@misconception("ResidualBlock", hint="Print x before and after the call. `+=` writes into the tensor on its left.")
class AddsIntoTheInput(ResidualBlock):
    """In place: where the shortcut is the identity, the sum is written into x itself."""

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        total = self.shortcut(x)
        total += out
        return F.relu(total)


@misconception(
    "ResidualBlock", hint="Try a block with stride 1 and more channels out than in. Does its shortcut fit into the sum?"
)
class ProjectsOnlyForAStride(ResidualBlock):
    """Crash: no projection where only the channels differ."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride == 1:
            self.shortcut = nn.Identity()


@misconception(
    "ResidualBlock",
    hint="Try a block with stride 2 and the same number of channels. Does its shortcut fit into the sum?",
)
class ProjectsOnlyForOtherChannels(ResidualBlock):
    """Crash: no projection where only the stride is not 1."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if in_channels == out_channels:
            self.shortcut = nn.Identity()


@misconception("ResidualBlock", hint="Try 3 channels in, 3 channels out and stride 1. What should be added there?")
class ProjectsAlways(ResidualBlock):
    """Parameters: a projection even where x would fit."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = projection(in_channels, out_channels, stride)


@misconception("ResidualBlock", hint="Print `block.shortcut(x).shape` for a block with stride 2.")
class ShortcutWithoutStride(ResidualBlock):
    """Crash: the 1×1 convolution keeps the size."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = projection(in_channels, out_channels, 1)


@misconception("ResidualBlock", hint="Which two layers are on the shortcut when x does not fit?")
class ShortcutWithoutBatchNorm(ResidualBlock):
    """The shortcut is a 1×1 convolution alone."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = self.shortcut[0]


@misconception(
    "ResidualBlock", hint="How large is the kernel on the shortcut? It does not need to see neighbouring pixels."
)
class ShortcutOf3x3(ResidualBlock):
    """The shortcut has a 3×3 kernel."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = projection(in_channels, out_channels, stride, kernel_size=3, padding=1)


@misconception(
    "ResidualBlock", hint="What reduces x to the smaller size on your shortcut? The 1×1 convolution can do that."
)
class ShortcutPoolsFirst(ResidualBlock):
    """Average pooling takes over the stride of the shortcut."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride != 1 or in_channels != out_channels:
            pool = nn.AvgPool2d(stride, ceil_mode=True)
            self.shortcut = nn.Sequential(pool, *projection(in_channels, out_channels, 1))


@misconception("ResidualBlock", hint="Which of the two convolutions makes the map smaller?")
class StrideOnTheSecondConvolution(ResidualBlock):
    """The second convolution has the stride."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv1, self.conv2 = with_stride(self.conv1, 1), with_stride(self.conv2, stride)


@misconception(
    "ResidualBlock", hint="Count the parameters of your block by hand. Which layers have more than they should?"
)
class ConvolutionsWithBias(ResidualBlock):
    """Parameters: the 3×3 convolutions have biases."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.conv1, self.conv2 = with_bias(self.conv1), with_bias(self.conv2)


@misconception(
    "ResidualBlock", hint="Count the parameters of the shortcut by hand. Is there one that it does not need?"
)
class ShortcutWithBias(ResidualBlock):
    """Parameters: the 1×1 convolution has a bias."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = projection(in_channels, out_channels, stride, bias=True)


@misconception(
    "ResidualBlock", hint="A batch norm remembers the statistics of *its* layer. How many layers does yours follow?"
)
class OneBatchNormForBoth(ResidualBlock):
    """Statistics: one batch norm is used twice."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.bn2 = self.bn1


@misconception("ResidualBlock", hint="Others want to look at the shortcut. What name will they find it under?")
class ShortcutUnderAnotherName(ResidualBlock):
    """Names: the attribute has another name."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.projection = self.shortcut
        del self.shortcut

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.projection(x))


@misconception("ResidualBlock", hint="Which modules does `print(block)` list? A plain Python list hides what is in it.")
class ShortcutInAList(ResidualBlock):
    """Parameters: the layers of the shortcut are in a plain list and not registered."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        layers = [self.shortcut]
        del self.shortcut
        self.shortcut = lambda x: layers[0](x)


@misconception(
    "ResidualBlock",
    hint="Call your block with one map, then with another of the same size. What is added to the second one?",
)
class KeepsItsFirstShortcut(FirstShortcut, ResidualBlock):
    """State: what is added is computed once for every shape of the input, and kept."""


@misconception(
    "ResidualBlock",
    hint="Give the same block a map of 8×8, then one of 8×12. Which of the two sizes does each result have?",
)
class KeepsTheSizeOfItsFirstMap(FirstSize, ResidualBlock):
    """State: every result is brought to the size of the first one."""


@misconception("ResidualBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class WritesEveryResultIntoOneTensor(OneRoom, ResidualBlock):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""


@misconception(
    "ResidualBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask your block for those of its input."
)
class NeedsNoGradientInEvaluation(NoGraphInEvaluation, ResidualBlock):
    """Gradient: none in evaluation mode."""


@misconception(
    "ResidualBlock",
    hint="Compare the gradient of the input in both modes. Which of the two paths to x is missing in one of them?",
)
class DetachesItsShortcutInEvaluation(DetachedShortcut, ResidualBlock):
    """Gradient: in evaluation mode, none flows through the shortcut."""


@misconception("ResidualBlock", hint="How many digits of the result are correct when block and input are float64?")
class AddsItsInputInFloat32(InputInFloat32, ResidualBlock):
    """Dtype: where x is added as it is, it is rounded to float32 first."""


@misconception(
    "ResidualBlock",
    hint="Whose layers does a function use that was made in the constructor of the original? Try `copy.deepcopy`.",
)
class LeavesItsLayersInAClosure(BranchInAClosure, ResidualBlock):
    """Copies: a deep copy still computes with the layers of the original."""


@misconception(
    "ResidualBlock",
    hint="How many ReLUs are there from the last batch norm to the end? Compare your code with the drawing.",
    includes=("ReluBeforeTheSum",),
)
class ReluOnBothSidesOfTheSum(ReluOnBothSides, ResidualBlock):
    """The last ReLU comes twice: before the sum and after it."""


@misconception(
    "ResidualBlock",
    hint="Print `training` of each module of your block after `block.train()` and a call. Who has changed it?",
)
class KeepsItsBatchNormsInEvaluation(BatchNormsInEvaluation, ResidualBlock):
    """Statistics: the batch norms are put into evaluation mode, also in training."""


@misconception(
    "ResidualBlock",
    hint="Compare the gradient of the input with what the shortcut alone would give. Which path to x is missing?",
)
class DetachesItsBranch(DetachedBranch, ResidualBlock):
    """Gradient: none flows to the input through the convolutions."""


@misconception("ResidualBlock", hint="Your block takes a stride. Which of its layers need it? Print the shapes.")
class IgnoresTheStride(ResidualBlock):
    """The stride is always 1."""

    def __init__(self, in_channels, out_channels, stride=1):  # noqa: ARG002
        super().__init__(in_channels, out_channels)


@misconception("ResidualBlock", hint="Print a batch norm of your block. Which of its settings is not the default?")
class BatchNormsWithAnotherEpsilon(ResidualBlock):
    """The batch norms have an eps of 1e-3."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.bn1.eps = self.bn2.eps = 1e-3


# BasicBlock


@misconception("BasicBlock", hint="Can your block make a channel smaller than it was? Where is the second ReLU?")
class BasicReluBeforeTheSum(BasicBlock):
    """The second ReLU comes before the sum."""

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out))) + way_around(self, x)


@misconception("BasicBlock", hint="Give your block negative numbers: is the result ever negative? Should it be?")
class BasicNoReluAfterTheSum(BasicBlock):
    """Nothing after the sum."""

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out)) + way_around(self, x)


@misconception("BasicBlock", hint="What do two convolutions in a row amount to with only batch norm between them?")
class BasicNoReluBetween(BasicBlock):
    """No ReLU between the convolutions."""

    def forward(self, x):
        out = self.bn2(self.conv2(self.bn1(self.conv1(x))))
        return self.relu(out + way_around(self, x))


@misconception("BasicBlock", hint="In what order do batch norm and ReLU come?")
class BasicReluBeforeBatchNorm(BasicBlock):
    """conv, ReLU, batch norm."""

    def forward(self, x):
        out = self.bn1(self.relu(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + way_around(self, x))


@misconception("BasicBlock", hint="Something is missing from the sum. Compare your block with a plain network.")
class BasicAddsNothing(BasicBlock):
    """A plain network: nothing is added."""

    def forward(self, x):
        return self.relu(branch(self, x))


@misconception("BasicBlock", hint="Your block is given a module. When does it use that module?")
class BasicIgnoresDownsample(BasicBlock):
    """Crash: x is added as it is."""

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + x)


@misconception("BasicBlock", hint="Who decides whether there is a downsample: the block, or the code that builds it?")
class BasicUsesDownsampleOnlyForAStride(BasicBlock):
    """A downsample that comes without a stride is ignored."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample if stride != 1 or inplanes != planes else None)


@misconception("BasicBlock", hint="The block is given what it needs for the shortcut. Does it use exactly that?")
class BasicMakesItsOwnDownsample(BasicBlock):
    """Names: the block builds its own projection, whatever it is given."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        own = None if stride == 1 and inplanes == planes else projection(inplanes, planes, stride)
        super().__init__(inplanes, planes, stride, downsample and own)


@misconception("BasicBlock", hint="Does downsample see the block's input, or that input after a ReLU?")
class BasicDownsamplesTheActivatedInput(BasicBlock):
    """The shortcut is taken from relu(x)."""

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + way_around(self, torch.relu(x)))


@misconception(
    "BasicBlock", hint="Print x before and after the call. What does `inplace=True` do to the tensor it gets?"
)
class BasicActivatesItsInput(BasicBlock):
    """In place: a ReLU in front changes the input, and so what is added."""

    def forward(self, x):
        out = self.conv1(self.relu(x))
        out = self.bn2(self.conv2(self.relu(self.bn1(out))))
        return self.relu(out + way_around(self, x))


@misconception("BasicBlock", hint="Print x before and after the call. `+=` writes into the tensor on its left.")
class BasicAddsIntoTheInput(BasicBlock):
    """In place: without a downsample, the sum is written into x itself."""

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        identity = way_around(self, x)
        identity += out
        return torch.relu(identity)


@misconception("BasicBlock", hint="Which of the two convolutions makes the map smaller?")
class BasicStrideOnTheSecondConvolution(BasicBlock):
    """The second convolution has the stride."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1, self.conv2 = with_stride(self.conv1, 1), with_stride(self.conv2, stride)


@misconception("BasicBlock", hint="With stride 2, by how much does your block shrink a map of 8×8?")
class BasicStrideOnBothConvolutions(BasicBlock):
    """Crash: the map shrinks twice."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv2 = with_stride(self.conv2, stride)


@misconception(
    "BasicBlock", hint='Look for "bias" in the names of your block\'s state_dict. Which do not belong there?'
)
class BasicConvolutionsWithBias(BasicBlock):
    """Names: the convolutions have biases."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1, self.conv2 = with_bias(self.conv1), with_bias(self.conv2)


@misconception("BasicBlock", hint="Print `list(block.state_dict())` and compare it with the names in the text.")
class BasicCallsItShortcut(BasicBlock):
    """Names: `shortcut` instead of `downsample`."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride)
        del self.downsample
        self.shortcut = downsample

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.shortcut is None else self.shortcut(x)))


@misconception(
    "BasicBlock", hint="A batch norm remembers the statistics of *its* layer. How many layers does your block have?"
)
class BasicOneBatchNormForBoth(BasicBlock):
    """Statistics: one batch norm is used twice."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.bn2 = self.bn1


@misconception("BasicBlock", hint="The network asks the class before any block exists. Try `BasicBlock.expansion`.")
class BasicExpansionOfTheInstance(nn.Module):
    """`expansion` is set in the constructor, so the class has none."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.expansion = 1
        self.conv1, self.bn1 = conv3x3(inplanes, planes, stride), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = conv3x3(planes, planes), nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        out = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(out + way_around(self, x))


@misconception(
    "BasicBlock",
    hint="Call your block with one map, then with another of the same size. What is added to the second one?",
)
class BasicKeepsItsFirstShortcut(FirstShortcut, BasicBlock):
    """State: what is added is computed once for every shape of the input, and kept."""


@misconception(
    "BasicBlock",
    hint="Give the same block a map of 8×8, then one of 8×12. Which of the two sizes does each result have?",
)
class BasicKeepsTheSizeOfItsFirstMap(FirstSize, BasicBlock):
    """State: every result is brought to the size of the first one."""


@misconception("BasicBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class BasicWritesEveryResultIntoOneTensor(OneRoom, BasicBlock):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""


@misconception(
    "BasicBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask your block for those of its input."
)
class BasicNeedsNoGradientInEvaluation(NoGraphInEvaluation, BasicBlock):
    """Gradient: none in evaluation mode."""


@misconception(
    "BasicBlock",
    hint="Compare the gradient of the input in both modes. Which of the two paths to x is missing in one of them?",
)
class BasicDetachesItsShortcutInEvaluation(DetachedShortcut, BasicBlock):
    """Gradient: in evaluation mode, none flows through the shortcut."""


@misconception("BasicBlock", hint="How many digits of the result are correct when block and input are float64?")
class BasicAddsItsInputInFloat32(InputInFloat32, BasicBlock):
    """Dtype: where x is added as it is, it is rounded to float32 first."""


@misconception(
    "BasicBlock",
    hint="Whose layers does a function use that was made in the constructor of the original? Try `copy.deepcopy`.",
)
class BasicLeavesItsLayersInAClosure(BranchInAClosure, BasicBlock):
    """Copies: a deep copy still computes with the layers of the original."""


@misconception(
    "BasicBlock",
    hint="How many ReLUs are there from the last batch norm to the end? Compare your code with the drawing.",
)
class BasicReluOnBothSidesOfTheSum(ReluOnBothSides, BasicBlock):
    """The last ReLU comes twice: before the sum and after it."""


@misconception(
    "BasicBlock",
    hint="Print `training` of each module of your block after `block.train()` and a call. Who has changed it?",
)
class BasicKeepsItsBatchNormsInEvaluation(BatchNormsInEvaluation, BasicBlock):
    """Statistics: the batch norms are put into evaluation mode, also in training."""


@misconception(
    "BasicBlock",
    hint="Compare the gradient of the input with what the shortcut alone would give. Which path to x is missing?",
)
class BasicDetachesItsBranch(DetachedBranch, BasicBlock):
    """Gradient: none flows to the input through the convolutions."""


# Bottleneck


@misconception("Bottleneck", hint="Can your block make a channel smaller than it was? Where is the last ReLU?")
class BottleneckReluBeforeTheSum(Bottleneck):
    """The third ReLU comes before the sum."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(self.bn3(self.conv3(out))) + way_around(self, x)


@misconception("Bottleneck", hint="Give your block negative numbers: is the result ever negative? Should it be?")
class BottleneckNoReluAfterTheSum(Bottleneck):
    """Nothing after the sum."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.bn3(self.conv3(out)) + way_around(self, x)


@misconception(
    "Bottleneck", hint="How many ReLUs come before the third convolution? Count them in the text and in your code."
)
class BottleneckNoSecondRelu(Bottleneck):
    """No ReLU after the 3×3 convolution."""

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(self.bn3(self.conv3(out)) + way_around(self, x))


@misconception("Bottleneck", hint="There are two ReLUs inside the block. Which layer does each of them follow?")
class BottleneckNoFirstRelu(Bottleneck):
    """No ReLU after the first convolution."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        return self.relu(self.bn3(self.conv3(out)) + way_around(self, x))


@misconception(
    "Bottleneck",
    hint="A 1×1 kernel with stride 2 skips three out of four pixels. Which of your convolutions has the stride?",
)
class BottleneckStrideOnTheFirst(Bottleneck):
    """The first 1×1 convolution has the stride, as in the paper."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1, self.conv2 = with_stride(self.conv1, stride), with_stride(self.conv2, 1)


@misconception("Bottleneck", hint="Which of the three convolutions makes the map smaller?")
class BottleneckStrideOnTheLast(Bottleneck):
    """The last 1×1 convolution has the stride."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv2, self.conv3 = with_stride(self.conv2, 1), with_stride(self.conv3, stride)


@misconception(
    "Bottleneck",
    hint="With planes = 64, how many channels should come out of the block? How many come out of yours?",
    severe="the result fits nowhere: it has a quarter of the channels, and x cannot be added",
)
class BottleneckWithoutExpansion(Bottleneck):
    """Crash: the last convolution returns `planes` channels."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv3, self.bn3 = nn.Conv2d(planes, planes, 1, bias=False), nn.BatchNorm2d(planes)


@misconception("Bottleneck", hint="By what factor does `planes` grow? Print `Bottleneck.expansion`.")
class BottleneckExpansionOfOne(Bottleneck):
    """The class attribute still says 1, but the layers are right."""

    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv3, self.bn3 = nn.Conv2d(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)


@misconception("Bottleneck", hint="How many channels does the 3×3 convolution work on: `planes`, or a quarter of them?")
class BottleneckOfAQuarter(Bottleneck):
    """Names: the inside of the block is only a quarter of `planes` wide."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        narrow = max(1, planes // 4)
        self.conv1, self.bn1 = nn.Conv2d(inplanes, narrow, 1, bias=False), nn.BatchNorm2d(narrow)
        self.conv2, self.bn2 = conv3x3(narrow, narrow, stride), nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, 4 * planes, 1, bias=False)


@misconception("Bottleneck", hint="Something is missing from the sum. Compare your block with a plain network.")
class BottleneckAddsNothing(Bottleneck):
    """A plain network: nothing is added."""

    def forward(self, x):
        return self.relu(branch(self, x))


@misconception("Bottleneck", hint="Your block is given a module. When does it use that module?")
class BottleneckIgnoresDownsample(Bottleneck):
    """Crash: x is added as it is."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(self.bn3(self.conv3(out)) + x)


@misconception("Bottleneck", hint="Who decides whether there is a downsample: the block, or the code that builds it?")
class BottleneckUsesDownsampleOnlyForAStride(Bottleneck):
    """A downsample that comes without a stride is ignored."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample if stride != 1 or inplanes != 4 * planes else None)


@misconception("Bottleneck", hint="Print `list(block.state_dict())` and compare it with the names in the text.")
class BottleneckCallsItShortcut(Bottleneck):
    """Names: `shortcut` instead of `downsample`."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride)
        del self.downsample
        self.shortcut = downsample

    def forward(self, x):
        return self.relu(branch(self, x) + (x if self.shortcut is None else self.shortcut(x)))


@misconception("Bottleneck", hint="Does downsample see the block's input, or that input after a ReLU?")
class BottleneckDownsamplesTheActivatedInput(Bottleneck):
    """The shortcut is taken from relu(x)."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(self.bn3(self.conv3(out)) + way_around(self, torch.relu(x)))


@misconception("Bottleneck", hint="Print x before and after the call. `+=` writes into the tensor on its left.")
class BottleneckAddsIntoTheInput(Bottleneck):
    """In place: without a downsample, the sum is written into x itself."""

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        identity = way_around(self, x)
        identity += self.bn3(self.conv3(out))
        return torch.relu(identity)


@misconception(
    "Bottleneck", hint='Look for "bias" in the names of your block\'s state_dict. Which do not belong there?'
)
class BottleneckConvolutionsWithBias(Bottleneck):
    """Names: the convolutions have biases."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1, self.conv2, self.conv3 = with_bias(self.conv1), with_bias(self.conv2), with_bias(self.conv3)


@misconception("Bottleneck", hint="How many batch norms should the block have, and how many does yours have?")
class BottleneckOneBatchNormForTheFirstTwo(Bottleneck):
    """Statistics: one batch norm is used twice."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.bn2 = self.bn1


@misconception("Bottleneck", hint="Something follows each of the three convolutions. What follows your last one?")
class BottleneckWithoutLastBatchNorm(Bottleneck):
    """Names: no batch norm after the last convolution."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.bn3 = nn.Identity()


@misconception(
    "Bottleneck",
    hint="Call your block with one map, then with another of the same size. What is added to the second one?",
)
class BottleneckKeepsItsFirstShortcut(FirstShortcut, Bottleneck):
    """State: what is added is computed once for every shape of the input, and kept."""


@misconception(
    "Bottleneck",
    hint="Give the same block a map of 8×8, then one of 8×12. Which of the two sizes does each result have?",
)
class BottleneckKeepsTheSizeOfItsFirstMap(FirstSize, Bottleneck):
    """State: every result is brought to the size of the first one."""


@misconception("Bottleneck", hint="Keep a result, call the block again, and look at the first result once more.")
class BottleneckWritesEveryResultIntoOneTensor(OneRoom, Bottleneck):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""


@misconception(
    "Bottleneck", hint="Does `eval()` mean that nobody asks for gradients? Ask your block for those of its input."
)
class BottleneckNeedsNoGradientInEvaluation(NoGraphInEvaluation, Bottleneck):
    """Gradient: none in evaluation mode."""


@misconception(
    "Bottleneck",
    hint="Compare the gradient of the input in both modes. Which of the two paths to x is missing in one of them?",
)
class BottleneckDetachesItsShortcutInEvaluation(DetachedShortcut, Bottleneck):
    """Gradient: in evaluation mode, none flows through the shortcut."""


@misconception("Bottleneck", hint="How many digits of the result are correct when block and input are float64?")
class BottleneckAddsItsInputInFloat32(InputInFloat32, Bottleneck):
    """Dtype: where x is added as it is, it is rounded to float32 first."""


@misconception(
    "Bottleneck",
    hint="Whose layers does a function use that was made in the constructor of the original? Try `copy.deepcopy`.",
)
class BottleneckLeavesItsLayersInAClosure(BranchInAClosure, Bottleneck):
    """Copies: a deep copy still computes with the layers of the original."""


@misconception(
    "Bottleneck",
    hint="How many ReLUs are there from the last batch norm to the end? Compare your code with the drawing.",
)
class BottleneckReluOnBothSidesOfTheSum(ReluOnBothSides, Bottleneck):
    """The last ReLU comes twice: before the sum and after it."""


@misconception(
    "Bottleneck",
    hint="Print `training` of each module of your block after `block.train()` and a call. Who has changed it?",
)
class BottleneckKeepsItsBatchNormsInEvaluation(BatchNormsInEvaluation, Bottleneck):
    """Statistics: the batch norms are put into evaluation mode, also in training."""


@misconception(
    "Bottleneck",
    hint="Compare the gradient of the input with what the shortcut alone would give. Which path to x is missing?",
)
class BottleneckDetachesItsBranch(DetachedBranch, Bottleneck):
    """Gradient: none flows to the input through the convolutions."""


@misconception("Bottleneck", hint="With stride 2, by how much does your block shrink a map of 8×8?")
class BottleneckStrideOnTheFirstAndTheSecond(Bottleneck):
    """Crash: the first 1×1 convolution and the 3×3 convolution both have the stride."""

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(inplanes, planes, stride, downsample)
        self.conv1 = with_stride(self.conv1, stride)


# ResNet


@misconception(
    "ResNet", hint="How many channels does the second block of a stage get? Print what each block is built with."
)
class InplanesNotUpdated(ResNet):
    """Crash: `self.inplanes` stays 64."""

    def _make_layer(self, block, planes, blocks, stride=1):
        before = self.inplanes
        stage = super()._make_layer(block, planes, 1, stride)
        self.inplanes = before
        return nn.Sequential(*stage, *(block(self.inplanes, planes) for _ in range(1, blocks)))


@misconception("ResNet", hint="With an expansion of 4, how many channels come out of a block with 64 planes?")
class InplanesWithoutExpansion(ResNet):
    """Crash: `self.inplanes` becomes `planes`."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, 1, stride)
        self.inplanes = planes
        return nn.Sequential(*stage, *(block(self.inplanes, planes) for _ in range(1, blocks)))


@misconception("ResNet", hint="How many times should a stage halve the map? How many times does yours?")
class StrideOnEveryBlock(ResNet):
    """All blocks of a stage have its stride."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stages = [ResNet._make_layer(self, block, planes, 1, stride) for _ in range(blocks)]
        return nn.Sequential(*(item for stage in stages for item in stage))


@misconception("ResNet", hint="In which blocks of a stage does the input already fit the output?")
class DownsampleInEveryBlock(ResNet):
    """Every block of a stage is given a downsample."""

    def _make_layer(self, block, planes, blocks, stride=1):
        found, outplanes = [], planes * block.expansion
        for step in [stride] + [1] * (blocks - 1):
            found.append(block(self.inplanes, planes, step, projection(self.inplanes, outplanes, step)))
            self.inplanes = outplanes
        return nn.Sequential(*found)


@misconception(
    "ResNet", hint="Does the first block of layer1 need a downsample? Answer for an expansion of 1 and of 4."
)
class DownsampleOnlyForAStride(ResNet):
    """No downsample where only the channels change: wrong in layer1 of a bottleneck network."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, blocks, stride)
        if stride == 1:
            stage[0].downsample = None
        return stage


@misconception(
    "ResNet", hint="The number of channels may stay the same while the map gets smaller. What is added then?"
)
class DownsampleOnlyForOtherChannels(ResNet):
    """No downsample where only the stride is not 1."""

    def _make_layer(self, block, planes, blocks, stride=1):
        fits = self.inplanes == planes * block.expansion
        stage = super()._make_layer(block, planes, blocks, stride)
        if fits:
            stage[0].downsample = None
        return stage


@misconception(
    "ResNet", hint="Compare with the number of channels that really come out of a block with an expansion of 4."
)
class ConditionWithoutExpansion(ResNet):
    """`self.inplanes != planes`: layer1 of a bottleneck network gets no downsample."""

    def _make_layer(self, block, planes, blocks, stride=1):
        needed = stride != 1 or self.inplanes != planes
        outplanes = planes * block.expansion
        down = projection(self.inplanes, outplanes, stride) if needed else None
        found = [block(self.inplanes, planes, stride, down)]
        self.inplanes = outplanes
        return nn.Sequential(*found, *(block(outplanes, planes) for _ in range(1, blocks)))


@misconception("ResNet", hint="How many channels must downsample(x) have so that it fits into the block's sum?")
class DownsampleWithoutExpansion(ResNet):
    """Crash: the downsample returns `planes` channels."""

    def _make_layer(self, block, planes, blocks, stride=1):
        down, before = None, self.inplanes
        outplanes = planes * block.expansion
        if stride != 1 or before != outplanes:
            down = projection(before, planes, stride)
        self.inplanes = outplanes
        return nn.Sequential(block(before, planes, stride, down), *(block(outplanes, planes) for _ in range(1, blocks)))


@misconception("ResNet", hint="Which two layers make up a downsample?")
class DownsampleWithoutBatchNorm(ResNet):
    """The downsample is a convolution alone."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, blocks, stride)
        if stage[0].downsample is not None:
            stage[0].downsample = stage[0].downsample[:1]
        return stage


@misconception("ResNet", hint='Look for "bias" in the names of your network\'s state_dict. Which do not belong there?')
class DownsampleWithBias(ResNet):
    """The convolution of the downsample has a bias."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, blocks, stride)
        if stage[0].downsample is not None:
            stage[0].downsample[0] = with_bias(stage[0].downsample[0])
        return stage


@misconception("ResNet", hint="Print the shapes of x and downsample(x) for a stage with stride 2.")
class DownsampleWithoutStride(ResNet):
    """Crash: the downsample keeps the size."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, blocks, stride)
        if stage[0].downsample is not None:
            stage[0].downsample[0] = with_stride(stage[0].downsample[0], 1)
        return stage


@misconception(
    "ResNet", hint="How many *different* blocks does your stage have? `[block] * n` repeats the same object n times."
)
class OneBlockRepeated(ResNet):
    """Parameters: the other blocks of a stage are all the same object."""

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = super()._make_layer(block, planes, min(blocks, 2), stride)
        return nn.Sequential(*stage, *[stage[-1]] * (blocks - 2))


@misconception("ResNet", hint="Count the blocks of a stage with `blocks=3`. Did you include the first one?")
class OneBlockTooMany(ResNet):
    """The first block is not counted."""

    def _make_layer(self, block, planes, blocks, stride=1):
        return super()._make_layer(block, planes, blocks + 1, stride)


@misconception("ResNet", hint="What size does the table give for layer1? The stem has already made the map small.")
class StrideInTheFirstStage(ResNet):
    """layer1 has stride 2 as well."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        after, self.inplanes = self.inplanes, 64
        self.layer1 = self._make_layer(block, 64, layers[0], 2)
        self.inplanes = after


@misconception("ResNet", hint="Print the shape after each part of your network and compare with the table.")
class NoStrideAtAll(ResNet):
    """All stages keep the size."""

    def _make_layer(self, block, planes, blocks, stride=1):  # noqa: ARG002
        return super()._make_layer(block, planes, blocks, 1)


@misconception("ResNet", hint="What is the default of `stride`? Look at the signature of the method.")
class MakeLayerStepsByDefault(ResNet):
    """The stride of `_make_layer` is 2 if none is given."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        after, self.inplanes = self.inplanes, 64
        self.layer1 = self._make_layer(block, 64, layers[0], 1)
        self.inplanes = after

    def _make_layer(self, block, planes, blocks, stride=2):
        return super()._make_layer(block, planes, blocks, stride)


@misconception("ResNet", hint="Compare the widths of your stages with the table, digit by digit.")
class WidthWithATypo(ResNet):
    """516 planes instead of 512."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.inplanes = 256 * block.expansion
        self.layer4 = self._make_layer(block, 516, layers[3], 2)
        self.fc = nn.Linear(516 * block.expansion, num_classes)


@misconception("ResNet", hint="Compare the stem with the first row of the table: kernel, stride, padding.")
class StemOf3x3(ResNet):
    """The stem of the networks for small images."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.conv1 = conv3x3(3, 64)
        self.maxpool = nn.Identity()


@misconception("ResNet", hint="What comes between the stem and layer1? Print the shape there for 224×224.")
class NoMaxPooling(ResNet):
    """The max pooling is missing."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.maxpool = nn.Identity()


@misconception("ResNet", hint="What size does the max pooling return for 224×224: 55 or 56?")
class MaxPoolingWithoutPadding(ResNet):
    """Max pooling 3×3 with stride 2 without padding."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.maxpool = nn.MaxPool2d(3, 2)


@misconception("ResNet", hint="How large is the window of the max pooling, and how large is its step?")
class MaxPoolingOf2x2(ResNet):
    """Windows of 2×2, which give the same size for even maps."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.maxpool = nn.MaxPool2d(2, 2)


@misconception("ResNet", hint="Go through `forward` and the table side by side. Which part is built but never used?")
class NoReluInTheStem(ResNet):
    """The ReLU of the stem is missing."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.relu = nn.Identity()


@misconception("ResNet", hint='Look for "bias" in the names of your network\'s state_dict. Which do not belong there?')
class StemWithBias(ResNet):
    """Names: the 7×7 convolution has a bias."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.conv1 = with_bias(self.conv1)


@misconception("ResNet", hint="What image size does your pooling window fit? What if the images are larger or smaller?")
class PoolingOfFixedSize(ResNet):
    """Crash: a window of 7×7 fits only images of 224×224."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.avgpool = nn.AvgPool2d(7)


@misconception("ResNet", hint="Try an image that is not square. Which pixels does your window cover then?")
class PoolingOfSquares(ResNet):
    """Crash: the height is used for the width, too."""

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.avg_pool2d(x, x.shape[2]), 1))


@misconception("ResNet", hint="What does the table say about the pooling at the end: the largest pixel, or the mean?")
class GlobalMaxPooling(ResNet):
    """The maximum instead of the mean."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.avgpool = nn.AdaptiveMaxPool2d(1)


@misconception("ResNet", hint="How many numbers does the pooling return for a block with an expansion of 4?")
class HeadWithoutExpansion(ResNet):
    """Crash: `fc` expects 512 features."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.fc = nn.Linear(512, num_classes)


@misconception("ResNet", hint="Build a network for 7 classes and look at the shape of its result.")
class IgnoresNumClasses(ResNet):
    """Always 1000 classes."""

    def __init__(self, block, layers, num_classes=1000):  # noqa: ARG002
        super().__init__(block, layers)


@misconception(
    "ResNet", hint="The loss takes care of what comes after the linear layer. What should the network return?"
)
class SoftmaxAtTheEnd(ResNet):
    """Probabilities instead of logits."""

    def forward(self, x):
        return super().forward(x).softmax(dim=1)


@misconception(
    "ResNet", hint="Print `list(net.state_dict())`. Which layers are missing, and what did you keep them in?"
)
class StagesInLists(ResNet):
    """Names: the stages are plain lists, whose blocks are not registered."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.hidden = [[self.layer1, self.layer2, self.layer3, self.layer4]]
        del self.layer1, self.layer2, self.layer3, self.layer4
        self.layer1, self.layer2, self.layer3, self.layer4 = (list(stage) for stage in self.hidden[0])

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in self.hidden[0]:
            x = stage(x)
        return self.fc(x.mean((2, 3)))


@misconception("ResNet", hint="Print `list(net.state_dict())` and compare it with the names in the table.")
class OtherNames(ResNet):
    """Names: the stem is one nn.Sequential."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, layers, num_classes)
        self.stem = nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool)
        del self.conv1, self.bn1, self.relu, self.maxpool

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(x.mean((2, 3)))


@misconception(
    "ResNet", hint="Give the same network a small image, then a large one. How many pixels does the mean count?"
)
class KeepsTheAreaOfTheFirstImage(ResNet):
    """State: the number of pixels to average over is taken from the first image."""

    area = None

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        self.area = self.area or x.shape[2:].numel()
        return self.fc(x.sum((2, 3)) / self.area)


@misconception("ResNet", hint="Keep a result, call the network again, and look at the first result once more.")
class WritesAllScoresIntoOneTensor(OneRoom, ResNet):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""


@misconception("ResNet", hint="Look at your list `layers` after the network is built. `pop` takes something away.")
class EmptiesTheList(ResNet):
    """In place: the numbers of blocks are taken out of the caller's list."""

    def __init__(self, block, layers, num_classes=1000):
        super().__init__(block, [layers.pop(0) for _ in range(4)], num_classes)


@misconception("ResNet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class NetworkWithoutGradientInEvaluation(NoGraphInEvaluation, ResNet):
    """Gradient: none in evaluation mode."""


@misconception("ResNet", hint="How many digits of the result are correct when network and image are float64?")
class AveragesInFloat32(ResNet):
    """Dtype: the mean over the pixels has the precision of float32."""

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.float().mean((2, 3)).to(x.dtype))


@misconception("ResNet", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesTheBatch(ResNet):
    """A batch of one loses its first dimension."""

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).squeeze())


@misconception(
    "ResNet",
    hint="Print `training` of each module after `net.train()` and a call. Who has changed it?",
)
class NetworkKeepsItsBatchNormsInEvaluation(BatchNormsInEvaluation, ResNet):
    """Statistics: the batch norms are put into evaluation mode, also in training."""


@misconception("ResNet", hint="Look at the gradient of `conv1.weight`. What happens to the graph after the stem?")
class DetachesTheStem(ResNet):
    """Gradient: none reaches the stem or the image."""

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x)))).detach()
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


# resnet18 … resnet152


@misconception("resnet18", hint="Which block does ResNet-18 use? Its parameter count tells you.")
def resnet18_of_bottlenecks(num_classes=1000):
    """Bottlenecks: 18 becomes 26."""
    return ResNet(Bottleneck, [2, 2, 2, 2], num_classes)


@misconception("resnet18", hint="18 = stem + convolutions + linear layer. How many blocks of two convolutions is that?")
def resnet10(num_classes=1000):
    """One block per stage."""
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes)


@misconception("resnet18", hint="Build the network for 10 classes and look at its last layer.")
def resnet18_for_1000(num_classes=1000):  # noqa: ARG001
    """num_classes is not passed on."""
    return ResNet(BasicBlock, [2, 2, 2, 2])


@misconception("resnet18", hint="How many classes does the network have by default?")
def resnet18_for_10(num_classes=10):
    """The default is 10."""
    return ResNet(BasicBlock, [2, 2, 2, 2], num_classes)


@misconception("resnet18", hint="Is there anything after your linear layer? The loss takes care of what comes next.")
def resnet18_with_softmax(num_classes=1000):
    """Probabilities instead of logits."""
    net = ResNet(BasicBlock, [2, 2, 2, 2], num_classes)
    net.register_forward_hook(lambda module, inputs, result: result.softmax(1))  # noqa: ARG005
    return net


@misconception("resnet34", hint="Which block does ResNet-34 use? Its parameter count tells you.")
def resnet34_of_bottlenecks(num_classes=1000):
    """Bottlenecks: this is ResNet-50."""
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes)


@misconception("resnet34", hint="34 = stem + convolutions + linear layer. Add up the blocks of your stages.")
def resnet34_with_another_block(num_classes=1000):
    """One block too many in the last stage."""
    return ResNet(BasicBlock, [3, 4, 6, 4], num_classes)


@misconception("resnet34", hint="The order of the numbers matters. Which stage has 6 blocks?")
def resnet34_in_another_order(num_classes=1000):
    """The numbers of the second and the third stage are swapped."""
    return ResNet(BasicBlock, [3, 6, 4, 3], num_classes)


@misconception("resnet34", hint="Build the network for 10 classes and look at its last layer.")
def resnet34_for_1000(num_classes=1000):  # noqa: ARG001
    """num_classes is not passed on."""
    return ResNet(BasicBlock, [3, 4, 6, 3])


@misconception("resnet34", hint="How many classes does the network have by default?")
def resnet34_for_10(num_classes=10):
    """The default is 10."""
    return ResNet(BasicBlock, [3, 4, 6, 3], num_classes)


@misconception("resnet34", hint="Is there anything after your linear layer? The loss takes care of what comes next.")
def resnet34_with_softmax(num_classes=1000):
    """Probabilities instead of logits."""
    net = ResNet(BasicBlock, [3, 4, 6, 3], num_classes)
    net.register_forward_hook(lambda module, inputs, result: result.softmax(1))  # noqa: ARG005
    return net


@misconception("resnet50", hint="Which block does ResNet-50 use? Its parameter count tells you.")
def resnet50_of_basic_blocks(num_classes=1000):
    """Basic blocks: this is ResNet-34."""
    return ResNet(BasicBlock, [3, 4, 6, 3], num_classes)


@misconception("resnet50", hint="Is your network built from the block in the text? Look at where the stride is.")
def resnet50_of_the_paper(num_classes=1000):
    """The stride on the first 1×1 convolution of each block."""
    net = ResNet(Bottleneck, [3, 4, 6, 3], num_classes)
    for stage in (net.layer2, net.layer3, net.layer4):
        stage[0].conv1, stage[0].conv2 = with_stride(stage[0].conv1, 2), with_stride(stage[0].conv2, 1)
    return net


@misconception("resnet50", hint="50 = stem + convolutions + linear layer. Add up the blocks of your stages.")
def resnet50_with_fewer_blocks(num_classes=1000):
    """One block too few in the third stage."""
    return ResNet(Bottleneck, [3, 4, 5, 3], num_classes)


@misconception("resnet50", hint="Build the network for 10 classes and look at its last layer.")
def resnet50_for_1000(num_classes=1000):  # noqa: ARG001
    """num_classes is not passed on."""
    return ResNet(Bottleneck, [3, 4, 6, 3])


@misconception("resnet50", hint="Is there a bias somewhere? A count of 25583592 means: before every batch norm.")
def resnet50_with_biases(num_classes=1000):
    """All convolutions have biases: 25583592 parameters."""
    net = ResNet(Bottleneck, [3, 4, 6, 3], num_classes)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                setattr(module, name, with_bias(child))
    return net


@misconception("resnet50", hint="How many classes does the network have by default?")
def resnet50_for_10(num_classes=10):
    """The default is 10."""
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes)


@misconception("resnet50", hint="Is there anything after your linear layer? The loss takes care of what comes next.")
def resnet50_with_softmax(num_classes=1000):
    """Probabilities instead of logits."""
    net = ResNet(Bottleneck, [3, 4, 6, 3], num_classes)
    net.register_forward_hook(lambda module, inputs, result: result.softmax(1))  # noqa: ARG005
    return net


@misconception("resnet101", hint="Which block does ResNet-101 use? Its parameter count tells you.")
def resnet101_of_basic_blocks(num_classes=1000):
    """Basic blocks."""
    return ResNet(BasicBlock, [3, 4, 23, 3], num_classes)


@misconception("resnet101", hint="101 = stem + three convolutions per block + linear layer. How many blocks is that?")
def resnet101_with_fewer_blocks(num_classes=1000):
    """22 blocks in the third stage."""
    return ResNet(Bottleneck, [3, 4, 22, 3], num_classes)


@misconception("resnet101", hint="Which stage has that many blocks, the second or the third?")
def resnet101_in_another_order(num_classes=1000):
    """The blocks are in the second stage."""
    return ResNet(Bottleneck, [3, 23, 4, 3], num_classes)


@misconception("resnet101", hint="Build the network for 10 classes and look at its last layer.")
def resnet101_for_1000(num_classes=1000):  # noqa: ARG001
    """num_classes is not passed on."""
    return ResNet(Bottleneck, [3, 4, 23, 3])


@misconception("resnet101", hint="How many classes does the network have by default?")
def resnet101_for_10(num_classes=10):
    """The default is 10."""
    return ResNet(Bottleneck, [3, 4, 23, 3], num_classes)


@misconception("resnet152", hint="Which block does ResNet-152 use? Its parameter count tells you.")
def resnet152_of_basic_blocks(num_classes=1000):
    """Basic blocks."""
    return ResNet(BasicBlock, [3, 8, 36, 3], num_classes)


@misconception(
    "resnet152",
    hint="Compare your four numbers with the table. Does the second stage have as many blocks as in ResNet-101?",
)
def resnet152_with_four_in_the_second_stage(num_classes=1000):
    """Only the third stage has grown."""
    return ResNet(Bottleneck, [3, 4, 36, 3], num_classes)


@misconception("resnet152", hint="152 = stem + three convolutions per block + linear layer. How many blocks is that?")
def resnet152_with_another_block(num_classes=1000):
    """37 blocks in the third stage."""
    return ResNet(Bottleneck, [3, 8, 37, 3], num_classes)


@misconception("resnet152", hint="Build the network for 10 classes and look at its last layer.")
def resnet152_for_1000(num_classes=1000):  # noqa: ARG001
    """num_classes is not passed on."""
    return ResNet(Bottleneck, [3, 8, 36, 3])


@misconception("resnet152", hint="How many classes does the network have by default?")
def resnet152_for_10(num_classes=10):
    """The default is 10."""
    return ResNet(Bottleneck, [3, 8, 36, 3], num_classes)


@misconception("resnet18", hint="Build two networks and train one. Has the other one changed?")
def resnet18_built_only_once(num_classes=1000, *, kept={}):  # noqa: B006
    """Memory: every call returns the same network."""
    if num_classes not in kept:
        kept[num_classes] = ResNet(BasicBlock, [2, 2, 2, 2], num_classes)
    return kept[num_classes]


@misconception("resnet34", hint="Build two networks and train one. Has the other one changed?")
def resnet34_built_only_once(num_classes=1000, *, kept={}):  # noqa: B006
    """Memory: every call returns the same network."""
    if num_classes not in kept:
        kept[num_classes] = ResNet(BasicBlock, [3, 4, 6, 3], num_classes)
    return kept[num_classes]


@misconception("resnet50", hint="Build two networks and train one. Has the other one changed?")
def resnet50_built_only_once(num_classes=1000, *, kept={}):  # noqa: B006
    """Memory: every call returns the same network."""
    if num_classes not in kept:
        kept[num_classes] = ResNet(Bottleneck, [3, 4, 6, 3], num_classes)
    return kept[num_classes]


@misconception("resnet101", hint="Build two networks and train one. Has the other one changed?")
def resnet101_built_only_once(num_classes=1000, *, kept={}):  # noqa: B006
    """Memory: every call returns the same network."""
    if num_classes not in kept:
        kept[num_classes] = ResNet(Bottleneck, [3, 4, 23, 3], num_classes)
    return kept[num_classes]


@misconception("resnet152", hint="Build two networks and train one. Has the other one changed?")
def resnet152_built_only_once(num_classes=1000, *, kept={}):  # noqa: B006
    """Memory: every call returns the same network."""
    if num_classes not in kept:
        kept[num_classes] = ResNet(Bottleneck, [3, 8, 36, 3], num_classes)
    return kept[num_classes]


# cifar_resnet


def cifar(n, num_classes, shortcut=OptionA, block=BasicBlock):
    """Correct unless an argument makes it wrong. `shortcut` is called with the number of new channels."""
    layers, channels = [conv3x3(3, 16), nn.BatchNorm2d(16), nn.ReLU()], 16
    for width in (16, 32, 64):
        for _ in range(n):
            grows = width != channels
            layers.append(block(channels, width, 1 + grows, shortcut(width - channels) if grows else None))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes))


class Function(nn.Module):
    """A function of one tensor as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Wrapped(nn.Module):
    """A network and a function of (network, image) that says what to do with them."""

    def __init__(self, net, function):
        super().__init__()
        self.net, self.function = net, function

    def forward(self, x):
        return self.function(self, x)


@misconception(
    "cifar_resnet", hint="Print the first channels that come out of a shortcut. Are they the old ones, or zeros?"
)
def zeros_on_both_sides(n, num_classes=10):
    """Half of the new channels come before the old ones, as in much public code."""
    return cifar(
        n, num_classes, lambda new: Function(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, new // 2, new // 2)))
    )


@misconception(
    "cifar_resnet", hint="Print the first channels that come out of a shortcut. Are they the old ones, or zeros?"
)
def zeros_in_front(n, num_classes=10):
    """The new channels come before the old ones."""
    return cifar(n, num_classes, lambda new: Function(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, new, 0))))


@misconception("cifar_resnet", hint="What is in the new channels of your shortcut? They should add nothing.")
def repeats_the_channels(n, num_classes=10):
    """The new channels are copies of the old ones."""
    return cifar(n, num_classes, lambda new: Function(lambda x: x[:, :, ::2, ::2].repeat(1, 2, 1, 1)))  # noqa: ARG005


@misconception("cifar_resnet", hint="Which pixels of a row 0, 1, 2, 3 does your shortcut keep?")
def keeps_the_odd_pixels(n, num_classes=10):
    """Pixels 1, 3, 5, …"""
    return cifar(n, num_classes, lambda new: Function(lambda x: F.pad(x[:, :, 1::2, 1::2], (0, 0, 0, 0, 0, new))))


@misconception("cifar_resnet", hint="Does your shortcut keep pixels, or does it make new ones from several?")
def averages_the_pixels(n, num_classes=10):
    """Average pooling on the shortcut."""
    return cifar(n, num_classes, lambda new: Function(lambda x: F.pad(F.avg_pool2d(x, 2), (0, 0, 0, 0, 0, new))))


@misconception("cifar_resnet", hint="Does your shortcut keep pixels, or does it choose among several?")
def takes_the_largest_pixel(n, num_classes=10):
    """Max pooling on the shortcut."""
    return cifar(n, num_classes, lambda new: Function(lambda x: F.pad(F.max_pool2d(x, 2), (0, 0, 0, 0, 0, new))))


@misconception(
    "cifar_resnet",
    hint="How many parameters should a shortcut have here? Count yours.",
    severe="nothing is left of the shortcuts without parameters that this network is about",
)
def projects(n, num_classes=10):
    """Parameters: 1×1 convolutions with batch norm (option B)."""
    return cifar(n, num_classes, lambda new: projection(new, 2 * new, 2))


@misconception(
    "cifar_resnet", hint="How many layers does your network have for n = 3? Count the convolutions of one block."
)
def counts_convolutions_as_blocks(n, num_classes=10):
    """2n blocks per stage, so 12n + 2 layers."""
    return cifar(2 * n, num_classes)


@misconception("cifar_resnet", hint="Is n the depth of the network, or the number of blocks in a stage?")
def takes_n_for_all_blocks(n, num_classes=10):
    """One block in the first two stages and n - 1 more in the last one."""
    net = cifar(1, num_classes)
    layers = list(net)
    return nn.Sequential(*layers[:6], *(BasicBlock(64, 64) for _ in range(n - 1)), *layers[6:])


@misconception("cifar_resnet", hint="Print the shapes after the three stages. Are they 32×32, 16×16 and 8×8?")
def keeps_the_size(n, num_classes=10):
    """Stages two and three have stride 1."""
    net = cifar(n, num_classes, lambda new: Function(lambda x: F.pad(x, (0, 0, 0, 0, 0, new))))
    for layer in net:
        if isinstance(layer, BasicBlock):
            layer.conv1 = with_stride(layer.conv1, 1)
    return net


@misconception("cifar_resnet", hint="What comes between the first convolution and the first block?")
def no_relu_in_the_stem(n, num_classes=10):
    """The stem has no ReLU."""
    net = cifar(n, num_classes)
    net[2] = nn.Identity()
    return net


@misconception("cifar_resnet", hint="These images are already small. Is there pooling in the stem?")
def pools_in_the_stem(n, num_classes=10):
    """Max pooling after the stem, as for large images."""
    net = cifar(n, num_classes)
    net[2] = nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    return net


@misconception(
    "cifar_resnet",
    hint="How wide are the three stages?",
    severe="every layer has another width, so no number of the network is right",
)
def widths_of_the_large_networks(n, num_classes=10):
    """64, 128 and 256 channels."""
    layers, channels = [conv3x3(3, 64), nn.BatchNorm2d(64), nn.ReLU()], 64
    for width in (64, 128, 256):
        for _ in range(n):
            new = width - channels
            layers.append(BasicBlock(channels, width, 1 + (new > 0), OptionA(new) if new else None))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, num_classes))


@misconception("cifar_resnet", hint="Build the network for 7 classes and look at its last layer.")
def always_ten_classes(n, num_classes=10):  # noqa: ARG001
    """num_classes is not passed on."""
    return cifar(n, 10)


@misconception("cifar_resnet", hint="Can your blocks make a channel smaller? Where is their second ReLU?")
def relu_before_the_sum(n, num_classes=10):
    """The blocks have their second ReLU before the sum."""

    class Block(BasicBlock):
        def forward(self, x):
            out = self.relu(self.bn1(self.conv1(x)))
            return self.relu(self.bn2(self.conv2(out))) + way_around(self, x)

    return cifar(n, num_classes, block=Block)


@misconception(
    "cifar_resnet",
    hint="How many ReLUs are there from the last batch norm of a block to its end? Where is the sum?",
    as_good_as="relu_before_the_sum",  # the same numbers: no shortcut of this network is negative
)
def relu_on_both_sides_of_the_sum(n, num_classes=10):
    """The last ReLU of each block comes twice: before the sum and after it."""

    class Block(ReluOnBothSides, BasicBlock):
        pass

    return cifar(n, num_classes, block=Block)


@misconception(
    "cifar_resnet", hint="Print `training` of each module after `net.train()` and a call. Who has changed it?"
)
def keeps_its_batch_norms_in_evaluation(n, num_classes=10):
    """Statistics: the batch norms are put into evaluation mode, also in training."""

    def function(self, x):
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self.net(x)

    return Wrapped(cifar(n, num_classes), function)


@misconception("cifar_resnet", hint="Does a gradient reach the first convolution through the shortcuts as well?")
def detaches_its_shortcuts(n, num_classes=10):
    """Gradient: none flows through the shortcuts that change the shape."""
    return cifar(
        n, num_classes, lambda new: Function(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, new)).detach())
    )


@misconception("cifar_resnet", hint="What comes after the linear layer? The loss takes care of the rest.")
def softmax_at_the_end(n, num_classes=10):
    """Probabilities instead of logits."""
    return nn.Sequential(*cifar(n, num_classes), nn.Softmax(dim=1))


@misconception(
    "cifar_resnet", hint="Print an image before and after a call. Which of your operations ends in `_` or `=`?"
)
def shifts_the_images_in_place(n, num_classes=10):
    """In place: the images get a mean of 0 before they go through the stem."""
    return Wrapped(cifar(n, num_classes), lambda self, x: self.net(x.sub_(x.mean())))


@misconception(
    "cifar_resnet", hint="Try one image alone and the same image in a batch. Which of your reshapes mixes images?"
)
def squeezes_the_batch(n, num_classes=10):
    """A batch of one loses its first dimension."""
    net = cifar(n, num_classes)
    net[-2] = Function(torch.squeeze)
    return net


class KeepsItsZeros(nn.Module):
    """Option A with zeros that are made for the first input."""

    def __init__(self, new_channels):
        super().__init__()
        self.new_channels, self.zeros = new_channels, None

    def forward(self, x):
        x = x[:, :, ::2, ::2]
        if self.zeros is None:
            self.zeros = x.new_zeros(len(x), self.new_channels, *x.shape[2:])
        return torch.cat([x, self.zeros], 1)


@misconception("cifar_resnet", hint="What shape do the zeros of your shortcut have when the second batch is larger?")
def keeps_the_zeros_of_its_first_batch(n, num_classes=10):
    """State: the zero channels are made once, in the shape of the first input."""
    return cifar(n, num_classes, KeepsItsZeros)


@misconception("cifar_resnet", hint="Keep a result, call the network again, and look at the first result once more.")
def writes_every_result_into_one_tensor(n, num_classes=10):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""
    kept = {}

    def function(self, x):
        result = self.net(x)
        if result.requires_grad:
            return result
        return kept.setdefault((result.shape, result.dtype), torch.empty_like(result)).copy_(result)

    return Wrapped(cifar(n, num_classes), function)


@misconception("cifar_resnet", hint="`view` needs a certain order in memory. `reshape` does not.")
def views_the_images(n, num_classes=10):
    """Layout: `view` fails on images that are transposed or have their channels last."""
    return Wrapped(cifar(n, num_classes), lambda self, x: self.net(x.view(len(x), -1).view(-1, 3, 32, 32)))


@misconception("cifar_resnet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
def needs_no_gradient_in_evaluation(n, num_classes=10):
    """Gradient: none in evaluation mode."""

    def function(self, x):
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.training):
            return self.net(x)

    return Wrapped(cifar(n, num_classes), function)


@misconception("cifar_resnet", hint="How many digits of the result are correct when network and image are float64?")
def passes_float32_through_the_shortcut(n, num_classes=10):
    """Dtype: what the shortcut keeps has the precision of float32."""
    return cifar(
        n,
        num_classes,
        lambda new: Function(lambda x: F.pad(x[:, :, ::2, ::2].float().to(x.dtype), (0, 0, 0, 0, 0, new))),
    )


@misconception("cifar_resnet", hint="Where does `torch.zeros` make a tensor when the network is on the GPU?")
def makes_the_zeros_on_the_cpu(n, num_classes=10):
    """Device: the new channels of a shortcut are on the CPU."""

    def padded(x, new):
        x = x[:, :, ::2, ::2]
        return torch.cat([x, torch.zeros(len(x), new, *x.shape[2:], dtype=x.dtype)], 1)

    return cifar(n, num_classes, lambda new: Function(lambda x: padded(x, new)))


@misconception(
    "cifar_resnet", hint="Whose layers does a function use that was made for the original? Try `copy.deepcopy`."
)
def leaves_its_layers_in_a_closure(n, num_classes=10):
    """Copies: a deep copy still computes with the layers of the original."""
    net = cifar(n, num_classes)
    return Wrapped(net, lambda self, x: net(x))  # noqa: ARG005
