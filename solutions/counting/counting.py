# %% [markdown]
# # Counting: parameters, sizes, receptive fields
#
# You can learn a lot about a network with pencil and paper before it is trained: how many numbers it learns,
# how large its feature maps are, how much of the image one of its outputs sees, and how much work a forward
# pass is. If you can do these sums, you find mistakes before the first error message, and you understand why
# networks look the way they do.
#
# In this assignment you write small functions that count. At the end you use them to answer questions
# about networks that made history.
#
# Two rules apply everywhere:
#
# - Counts are plain Python integers. `9408` is right, `9408.0` is not, and neither is a tensor.
#   (`receptive_field` is the exception: the midpoint between two pixels is not an integer.)
# - An argument is never changed, whether it is a list or a model.
#
# You need no imports to count. To compare your results with PyTorch's layers, use `from torch import nn`.

# %% [markdown]
# ## The parameters of a convolution
#
# A convolution has one filter per output channel. A filter is as high and as wide as the kernel, and as deep
# as the number of input channels, because each output number is a weighted sum over a window of *all* input
# channels. If there is a bias, it is a single number per output channel, no matter how large the maps are.
#
# For RGB images, 8 filters of 5 × 5 have 8 · 3 · 5 · 5 = 600 weights, and 8 biases.
#
# With `groups`, the input channels and the output channels are each divided into that many groups of equal size.
# Each filter then sees only the input channels of its own group. With `groups=2`, 4 input channels and 6
# output channels, the first 3 filters look at channels 0 and 1, the other 3 at channels 2 and 3. If the
# channels on either side cannot be divided equally, raise a `ValueError` with a message.
#
# The kernel need not be square: `kernel_size` is an int, or a pair *(height, width)*.


# %%
def conv2d_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """The number of parameters of a two-dimensional convolution.

    in_channels, out_channels, groups: ints
    kernel_size: an int or a pair of ints (height, width)
    bias: whether there is a bias

    Returns an int.
    Raises ValueError when groups does not divide both numbers of channels.
    """
    ### BEGIN SOLUTION
    if in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError(
            f"{in_channels} input and {out_channels} output channels cannot be divided into {groups} equal groups"
        )
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    weights = out_channels * (in_channels // groups) * height * width
    return weights + (out_channels if bias else 0)
    ### END SOLUTION


# %% [markdown]
# ## The parameters of a fully connected layer
#
# Every output is a weighted sum of all inputs, plus a bias if there is one.


# %%
def linear_parameters(in_features, out_features, bias=True):
    """The number of parameters of a fully connected layer, an int."""
    ### BEGIN SOLUTION
    return in_features * out_features + (out_features if bias else 0)
    ### END SOLUTION


# %% [markdown]
# ## The parameters of batch normalisation
#
# Batch normalisation keeps four numbers per channel: a scale, a shift, a running mean and a running
# variance. Only some of them are *learned*, that is, changed by the optimizer along a gradient. The others
# are what PyTorch calls buffers: they belong to the layer's state and are saved with it, but they are not
# parameters. Look at `nn.BatchNorm2d(8)`: what do `.parameters()` and `.buffers()` contain?
#
# With `affine=False` the layer only normalises and learns nothing.


# %%
def batchnorm_parameters(num_features, affine=True):
    """The number of learnable parameters of batch normalisation over num_features channels, an int."""
    ### BEGIN SOLUTION
    return 2 * num_features if affine else 0
    ### END SOLUTION


# %% [markdown]
# ## The parameters of a multilayer perceptron
#
# A multilayer perceptron is described by the sizes of its layers: `[784, 392, 196, 10]` takes images of
# 28 × 28 pixels as vectors of 784 numbers, has two hidden layers and ends with ten outputs. Between two
# neighbouring sizes there is a fully connected layer; the activations in between learn nothing.
#
# The smallest perceptron has an input and an output. With fewer than two sizes, raise a `ValueError`.


# %%
def mlp_parameters(sizes, bias=True):
    """The number of parameters of a multilayer perceptron.

    sizes: list of ints, from the input to the output
    bias: whether the layers have biases

    Returns an int.
    Raises ValueError when there are fewer than two sizes.
    """
    ### BEGIN SOLUTION
    if len(sizes) < 2:
        raise ValueError(f"a perceptron needs an input and an output size, but there are {len(sizes)} sizes")
    total = 0
    for i in range(len(sizes) - 1):
        total += linear_parameters(sizes[i], sizes[i + 1], bias)
    return total
    ### END SOLUTION


# %% [markdown]
# ## The parameters of any model
#
# A formula needs to know the layers. If you have the model itself, you can simply ask it. Three things need care:
#
# - **Buffers** are not parameters, see above. `state_dict()` lists more than what is learned.
# - **Sharing.** The same layer may appear in two places in a model, and two layers may use the same
#   `nn.Parameter`: language models often share their first and their last matrix. Such a parameter exists
#   once in memory, is updated once per step, and counts once.
# - **Freezing.** A parameter with `requires_grad == False` is not trained. It is still a parameter; it is left
#   out only with `trainable_only=True`.
#
# Counting only looks: the model must be the same afterwards.


# %%
def count_parameters(model, trainable_only=False):
    """The number of parameters (single numbers, not tensors) of a model.

    model: any nn.Module
    trainable_only: whether to leave out the parameters that do not require a gradient

    Returns an int. A parameter that is used in several places counts once.
    """
    ### BEGIN SOLUTION
    total = 0
    # parameters() yields each parameter once, however often it is used, and no buffers.
    for parameter in model.parameters():
        if parameter.requires_grad or not trainable_only:
            total += parameter.numel()
    return total
    ### END SOLUTION


# %% [markdown]
# ## The size of a feature map
#
# A window of `kernel` pixels moves in steps of `stride` over `size` pixels, which are extended by `padding`
# pixels on both sides. The number of places where the window fits is
#
# $$\left\lfloor\frac{\text{size} - \text{kernel} + 2\cdot\text{padding}}{\text{stride}}\right\rfloor + 1.$$
#
# We round *down*: a last step that would push the window over the edge is not taken. The formula holds for
# convolution and for pooling, for rows and for columns.
#
# ```
#   size 6, kernel 3, stride 2, no padding:     size 5, kernel 3, stride 2, padding 1:
#
#   0 1 2 3 4 5                                 . 0 1 2 3 4 .
#   [---]                                       [---]
#       [---]                                       [---]
#           (does not fit)                              [---]
# ```
#
# A window that is larger than the padded input fits nowhere, and a window that does not move forward
# (`stride` below 1) never arrives. In both cases, raise a `ValueError`. Does your formula notice?


# %%
def output_size(input_size, kernel_size, stride=1, padding=0):
    """The number of places of a sliding window along one axis.

    input_size, kernel_size, stride, padding: ints; the padding is on each of the two sides

    Returns an int.
    Raises ValueError when the window is larger than the padded input, and when stride is less than 1.
    """
    ### BEGIN SOLUTION
    if stride < 1:
        raise ValueError(f"the stride must be at least 1, but it is {stride}")
    padded = input_size + 2 * padding
    if kernel_size > padded:
        raise ValueError(f"a window of {kernel_size} does not fit into {padded} pixels (with padding)")
    return (padded - kernel_size) // stride + 1
    ### END SOLUTION


# %% [markdown]
# ## The sizes in a whole network
#
# The output of one layer is the input of the next. A network is given as a list with one triple
# *(kernel, stride, padding)* per layer, for convolutions as well as for pooling. The beginning of AlexNet:
#
# ```
#   layers:    (11, 4, 2)   (3, 2, 0)   (5, 1, 2)   (3, 2, 0)
#   sizes:  224          55          27          27          13
# ```
#
# Four layers, five sizes: the input comes first. If a layer does not fit, raise a `ValueError`, as before.


# %%
def network_sizes(input_size, layers):
    """The sizes of the feature maps from the input to the last layer, along one axis.

    input_size: an int
    layers: list of (kernel, stride, padding)

    Returns a list of len(layers) + 1 ints, starting with input_size.
    Raises ValueError when a layer does not fit or its stride is less than 1.
    """
    ### BEGIN SOLUTION
    sizes = [input_size]
    for kernel, stride, padding in layers:
        sizes.append(output_size(sizes[-1], kernel, stride, padding))
    return sizes
    ### END SOLUTION


# %% [markdown]
# ## Padding that keeps the size
#
# Deep networks would soon run out of pixels if every layer made the map a little smaller. So most
# convolutions get just enough padding to keep the size at stride 1.
#
# Set the input size equal to the output size in the formula above and solve for the padding. For which kernels
# is the answer a whole number? For the others, no padding *per side* works: raise a `ValueError`.


# %%
def same_padding(kernel_size):
    """The padding per side with which a window of kernel_size keeps the size at stride 1.

    Returns an int.
    Raises ValueError when kernel_size is even.
    """
    ### BEGIN SOLUTION
    if kernel_size % 2 == 0:
        raise ValueError(f"no padding per side keeps the size for an even kernel of {kernel_size}")
    return (kernel_size - 1) // 2
    ### END SOLUTION


# %% [markdown]
# ## Receptive fields
#
# How much of the image does *one* number deep inside a network depend on? In the first layer the answer is
# the kernel. In the second it is more: the window covers several numbers, each of which has seen a window of
# the layer before.
#
# ```
#   layer 2                    x                 sees 3 numbers of layer 1 ...
#   layer 1              x     x     x           ... which see 7 pixels together,
#   pixels            .  .  .  .  .  .  .        when layer 1 has kernel 3 and stride 2
# ```
#
# Keep track of three things while you go from layer to layer, all measured in pixels of the
# *image*: how wide the field of one number is, how far apart the fields of two neighbours are, and where
# the field of the first number has its centre. Before the first layer every pixel is its own field: width
# 1, distance 1, centre 0. For each of the three, ask what a layer does to it, and whether you need the values
# before or after the layer for that. A stride does not widen the field of its own layer, but it does widen the
# fields of all later layers.
#
# We use these conventions. Pixel i has its centre at i, so a window over pixels 0 and 1 has its centre at
# 0.5. The field includes whatever part of it is in the padding: its size may exceed the image, and it does
# not depend on the padding. But padding moves the first window, and with it *all* centres, to the left. A
# centre may even be outside the image.
#
# `receptive_field` returns the size, and the centres of the fields of all outputs along one axis. For
# `layers = [(3, 2, 1)]` on 6 pixels, the windows are at −1…1, 1…3 and 3…5: the result is `(3, [0, 2, 4])`.
# Centres may be ints or floats.


# %%
def receptive_field(layers, input_size=224):
    """Size and centres of the receptive fields of a network's outputs, along one axis.

    layers: list of (kernel, stride, padding), as in network_sizes
    input_size: an int

    Returns a pair (size, centers): a number, and a list with one number for each output.
    """
    ### BEGIN SOLUTION
    size = 1  # of one field
    distance = 1  # between the fields of neighbours
    first = 0.0  # the centre of the first field
    for kernel, stride, padding in layers:
        # Relative to the first number, the first window reaches from -padding to -padding + kernel - 1.
        first += ((kernel - 1) / 2 - padding) * distance
        size += (kernel - 1) * distance
        distance *= stride
    outputs = network_sizes(input_size, layers)[-1]
    return size, [first + i * distance for i in range(outputs)]
    ### END SOLUTION


# %% [markdown]
# ### Look at it
#
# The layers of AlexNet, and how much of a row of 224 pixels one output in the middle of each layer sees. Why do the
# fields grow slowly at first and then so fast, though the kernels become smaller? (Run the cell when your functions
# work. It needs `matplotlib`.)


# %%
def draw_alexnet_fields():
    """What one output in the middle of each layer of AlexNet sees of a row of pixels."""
    import matplotlib.pyplot as plt

    conv, pool = "convolution", "pooling"
    layers = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
    kinds = [conv, pool, conv, pool, conv, conv, conv, pool]
    fields = [receptive_field(layers[: number + 1], 224) for number in range(len(layers))]
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for number, (kind, (size, centers)) in enumerate(zip(kinds, fields, strict=True)):
        middle = centers[(len(centers) - 1) // 2]
        axes.barh(number, size, left=middle - size / 2, color="C0" if kind == conv else "C1", height=0.7)
        axes.text(middle + size / 2 + 2, number, f"{size} pixels", va="center")
    labels = [f"{kind} {kernel}/{stride}" for kind, (kernel, stride, _) in zip(kinds, layers, strict=True)]
    axes.set_yticks(range(len(layers)), labels)
    axes.set(xlim=(-5, 224), xlabel="pixel", title="What one output of AlexNet sees (kernel/stride)")
    axes.invert_yaxis()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_alexnet_fields()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write receptive_field first.")

# %% [markdown]
# ## Multiply-accumulates
#
# A network's memory is counted in parameters, its work in *multiply-accumulate operations* (MACs): one
# multiplication and one addition, as in `total += weight * pixel`. In a convolution every weight is used
# once for every place of the window, and there are as many places as the output map has pixels. Adding the
# bias is not counted.
#
# Here the image and the kernel are square, so one number describes each.


# %%
def conv_macs(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1):
    """The number of multiply-accumulates of a convolution on one image of input_size × input_size.

    All arguments are ints. Returns an int.
    """
    ### BEGIN SOLUTION
    side = output_size(input_size, kernel_size, stride, padding)
    weights = out_channels * (in_channels // groups) * kernel_size * kernel_size
    return side * side * weights
    ### END SOLUTION


# %% [markdown]
# ## Questions
#
# Now put your functions to work. Each question asks: how many parameters does this have? (Only learnable ones,
# without buffers.)
#
# - `stem_conv_weights`: a convolution with 64 filters of 7 × 7 on RGB images, without bias
# - `stem_conv_with_bias`: the same with bias
# - `linear_2048_1000`: a fully connected layer from 2048 to 1000 features, with bias
# - `mlp_784_392_196_10`: the perceptron from above, with biases
# - `global_average_pooling`: global average pooling
# - `one_5x5_64`: one 5 × 5 convolution from 64 to 64 channels, with bias
# - `two_3x3_64`: two 3 × 3 convolutions, one after the other, each from 64 to 64 channels with bias (they see
#   the same 5 × 5 pixels)
# - `basic_block_256`: two 3 × 3 convolutions from 256 to 256 channels without bias, each followed by batch
#   normalisation
# - `bottleneck_block_256_64`: a 1 × 1 convolution from 256 to 64 channels, a 3 × 3 from 64 to 64, a 1 × 1 from 64 to
#   256, all without bias, each followed by batch normalisation
# - `resnet34`: the whole ResNet-34, see below
# - `vgg16`: the whole VGG-16, see below
#
# **ResNet-34.** The stem from the first question, with batch normalisation. Then 3, 4, 6 and 3 blocks of two
# 3 × 3 convolutions with 64, 128, 256 and 512 channels. The first block of the second, third and fourth
# group takes the 64, 128 or 256 channels of the previous group; its shortcut is a 1 × 1 convolution. No
# convolution has a bias, and each one (including those in the shortcuts) is followed by batch normalisation.
# At the end come global average pooling and a fully connected layer from 512 to 1000 features, with bias.
#
# **VGG-16.** It takes RGB images of 224 × 224 pixels. It has 3 × 3 convolutions with padding 1 and bias: two
# with 64 filters, two with 128, three with 256, three with 512, and three with 512 again. After each of these
# five groups, pooling halves the maps. What remains becomes one long vector, followed by fully connected layers
# with 4096, 4096 and 1000 outputs, all with bias. There is no batch normalisation.
#
# Write `ANSWERS["stem_conv_weights"] = ...` and so on in the next cell. Numbers that you worked out
# elsewhere are as good as calls to your functions. (Such a call runs when the file is loaded, so it must not
# raise an error.)

# %%
ANSWERS = {
    "stem_conv_weights": None,
    "stem_conv_with_bias": None,
    "linear_2048_1000": None,
    "mlp_784_392_196_10": None,
    "global_average_pooling": None,
    "one_5x5_64": None,
    "two_3x3_64": None,
    "basic_block_256": None,
    "bottleneck_block_256_64": None,
    "resnet34": None,
    "vgg16": None,
}

# %%
### BEGIN SOLUTION
ANSWERS["stem_conv_weights"] = conv2d_parameters(3, 64, 7, bias=False)
ANSWERS["stem_conv_with_bias"] = conv2d_parameters(3, 64, 7)
ANSWERS["linear_2048_1000"] = linear_parameters(2048, 1000)
ANSWERS["mlp_784_392_196_10"] = mlp_parameters([784, 392, 196, 10])
ANSWERS["global_average_pooling"] = 0
ANSWERS["one_5x5_64"] = conv2d_parameters(64, 64, 5)
ANSWERS["two_3x3_64"] = 2 * conv2d_parameters(64, 64, 3)


def conv_bn(in_channels, out_channels, kernel_size):
    """Parameters of a convolution without bias and the batch normalisation after it."""
    return conv2d_parameters(in_channels, out_channels, kernel_size, bias=False) + batchnorm_parameters(out_channels)


ANSWERS["basic_block_256"] = 2 * conv_bn(256, 256, 3)
ANSWERS["bottleneck_block_256_64"] = conv_bn(256, 64, 1) + conv_bn(64, 64, 3) + conv_bn(64, 256, 1)

resnet34 = conv_bn(3, 64, 7)
channels = 64
for width, blocks in [(64, 3), (128, 4), (256, 6), (512, 3)]:
    for _ in range(blocks):
        resnet34 += conv_bn(channels, width, 3) + conv_bn(width, width, 3)
        if channels != width:
            resnet34 += conv_bn(channels, width, 1)
        channels = width
ANSWERS["resnet34"] = resnet34 + linear_parameters(512, 1000)

vgg16 = 0
channels = 3
for width, convolutions in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
    for _ in range(convolutions):
        vgg16 += conv2d_parameters(channels, width, 3)
        channels = width
side = 224 // 2**5
ANSWERS["vgg16"] = vgg16 + mlp_parameters([512 * side * side, 4096, 4096, 1000])
### END SOLUTION

# %% [markdown]
# ## Done?
#
# `autograder check` runs the public tests on your file. They are examples, not proofs: before you hand in,
# compare your functions with `nn.Conv2d`, `nn.Linear` and `nn.BatchNorm2d`, and ask yourself what happens
# with groups, with strides that do not divide evenly, and with models that use a layer twice.
