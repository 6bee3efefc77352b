"""Common mistakes in the exercises of `counting`, each with the hint for a student who made it.

Where a mistake shows only in one particular way, its docstring begins with that way: type, exception type, in place.
"""

import math

import torch
from counting import (
    ANSWERS,
    batchnorm_parameters,
    conv2d_parameters,
    conv_macs,
    count_parameters,
    linear_parameters,
    mlp_parameters,
    network_sizes,
    output_size,
    receptive_field,
    same_padding,
)

from autograder.grading import misconception


def sides(kernel_size):
    """Right: height and width of a kernel."""
    return kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)


def refuse_unequal_groups(in_channels, out_channels, groups):
    """Right."""
    if in_channels % groups or out_channels % groups:
        raise ValueError("the groups would be unequal")


def rounded_conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups):
    """Right where the groups are equal."""
    height, width = sides(kernel_size)
    return out_channels * (in_channels // groups) * height * width + (out_channels if bias else 0)


def positions(layers):
    """Right: for each layer (kernel, stride, padding, distance between neighbours before it, and after it)."""
    distance, found = 1, []
    for kernel, stride, padding in layers:
        found.append((kernel, stride, padding, distance, distance * stride))
        distance *= stride
    return found


def with_answers(**wrong):
    """The right answers, except for those given."""
    return {**ANSWERS, **wrong}


# conv2d_parameters


@misconception("conv2d_parameters", hint="How many numbers does `nn.Conv2d(1, 1, 1)` learn? Print its `state_dict()`.")
def forgets_the_bias(in_channels, out_channels, kernel_size, bias=True, groups=1):  # noqa: ARG001
    """Only the weights count."""
    return conv2d_parameters(in_channels, out_channels, kernel_size, False, groups)


@misconception("conv2d_parameters", hint="What does the caller mean by `bias=False`?")
def always_counts_the_bias(in_channels, out_channels, kernel_size, bias=True, groups=1):  # noqa: ARG001
    """The argument `bias` is ignored."""
    return conv2d_parameters(in_channels, out_channels, kernel_size, True, groups)


@misconception("conv2d_parameters", hint="Does a bias belong to an input channel or to an output channel?")
def gives_each_input_channel_a_bias(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """in_channels biases."""
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, False, groups)
    return weights + (in_channels if bias else 0)


@misconception(
    "conv2d_parameters",
    hint="A filter sums its window over all input channels, then adds one bias. How many biases does one filter have?",
)
def gives_each_slice_of_a_filter_a_bias(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """A bias for each pair of channels."""
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, False, groups)
    return weights + (in_channels // groups * out_channels if bias else 0)


@misconception("conv2d_parameters", hint="You count one bias for the whole layer. What is it added to?")
def counts_one_bias(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """A single bias."""
    return conv2d_parameters(in_channels, out_channels, kernel_size, False, groups) + bool(bias)


@misconception(
    "conv2d_parameters",
    hint="Groups divide the weights, but do they reduce the number of output channels? Compare with "
    "`nn.Conv2d(4, 4, 1, groups=2)`.",
)
def divides_the_biases_among_the_groups(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """out_channels / groups biases."""
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, False, groups)
    return weights + (out_channels // groups if bias else 0)


@misconception("conv2d_parameters", hint="With groups, how many of the input channels does one filter look at?")
def ignores_the_groups(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Every filter is as deep as the whole input."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    return conv2d_parameters(in_channels, out_channels, kernel_size, bias)


@misconception(
    "conv2d_parameters",
    hint="You counted the weights of one group. How many groups are there, and which of the two channel counts "
    "gets smaller for a filter?",
)
def counts_the_weights_of_one_group(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Both numbers of channels are divided."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    height, width = sides(kernel_size)
    weights = (in_channels // groups) * (out_channels // groups) * height * width
    return weights + (out_channels if bias else 0)


@misconception("conv2d_parameters", hint="Do groups make a layer larger or smaller? Draw which channels are connected.")
def multiplies_by_the_groups(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """More groups, more weights."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, False) * groups
    return weights + (out_channels if bias else 0)


@misconception(
    "conv2d_parameters", hint="Look at `nn.Conv2d(3, 8, 5).weight.shape`. Which of these dimensions do you leave out?"
)
def forgets_the_depth(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """A filter is flat."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    height, width = sides(kernel_size)
    return out_channels * height * width + (out_channels if bias else 0)


@misconception("conv2d_parameters", hint="A kernel of size 5 is a square. How many weights does it have?")
def takes_the_kernel_for_a_line(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """k instead of k² for an int."""
    kernel = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, 1)
    return conv2d_parameters(in_channels, out_channels, kernel, bias, groups)


@misconception("conv2d_parameters", hint="A pair gives two numbers. Which of them do you use, and how often?")
def takes_every_kernel_for_square(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Only the height of a pair is used."""
    return conv2d_parameters(in_channels, out_channels, sides(kernel_size)[0], bias, groups)


@misconception("conv2d_parameters", hint="What is `(3, 5) ** 2` in Python? Check `isinstance(kernel_size, int)` first.")
def knows_no_pairs(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Exception: a pair raises a TypeError."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    return out_channels * (in_channels // groups) * kernel_size**2 + (out_channels if bias else 0)


@misconception(
    "conv2d_parameters", hint="In Python `/` always gives a float, even when there is no remainder. What gives an int?"
)
def divides_into_a_float(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Type: `/` instead of `//`."""
    refuse_unequal_groups(in_channels, out_channels, groups)
    height, width = sides(kernel_size)
    return out_channels * in_channels / groups * height * width + (out_channels if bias else 0)


@misconception(
    "conv2d_parameters", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?"
)
def multiplies_in_a_tensor(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Type: the result is a tensor without dimensions."""
    return torch.tensor(conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups))


@misconception(
    "conv2d_parameters", hint="3 channels in 2 groups: how many are in each? How should a good function respond?"
)
def rounds_the_groups_down(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Channels that cannot be divided equally are not refused."""
    return rounded_conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups)


@misconception(
    "conv2d_parameters", hint="Groups divide the channels on both sides of the layer. Which side do you check?"
)
def looks_at_the_input_groups_only(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Output channels that cannot be divided equally are not refused."""
    if in_channels % groups:
        raise ValueError("the groups would be unequal")
    return rounded_conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups)


@misconception(
    "conv2d_parameters",
    hint="Groups divide the channels on both sides of the layer. Which side do you check?",
)
def looks_at_the_output_groups_only(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Input channels that cannot be divided equally are not refused."""
    if out_channels % groups:
        raise ValueError("the groups would be unequal")
    return rounded_conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups)


@misconception("conv2d_parameters", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_equal_groups(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Exception type: AssertionError for unequal groups."""
    assert in_channels % groups == 0, "unequal groups"
    assert out_channels % groups == 0, "unequal groups"
    return conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups)


@misconception("conv2d_parameters", hint="You raise the right exception, but it tells the caller nothing.")
def refuses_groups_without_a_message(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Exception message: the ValueError is empty."""
    if in_channels % groups or out_channels % groups:
        raise ValueError
    return conv2d_parameters(in_channels, out_channels, kernel_size, bias, groups)


# linear_parameters


@misconception("linear_parameters", hint="How many numbers does `nn.Linear(1, 1)` learn? Print its `state_dict()`.")
def forgets_the_bias_of_a_linear_layer(in_features, out_features, bias=True):  # noqa: ARG001
    """Only the weights count."""
    return in_features * out_features


@misconception("linear_parameters", hint="What does the caller mean by `bias=False`?")
def always_counts_the_bias_of_a_linear_layer(in_features, out_features, bias=True):  # noqa: ARG001
    """The argument `bias` is ignored."""
    return (in_features + 1) * out_features


@misconception("linear_parameters", hint="A bias is added to a sum. Is there a sum for each input or for each output?")
def gives_each_input_a_bias(in_features, out_features, bias=True):
    """in_features biases."""
    return in_features * out_features + (in_features if bias else 0)


@misconception("linear_parameters", hint="You count one bias for the whole layer. What is it added to?")
def counts_one_bias_of_a_linear_layer(in_features, out_features, bias=True):
    """A single bias."""
    return in_features * out_features + bool(bias)


@misconception(
    "linear_parameters",
    hint="How many arrows lead from 3 inputs to 4 outputs? Draw them.",
    severe="no weight is counted",
)
def adds_the_features(in_features, out_features, bias=True):
    """in + out instead of in · out."""
    return in_features + out_features + (out_features if bias else 0)


@misconception(
    "linear_parameters", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?"
)
def counts_a_linear_layer_in_floats(in_features, out_features, bias=True):
    """Type: a float."""
    return float(linear_parameters(in_features, out_features, bias))


@misconception(
    "linear_parameters", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_features(n_in, n_out, bias=True):
    """Exception: the features cannot be given by the names that the exercise asks for."""
    return linear_parameters(n_in, n_out, bias)


# batchnorm_parameters


@misconception(
    "batchnorm_parameters",
    hint="Who changes the running statistics: the optimizer, or the layer itself in its forward pass?",
)
def counts_the_running_statistics(num_features, affine=True):
    """Four numbers per channel."""
    return 4 * num_features if affine else 2 * num_features


@misconception(
    "batchnorm_parameters",
    hint="Which of the layer's numbers are left with `affine=False`, and are they learned?",
    includes=("counts_the_running_statistics",),
)
def counts_buffers_where_nothing_is_learned(num_features, affine=True):  # noqa: ARG001
    """2 · num_features whatever `affine` says."""
    return 2 * num_features


@misconception(
    "batchnorm_parameters",
    hint="After normalising, a channel is scaled and then ... Print `nn.BatchNorm2d(1).state_dict()`.",
)
def counts_the_scale_only(num_features, affine=True):
    """One number per channel."""
    return num_features if affine else 0


@misconception("batchnorm_parameters", hint="Do all channels share one scale and one shift?")
def shares_scale_and_shift_among_channels(num_features, affine=True):  # noqa: ARG001
    """Two numbers for the whole layer."""
    return 2 if affine else 0


@misconception("batchnorm_parameters", hint="What is `False and 6` in Python, and what is its type?")
def returns_false_for_nothing(num_features, affine=True):
    """Type: a bool where nothing is learned."""
    return affine and 2 * num_features


@misconception(
    "batchnorm_parameters", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?"
)
def counts_batchnorm_in_floats(num_features, affine=True):
    """Type: a float."""
    return float(batchnorm_parameters(num_features, affine))


@misconception(
    "batchnorm_parameters", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_channels(channels, affine=True):
    """Exception: the number of channels cannot be given by the name that the exercise asks for."""
    return batchnorm_parameters(channels, affine)


# mlp_parameters


@misconception("mlp_parameters", hint="What does a fully connected layer learn besides its matrix?")
def forgets_the_biases_of_the_mlp(sizes, bias=True):  # noqa: ARG001
    """Only the weights count."""
    return mlp_parameters(sizes, False)


@misconception("mlp_parameters", hint="What does the caller mean by `bias=False`?")
def always_counts_the_biases_of_the_mlp(sizes, bias=True):  # noqa: ARG001
    """The argument `bias` is ignored."""
    return mlp_parameters(sizes, True)


@misconception("mlp_parameters", hint="Is there a bias for each input of a layer, or for each output?")
def gives_each_input_of_a_layer_a_bias(sizes, bias=True):
    """The biases are counted at the wrong end."""
    return mlp_parameters(sizes, False) + (sum(sizes[:-1]) if bias else 0)


@misconception("mlp_parameters", hint="The input is data. Does anything add a bias to it?")
def gives_the_input_a_bias(sizes, bias=True):
    """A bias for every size."""
    return mlp_parameters(sizes, False) + (sum(sizes) if bias else 0)


@misconception("mlp_parameters", hint="You only count the biases of the last layer. What about the hidden layers?")
def gives_only_the_output_a_bias(sizes, bias=True):
    """Hidden layers have no bias."""
    return mlp_parameters(sizes, False) + (sizes[-1] if bias else 0)


@misconception("mlp_parameters", hint="Four sizes: how many layers are between them? How many does your loop visit?")
def leaves_out_the_last_layer(sizes, bias=True):
    """The loop ends too early."""
    whole = mlp_parameters(sizes, bias)
    return whole - linear_parameters(sizes[-2], sizes[-1], bias)


@misconception(
    "mlp_parameters", hint="Which pairs of sizes have a layer between them? Print the pairs that your loop visits."
)
def connects_every_pair_of_sizes(sizes, bias=True):
    """Each size is connected to all later ones."""
    mlp_parameters(sizes, bias)
    pairs = [(a, b) for i, a in enumerate(sizes) for b in sizes[i + 1 :]]
    return sum(linear_parameters(a, b, bias) for a, b in pairs)


@misconception(
    "mlp_parameters", hint="The layers come one after the other. Do their parameters multiply, or do they add up?"
)
def multiplies_all_sizes(sizes, bias=True):
    """The number of weights is the product of all sizes."""
    mlp_parameters(sizes, bias)
    return math.prod(sizes) + (sum(sizes[1:]) if bias else 0)


@misconception(
    "mlp_parameters", hint="How many layers does a list with one size describe? A good function tells the caller."
)
def counts_nothing_for_too_few_sizes(sizes, bias=True):
    """Fewer than two sizes are not refused."""
    return mlp_parameters(sizes, bias) if len(sizes) > 1 else 0


@misconception("mlp_parameters", hint="You reject an empty list. Is a single size enough for a layer?")
def takes_a_single_size_for_a_network(sizes, bias=True):
    """One size is not refused."""
    return 0 if len(sizes) == 1 else mlp_parameters(sizes, bias)


@misconception("mlp_parameters", hint="Two sizes, an input and an output: isn't that a layer?")
def wants_a_hidden_layer(sizes, bias=True):
    """Two sizes are refused."""
    if len(sizes) < 3:
        raise ValueError("there is no hidden layer")
    return mlp_parameters(sizes, bias)


@misconception("mlp_parameters", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_two_sizes(sizes, bias=True):
    """Exception type: AssertionError for fewer than two sizes."""
    assert len(sizes) > 1, "too few sizes"
    return mlp_parameters(sizes, bias)


@misconception(
    "mlp_parameters",
    hint="Print the list before and after calling your function. It belongs to the caller.",
)
def uses_up_the_sizes(sizes, bias=True):
    """In place: the sizes are popped off the caller's list."""
    total = mlp_parameters(sizes, bias)
    while len(sizes) > 1:
        sizes.pop(0)
    return total


@misconception(
    "mlp_parameters", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?"
)
def adds_up_in_floats(sizes, bias=True):
    """Type: the sum begins with 0.0."""
    return 0.0 + mlp_parameters(sizes, bias)


@misconception(
    "mlp_parameters", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_sizes(widths, bias=True):
    """Exception: the sizes cannot be given by the name that the exercise asks for."""
    return mlp_parameters(widths, bias)


# count_parameters


@misconception(
    "count_parameters",
    hint="Batch normalisation keeps several numbers per channel. Which of them does the optimizer change?",
)
def counts_buffers_too(model, trainable_only=False):
    """Parameters and buffers."""
    return count_parameters(model, trainable_only) + sum(buffer.numel() for buffer in model.buffers())


@misconception(
    "count_parameters",
    hint="Two different layers may use the same nn.Parameter. How would your loop notice? `is` and `id` may help.",
)
def counts_tied_weights_twice(model, trainable_only=False):
    """Each layer counts once, but a parameter that two layers share counts twice."""
    own = [p for module in model.modules() for p in module.parameters(recurse=False)]
    return sum(p.numel() for p in own if p.requires_grad or not trainable_only)


@misconception(
    "count_parameters",
    hint="Try `layer = nn.Linear(2, 2); nn.Sequential(layer, layer)`. How many numbers does it keep in memory?",
)
def counts_shared_layers_each_time(model, trainable_only=False):
    """A layer counts everywhere it appears."""
    named = model.named_parameters(remove_duplicate=False)
    return sum(p.numel() for _, p in named if p.requires_grad or not trainable_only)


@misconception(
    "count_parameters",
    hint="What does `state_dict()` contain besides parameters? Print its keys for a BatchNorm layer.",
)
def counts_the_state_dict(model, trainable_only=False):
    """Buffers count, and a shared parameter counts once per name."""
    if trainable_only:
        return count_parameters(model, True)
    return sum(tensor.numel() for tensor in model.state_dict().values())


@misconception(
    "count_parameters",
    hint="`modules()` and `parameters()` both include nested layers. What happens when you combine them?",
)
def counts_inner_layers_at_every_level(model, trainable_only=False):
    """parameters() of each of modules()."""
    found = [p for module in model.modules() for p in module.parameters()]
    return sum(p.numel() for p in found if p.requires_grad or not trainable_only)


@misconception(
    "count_parameters",
    hint="Is a 3 × 4 matrix one parameter or twelve?",
    severe="no number in any tensor is counted",
)
def counts_tensors(model, trainable_only=False):
    """The number of tensors."""
    return len([p for p in model.parameters() if p.requires_grad or not trainable_only])


@misconception("count_parameters", hint="Can a parameter belong to the model itself rather than to one of its layers?")
def looks_at_layers_only(model, trainable_only=False):
    """Parameters of the model itself are overlooked if it has layers."""
    layers = list(model.children()) or [model]
    seen = {p: None for layer in layers for p in layer.parameters()}
    return sum(p.numel() for p in seen if p.requires_grad or not trainable_only)


@misconception(
    "count_parameters",
    hint="What are the parameters called in a layer that is not from torch.nn? Do not count by name.",
)
def looks_for_weight_and_bias(model, trainable_only=False):
    """Only parameters called weight and bias count."""
    named = [p for name, p in model.named_parameters() if name.split(".")[-1] in ("weight", "bias")]
    return sum(p.numel() for p in named if p.requires_grad or not trainable_only)


@misconception("count_parameters", hint="How deep do you look? Put an nn.Sequential inside another one.")
def looks_one_level_deep(model, trainable_only=False):
    """Nested layers are overlooked."""
    modules = [model, *model.children()]
    seen = {p: None for module in modules for p in module.parameters(recurse=False)}
    return sum(p.numel() for p in seen if p.requires_grad or not trainable_only)


@misconception("count_parameters", hint="With `trainable_only=True`, how much should a frozen layer add to the count?")
def ignores_trainable_only(model, trainable_only=False):  # noqa: ARG001
    """Frozen parameters always count."""
    return count_parameters(model)


@misconception("count_parameters", hint="A frozen parameter is still a parameter. In which case is it left out?")
def never_counts_frozen_parameters(model, trainable_only=False):  # noqa: ARG001
    """Frozen parameters never count."""
    return count_parameters(model, True)


@misconception("count_parameters", hint="Freeze a whole model and print your count with trainable_only=True.")
def counts_the_frozen_ones(model, trainable_only=False):
    """trainable_only selects the frozen parameters."""
    everything = count_parameters(model)
    return everything - count_parameters(model, True) if trainable_only else everything


@misconception(
    "count_parameters", hint="One frozen parameter does not freeze its layer. What do you check, and on what?"
)
def leaves_out_layers_that_are_partly_frozen(model, trainable_only=False):
    """A layer counts only if all of its parameters are trained."""
    if not trainable_only:
        return count_parameters(model)
    free = [m for m in model.modules() if all(p.requires_grad for p in m.parameters(recurse=False))]
    return sum(p.numel() for p in {p: None for m in free for p in m.parameters(recurse=False)})


@misconception("count_parameters", hint="Two layers of the same shape: are they the same layer?")
def takes_equal_shapes_for_the_same(model, trainable_only=False):
    """One parameter of each shape counts."""
    kept = {tuple(p.shape): p.numel() for p in model.parameters() if p.requires_grad or not trainable_only}
    return sum(kept.values())


@misconception(
    "count_parameters", hint="Which mode is the model in before and after your function? Look at `model.training`."
)
def leaves_evaluation_mode_behind(model, trainable_only=False):
    """In place: the model is switched to evaluation."""
    return count_parameters(model.eval(), trainable_only)


@misconception("count_parameters", hint="Look at the parameters' `requires_grad` before and after your function.")
def thaws_the_model(model, trainable_only=False):
    """In place: all parameters require a gradient afterwards."""
    total = count_parameters(model, trainable_only)
    model.requires_grad_(True)
    return total


@misconception(
    "count_parameters", hint="Counts are Python ints in this assignment. What does `type(...)` say about yours?"
)
def returns_a_tensor(model, trainable_only=False):
    """Type: a sum of tensors is a tensor."""
    return torch.tensor(count_parameters(model, trainable_only))


@misconception("count_parameters", hint="Count the same model twice. What does your function remember, and how long?")
def remembers_what_it_has_counted(model, trainable_only=False, seen=set()):  # noqa: B006
    """State: the set of parameters that were counted is a default value, so it outlasts the call."""
    new = [p for p in dict.fromkeys(model.parameters()) if p not in seen and (p.requires_grad or not trainable_only)]
    seen.update(new)
    return sum(p.numel() for p in new)


@misconception(
    "count_parameters", hint="Does your function know every kind of layer, also those that others will write one day?"
)
def counts_layers_that_it_knows(model, trainable_only=False):
    """Only linear, convolutional and normalising layers count."""
    known = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    layers = [module for module in model.modules() if isinstance(module, known)]
    seen = dict.fromkeys(p for layer in layers for p in layer.parameters())
    return sum(p.numel() for p in seen if p.requires_grad or not trainable_only)


@misconception(
    "count_parameters", hint="What is a buffer called? Batch normalisation has names for its own; others choose theirs."
)
def leaves_buffers_out_by_their_usual_names(model, trainable_only=False):
    """Buffers are recognised by the names that batch normalisation gives them."""
    usual = ("running_mean", "running_var", "num_batches_tracked")
    buffers = [buffer for name, buffer in model.named_buffers() if name.split(".")[-1] not in usual]
    return count_parameters(model, trainable_only) + sum(buffer.numel() for buffer in buffers)


# output_size


@misconception(
    "output_size", hint="Try size 6, kernel 3, stride 2 with pencil and paper: where does the last window end?"
)
def rounds_up(input_size, kernel_size, stride=1, padding=0):
    """The ceiling instead of the floor."""
    output_size(input_size, kernel_size, stride, padding)
    return -((kernel_size - input_size - 2 * padding) // stride) + 1


@misconception("output_size", hint="What are `round(1.5)` and `round(0.5)`? A partial step is not taken.")
def rounds_to_the_nearest(input_size, kernel_size, stride=1, padding=0):
    """round() instead of the floor."""
    output_size(input_size, kernel_size, stride, padding)
    return round((input_size - kernel_size + 2 * padding) / stride) + 1


@misconception("output_size", hint="What are `round(1.5)` and `round(2.5)`? A partial step is not taken.")
def rounds_the_number_of_places(input_size, kernel_size, stride=1, padding=0):
    """round() instead of the floor, after the first place was added."""
    output_size(input_size, kernel_size, stride, padding)
    return round((input_size - kernel_size + 2 * padding) / stride + 1)


@misconception("output_size", hint="At which point do you divide? Put the parentheses of the formula into your code.")
def divides_the_kernel_only(input_size, kernel_size, stride=1, padding=0):
    """Operator precedence: size - kernel // stride."""
    output_size(input_size, kernel_size, stride, padding)
    return input_size + 2 * padding - kernel_size // stride + 1


@misconception("output_size", hint="How many ends does a line of pixels have? How much longer does padding 1 make it?")
def pads_one_side(input_size, kernel_size, stride=1, padding=0):
    """The padding counts once."""
    output_size(input_size, kernel_size, stride, padding)
    return (input_size - kernel_size + padding) // stride + 1


@misconception(
    "output_size", hint="A window as large as the image: how often does it fit, and what does your formula say?"
)
def forgets_the_first_place(input_size, kernel_size, stride=1, padding=0):
    """Without the + 1."""
    return output_size(input_size, kernel_size, stride, padding) - 1


@misconception(
    "output_size", hint="Try size 7, kernel 3, stride 2 with pencil and paper: does a window end at the last pixel?"
)
def loses_a_place_at_the_edge(input_size, kernel_size, stride=1, padding=0):
    """`range(0, size - kernel, stride)`: a last window that ends at the very edge is missing."""
    output_size(input_size, kernel_size, stride, padding)
    return len(range(0, input_size + 2 * padding - kernel_size, stride))


@misconception("output_size", hint="Which of the four arguments do you never use?")
def ignores_the_stride(input_size, kernel_size, stride=1, padding=0):
    """As if the stride were 1."""
    output_size(input_size, kernel_size, stride, padding)
    return input_size - kernel_size + 2 * padding + 1


@misconception("output_size", hint="Does the kernel matter if the stride is 1? Try kernel 1 and kernel 3.")
def divides_the_size_by_the_stride(input_size, kernel_size, stride=1, padding=0):
    """size // stride, as with padding that keeps the size."""
    output_size(input_size, kernel_size, stride, padding)
    return (input_size + 2 * padding) // stride


@misconception("output_size", hint="In Python `/` always gives a float. Can there be 3.5 windows?")
def forgets_the_floor(input_size, kernel_size, stride=1, padding=0):
    """`/` without rounding."""
    output_size(input_size, kernel_size, stride, padding)
    return (input_size - kernel_size + 2 * padding) / stride + 1


@misconception("output_size", hint="The number is right. What does `type(...)` say about it?")
def floors_into_a_float(input_size, kernel_size, stride=1, padding=0):
    """Type: a float without a fraction."""
    return float(output_size(input_size, kernel_size, stride, padding))


@misconception("output_size", hint="What does your formula give for a window of 5 on 3 pixels? Is that a size?")
def returns_sizes_below_one(input_size, kernel_size, stride=1, padding=0):
    """A window that does not fit is not refused."""
    if stride < 1:
        raise ValueError("the stride must be at least 1")
    return (input_size - kernel_size + 2 * padding) // stride + 1


@misconception(
    "output_size",
    hint="A map without pixels is not a map. What should the caller be told?",
)
def returns_zero_for_what_does_not_fit(input_size, kernel_size, stride=1, padding=0):
    """0 for a window that does not fit."""
    return 0 if kernel_size > input_size + 2 * padding else output_size(input_size, kernel_size, stride, padding)


@misconception("output_size", hint="`int(-0.5)` is 0, not -1. Check whether the window fits before you divide.")
def cuts_negative_numbers_off(input_size, kernel_size, stride=1, padding=0):
    """int() turns -1/3 into 0, so with a stride some windows that do not fit are accepted."""
    if stride < 1:
        raise ValueError("the stride must be at least 1")
    size = int((input_size - kernel_size + 2 * padding) / stride) + 1
    if size < 1:
        raise ValueError("the window does not fit")
    return size


@misconception("output_size", hint="A window larger than the image may still fit into the *padded* image.")
def compares_with_the_bare_input(input_size, kernel_size, stride=1, padding=0):
    """Refuses windows that only fit with the padding."""
    if kernel_size > input_size:
        raise ValueError("the window does not fit")
    return output_size(input_size, kernel_size, stride, padding)


@misconception("output_size", hint="Does a window that is exactly as large as the padded image fit?")
def refuses_a_window_that_just_fits(input_size, kernel_size, stride=1, padding=0):
    """>= instead of >."""
    if kernel_size >= input_size + 2 * padding:
        raise ValueError("the window does not fit")
    return output_size(input_size, kernel_size, stride, padding)


@misconception(
    "output_size", hint="May a window leap over pixels? Which two cases does the exercise tell you to refuse?"
)
def refuses_steps_longer_than_the_window(input_size, kernel_size, stride=1, padding=0):
    """A stride larger than the window is refused."""
    if stride > kernel_size:
        raise ValueError("the stride is too large")
    return output_size(input_size, kernel_size, stride, padding)


@misconception("output_size", hint="How wide may the padding be? Which two cases does the exercise tell you to refuse?")
def refuses_more_padding_than_half_the_window(input_size, kernel_size, stride=1, padding=0):
    """Padding of more than half the window is refused, as PyTorch's pooling does."""
    if padding > kernel_size // 2:
        raise ValueError("the padding is too large")
    return output_size(input_size, kernel_size, stride, padding)


@misconception(
    "output_size", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_sizes_of_the_window(size, kernel, stride=1, padding=0):
    """Exception: two arguments cannot be given by the names that the exercise asks for."""
    return output_size(size, kernel, stride, padding)


@misconception("output_size", hint="Which exception does a division by 0 raise, and what happens with a stride of -1?")
def divides_by_any_stride(input_size, kernel_size, stride=1, padding=0):
    """The stride is not checked."""
    if kernel_size > input_size + 2 * padding:
        raise ValueError("the window does not fit")
    return (input_size - kernel_size + 2 * padding) // stride + 1


@misconception("output_size", hint="You reject a stride of 0. Can a window move by -1?")
def lets_the_window_move_backwards(input_size, kernel_size, stride=1, padding=0):
    """Negative strides are not refused."""
    if stride < 0:
        return (input_size - kernel_size + 2 * padding) // stride + 1
    return output_size(input_size, kernel_size, stride, padding)


@misconception("output_size", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_window(input_size, kernel_size, stride=1, padding=0):
    """Exception type: AssertionError."""
    assert stride >= 1, "stride"
    assert kernel_size <= input_size + 2 * padding, "window"
    return output_size(input_size, kernel_size, stride, padding)


@misconception("output_size", hint="You raise the right exception, but it tells the caller nothing.")
def refuses_windows_without_a_message(input_size, kernel_size, stride=1, padding=0):
    """Exception message: the ValueError is empty."""
    if stride < 1 or kernel_size > input_size + 2 * padding:
        raise ValueError
    return output_size(input_size, kernel_size, stride, padding)


# network_sizes


@misconception("network_sizes", hint="How many sizes are there with two layers? Which one comes first?")
def leaves_out_the_input(input_size, layers):
    """The list begins with the first output."""
    return network_sizes(input_size, layers)[1:]


@misconception("network_sizes", hint="How many sizes are there with two layers? Compare with the length of your list.")
def leaves_out_the_last_size(input_size, layers):
    """The list contains only the input size of each layer."""
    return network_sizes(input_size, layers)[:-1]


@misconception("network_sizes", hint="You return one number. The caller also wants to see what happens along the way.")
def returns_the_last_size_only(input_size, layers):
    """A number instead of a list."""
    return network_sizes(input_size, layers)[-1]


@misconception("network_sizes", hint="What is the input of the second layer? Follow the variable that you pass on.")
def feeds_the_image_to_every_layer(input_size, layers):
    """Each layer is applied to the input."""
    return [input_size] + [output_size(input_size, *layer) for layer in layers]


@misconception("network_sizes", hint="In what order do the three numbers of a layer come?")
def exchanges_stride_and_padding(input_size, layers):
    """(kernel, padding, stride)."""
    return network_sizes(input_size, [(kernel, padding, stride) for kernel, stride, padding in layers])


@misconception("network_sizes", hint="Which of the three numbers of a layer do you not pass on?")
def drops_the_padding(input_size, layers):
    """The padding is ignored."""
    return network_sizes(input_size, [(kernel, stride, 0) for kernel, stride, _ in layers])


@misconception("network_sizes", hint="Which number of a layer says how far its window moves? See where you use it.")
def drops_the_stride(input_size, layers):
    """The stride is used for the check only."""
    network_sizes(input_size, layers)
    return network_sizes(input_size, [(kernel, 1, padding) for kernel, _, padding in layers])


@misconception("network_sizes", hint="Do you round down after every layer, or once at the end?")
def rounds_up_in_every_layer(input_size, layers):
    """The ceiling instead of the floor."""
    sizes = [input_size]
    for kernel, stride, padding in layers:
        output_size(sizes[-1], kernel, stride, padding)
        sizes.append(math.ceil((sizes[-1] - kernel + 2 * padding) / stride) + 1)
    return sizes


@misconception(
    "network_sizes", hint="A network that stops in the middle is not a network. What should the caller be told?"
)
def stops_where_a_layer_does_not_fit(input_size, layers):
    """A layer that does not fit ends the list silently."""
    sizes = [input_size]
    for kernel, stride, padding in layers:
        if kernel > sizes[-1] + 2 * padding:
            break
        sizes.append(output_size(sizes[-1], kernel, stride, padding))
    return sizes


@misconception("network_sizes", hint="Print your sizes for a window of 9 on 5 pixels. Can a map have that many pixels?")
def goes_on_below_one(input_size, layers):
    """Sizes of 0 and less are returned."""
    sizes = [input_size]
    for kernel, stride, padding in layers:
        if stride < 1:
            raise ValueError("the stride must be at least 1")
        sizes.append((sizes[-1] - kernel + 2 * padding) // stride + 1)
    return sizes


@misconception("network_sizes", hint="You check whether the first layer fits. What about the others?")
def checks_the_first_layer_only(input_size, layers):
    """A later layer that does not fit is not refused."""
    sizes = [input_size]
    for number, (kernel, stride, padding) in enumerate(layers):
        if stride < 1 or (number == 0 and kernel > input_size + 2 * padding):
            raise ValueError("the first layer does not fit")
        sizes.append((sizes[-1] - kernel + 2 * padding) // stride + 1)
    return sizes


@misconception(
    "network_sizes", hint="Which exception does a division by 0 raise, and what happens with a stride of -1?"
)
def accepts_any_stride(input_size, layers):
    """The strides are not checked."""
    sizes = [input_size]
    for kernel, stride, padding in layers:
        if kernel > sizes[-1] + 2 * padding:
            raise ValueError("the window does not fit")
        sizes.append((sizes[-1] - kernel + 2 * padding) // stride + 1)
    return sizes


@misconception("network_sizes", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_that_the_layers_fit(input_size, layers):
    """Exception type: AssertionError for a layer that does not fit, and for its stride."""
    sizes = [input_size]
    for kernel, stride, padding in layers:
        assert stride >= 1, "stride"
        assert kernel <= sizes[-1] + 2 * padding, "window"
        sizes.append(output_size(sizes[-1], kernel, stride, padding))
    return sizes


@misconception("network_sizes", hint="Without layers, what is left? An index like `layers[0]` needs at least one.")
def needs_a_layer(input_size, layers):
    """Exception: an empty list raises an IndexError."""
    layers[0]
    return network_sizes(input_size, layers)


@misconception(
    "network_sizes", hint="Print the list of layers before and after calling your function. It belongs to the caller."
)
def uses_up_the_layers(input_size, layers):
    """In place: the layers are popped off the caller's list."""
    sizes = network_sizes(input_size, layers)
    while layers:
        layers.pop(0)
    return sizes


@misconception("network_sizes", hint="The sizes are right. What does `type(...)` say about them?")
def returns_float_sizes(input_size, layers):
    """Type: floats without a fraction."""
    return [float(size) for size in network_sizes(input_size, layers)]


@misconception("network_sizes", hint="How often does a window fit that is exactly as large as its padded input?")
def refuses_a_layer_that_just_fits(input_size, layers):
    """A window as large as its padded input is refused."""
    sizes = network_sizes(input_size, layers)
    if any(kernel >= size + 2 * padding for size, (kernel, _, padding) in zip(sizes, layers, strict=False)):
        raise ValueError("a layer does not fit")
    return sizes


@misconception(
    "network_sizes", hint="Call your function twice and look at the first list again. How many lists have you made?"
)
def fills_the_same_list_again(input_size, layers, sizes=[]):  # noqa: B006
    """Memory: the list is a default value, so the next call overwrites the result of this one."""
    sizes[:] = network_sizes(input_size, layers)
    return sizes


# same_padding


@misconception(
    "same_padding",
    hint="Put your padding for a kernel of 4 into the formula for the output size. Does the size stay the same?",
)
def pads_even_kernels_as_well(kernel_size):
    """kernel // 2 for every kernel."""
    return kernel_size // 2


@misconception(
    "same_padding", hint="Is your padding for both sides together? The task asks for the padding of one side."
)
def pads_for_both_sides(kernel_size):
    """kernel - 1."""
    same_padding(kernel_size)
    return kernel_size - 1


@misconception("same_padding", hint="A kernel of 1 sees a single pixel. How much padding does it need?")
def pads_one_too_many(kernel_size):
    """(kernel + 1) // 2."""
    return same_padding(kernel_size) + 1


@misconception("same_padding", hint="Your padding is right for a kernel of 3. Try 5.")
def always_pads_by_one(kernel_size):
    """1, as for a kernel of 3."""
    same_padding(kernel_size)
    return 1 if kernel_size > 1 else 0


@misconception(
    "same_padding", hint="In Python `/` always gives a float. There is no such thing as half a pixel of padding."
)
def halves_into_a_float(kernel_size):
    """Type: (kernel - 1) / 2."""
    same_padding(kernel_size)
    return (kernel_size - 1) / 2


@misconception(
    "same_padding", hint="There is no such thing as half a pixel of padding. What should the caller be told?"
)
def returns_half_pixels(kernel_size):
    """(kernel - 1) / 2 for even kernels, too."""
    return (kernel_size - 1) / 2 if kernel_size % 2 == 0 else same_padding(kernel_size)


@misconception("same_padding", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_an_odd_kernel(kernel_size):
    """Exception type: AssertionError."""
    assert kernel_size % 2 == 1, "even kernel"
    return same_padding(kernel_size)


@misconception("same_padding", hint="You raise the right exception, but it tells the caller nothing.")
def refuses_even_kernels_without_a_message(kernel_size):
    """Exception message: the ValueError is empty."""
    if kernel_size % 2 == 0:
        raise ValueError
    return same_padding(kernel_size)


@misconception("same_padding", hint="Is a kernel of 1 odd or even? How much padding keeps its size?")
def refuses_a_kernel_of_one(kernel_size):
    """A kernel of 1 is refused."""
    if kernel_size < 2:
        raise ValueError("the kernel is too small")
    return same_padding(kernel_size)


@misconception("same_padding", hint="Which is the smallest even kernel? Do you refuse it?")
def accepts_a_kernel_of_two(kernel_size):
    """Even kernels are refused from 4 on."""
    return 1 if kernel_size == 2 else same_padding(kernel_size)


@misconception(
    "same_padding", hint="Call your function with the argument names from the exercise. What does Python say?"
)
def renames_the_kernel_size(kernel):
    """Exception: the kernel size cannot be given by the name that the exercise asks for."""
    return same_padding(kernel)


# receptive_field


@misconception(
    "receptive_field",
    hint="One layer with kernel 3 and stride 2: does its own stride matter for its own window?",
)
def widens_by_the_layers_own_stride(layers, input_size=224):
    """The distance is multiplied by the stride before it is used for the size."""
    size = 1 + sum((kernel - 1) * behind for kernel, _, _, _, behind in positions(layers))
    return size, receptive_field(layers, input_size)[1]


@misconception(
    "receptive_field",
    hint="In what order do you update your variables? What matters for a layer is the distance before it, not after.",
)
def multiplies_the_distance_first(layers, input_size=224):
    """Size and centres both use the distance after the layer."""
    size = 1 + sum((kernel - 1) * behind for kernel, _, _, _, behind in positions(layers))
    first = sum(((kernel - 1) / 2 - padding) * behind for kernel, _, padding, _, behind in positions(layers))
    centers = receptive_field(layers, input_size)[1]
    return size, [center - centers[0] + first for center in centers]


@misconception("receptive_field", hint="With no layers at all, how many pixels does a pixel see?")
def starts_with_a_field_of_zero(layers, input_size=224):
    """The size begins with 0."""
    size, centers = receptive_field(layers, input_size)
    return size - 1, centers


@misconception(
    "receptive_field",
    hint="After a stride of 2, how many pixels apart are two neighbours? The next layer sees those.",
)
def ignores_the_strides_in_the_size(layers, input_size=224):
    """Every layer adds kernel - 1."""
    return 1 + sum(kernel - 1 for kernel, _, _ in layers), receptive_field(layers, input_size)[1]


@misconception("receptive_field", hint="Two layers of kernel 3 see 5 pixels, not 6. Which pixel do you count twice?")
def adds_up_the_kernels(layers, input_size=224):
    """Every layer adds its kernel."""
    return sum(k * before for k, _, _, before, _ in positions(layers)), receptive_field(layers, input_size)[1]


@misconception(
    "receptive_field", hint="Two layers of kernel 3 see 5 × 5 pixels. What does a second window add to the first one?"
)
def multiplies_the_kernels(layers, input_size=224):
    """Every layer multiplies by its kernel."""
    return math.prod(kernel for kernel, _, _ in layers), receptive_field(layers, input_size)[1]


@misconception("receptive_field", hint="You return how far apart two fields are. How wide is one of them?")
def returns_the_distance_for_the_size(layers, input_size=224):
    """The distance is returned as the size."""
    return math.prod(stride for _, stride, _ in layers), receptive_field(layers, input_size)[1]


@misconception("receptive_field", hint="Does a window get smaller because part of it is in the padding?")
def takes_the_padding_off_the_size(layers, input_size=224):
    """Padding makes the field smaller."""
    size, centers = receptive_field(layers, input_size)
    return size - sum(2 * padding * before for _, _, padding, before, _ in positions(layers)), centers


@misconception("receptive_field", hint="Read the conventions again: may the size of a field exceed the image?")
def cuts_the_size_off_at_the_image(layers, input_size=224):
    """The field is no larger than the image."""
    size, centers = receptive_field(layers, input_size)
    return min(size, input_size), centers


@misconception(
    "receptive_field", hint="Which layer acts on the pixels: the first or the last in the list? Its stride comes first."
)
def goes_through_the_layers_backwards(layers, input_size=224):
    """The last layer is treated as the first."""
    size = 1 + sum((kernel - 1) * before for kernel, _, _, before, _ in positions(layers[::-1]))
    return size, receptive_field(layers, input_size)[1]


@misconception("receptive_field", hint="Where does the first window begin when there is a border of one pixel?")
def forgets_that_padding_shifts(layers, input_size=224):
    """The centres are those without padding."""
    size, centers = receptive_field(layers, input_size)
    shift = sum(padding * before for _, _, padding, before, _ in positions(layers))
    return size, [center + shift for center in centers]


@misconception(
    "receptive_field",
    hint="A border around the second layer's map, after a stride of 2: how wide is it in pixels of the *image*?",
)
def shifts_by_bare_padding(layers, input_size=224):
    """The padding of later layers is not multiplied by the distance before them."""
    size, centers = receptive_field(layers, input_size)
    shift = sum(padding * (before - 1) for _, _, padding, before, _ in positions(layers))
    return size, [center + shift for center in centers]


@misconception("receptive_field", hint="Is a layer's border measured in pixels of its input or of its output?")
def shifts_by_the_layers_own_stride(layers, input_size=224):
    """The padding is multiplied by the distance after the layer."""
    size, centers = receptive_field(layers, input_size)
    shift = sum(padding * (before - behind) for _, _, padding, before, behind in positions(layers))
    return size, [center + shift for center in centers]


@misconception("receptive_field", hint="In which direction does a border on the left move the first window?")
def shifts_to_the_right(layers, input_size=224):
    """Padding moves the centres the wrong way."""
    size, centers = receptive_field(layers, input_size)
    shift = sum(2 * padding * before for _, _, padding, before, _ in positions(layers))
    return size, [center + shift for center in centers]


@misconception("receptive_field", hint="A window over pixels 0, 1 and 2: which pixel is in its middle?")
def returns_the_left_ends(layers, input_size=224):
    """The first pixel of each field instead of its centre."""
    size, centers = receptive_field(layers, input_size)
    return size, [center - (size - 1) / 2 for center in centers]


@misconception("receptive_field", hint="Where is the centre of pixels 0 and 1? It need not be a pixel.")
def rounds_the_centers(layers, input_size=224):
    """(kernel - 1) // 2."""
    size, centers = receptive_field(layers, input_size)
    shift = sum((kernel - 1) % 2 / 2 * before for kernel, _, _, before, _ in positions(layers))
    return size, [center - shift for center in centers]


@misconception("receptive_field", hint="Where is the centre of pixel 0 here: at 0 or at 0.5?")
def counts_from_the_edge_of_the_pixels(layers, input_size=224):
    """Pixel i has its centre at i + 0.5."""
    size, centers = receptive_field(layers, input_size)
    return size, [center + 0.5 for center in centers]


@misconception(
    "receptive_field", hint="Two layers of stride 2: how far apart, in pixels, are two neighbours in the last map?"
)
def places_the_centers_by_the_last_stride(layers, input_size=224):
    """The centres are as far apart as the last layer's stride."""
    size, centers = receptive_field(layers, input_size)
    return size, [centers[0] + i * layers[-1][1] for i in range(len(centers))]


@misconception("receptive_field", hint="Should centres that are in the padding be moved? Read the conventions again.")
def pulls_the_centers_into_the_image(layers, input_size=224):
    """Centres outside the image are moved to its edge."""
    size, centers = receptive_field(layers, input_size)
    return size, [min(max(center, 0), input_size - 1) for center in centers]


@misconception("receptive_field", hint="How many outputs are there, and how many centres do you return?")
def drops_centers_outside_of_the_image(layers, input_size=224):
    """Centres outside the image are left out."""
    size, centers = receptive_field(layers, input_size)
    return size, [center for center in centers if 0 <= center <= input_size - 1]


@misconception("receptive_field", hint="There is a centre for each output. How many outputs does the last layer have?")
def returns_a_center_for_every_step_in_the_image(layers, input_size=224):
    """As many centres as strides fit in the image, whatever the kernels."""
    size, centers = receptive_field(layers, input_size)
    distance = math.prod(stride for _, stride, _ in layers)
    return size, [centers[0] + start for start in range(0, input_size, distance)]


@misconception("receptive_field", hint="Which of the arguments do you never use?")
def always_sees_224_pixels(layers, input_size=224):  # noqa: ARG001
    """input_size is ignored."""
    return receptive_field(layers)


@misconception("receptive_field", hint="In what order are the two results returned?")
def returns_the_centers_first(layers, input_size=224):
    """(centers, size)."""
    return receptive_field(layers, input_size)[::-1]


@misconception(
    "receptive_field",
    hint="The task asks for two results. Where do you return the centres?",
    severe="all centres are missing",
)
def returns_the_size_only(layers, input_size=224):
    """A number instead of a pair."""
    return receptive_field(layers, input_size)[0]


@misconception(
    "receptive_field",
    hint="The numbers are right, but the task asks for a list of Python numbers. `tolist()` makes one.",
)
def returns_a_tensor_of_centers(layers, input_size=224):
    """Type: the centres are a tensor."""
    size, centers = receptive_field(layers, input_size)
    return size, torch.tensor(centers)


@misconception(
    "receptive_field", hint="Print the list of layers before and after calling your function. It belongs to the caller."
)
def turns_the_layers_around(layers, input_size=224):
    """In place: layers.reverse() to go from the output to the input."""
    result = receptive_field(layers, input_size)
    layers.reverse()
    return result


@misconception(
    "receptive_field",
    hint="Call your function twice and look at the first centres again. How many lists have you made?",
)
def fills_the_same_centers_again(layers, input_size=224, centers=[]):  # noqa: B006
    """Memory: the list is a default value, so the next call overwrites the result of this one."""
    size, centers[:] = receptive_field(layers, input_size)
    return size, centers


# conv_macs


@misconception(
    "conv_macs", hint="How many places does the window visit? Count the output pixels, not the input pixels."
)
def counts_places_in_the_input(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):  # noqa: ARG001
    """The input's pixels instead of the output's."""
    return input_size**2 * out_channels * (in_channels // groups) * kernel_size**2


@misconception("conv_macs", hint="The window moves along rows and along columns. How many places is that in all?")
def counts_one_row(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """The side of the output instead of its area."""
    side = output_size(input_size, kernel_size, stride, padding)
    return side * out_channels * (in_channels // groups) * kernel_size**2


@misconception("conv_macs", hint="A kernel of size 3 is a square. How many weights does it have?")
def counts_one_row_of_the_kernel(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """k instead of k²."""
    return conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding, groups) // kernel_size


@misconception("conv_macs", hint="How many MACs are one multiplication and one addition together?")
def counts_multiplications_and_additions(
    in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1
):
    """Twice as many: floating-point operations."""
    return 2 * conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding, groups)


@misconception("conv_macs", hint="Is adding the bias a multiplication? Read again what is counted here.")
def counts_the_bias_as_work(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """One more for each output number."""
    side = output_size(input_size, kernel_size, stride, padding)
    work = conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding, groups)
    return work + side**2 * out_channels


@misconception("conv_macs", hint="With groups, how many of the input channels does one filter look at?")
def ignores_the_groups_of_the_work(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):  # noqa: ARG001
    """As if there were one group."""
    return conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding)


@misconception("conv_macs", hint="You counted the work of one group. How many groups are there?")
def counts_the_work_of_one_group(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """Both numbers of channels are divided."""
    return conv_macs(in_channels // groups, out_channels // groups, kernel_size, input_size, stride, padding)


@misconception("conv_macs", hint="How many filters are there? Each of them visits every place.")
def counts_the_work_of_one_filter(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """Without the output channels."""
    return conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding, groups) // out_channels


@misconception(
    "conv_macs", hint="Does a window that moves in steps of 2 visit as many places as one that moves in steps of 1?"
)
def ignores_the_stride_in_the_work(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):  # noqa: ARG001
    """As if the stride were 1."""
    return conv_macs(in_channels, out_channels, kernel_size, input_size, 1, padding, groups)


@misconception("conv_macs", hint="Does a border give the window more places?")
def ignores_the_padding_in_the_work(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):  # noqa: ARG001
    """As if there were no padding."""
    side = (input_size - kernel_size) // stride + 1
    return side**2 * out_channels * (in_channels // groups) * kernel_size**2


@misconception("conv_macs", hint="Is the padding on one side or on both? Compare with your output size.")
def pads_the_work_on_one_side(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """The padding counts once."""
    side = (input_size - kernel_size + padding) // stride + 1
    return side**2 * out_channels * (in_channels // groups) * kernel_size**2


@misconception(
    "conv_macs", hint="Try size 6, kernel 3, stride 2 with pencil and paper: how many places are there in a row?"
)
def rounds_the_places_up(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """The ceiling instead of the floor."""
    side = math.ceil((input_size - kernel_size + 2 * padding) / stride) + 1
    return side**2 * out_channels * (in_channels // groups) * kernel_size**2


@misconception("conv_macs", hint="Counts are Python ints in this assignment. Where do you divide with `/`?")
def counts_the_work_in_floats(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """Type: a float."""
    return float(conv_macs(in_channels, out_channels, kernel_size, input_size, stride, padding, groups))


# ANSWERS


@misconception(
    "ANSWERS",
    hint="Count the weights first. Does this layer (or one of these layers) have biases as well?",
    severe="seven of the questions are about biases",
)
def answers_without_biases():
    """The biases are missing wherever there should be some."""
    return with_answers(
        stem_conv_with_bias=9408,
        linear_2048_1000=2048000,
        mlp_784_392_196_10=386120,
        one_5x5_64=102400,
        two_3x3_64=73728,
        resnet34=21796672,
        vgg16=138344128,
    )


@misconception("ANSWERS", hint="Does a convolution in this network have a bias? Read the question again.")
def answers_with_biases_in_front_of_batchnorm():
    """The convolutions of the residual networks have biases."""
    return with_answers(
        stem_conv_weights=9472, basic_block_256=1181184, bottleneck_block_256_64=70784, resnet34=21806184
    )


@misconception("ANSWERS", hint="Batch normalisation keeps four numbers per channel. Which of them are learned?")
def answers_with_running_statistics():
    """Running means and variances count."""
    return with_answers(basic_block_256=1181696, bottleneck_block_256_64=71168, resnet34=21814696)


@misconception("ANSWERS", hint="Did you add up a `state_dict()`? It lists more than what is learned.")
def answers_with_all_buffers():
    """Running statistics and the number of batches count."""
    return with_answers(basic_block_256=1181698, bottleneck_block_256_64=71171, resnet34=21814732)


@misconception("ANSWERS", hint="Does batch normalisation learn anything?")
def answers_without_batchnorm():
    """Batch normalisation learns nothing."""
    return with_answers(basic_block_256=1179648, bottleneck_block_256_64=69632, resnet34=21780648)


@misconception(
    "ANSWERS",
    hint="How many batch normalisation layers are there, and how many numbers does each learn per channel?",
)
def answers_with_half_of_batchnorm():
    """One learnable number per channel, or half of the layers."""
    return with_answers(basic_block_256=1180160, bottleneck_block_256_64=70016, resnet34=21789160)


@misconception("ANSWERS", hint="A bias is added to a sum. Is there a sum for each input, or for each output?")
def answers_with_biases_for_the_inputs():
    """As many biases as inputs."""
    return with_answers(stem_conv_with_bias=9411, linear_2048_1000=2050048, mlp_784_392_196_10=387492)


@misconception("ANSWERS", hint="A filter looks at all channels of its input. How many are there in an RGB image?")
def answers_for_flat_filters():
    """The input channels are missing."""
    return with_answers(stem_conv_weights=3136, stem_conv_with_bias=3200, one_5x5_64=1664, two_3x3_64=1280)


@misconception("ANSWERS", hint="What you counted occurs more than once in the question.")
def answers_for_one_of_several():
    """One filter, one of two convolutions, one half of a block."""
    return with_answers(stem_conv_weights=147, stem_conv_with_bias=148, two_3x3_64=36928, basic_block_256=590336)


@misconception("ANSWERS", hint="A mean has no weights to learn.")
def answers_that_an_average_learns():
    """Global average pooling learns a number per pixel of a 7×7 map."""
    return with_answers(global_average_pooling=49)


@misconception("ANSWERS", hint="In three groups of the network, the first block has something in its shortcut.")
def answers_without_shortcuts():
    """ResNet-34 without its three 1×1 convolutions."""
    return with_answers(resnet34=21623848)


@misconception("ANSWERS", hint="Is the 1 × 1 convolution in a shortcut followed by something that learns?")
def answers_without_batchnorm_in_the_shortcuts():
    """ResNet-34 without the batch normalisation of its shortcuts."""
    return with_answers(resnet34=21795880)


@misconception("ANSWERS", hint="What comes after the last convolution?")
def answers_without_the_head():
    """The fully connected layers are missing."""
    return with_answers(resnet34=21284672, vgg16=14714688)


@misconception(
    "ANSWERS",
    hint="After the last pooling, everything becomes one long vector. How many pixels does each channel have by then?",
)
def answers_as_if_vgg_averaged():
    """VGG-16 with global average pooling before its classifier."""
    return with_answers(vgg16=37694248)


@misconception("ANSWERS", hint="Read the description again: is there batch normalisation in this network?")
def answers_with_batchnorm_in_vgg():
    """VGG-16 with batch normalisation, as in torchvision's vgg16_bn."""
    return with_answers(vgg16=138365992)


@misconception("ANSWERS", hint="How often does pooling halve the maps, and how many pixels of 224 are left at the end?")
def answers_for_vgg_with_one_pooling_too_few():
    """The long vector of VGG-16 comes from 14 × 14 pixels."""
    return with_answers(vgg16=446638888)


@misconception("ANSWERS", hint="This is a rounded figure, like those in papers. Give the exact number.")
def answers_in_millions():
    """Rounded to three significant figures."""
    return with_answers(resnet34=21800000, vgg16=138000000, linear_2048_1000=2050000, mlp_784_392_196_10=387000)


@misconception("ANSWERS", hint="`None` stands for a question that is still open. Is this one harder than the others?")
def answers_with_open_questions():
    """None where a whole network is to be counted."""
    return with_answers(resnet34=None, vgg16=None)


@misconception("ANSWERS", hint="Compare your keys with those in the exercise, letter by letter.")
def answers_under_misspelt_keys():
    """Two keys are written in another way."""
    answers = with_answers(resnet_34=ANSWERS["resnet34"], vgg_16=ANSWERS["vgg16"])
    del answers["resnet34"], answers["vgg16"]
    return answers


@misconception("ANSWERS", hint="Count the keys of your dict. How many questions are there?")
def answers_some_questions_only():
    """The keys of the two residual blocks are missing."""
    return {key: value for key, value in ANSWERS.items() if "block" not in key}


@misconception("ANSWERS", hint="Can Python calculate with your answer? What is its type?")
def answers_in_text():
    """Type: three of the numbers are text."""
    keys = "linear_2048_1000", "resnet34", "vgg16"
    return with_answers(**{key: f"{ANSWERS[key]:,}" for key in keys})
