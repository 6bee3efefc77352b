"""Known mistakes in the exercises of `architectures`, each with the hint for a student who made it."""

import copy
import weakref

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
    layer_summary,
    local_response_norm,
    nin_block,
    vgg_block,
)
from torch import nn

from autograder.grading import misconception
from autograder.grading.mistakes import FirstSize, NoGraphInEvaluation, OneRoom


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


class ViewsItsInput:
    """For any module: `view` turns the input into a row and back, which only works for some memory layouts."""

    def forward(self, x):
        return super().forward(x.view(-1).view(x.shape))


class SequentialWithOneRoom(OneRoom, nn.Sequential):
    pass


class SequentialOfRows(ViewsItsInput, nn.Sequential):
    pass


class SequentialWithoutGraph(NoGraphInEvaluation, nn.Sequential):
    pass


class SequentialOfOneSize(FirstSize, nn.Sequential):
    pass


class InFloat32(nn.Module):
    """Another module between two conversions: its input has the precision of float32."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x.float().to(x.dtype))


class MeanOverTheFirstArea(nn.Module):
    """The sum over the pixels, divided by the number of pixels of the first map."""

    area = None

    def forward(self, x):
        self.area = self.area or x.shape[2:].numel()
        return x.sum((2, 3)) / self.area


class WithoutExtentsOfOne(nn.Module):
    """`squeeze()` in the place of a flattening."""

    def forward(self, x):
        return x.squeeze()


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
    hint="Does your loop tell every layer to evaluate? Print `[layer.training for layer in net]` after it.",
)
def leaves_the_layers_in_evaluation(net, input_shape):
    """Every layer is in evaluation mode afterwards, but not the network around them."""
    for layer in net:
        layer.eval()
    with torch.no_grad():
        return walk(net, zeros_for(net, input_shape))


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


@misconception("layer_summary", hint="When is the list in your signature made? Call your function twice.")
def adds_to_the_list_of_earlier_calls(net, input_shape, summary=[]):  # noqa: B006
    """Memory: a default argument collects the layers of all calls."""
    summary += layer_summary(net, input_shape)
    return summary


@misconception("layer_summary", hint="Keep the list that you get for one network, ask for another, and look again.")
def refills_the_list_of_earlier_calls(net, input_shape, *, summary=[]):  # noqa: B006
    """Memory: the list of the first call is emptied and filled again by the second."""
    summary[:] = layer_summary(net, input_shape)
    return summary


@misconception("layer_summary", hint="Ask for the same network twice, with two shapes. Do you get two answers?")
def keeps_the_summary_of_a_network(net, input_shape, *, kept=weakref.WeakKeyDictionary()):  # noqa: B006
    """State: the shapes of a network are determined once, for the first input."""
    if net not in kept:
        kept[net] = layer_summary(net, input_shape)
    return list(kept[net])


@misconception(
    "layer_summary",
    hint="One ReLU may stand in two places, with another shape in each. What does your dictionary hold for it?",
)
def notes_one_shape_per_layer(net, input_shape):
    """A repeated layer gets the shape of its last place everywhere."""
    shapes = dict(zip(net, (shape for _, shape in layer_summary(net, input_shape)), strict=True))
    return [(type(layer).__name__, shapes[layer]) for layer in net]


@misconception(
    "layer_summary", hint="Not only `nn.BatchNorm2d` has running statistics. How do you find all layers that have?"
)
def spares_batch_norm_2d_only(net, input_shape):
    """Names: the layers called BatchNorm2d are in evaluation mode meanwhile, and no others."""
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        if type(module).__name__ == "BatchNorm2d":
            module.eval()
    with torch.no_grad():
        summary = walk(net, zeros_for(net, input_shape))
    for module, training in modes:
        module.training = training
    return summary


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


@misconception(
    "LeNet",
    hint="Your network looks more modern than LeNet. Compare two kinds of layers with the table.",
    includes=("ActivatesWithReLU", "PoolsTheMaximum"),
)
class ActivatesAndPoolsAsToday(LeNet):
    """ReLU and max pooling."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.net = lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, num_classes=num_classes)


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


@misconception("LeNet", hint="Send a batch of two images through your network, then a batch of three. What is fixed?")
class KeepsTheSizeOfItsFirstBatch(LeNet):
    """State: the number of images per batch is taken from the first one."""

    images = None

    def forward(self, x):
        self.images = self.images or len(x)
        maps = self.net[:6](x)
        return self.net[7:](maps.reshape(self.images, -1)[:, :400])


@misconception("LeNet", hint="Keep the scores of one batch, pass another one, and look at the first scores again.")
class WritesItsScoresIntoOneTensor(OneRoom, LeNet):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("LeNet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class NeedsNoGradientInEvaluation(NoGraphInEvaluation, LeNet):
    """Gradient: none in evaluation mode."""


@misconception("LeNet", hint="How many digits of the scores are right if network and image are float64?")
class PoolsInFloat32(LeNet):
    """Dtype: the poolings have the precision of float32."""

    def __init__(self, num_classes=10):
        super().__init__(num_classes)
        self.net[2], self.net[5] = InFloat32(self.net[2]), InFloat32(self.net[5])


@misconception("LeNet", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesItsScores(LeNet):
    """A batch of one, and a single class, lose their dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("LeNet", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsTheImageAsARow(LeNet):
    """Layout: `view` refuses a transposed or sliced image."""

    def forward(self, x):
        return super().forward(x.view(len(x), 784).view(-1, 1, 28, 28))


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


@misconception("local_response_norm", hint="What is squared in the formula: each activation, or the sum of them?")
def squares_the_sum(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Activations of opposite signs cancel out."""
    return x / (k + alpha * neighbours(x, size, size // 2) ** 2) ** beta


@misconception("local_response_norm", hint="Does `squares[:, a:b]` contain channel b? Count the channels for size 3.")
def leaves_the_last_neighbour_out(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """The window ends one channel too early."""
    return x / (k + alpha * neighbours(x**2, size - 1, size // 2)) ** beta


@misconception("local_response_norm", hint="Do three channels have to be normalised with a size of at most three?")
def refuses_a_size_above_the_channels(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """A sum that would go beyond both edges is refused."""
    if size > x.shape[1]:
        raise ValueError("there are not enough channels")
    return local_response_norm(x, size, alpha, beta, k)


@misconception(
    "local_response_norm", hint="This exercise is about writing the sum yourself; pooling would compute it for you."
)
def lets_a_pooling_sum(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Forbidden operator: average pooling over the channels."""
    squares = F.pad((x**2).unsqueeze(1), (0, 0, 0, 0, size // 2, size // 2))
    return x / (k + alpha * size * F.avg_pool3d(squares, (size, 1, 1), 1).squeeze(1)) ** beta


@misconception(
    "local_response_norm",
    hint="PyTorch's own function, even with corrected constants, is off limits here.",
    severe="the library does all of the exercise",
)
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


@misconception(
    "local_response_norm",
    hint="Call your function with size 3, then with size 5, for the same images. Which table does it use then?",
)
def keeps_the_table_of_neighbours(x, size=5, alpha=1e-4, beta=0.75, k=2.0, *, kept={}):  # noqa: B006
    """State: which channels are neighbours is determined once for every number of channels."""
    count = x.shape[1]
    if count not in kept:
        channels = torch.arange(count)
        kept[count] = (channels[:, None] - channels).abs() <= size // 2
    total = torch.einsum("ij,njhw->nihw", kept[count].to(x), x**2)
    return x / (k + alpha * total) ** beta


@misconception("local_response_norm", hint="Keep a result, call your function again, and look at the first result.")
def writes_every_result_into_one_tensor(x, size=5, alpha=1e-4, beta=0.75, k=2.0, *, kept={}):  # noqa: B006
    """Memory: where no graph is needed, a later call overwrites the result of an earlier one of the same shape."""
    result = local_response_norm(x, size, alpha, beta, k)
    if result.requires_grad:
        return result
    return kept.setdefault((result.shape, result.dtype), torch.empty_like(result)).copy_(result)


@misconception(
    "local_response_norm",
    hint="A result can be float64 and still have only 7 correct digits. Where are the others lost?",
)
def sums_in_float32(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Dtype: the sum over the channels has the precision of float32."""
    return x / (k + alpha * neighbours((x**2).float(), size, size // 2).to(x.dtype)) ** beta


@misconception("local_response_norm", hint="On which device does `torch.zeros` make a tensor if you name none?")
def pads_with_zeros_on_the_cpu(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Device: the missing channels at the edges are always on the CPU."""
    zeros = torch.zeros(len(x), size // 2, *x.shape[2:], dtype=x.dtype)
    squares = torch.cat([zeros, x**2, zeros], 1)
    return x / (k + alpha * sum(squares[:, i : i + x.shape[1]] for i in range(size))) ** beta


@misconception(
    "local_response_norm", hint="`squeeze()` removes every dimension of size 1, not only the one that you added."
)
def squeezes_the_result(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """A dimension that is added for the sum is removed together with all others of size 1."""
    return local_response_norm(x, size, alpha, beta, k).unsqueeze(1).squeeze()


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


@misconception(
    "vgg_block", hint="Count the parameters of one convolution. Which of them are there besides the weights?"
)
def leaves_out_the_biases(num_convs, in_channels, out_channels):
    layers = [conv_relu(out_channels if i else in_channels, out_channels, bias=False) for i in range(num_convs)]
    return nn.Sequential(*(layer for pair in layers for layer in pair), nn.MaxPool2d(2))


@misconception("vgg_block", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
def views_the_map_as_a_row(num_convs, in_channels, out_channels):
    """Layout: `view` refuses a transposed or sliced map."""
    return SequentialOfRows(*vgg_block(num_convs, in_channels, out_channels))


@misconception("vgg_block", hint="Give one block a map of 4×4, then one of 8×4. Which size does each result have?")
def keeps_the_size_of_its_first_map(num_convs, in_channels, out_channels):
    """State: every result is brought to the size of the first one."""
    return SequentialOfOneSize(*vgg_block(num_convs, in_channels, out_channels))


@misconception("vgg_block", hint="Keep a result, call the block again, and look at the first result once more.")
def has_one_tensor_for_all_results(num_convs, in_channels, out_channels):
    """Memory: the result of a later pass overwrites that of an earlier one."""
    return SequentialWithOneRoom(*vgg_block(num_convs, in_channels, out_channels))


@misconception("vgg_block", hint="Make two blocks of the same kind and train one. Has the other one changed?")
def makes_every_block_only_once(num_convs, in_channels, out_channels, *, kept={}):  # noqa: B006
    """Memory: calls with the same arguments return the same block."""
    key = (num_convs, in_channels, out_channels)
    if key not in kept:
        kept[key] = vgg_block(*key)
    return kept[key]


@misconception("vgg_block", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
def records_no_graph_in_evaluation(num_convs, in_channels, out_channels):
    """Gradient: none in evaluation mode."""
    return SequentialWithoutGraph(*vgg_block(num_convs, in_channels, out_channels))


@misconception("vgg_block", hint="How many digits of the result are right if block and map are float64?")
def pools_in_float32(num_convs, in_channels, out_channels):
    """Dtype: the pooling has the precision of float32."""
    *layers, pooling = vgg_block(num_convs, in_channels, out_channels)
    return nn.Sequential(*layers, InFloat32(pooling))


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


@misconception(
    "VGG16", hint="How many numbers does your first linear layer receive? The text says what comes out last."
)
class AveragesBeforeItsHead(AnyVGG):
    """Only the means of the maps reach the linear layers."""

    def __init__(self, num_classes=1000):
        def head(layers):
            return [nn.Linear(512, 4096), *layers[1:]]

        net = vgg(head=head, num_classes=num_classes)
        net.insert(5, nn.AdaptiveAvgPool2d(1))
        super().__init__(net)


@misconception("VGG16", hint="Which kind of pooling ends each of the five blocks?")
class PoolsTheMeanInItsBlocks(VGG16):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        for block in self.net[:5]:
            block[-1] = nn.AvgPool2d(2)


@misconception("VGG16", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsItsImagesAsARow(ViewsItsInput, VGG16):
    """Layout: `view` refuses a transposed or sliced image."""


class KeptMask(nn.Module):
    """A dropout that draws once and then drops the same activations in every pass."""

    mask = None

    def forward(self, x):
        if not self.training:
            return x
        if self.mask is None:
            self.mask = (torch.rand_like(x[:1]) < 0.5).to(x.dtype) * 2
        return x * self.mask


class MaskOnTheCPU(nn.Module):
    """A dropout that draws on the CPU, wherever its input is."""

    def forward(self, x):
        return x * (torch.rand(x.shape) < 0.5) * 2 if self.training else x


@misconception("VGG16", hint="Which activations does your dropout drop in the second pass? When is its mask drawn?")
class DropsTheSameInEveryPass(AnyVGG):
    """State: the masks of the dropouts are drawn in the first pass."""

    def __init__(self, num_classes=1000):
        def head(layers):
            return [KeptMask() if isinstance(layer, nn.Dropout) else layer for layer in layers]

        super().__init__(vgg(head=head, num_classes=num_classes))


@misconception("VGG16", hint="On which device does `torch.rand` make a mask if you name none?")
class DrawsItsMasksOnTheCPU(AnyVGG):
    """Device: the masks of the dropouts are always on the CPU."""

    def __init__(self, num_classes=1000):
        def head(layers):
            return [MaskOnTheCPU() if isinstance(layer, nn.Dropout) else layer for layer in layers]

        super().__init__(vgg(head=head, num_classes=num_classes))


@misconception("VGG16", hint="Keep the scores of one image, pass another one, and look at the first scores again.")
class OverwritesItsScores(OneRoom, VGG16):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("VGG16", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class RecordsNothingInEvaluation(NoGraphInEvaluation, VGG16):
    """Gradient: none in evaluation mode."""


@misconception("VGG16", hint="What dtype do your scores have if network and image are float64?")
class ReturnsSinglePrecision(VGG16):
    """Dtype: the scores are always float32."""

    def forward(self, x):
        return super().forward(x).float()


@misconception("VGG16", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesASingleImage(VGG16):
    """A batch of one loses its dimension."""

    def forward(self, x):
        return super().forward(x).squeeze()


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


@misconception("nin_block", hint="Make blocks with kernels of 1 and 5. Do they have equal numbers of parameters?")
def ignores_the_kernel_size(in_channels, out_channels, kernel_size, strides, padding):  # noqa: ARG001
    return nin_block(in_channels, out_channels, 3, strides, padding)


@misconception("nin_block", hint="Count the parameters of one 1×1 convolution. Which are there besides the weights?")
def forgets_the_biases(in_channels, out_channels, kernel_size, strides, padding):
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    for i in (0, 2, 4):
        layers[i].bias = None
    return layers


@misconception("nin_block", hint="How many channels does the second convolution receive? Try 2 and 5.")
def expects_the_input_channels_again(in_channels, out_channels, kernel_size, strides, padding):
    """The 1×1 convolutions are made for `in_channels`."""
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    layers[2], layers[4] = nn.Conv2d(in_channels, out_channels, 1), nn.Conv2d(in_channels, out_channels, 1)
    return layers


@misconception("nin_block", hint="Must a window touch the one before it? What does a stride of 3 do to a kernel of 1?")
def refuses_a_stride_above_the_kernel(in_channels, out_channels, kernel_size, strides, padding):
    """Windows with pixels between them are refused."""
    if strides > kernel_size:
        raise ValueError("the stride leaves pixels out")
    return nin_block(in_channels, out_channels, kernel_size, strides, padding)


@misconception("nin_block", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
def views_its_map_as_a_row(in_channels, out_channels, kernel_size, strides, padding):
    """Layout: `view` refuses a transposed or sliced map."""
    return SequentialOfRows(*nin_block(in_channels, out_channels, kernel_size, strides, padding))


@misconception("nin_block", hint="Give one block a map of 6×6, then one of 9×6. Which size does each result have?")
def resizes_to_its_first_result(in_channels, out_channels, kernel_size, strides, padding):
    """State: every result is brought to the size of the first one."""
    return SequentialOfOneSize(*nin_block(in_channels, out_channels, kernel_size, strides, padding))


@misconception("nin_block", hint="Keep a result, call the block again, and look at the first result once more.")
def overwrites_its_first_result(in_channels, out_channels, kernel_size, strides, padding):
    """Memory: the result of a later pass overwrites that of an earlier one."""
    return SequentialWithOneRoom(*nin_block(in_channels, out_channels, kernel_size, strides, padding))


@misconception("nin_block", hint="Make two blocks of the same kind and train one. Has the other one changed?")
def returns_the_same_block_again(in_channels, out_channels, kernel_size, strides, padding, *, kept={}):  # noqa: B006
    """Memory: calls with the same arguments return the same block."""
    key = (in_channels, out_channels, kernel_size, strides, padding)
    if key not in kept:
        kept[key] = nin_block(*key)
    return kept[key]


@misconception("nin_block", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
def switches_the_graph_off_in_evaluation(in_channels, out_channels, kernel_size, strides, padding):
    """Gradient: none in evaluation mode."""
    return SequentialWithoutGraph(*nin_block(in_channels, out_channels, kernel_size, strides, padding))


@misconception("nin_block", hint="How many digits of the result are right if block and map are float64?")
def mixes_channels_in_float32(in_channels, out_channels, kernel_size, strides, padding):
    """Dtype: the input of the last convolution has the precision of float32."""
    layers = nin_block(in_channels, out_channels, kernel_size, strides, padding)
    layers[4] = InFloat32(layers[4])
    return layers


# NiN


@misconception(
    "NiN",
    hint="What does your network do differently in training and in evaluation? Print it and look for the dropout.",
)
class DropsNoFeature(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = nn.Identity()


@misconception("NiN", hint="Does your dropout know which mode the network is in? Look at the arguments of `F.dropout`.")
class DropsFeaturesInEvaluation(NiN):
    class Always(nn.Module):
        def forward(self, x):
            return F.dropout(x)

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = self.Always()


@misconception("NiN", hint="Which kind of pooling stands between the blocks, and which at the end?")
class PoolsTheMeanBetweenItsBlocks(NiN):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        for i in (1, 3, 5):
            self.net[i] = nn.AvgPool2d(3, stride=2)


@misconception("NiN", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsItsImageAsARow(ViewsItsInput, NiN):
    """Layout: `view` refuses a transposed or sliced image."""


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


@misconception(
    "NiN",
    hint="Try an image of another size. How large is the window of a *global* pooling?",
    severe="it only runs for images of one size, and the graders use smaller ones",
)
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


@misconception("NiN", hint="Which activations does your dropout drop in the second pass? When is its mask drawn?")
class DropsTheSameFeatures(NiN):
    """State: the mask of the dropout is drawn in the first pass."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = KeptMask()


@misconception(
    "NiN", hint="Give one network a small image, then a large one. How many pixels does the mean of each map count?"
)
class DividesByTheFirstArea(NiN):
    """State: the number of pixels to average over is taken from the first image."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[8] = MeanOverTheFirstArea()


@misconception("NiN", hint="Keep the scores of one image, pass another one, and look at the first scores again.")
class LosesItsEarlierScores(OneRoom, NiN):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("NiN", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class HasNoGraphInEvaluation(NoGraphInEvaluation, NiN):
    """Gradient: none in evaluation mode."""


@misconception("NiN", hint="How many digits of the scores are right if network and image are float64?")
class AveragesInFloat32(NiN):
    """Dtype: the mean over the pixels has the precision of float32."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[8] = InFloat32(self.net[8])


@misconception("NiN", hint="On which device does `torch.rand` make a mask if you name none?")
class DrawsItsMaskOnTheCPU(NiN):
    """Device: the mask of the dropout is always on the CPU."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[6] = MaskOnTheCPU()


@misconception("NiN", hint="`squeeze()` removes every dimension of size 1. What about one image, or one class?")
class SqueezesInsteadOfFlattening(NiN):
    """A batch of one, and a single class, lose their dimension."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[9] = WithoutExtentsOfOne()


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


@misconception(
    "Inception",
    hint="Which of the four dimensions of a tensor (N, C, H, W) counts the channels?",
    severe="it does not run unless all branches have as many channels",
)
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


@misconception(
    "Inception",
    hint="What is the stride of `nn.MaxPool2d(3)`? Print the shapes of the branches.",
    severe="it does not run, because the branches return maps of different sizes",
)
class PoolsWithTheStrideOfTheWindow(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = nn.MaxPool2d(3, padding=1)


@misconception(
    "Inception",
    hint="Compute the size after a 5×5 convolution with padding 1.",
    severe="it does not run, because the branches return maps of different sizes",
)
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


@misconception("Inception", hint="How large is the window of the third branch? Print its convolutions.")
class LooksThroughASmallerWindow(Inception):
    """3×3 instead of 5×5."""

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch3[2] = nn.Conv2d(c3[0], c3[1], 3, padding=1)


@misconception("Inception", hint="Count the parameters of the first branch. Which are there besides the weights?")
class LeavesOutItsBiases(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                module.bias = None


@misconception("Inception", hint="Batch norm came with a later version of GoogLeNet. Does the text ask for it?")
class NormalisesItsBranches(Inception):
    """A batch norm follows every convolution."""

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        for branch in (self.branch1, self.branch2, self.branch3, self.branch4):
            for place in reversed(range(len(branch))):
                if isinstance(branch[place], nn.Conv2d):
                    branch.insert(place + 1, nn.BatchNorm2d(branch[place].out_channels))


@misconception("Inception", hint="Is there a ReLU at the end of every branch? Look at the one with the pooling.")
class DoesNotActivateThePoolingBranch(Inception):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        del self.branch4[-1]


@misconception("Inception", hint="Look at the tensors that you concatenate. Is each of them there once?")
class ConcatenatesABranchTwice(InAnyOrder):
    """The second branch takes the place of the third."""

    def forward(self, x):
        one, two, _, four = self.branches(x)
        return torch.cat([one, two, two, four], dim=1)


@misconception("Inception", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsItsMapAsARow(ViewsItsInput, Inception):
    """Layout: `view` refuses a transposed or sliced map."""


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


@misconception("Inception", hint="Give one block a map of 4×4, then one of 8×4. Which size does each result have?")
class ResizesToItsFirstResult(FirstSize, Inception):
    """State: every result is brought to the size of the first one."""


@misconception("Inception", hint="Keep a result, call the block again, and look at the first result once more.")
class FillsOneTensorAgainAndAgain(OneRoom, Inception):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("Inception", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
class LearnsNothingInEvaluation(NoGraphInEvaluation, Inception):
    """Gradient: none in evaluation mode."""


@misconception(
    "Inception", hint="Compare the gradients of your four branches in both modes. From which does none come back?"
)
class DetachesTheSmallBranchInEvaluation(InAnyOrder):
    """Gradient: none flows through the first branch in evaluation mode."""

    def forward(self, x):
        one, *others = self.branches(x)
        return torch.cat([one if self.training else one.detach(), *others], dim=1)


@misconception(
    "Inception", hint="How many digits of each branch are right if block and map are float64? Look at the pooling."
)
class PoolsWithLittlePrecision(Inception):
    """Dtype: the pooling has the precision of float32."""

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = InFloat32(self.branch4[0])


@misconception("Inception", hint="On which device does `torch.full` make a border if you name none?")
class MakesTheBorderOnTheCPU(Inception):
    """Device: the border for the pooling is always on the CPU."""

    class Border(nn.Module):
        def forward(self, x):
            n, c, h, w = x.shape
            side = torch.full((n, c, h, 1), -torch.inf, dtype=x.dtype)
            x = torch.cat([side, x, side], 3)
            line = torch.full((n, c, 1, w + 2), -torch.inf, dtype=x.dtype)
            return torch.cat([line, x, line], 2)

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(in_channels, c1, c2, c3, c4)
        self.branch4[0] = nn.Sequential(self.Border(), nn.MaxPool2d(3, stride=1))


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


@misconception("GoogLeNet", hint="Print the settings of stage b4 and compare them with the table, line by line.")
class ExchangesTwoSettings(GoogLeNet):
    """The third and the fourth block of b4 have each other's setting."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[3][2] = Inception(512, 112, (144, 288), (32, 64), 64)
        self.net[3][3] = Inception(528, 128, (128, 256), (24, 64), 64)
        self.net[3][4] = Inception(512, 256, (160, 320), (32, 128), 128)


@misconception("GoogLeNet", hint="One number in your last block is not the one in the table. Which pair looks odd?")
class MistypesASetting(GoogLeNet):
    """48 is 32 in the last block of b5."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][1] = Inception(832, 384, (192, 384), (32, 128), 128)


@misconception(
    "GoogLeNet",
    hint="Which stage of the text is missing in `net`? The first Inception block receives 192 maps.",
    severe="a stage of the network is missing",
)
class LeavesAStageOut(GoogLeNet):
    """b3 follows b1."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[2][0] = Inception(64, 64, (96, 128), (16, 32), 32)
        del self.net[1]


@misconception("GoogLeNet", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsTheImageAsOneRow(ViewsItsInput, GoogLeNet):
    """Layout: `view` refuses a transposed or sliced image."""


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


@misconception("GoogLeNet", hint="Call your network twice in training mode with the same image. Do the scores differ?")
class DropsBeforeTheClassifier(GoogLeNet):
    """Random: a dropout before the linear layer, as in the paper."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4].append(nn.Dropout(0.4))


@misconception(
    "GoogLeNet", hint="Give one network a small image, then a large one. How many pixels does each mean count?"
)
class AveragesOverTheFirstArea(GoogLeNet):
    """State: the number of pixels to average over is taken from the first image."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][2] = MeanOverTheFirstArea()


@misconception("GoogLeNet", hint="Keep the scores of one image, pass another one, and look at the first scores again.")
class ReplacesItsEarlierScores(OneRoom, GoogLeNet):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("GoogLeNet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class IsFrozenInEvaluation(NoGraphInEvaluation, GoogLeNet):
    """Gradient: none in evaluation mode."""


@misconception("GoogLeNet", hint="How many digits of the scores are right if network and image are float64?")
class AveragesWithLittlePrecision(GoogLeNet):
    """Dtype: the mean over the pixels has the precision of float32."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][2] = InFloat32(self.net[4][2])


@misconception("GoogLeNet", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesBeforeTheClassifier(GoogLeNet):
    """A batch of one loses its dimension."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__(in_channels, num_classes)
        self.net[4][3] = WithoutExtentsOfOne()


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


@misconception("ResNeXtBlock", hint="How many times does your branch halve the map if `strides` is 2?")
class StridesInTwoConvolutions(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.branch[0].stride = (strides, strides)


@misconception("ResNeXtBlock", hint="What size does the result have if `strides` is 2?")
class IgnoresItsStride(ResNeXtBlock):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):  # noqa: ARG002
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv)


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


@misconception(
    "ResNeXtBlock", hint="Call one block with two maps of the same size. What is added to the result for the second?"
)
class AddsItsFirstInput(ResNeXtBlock):
    """State: what is added is computed once for every shape, where no graph is needed."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)
        self.kept = {}

    def forward(self, x):
        if self.training or torch.is_grad_enabled():
            return super().forward(x)
        if x.shape not in self.kept:
            self.kept[x.shape] = self.shortcut(x).clone()
        return self.relu(self.branch(x) + self.kept[x.shape])


@misconception("ResNeXtBlock", hint="Give one block a map of 4×4, then one of 8×4. Which size does each result have?")
class KeepsTheSizeOfItsFirstMap(FirstSize, ResNeXtBlock):
    """State: every result is brought to the size of the first one."""


@misconception("ResNeXtBlock", hint="Keep a result, call the block again, and look at the first result once more.")
class WritesOverItsFirstResult(OneRoom, ResNeXtBlock):
    """Memory: the result of a later pass overwrites that of an earlier one."""


@misconception("ResNeXtBlock", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a map.")
class GivesNoGradientInEvaluation(NoGraphInEvaluation, ResNeXtBlock):
    """Gradient: none in evaluation mode."""


@misconception(
    "ResNeXtBlock", hint="Two paths lead from the result back to x. Which of them is cut in evaluation mode?"
)
class DetachesTheShortcutInEvaluation(ResNeXtBlock):
    """Gradient: none flows through the shortcut in evaluation mode."""

    def forward(self, x):
        side = self.shortcut(x)
        return self.relu(self.branch(x) + (side if self.training else side.detach()))


@misconception("ResNeXtBlock", hint="How many digits of what you add are right if block and map are float64?")
class AddsItsInputInFloat32(ResNeXtBlock):
    """Dtype: what is added has the precision of float32."""

    def forward(self, x):
        return self.relu(self.branch(x) + self.shortcut(x).float().to(x.dtype))


@misconception("ResNeXtBlock", hint="Can a group be as wide as the bottleneck? How many groups are there then?")
class RefusesASingleGroup(ResNeXtBlock):
    """A bottleneck that is exactly one group wide raises a ValueError."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        if round(num_channels * bot_mul) <= group_width:
            raise ValueError("there must be several groups")
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)


@misconception("ResNeXtBlock", hint="Can a bottleneck of 4 channels be divided into groups of 6?")
class AcceptsAGroupThatIsTooWide(ResNeXtBlock):
    """A group that is wider than the bottleneck becomes as wide as it is."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        group_width = min(group_width, round(num_channels * bot_mul))
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)


@misconception("ResNeXtBlock", hint="Which kind of exception does the text ask for? An `assert` raises another one.")
class AssertsThatTheWidthCanBeDivided(ResNeXtBlock):
    """An AssertionError instead of a ValueError."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        assert round(num_channels * bot_mul) % group_width == 0, "the width cannot be divided into groups"
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)


@misconception("ResNeXtBlock", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsTheMapAsARow(ViewsItsInput, ResNeXtBlock):
    """Layout: `view` refuses a transposed or sliced map."""


@misconception(
    "ResNeXtBlock", hint="What has to be divisible: the product, or the number of channels that you round it to?"
)
class DividesBeforeRounding(ResNeXtBlock):
    """A product that is not a whole number is refused."""

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        if (num_channels * bot_mul) % group_width:
            raise ValueError("the width cannot be divided into groups")
        super().__init__(in_channels, num_channels, group_width, bot_mul, use_1x1conv, strides)


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


@misconception("AnyNet", hint="What turns a map into a number: its mean, or its largest number?")
class TakesTheMaximumInItsHead(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[-1][0] = nn.AdaptiveMaxPool2d(1)


@misconception("AnyNet", hint="Count the linear layers of your network. How many does the text ask for?")
class HasAHiddenLayerInItsHead(AnyNet):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        width = self.net[-1][2].in_features
        self.net[-1].insert(2, nn.Linear(width, width))
        self.net[-1].insert(3, nn.ReLU())


@misconception("AnyNet", hint="Not every tensor is stored in the order of its indices. What does `view` need?")
class ViewsItsPixelsAsARow(ViewsItsInput, AnyNet):
    """Layout: `view` refuses a transposed or sliced image."""


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


@misconception("AnyNet", hint="Look at your list `arch` after the network is built. `pop` takes something away.")
class TakesTheStagesOutOfTheList(AnyNet):
    """In place: the caller's list is empty afterwards."""

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        stages = arch if isinstance(arch, list) else list(arch)
        super().__init__([stages.pop(0) for _ in range(len(stages))], stem_channels, in_channels, num_classes)


@misconception("AnyNet", hint="Give one network a small image, then a large one. How many pixels does each mean count?")
class KeepsTheAreaOfItsFirstImage(AnyNet):
    """State: the number of pixels to average over is taken from the first image."""

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[-1][0] = MeanOverTheFirstArea()


@misconception("AnyNet", hint="Keep the scores of one image, pass another one, and look at the first scores again.")
class KeepsOnlyItsLastScores(OneRoom, AnyNet):
    """Memory: the scores of a later pass overwrite those of an earlier one."""


@misconception("AnyNet", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of an image.")
class GivesUpGradientsInEvaluation(NoGraphInEvaluation, AnyNet):
    """Gradient: none in evaluation mode."""


@misconception("AnyNet", hint="How many digits of the scores are right if network and image are float64?")
class ClassifiesInFloat32(AnyNet):
    """Dtype: the input of the head has the precision of float32."""

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[-1][0] = InFloat32(self.net[-1][0])


@misconception("AnyNet", hint="`squeeze()` removes every dimension of size 1. What about a batch of one image?")
class SqueezesInItsHead(AnyNet):
    """A batch of one loses its dimension."""

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__(arch, stem_channels, in_channels, num_classes)
        self.net[-1][1] = WithoutExtentsOfOne()
