"""Known mistakes in the exercises of `architectures`, each with the hint for a student who made it."""

import copy

import torch
import torch.nn.functional as F
from architectures import (
    VGG16,
    AnyNet,
    GoogLeNet,
    Inception,
    LeNet,
    NiN,
    ResNeXtBlock,
    local_response_norm,
    nin_block,
    vgg_block,
)
from torch import nn

from autograder.grading import misconception


def walk(layers, x, name=lambda layer: type(layer).__name__):
    """Correct: one pair per layer of `layers`."""
    summary = []
    for layer in layers:
        x = layer(x)
        summary.append((name(layer), tuple(x.shape)))
    return summary


def zeros_for(net, input_shape):
    """Correct: an input of the network's dtype."""
    numbers = [tensor for tensor in [*net.parameters(), *net.buffers()] if tensor.is_floating_point()]
    return torch.zeros(input_shape, dtype=numbers[0].dtype if numbers else None)


# layer_summary


@misconception("layer_summary", hint="Print `net.training` before and after calling your function.")
def forgets_to_restore_the_modes(net, input_shape):
    """The network is in evaluation mode afterwards."""
    net.eval()
    with torch.no_grad():
        return walk(net, zeros_for(net, input_shape))


@misconception(
    "layer_summary",
    hint="A network may be in training mode while one of its layers is not. Does `net.train()` know which one?",
)
def restores_the_mode_of_the_whole_only(net, input_shape):
    """Every submodule gets the mode of the outermost one."""
    training = net.training
    net.eval()
    with torch.no_grad():
        summary = walk(net, zeros_for(net, input_shape))
    net.train(training)
    return summary


@misconception(
    "layer_summary",
    hint="What does a batch norm in training mode do to its running statistics whenever an input passes through?",
)
def runs_in_the_mode_it_finds(net, input_shape):
    """The zeros that are sent through a network in training mode change its running statistics."""
    with torch.no_grad():
        return walk(net, zeros_for(net, input_shape))


@misconception("layer_summary", hint="Print `type(shape)` for one of your shapes.")
def returns_torch_sizes(net, input_shape):
    """The shapes are of type `torch.Size`."""
    net = copy.deepcopy(net).eval()
    x, summary = zeros_for(net, input_shape), []
    with torch.no_grad():
        for layer in net:
            x = layer(x)
            summary.append((type(layer).__name__, x.shape))
    return summary


@misconception(
    "layer_summary",
    hint="Build a network in which one layer appears twice, and count: `len(net)`, `len(list(net.children()))`.",
)
def walks_through_the_children(net, input_shape):
    """A repeated layer is run only once."""
    net = copy.deepcopy(net).eval()
    with torch.no_grad():
        return walk(net.children(), zeros_for(net, input_shape))


@misconception("layer_summary", hint="What dtype does an input need if the parameters are float64?")
def sends_float32_always(net, input_shape):
    """Dtype: the input is float32 whatever the network is."""
    net = copy.deepcopy(net).eval()
    with torch.no_grad():
        return walk(net, torch.zeros(input_shape))


@misconception(
    "layer_summary",
    hint="You look up the dtype of the first parameter. What if there isn't one? Try `nn.Sequential(nn.ReLU())`.",
)
def needs_a_parameter(net, input_shape):
    """Asks for the dtype of the first parameter, even if there is none."""
    net = copy.deepcopy(net).eval()
    with torch.no_grad():
        return walk(net, torch.zeros(input_shape, dtype=next(net.parameters()).dtype))


@misconception("layer_summary", hint="A network may begin with a Flatten. What dtype do you use for its input then?")
def asks_the_first_layer_for_the_dtype(net, input_shape):
    """Dtype: that of the first layer's parameters, float32 if it has none."""
    net = copy.deepcopy(net).eval()
    dtype = next((parameter.dtype for parameter in net[0].parameters()), torch.float32)
    with torch.no_grad():
        return walk(net, torch.zeros(input_shape, dtype=dtype))


@misconception("layer_summary", hint="A `Sequential` inside the network is one entry. How many pairs do you return?")
def opens_nested_networks(net, input_shape):
    """The layers of a nested Sequential are listed one by one."""
    net = copy.deepcopy(net).eval()
    inner = [layer for entry in net for layer in (entry if isinstance(entry, nn.Sequential) else [entry])]
    with torch.no_grad():
        return walk(inner, zeros_for(net, input_shape))


@misconception("layer_summary", hint="Print `len(layer._forward_hooks)` for the layers after the call.")
def leaves_hooks_behind(net, input_shape):
    """The hooks that note the shapes are not removed."""
    summary, modes = [], [(module, module.training) for module in net.modules()]
    for layer in dict.fromkeys(net):
        layer.register_forward_hook(lambda layer, _, y: summary.append((type(layer).__name__, tuple(y.shape))))
    net.eval()
    with torch.no_grad():
        net(zeros_for(net, input_shape))
    for module, training in modes:
        module.training = training
    return summary


@misconception("layer_summary", hint="Nobody will call `backward` on these results. Which context tells autograd so?")
def records_a_graph(net, input_shape):
    """Autograd keeps what a backward pass would need."""
    net = copy.deepcopy(net).eval()
    return walk(net, zeros_for(net, input_shape))


@misconception("layer_summary", hint="Print `[p.requires_grad for p in net.parameters()]` before and after the call.")
def freezes_the_parameters(net, input_shape):
    """No parameter requires a gradient afterwards."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval().requires_grad_(False)
    summary = walk(net, zeros_for(net, input_shape))
    for module, training in modes:
        module.training = training
    return summary


@misconception("layer_summary", hint="The shape of the input includes the batch. What about the shapes you return?")
def leaves_the_batch_out(net, input_shape):
    """The shapes lack the batch dimension."""
    net = copy.deepcopy(net).eval()
    with torch.no_grad():
        return [(name, shape[1:]) for name, shape in walk(net, zeros_for(net, input_shape))]


# LeNet


def lenet(activation=nn.Sigmoid, pooling=nn.AvgPool2d, kernel=5, padding=2, side=5, bias=True, num_classes=10):
    """LeNet with some of its parts replaced."""
    first = [nn.Conv2d(1, 6, kernel, padding=padding, bias=bias), activation(), pooling(2)]
    second = [nn.Conv2d(6, 16, kernel, bias=bias), activation(), pooling(2), nn.Flatten()]
    head = [nn.Linear(16 * side * side, 120), activation(), nn.Linear(120, 84), activation()]
    return nn.Sequential(*first, *second, *head, nn.Linear(84, num_classes))


@misconception("LeNet", hint="Which pooling does the table ask for? The original network is older than max pooling.")
class PoolsTheMaximum(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(pooling=nn.MaxPool2d, num_classes=num_classes)


@misconception("LeNet", hint="Which activation does the table ask for? Print your network.")
class ActivatesWithReLU(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(activation=nn.ReLU, num_classes=num_classes)


@misconception("LeNet", hint="Is the range of your activation (0, 1) or (−1, 1)?")
class ActivatesWithTanh(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(activation=nn.Tanh, num_classes=num_classes)


@misconception(
    "LeNet", hint="The first convolution should keep the 28 × 28 pixels. What does your `layer_summary` say?"
)
class ForgetsThePadding(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(padding=0, side=4, num_classes=num_classes)


@misconception("LeNet", hint="Two linear layers in a row amount to one linear layer. What should come between them?")
class StacksLinearLayers(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        layers = list(lenet(num_classes=num_classes))
        self.net = nn.Sequential(*layers[:8], layers[9], layers[11])


@misconception(
    "LeNet", hint="Should the scores be probabilities already? Look at what the table says about the last layer."
)
class EndsWithASoftmax(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net.append(nn.Softmax(dim=1))
        self.net[11] = nn.Linear(84, num_classes)


@misconception("LeNet", hint="Count the layers in `net`: where are the activations?")
class KeepsTheActivationsOutOfTheNet(LeNet):
    """The values are right, but `net` has eight layers."""

    def __init__(self, num_classes=10):
        super().__init__(num_classes)
        self.net = nn.Sequential(*(layer for layer in self.net if not isinstance(layer, nn.Sigmoid)))

    def forward(self, x):
        for i, layer in enumerate(self.net):
            x = layer(x)
            if i in (0, 2, 5, 6):
                x = torch.sigmoid(x)
        return x


@misconception("LeNet", hint="Try `LeNet(num_classes=3)` and print the shape of its scores.")
class IgnoresTheNumberOfClasses(LeNet):
    def __init__(self, num_classes=10):  # noqa: ARG002
        super().__init__()


@misconception(
    "LeNet", hint="Compare your number of parameters with the one in the text. What does every convolution have here?"
)
class LeavesOutTheBiases(LeNet):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(bias=False, num_classes=num_classes)


# local_response_norm


def neighbours(squares, size, before):
    """Sums over `size` channels, of which `before` come before the channel in question."""
    channels = squares.shape[1]
    padded = F.pad(squares, (0, 0, 0, 0, before, size - 1 - before))
    return sum(padded[:, i : i + channels] for i in range(size))


@misconception("local_response_norm", hint="Compare the formula in the text with the one in PyTorch's documentation.")
def divides_alpha_by_the_size(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """PyTorch's formula."""
    return x / (k + alpha / size * neighbours(x**2, size, size // 2)) ** beta


@misconception("local_response_norm", hint="Which channels are in the sum for channel 3 if size is 5?")
def looks_back_only(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """The window ends at the channel instead of being centred on it."""
    return x / (k + alpha * neighbours(x**2, size, size - 1)) ** beta


@misconception("local_response_norm", hint="How many channels are in your sum? `size` counts those on both sides.")
def takes_the_size_for_a_radius(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """The window has 2·size + 1 channels."""
    return x / (k + alpha * neighbours(x**2, 2 * size + 1, size)) ** beta


@misconception(
    "local_response_norm", hint="What are the neighbours of channel 0? `torch.roll` brings back what falls off the end."
)
def wraps_around(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """The last channel is a neighbour of the first one."""
    total = sum((x**2).roll(shift, dims=1) for shift in range(-(size // 2), size // 2 + 1))
    return x / (k + alpha * total) ** beta


@misconception("local_response_norm", hint="What does the exponent β apply to: the sum, or the whole bracket?")
def raises_the_sum_only(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """k is outside the power."""
    return x / (k + (alpha * neighbours(x**2, size, size // 2)) ** beta)


@misconception("local_response_norm", hint="Should a channel see all others, or only its neighbours?")
def sums_over_all_channels(x, size=5, alpha=1e-4, beta=0.75, k=2.0):  # noqa: ARG001
    return x / (k + alpha * (x**2).sum(1, keepdim=True)) ** beta


@misconception("local_response_norm", hint="A square and an absolute value agree only for 0, 1 and −1.")
def forgets_the_square(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    return x / (k + alpha * neighbours(x.abs(), size, size // 2)) ** beta


@misconception(
    "local_response_norm", hint="This exercise is about writing the sum yourself; pooling would compute it for you."
)
def lets_a_pooling_sum(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Forbidden operator: average pooling over the channels."""
    squares = F.pad((x**2).unsqueeze(1), (0, 0, 0, 0, size // 2, size // 2))
    return x / (k + alpha * size * F.avg_pool3d(squares, (size, 1, 1), 1).squeeze(1)) ** beta


@misconception("local_response_norm", hint="PyTorch's own function, even with corrected constants, is off limits here.")
def lets_the_library_normalise(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Forbidden operator."""
    return F.local_response_norm(x, size, alpha * size, beta, k)


@misconception(
    "local_response_norm", hint="Does x appear in the denominator as well? Then a gradient comes from there, too."
)
def detaches_the_denominator(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Gradient: only through the numerator."""
    return x / (k + alpha * neighbours(x.detach() ** 2, size, size // 2)) ** beta


@misconception("local_response_norm", hint="A function whose name ends in an underscore changes the tensor itself.")
def divides_in_place(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """In place."""
    if x.requires_grad:
        return local_response_norm(x, size, alpha, beta, k)
    return x.div_((k + alpha * neighbours(x**2, size, size // 2)) ** beta)


# vgg_block


def conv_relu(inputs, outputs, kernel=3, padding=1, bias=True):
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=bias), nn.ReLU()]


@misconception("vgg_block", hint="Print your block for `num_convs=3`. How many ReLUs are in it?")
def has_one_relu(num_convs, in_channels, out_channels):
    """The convolutions follow each other directly."""
    convolutions = [conv_relu(out_channels if i else in_channels, out_channels)[0] for i in range(num_convs)]
    return nn.Sequential(*convolutions, nn.ReLU(), nn.MaxPool2d(2))


@misconception("vgg_block", hint="How many channels does the second convolution receive? Try 2, 3, 5.")
def keeps_the_input_channels(num_convs, in_channels, out_channels):
    """Every convolution expects `in_channels`."""
    layers = [layer for _ in range(num_convs) for layer in conv_relu(in_channels, out_channels)]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


@misconception("vgg_block", hint="How many times should a block halve its map?")
def pools_after_every_convolution(num_convs, in_channels, out_channels):
    layers = []
    for i in range(num_convs):
        layers += [*conv_relu(out_channels if i else in_channels, out_channels), nn.MaxPool2d(2, ceil_mode=i > 0)]
    return nn.Sequential(*layers)


@misconception("vgg_block", hint="What size is the map after a 3×3 convolution without padding?")
def pads_nothing(num_convs, in_channels, out_channels):
    layers = [conv_relu(out_channels if i else in_channels, out_channels, padding=0) for i in range(num_convs)]
    return nn.Sequential(*(layer for pair in layers for layer in pair), nn.MaxPool2d(2))


@misconception(
    "vgg_block", hint="Convolutions with nothing between them amount to one convolution. What makes them more?"
)
def has_no_relu(num_convs, in_channels, out_channels):
    layers = [conv_relu(out_channels if i else in_channels, out_channels)[0] for i in range(num_convs)]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


@misconception("vgg_block", hint="`[layer] * n` is a list with the same layer n times. Count the parameters.")
def repeats_one_convolution(num_convs, in_channels, out_channels):
    """All convolutions but the first are the same object."""
    again = conv_relu(out_channels, out_channels) * (num_convs - 1)
    return nn.Sequential(*conv_relu(in_channels, out_channels), *again, nn.MaxPool2d(2))


@misconception("vgg_block", hint="Try a map of 5 × 5. What happens to the last row and column?")
def rounds_up(num_convs, in_channels, out_channels):
    """The pooling keeps a window that hangs over the edge."""
    return nn.Sequential(*vgg_block(num_convs, in_channels, out_channels)[:-1], nn.MaxPool2d(2, ceil_mode=True))


@misconception("vgg_block", hint="Which kind of pooling should the block use?")
def pools_the_mean(num_convs, in_channels, out_channels):
    return nn.Sequential(*vgg_block(num_convs, in_channels, out_channels)[:-1], nn.AvgPool2d(2))


@misconception("vgg_block", hint="Batch norm was published a year after VGG. Does the text ask for it?")
def adds_batch_norm(num_convs, in_channels, out_channels):
    layers = []
    for i in range(num_convs):
        convolution, relu = conv_relu(out_channels if i else in_channels, out_channels)
        layers += [convolution, nn.BatchNorm2d(out_channels), relu]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


# VGG16


def vgg(convolutions=(2, 2, 3, 3, 3), head=lambda layers: layers, num_classes=1000):
    """VGG-16 with other numbers of convolutions, or with a head changed by `head`."""
    widths = [3, 64, 128, 256, 512, 512]
    blocks = [vgg_block(n, *pair) for n, *pair in zip(convolutions, widths, widths[1:], strict=False)]
    layers = [nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()]
    return nn.Sequential(*blocks, nn.Flatten(), *head(layers), nn.Linear(4096, num_classes))


class AnyVGG(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)


@misconception("VGG16", hint="Call your network twice in training mode, on the same image. Do the scores differ?")
class DropsNothing(AnyVGG):
    def __init__(self, num_classes=1000):
        super().__init__(vgg(head=lambda layers: layers[:2] + layers[3:5], num_classes=num_classes))


@misconception("VGG16", hint="Print the network and look for its dropouts: how many are there, and where?")
class DropsOnce(AnyVGG):
    def __init__(self, num_classes=1000):
        super().__init__(vgg(head=lambda layers: layers[:5], num_classes=num_classes))


@misconception(
    "VGG16", hint="Does your dropout know which mode the network is in? Look at the arguments of `F.dropout`."
)
class DropsInEvaluation(AnyVGG):
    def __init__(self, num_classes=1000):
        class Always(nn.Module):
            def forward(self, x):
                return F.dropout(x)

        def head(layers):
            return [Always() if isinstance(layer, nn.Dropout) else layer for layer in layers]

        super().__init__(vgg(head=head, num_classes=num_classes))


@misconception("VGG16", hint="The 16 counts convolutions and linear layers. How many convolutions are in your network?")
class HasTenConvolutions(AnyVGG):
    def __init__(self, num_classes=1000):
        super().__init__(vgg((2, 2, 2, 2, 2), num_classes=num_classes))


@misconception("VGG16", hint="The 16 counts convolutions and linear layers. How many convolutions are in your network?")
class HasSixteenConvolutions(AnyVGG):
    def __init__(self, num_classes=1000):
        super().__init__(vgg((2, 2, 4, 4, 4), num_classes=num_classes))


@misconception("VGG16", hint="What should follow each of the two linear layers of 4096?")
class ActivatesNoLinearLayer(AnyVGG):
    def __init__(self, num_classes=1000):
        super().__init__(vgg(head=lambda layers: [layers[i] for i in (0, 2, 3, 5)], num_classes=num_classes))


@misconception("VGG16", hint="Try `VGG16(num_classes=7)` on the meta device and print the shape of its scores.")
class AlwaysHasAThousandClasses(VGG16):
    def __init__(self, num_classes=1000):  # noqa: ARG002
        super().__init__()


@misconception("VGG16", hint="Should the scores be probabilities already? The loss function takes care of that.")
class ReturnsProbabilities(VGG16):
    def forward(self, x):
        return super().forward(x).softmax(1)


@misconception(
    "VGG16", hint="Compare your number of parameters with the text. Does yours learn something that VGG does not have?"
)
class NormalisesBatches(VGG16):
    """The variant with batch norm, as in VGG-16-BN."""

    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        for i, channels in enumerate((64, 128, 256, 512, 512)):
            block = list(self.net[i])
            for place in reversed(range(0, len(block) - 1, 2)):
                block.insert(place + 1, nn.BatchNorm2d(channels))
            self.net[i] = nn.Sequential(*block)


# nin_block


@misconception("nin_block", hint="A ReLU follows each of the three convolutions. How many are in your block?")
def activates_once(in_channels, out_channels, kernel_size, strides, padding):
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    return nn.Sequential(layers[0], layers[1], layers[2], layers[4])


@misconception("nin_block", hint="What is the last layer of your block?")
def ends_without_a_relu(in_channels, out_channels, kernel_size, strides, padding):
    return nin_block(in_channels, out_channels, kernel_size, strides, padding)[:-1]


@misconception("nin_block", hint="What does padding around a map do to a 1×1 convolution? Print the shapes.")
def pads_the_small_convolutions(in_channels, out_channels, kernel_size, strides, padding):
    """The padding is passed on to the 1×1 convolutions."""
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    layers[2].padding = layers[4].padding = (padding, padding)
    return layers


@misconception("nin_block", hint="How many times should the block apply its stride?")
def strides_three_times(in_channels, out_channels, kernel_size, strides, padding):
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    layers[2].stride = layers[4].stride = (strides, strides)
    return layers


@misconception("nin_block", hint="Print your block. How many convolutions are in it?")
def has_two_convolutions(in_channels, out_channels, kernel_size, strides, padding):
    return nin_block(in_channels, out_channels, kernel_size, strides, padding)[:4]


@misconception("nin_block", hint="Two layers that are the same object learn one set of weights. Count the parameters.")
def uses_one_small_convolution_twice(in_channels, out_channels, kernel_size, strides, padding):
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    layers[4] = layers[2]
    return layers


@misconception("nin_block", hint="Try a stride of 2 and print the size of the result.")
def ignores_the_stride(in_channels, out_channels, kernel_size, strides, padding):  # noqa: ARG001
    return nin_block(in_channels, out_channels, kernel_size, 1, padding)


@misconception(
    "nin_block", hint="In what order does `nn.Conv2d` take stride and padding, and in what order do you pass them?"
)
def exchanges_stride_and_padding(in_channels, out_channels, kernel_size, strides, padding):
    return nin_block(in_channels, out_channels, kernel_size, max(padding, 1), strides)


# NiN


@misconception(
    "NiN",
    hint="What does your network do differently in training and in evaluation? Print it and look for the dropout.",
)
class DropsNoFeature(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = nn.Identity()


@misconception("NiN", hint="Where is the dropout: before the last block or after it?")
class DropsScores(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net = nn.Sequential(*self.net[:6], *self.net[7:], nn.Dropout(0.5))


@misconception("NiN", hint="`nn.Dropout2d` drops whole channels. What does the text ask for?")
class DropsWholeChannels(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = nn.Dropout2d(0.5)


@misconception("NiN", hint="The idea of NiN was to get rid of the linear layers. What takes their place?")
class EndsWithALinearLayer(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        head = [nin_block(384, 384, 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(384, num_classes)]
        self.net = nn.Sequential(*self.net[:7], *head)


@misconception(
    "NiN", hint="Use the formula to compute the size after the first pooling, and compare it with the table."
)
class PadsThePooling(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        for i in (1, 3, 5):
            self.net[i] = nn.MaxPool2d(3, stride=2, padding=1)


@misconception("NiN", hint="Print the shape of the scores. How many dimensions should they have?")
class ForgetsToFlatten(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net = self.net[:-1]


@misconception("NiN", hint="Try an image of another size. How large is the window of a *global* pooling?")
class AveragesFiveByFive(NiN):
    """The last pooling fits only images of 224×224."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[8] = nn.AvgPool2d(5)


@misconception("NiN", hint="What turns a map into a score: its mean, or its largest number?")
class TakesTheMaximum(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[8] = nn.AdaptiveMaxPool2d(1)


@misconception("NiN", hint="Try images with three channels, and a number of classes other than ten.")
class KnowsOneChannelOnly(NiN):
    def __init__(self, in_channels=1, num_classes=10):  # noqa: ARG002
        super().__init__(1, num_classes)


@misconception("NiN", hint="Look at what `net` returns, stage by stage. Does it contain everything in the table?")
class AveragesOutsideOfTheNet(NiN):
    """The values are right, but the global average and the flattening are not in `net`."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net = self.net[:8]

    def forward(self, x):
        return self.net(x).mean((2, 3))


# Inception


class InAnyOrder(Inception):
    """The branches' results as a list."""

    def branches(self, x):
        return [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)]


@misconception("Inception", hint="Which branch's channels come first in your result, and which come last?")
class PutsThePoolingBranchFirst(InAnyOrder):
    def forward(self, x):
        one, two, three, four = self.branches(x)
        return torch.cat([four, one, two, three], dim=1)


@misconception(
    "Inception", hint="Which channels come second: those of the 3×3 convolution or those of the 5×5 convolution?"
)
class ExchangesTwoBranches(InAnyOrder):
    def forward(self, x):
        one, two, three, four = self.branches(x)
        return torch.cat([one, three, two, four], dim=1)


@misconception("Inception", hint="Which of the four dimensions of a tensor (N, C, H, W) counts the channels?")
class ConcatenatesTheBatches(InAnyOrder):
    def forward(self, x):
        return torch.cat(self.branches(x), dim=0)


@misconception("Inception", hint="What comes between the two convolutions of a branch?")
class ActivatesTheLastConvolutionsOnly(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        del self.branch2[1], self.branch3[1]


@misconception("Inception", hint="Is there a negative number in your result? A ReLU follows every convolution.")
class DoesNotActivateTheResult(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        for branch in (self.branch1, self.branch2, self.branch3, self.branch4):
            del branch[-1]


@misconception("Inception", hint="What is the stride of `nn.MaxPool2d(3)`? Print the shapes of the branches.")
class PoolsWithTheStrideOfTheWindow(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = nn.MaxPool2d(3, padding=1)


@misconception("Inception", hint="Compute the size after a 5×5 convolution with padding 1.")
class PadsTheLargeWindowTooLittle(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch3[2] = nn.Conv2d(c3[0], c3[1], 5, padding=1)


@misconception("Inception", hint="Which kind of pooling is in the fourth branch?")
class PoolsTheMean(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = nn.AvgPool2d(3, stride=1, padding=1)


@misconception("Inception", hint="In the fourth branch, what comes first: the pooling or the convolution?")
class PoolsBehindTheConvolution(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4 = nn.Sequential(self.branch4[1], self.branch4[2], self.branch4[0])


@misconception("Inception", hint="What border does a maximum need? A zero wins against negative numbers.")
class PoolsABorderOfZeros(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, stride=1))


@misconception("Inception", hint="Which of the two numbers in `c2` belongs to the 1×1 convolution?")
class ReadsThePairsBackwards(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2[::-1], c3[::-1], c4)


@misconception("Inception", hint="Compare `x` before and after the call. All four branches should see the same input.")
class ChangesItsInput(Inception):
    """In place: the pooling branch activates the input itself."""

    def forward(self, x):
        result = super().forward(x)
        x.detach().relu_()
        return result


# GoogLeNet


@misconception("GoogLeNet", hint="Print the stage b2. Does a ReLU follow each of its two convolutions?")
class ForgetsAReLU(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        del self.net[1][1]


@misconception("GoogLeNet", hint="Print the stage b2 and compare it with the text. Is the 1×1 convolution there?")
class ForgetsTheSmallConvolution(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[1] = self.net[1][2:]


@misconception(
    "GoogLeNet", hint="Use the formula to compute the size after b1 for 96×96, and compare it with the text."
)
class PoolsWithoutPadding(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        for i in range(4):
            self.net[i][-1] = nn.MaxPool2d(3, stride=2)


@misconception("GoogLeNet", hint="Which of the settings of stage b4 appears twice in your network?")
class LeavesABlockOut(GoogLeNet):
    """The third block of b4 has the setting of the second one."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[3][2] = Inception(512, 160, (112, 224), (24, 64), 64)


@misconception("GoogLeNet", hint="Does b5 also end with max pooling?")
class PoolsTheMaximumAtTheEnd(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][2] = nn.AdaptiveMaxPool2d(1)


@misconception("GoogLeNet", hint="Try an image that is not 96×96. How large is the window of a *global* pooling?")
class AveragesThreeByThree(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][2] = nn.AvgPool2d(3)


@misconception("GoogLeNet", hint="Try images with three channels.")
class SeesGreyOnly(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):  # noqa: ARG002
        super().__init__(1, num_classes)


@misconception("GoogLeNet", hint="How many stages are in `net`? The text lists six.")
class ClassifiesInTheFifthStage(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net = nn.Sequential(*self.net[:4], nn.Sequential(*self.net[4], self.net[5]))


@misconception("GoogLeNet", hint="Compare your number of parameters layer by layer: which part of b1 should be 7×7?")
class LooksThroughASmallWindow(GoogLeNet):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[0][0] = nn.Conv2d(in_channels, 64, 5, stride=2, padding=2)


# ResNeXtBlock


def set_groups(convolution, groups):
    """The same convolution with another number of groups."""
    sizes = convolution.in_channels, convolution.out_channels, convolution.kernel_size
    return nn.Conv2d(*sizes, stride=convolution.stride, padding=convolution.padding, groups=groups)


@misconception(
    "ResNeXtBlock", hint="With 8 channels and a group width of 2, how many groups are there, and how many do you make?"
)
class TakesTheWidthForTheNumberOfGroups(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.branch[3] = set_groups(self.branch[3], group_width)


@misconception("ResNeXtBlock", hint="Which of the three convolutions is the grouped one?")
class GroupsTheLastConvolution(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        if num_channels % self.branch[3].groups == 0:
            self.branch[6] = set_groups(self.branch[6], self.branch[3].groups)


@misconception("ResNeXtBlock", hint="What is `int(3.6)`, and what is `round(3.6)`?")
class CutsTheFractionOff(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        width = int(num_channels * bot_mul)
        super().__init__(in_channels, num_channels, group_width, width / num_channels, use_1x1conv, strides)


@misconception("ResNeXtBlock", hint="What should happen if 6 channels have to be divided into groups of 4?")
class RoundsTheNumberOfGroups(ResNeXtBlock):
    """A width that cannot be divided does not raise an error."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        width = round(num_channels * bot_mul)
        groups = max(1, width // group_width)
        while width % groups:
            groups -= 1
        super().__init__(in_channels, num_channels, width // groups, bot_mul, use_1x1conv, strides)


@misconception("ResNeXtBlock", hint="Is the last ReLU of your block before the sum or after it?")
class ActivatesBeforeTheSum(ResNeXtBlock):
    def forward(self, x):
        return self.relu(self.branch(x)) + self.shortcut(x)


@misconception("ResNeXtBlock", hint="Is there a negative number in your result? What follows the sum?")
class DoesNotActivateTheSum(ResNeXtBlock):
    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


@misconception("ResNeXtBlock", hint="A ReLU follows the first two batch norms. What follows the third one?")
class ActivatesTwice(ResNeXtBlock):
    """A ReLU before the sum and one after it."""

    def forward(self, x):
        return self.relu(self.relu(self.branch(x)) + self.shortcut(x))


@misconception("ResNeXtBlock", hint="Which convolution has the stride?")
class StridesInTheFirstConvolution(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.branch[0].stride, self.branch[3].stride = (strides, strides), (1, 1)


@misconception("ResNeXtBlock", hint="What comes after the convolution on the shortcut?")
class DoesNotNormaliseTheShortcut(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.shortcut = self.shortcut[:1]


@misconception("ResNeXtBlock", hint="Print the shapes of branch and shortcut for a stride of 2.")
class DoesNotStrideTheShortcut(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        if use_1x1conv:
            self.shortcut[0].stride = (1, 1)


@misconception(
    "ResNeXtBlock", hint="Many networks leave out biases before a batch norm. What does the text say about biases here?"
)
class LeavesOutBiasesBeforeBatchNorm(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        for i in (0, 3, 6):
            self.branch[i].bias = None


@misconception("ResNeXtBlock", hint="How many batch norms are in your block, and are two of them the same object?")
class SharesABatchNorm(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.branch[4] = self.branch[1]


@misconception("ResNeXtBlock", hint="Does anything change `x` before it is added? An in-place ReLU does.")
class AddsTheActivatedInput(ResNeXtBlock):
    def forward(self, x):
        x = torch.relu(x)
        return super().forward(x)


# AnyNet


def change_blocks(net, change):
    """Applies `change(place, block)` to all blocks of the stages, in place."""
    for stage in net[1:-1]:
        for place, block in enumerate(stage):
            change(place, block)


@misconception("AnyNet", hint="What is the stride of the stem? Compare the shapes after it.")
class HasASlowStem(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[0][0].stride = (1, 1)


@misconception("AnyNet", hint="In ResNet, the first stage keeps the size. Is that so in AnyNet?")
class KeepsTheSizeInTheFirstStage(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[1][0].branch[3].stride = self.net[1][0].shortcut[0].stride = (1, 1)


@misconception("AnyNet", hint="Which blocks of a stage have stride 2 and a convolution on the shortcut?")
class StridesInEveryBlock(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        for stage, (_, *setting) in zip(self.net[1:-1], arch, strict=True):
            for place in range(1, len(stage)):
                stage[place] = ResNeXtBlock(setting[0], *setting, use_1x1conv=True, strides=2)


@misconception("AnyNet", hint="Which blocks of a stage have a convolution on their shortcut? Count the parameters.")
class ConvolvesEveryShortcut(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        for stage, (_, *setting) in zip(self.net[1:-1], arch, strict=True):
            for place in range(1, len(stage)):
                stage[place] = ResNeXtBlock(setting[0], *setting, use_1x1conv=True)


@misconception("AnyNet", hint="`[block] * n` is a list with the same block n times. Count the parameters.")
class RepeatsOneBlock(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        for stage in self.net[1:-1]:
            for place in range(2, len(stage)):
                stage[place] = stage[1]


@misconception("AnyNet", hint="Print the stem and compare it with the text: convolution, batch norm, ReLU.")
class DoesNotNormaliseTheStem(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        del self.net[0][1]


@misconception("AnyNet", hint="Try images with one channel, and another number of classes.")
class IgnoresTheChannelsOfTheImage(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):  # noqa: ARG002
        super().__init__(arch, stem_channels, num_classes=num_classes)


@misconception("AnyNet", hint="How many blocks does a stage of depth 3 have in your network?")
class AddsABlockToEveryStage(AnyNet):
    """`range(depth)` after the first block."""

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        deeper = [(depth + 1, *setting) for depth, *setting in arch]
        super().__init__(deeper, stem_channels, in_channels, num_classes)


@misconception("AnyNet", hint="Where does the text ask you to keep the network?")
class HasNoNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        self.layers = AnyNet(arch, stem_channels, in_channels, num_classes).net

    def forward(self, x):
        return self.layers(x)
