# %% [markdown]
# # Choosing between architectures
#
# Nobody derives an architecture. People build several, measure them, and keep the one that gives the most for
# what it costs. In this assignment you build some of the parts that designers argue about, and the instruments
# they measure with:
#
# - `DownsampleComparison` and `BlurPool`: four ways to halve a feature map, and what each of them loses;
# - `classifier_head`: what comes after the last feature map;
# - `count_macs`: how much work a forward pass is;
# - `compute_receptive_field`: how much of the image an output sees;
# - `compare_architectures`: a table that puts several models side by side.
#
# The instruments work with *any* model that keeps to what their text says, not only with those that you know.
# And they only look: afterwards the model has the same values, the same modes and the same hooks as before.

# %%
import torch
import torch.nn.functional as F
from torch import fx, nn

# %% [markdown]
# ## Three ways to halve a map
#
# A classifier reduces 224 × 224 pixels to 7 × 7 numbers, usually by halving the map five times. There are
# several ways to do it:
#
# - `conv_pool`: convolve, then keep the *largest* number of each 2 × 2 window. AlexNet and VGG do
#   this.
# - `conv_avgpool`: convolve, then keep the *mean* of each window.
# - `strided_conv`: convolve with stride 2, and do not pool at all. This computes only a quarter of the
#   convolution's outputs, so it is a quarter of the work.
#
# To compare them, we put all three into one module and choose when we call it. Each branch is a module of its
# own with a 3 × 3 convolution (padding 1, with bias) and a ReLU directly after the convolution. Only the branch
# that was asked for runs: if all three did, we could not compare what they cost.
#
# On maps with an even height and width, the three results have the same size. On 7 × 7 they do not. Can
# you say what sizes they give, before you try?


# %%
class DownsampleComparison(nn.Module):
    """Halves height and width in one of three ways.

    in_channels, out_channels: channels of the input and of the result

    The branches are the modules conv_pool, strided_conv and conv_avgpool.
    forward(x, method): x of shape (N, in_channels, H, W); method is "maxpool", "strided" or "avgpool".
    Raises ValueError for any other method.
    """

    def __init__(self, in_channels, out_channels):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv_pool = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.strided_conv = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1), nn.ReLU())
        self.conv_avgpool = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)
        )
        ### END SOLUTION

    def forward(self, x, method="strided"):
        ### BEGIN SOLUTION
        if method == "maxpool":
            return self.conv_pool(x)
        if method == "strided":
            return self.strided_conv(x)
        if method == "avgpool":
            return self.conv_avgpool(x)
        raise ValueError(f'the method must be "maxpool", "strided" or "avgpool", but it is {method!r}')
        ### END SOLUTION


# %% [markdown]
# ## A fourth way: blur first
#
# A stride of 2 simply ignores three of four numbers. In signal processing this is a well-known mistake. The row
# 1 0 1 0 1 0, sampled at every second place, becomes 1 1 1; moved by a single pixel, it becomes 0 0 0. So a
# network with strides may change its mind about a picture that has moved by one pixel. The remedy is just as
# well known: *blur before you sample*. Zhang ([2019](https://arxiv.org/abs/1904.11486)) put it into networks as
# a layer.
#
# The blur is a weighted mean of 3 × 3 pixels, with the same weights for every channel:
#
# $$\frac1{16}\begin{pmatrix}1\\2\\1\end{pmatrix}\begin{pmatrix}1&2&1\end{pmatrix}
# =\frac1{16}\begin{pmatrix}1&2&1\\2&4&2\\1&2&1\end{pmatrix}$$
#
# Each channel is blurred on its own (a *depthwise* convolution). So that the map keeps its size, its border is
# extended by one pixel on each side, by *reflection*: the row `a b c d` becomes `b a b c d c`. Zeros would
# darken the border. Then every `stride`-th pixel is kept, beginning with the one at (0, 0). A map of a single
# row or column has nothing to reflect: raise a `ValueError`.
#
# The weights are not learned, so they must not be a parameter. But they belong to the layer: they should move
# with it from device to device, and be saved with it. That is what *buffers* are for (`register_buffer`).
#
# The result has the dtype of the input. A layer in float32 accepts a map in float64 and gives one in float64.


# %%
class BlurPool(nn.Module):
    """Blurs a map, then keeps every stride-th pixel.

    channels: the number of channels of the map
    stride: an int

    forward(x): x of shape (N, channels, H, W); the result has the dtype of x.
    Raises ValueError when H or W is less than 2.
    """

    def __init__(self, channels, stride=2):
        super().__init__()
        ### BEGIN SOLUTION
        self.channels = channels
        self.stride = stride
        row = torch.tensor([1.0, 2.0, 1.0])
        blur = torch.outer(row, row) / 16
        self.register_buffer("blur", blur.repeat(channels, 1, 1, 1))  # one 1×3×3 filter per channel
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        height, width = x.shape[-2:]
        if height < 2 or width < 2:
            raise ValueError(f"a map of {height} × {width} is too small to be reflected at its border")
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, self.blur.to(x), stride=self.stride, groups=self.channels)
        ### END SOLUTION


# %% [markdown]
# ## The classifier's head
#
# After the last feature map and global average pooling, an image has become one vector. The simplest head is a
# single linear layer. One hidden layer more often helps when the head is all that is trained, and dropout keeps
# it from learning the training images by heart.
#
# Return an `nn.Sequential` of five layers: dropout with rate 0.3, a linear layer to `hidden` features, ReLU,
# dropout with rate 0.2, a linear layer to `num_classes` numbers. (No softmax at the end: PyTorch's
# cross-entropy contains it.)


# %%
def classifier_head(in_features, num_classes, hidden=256):
    """A head with one hidden layer, an nn.Sequential: (N, in_features) → (N, num_classes)."""
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Dropout(0.3),
        nn.Linear(in_features, hidden),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(hidden, num_classes),
    )
    ### END SOLUTION


# %% [markdown]
# ## How much work is a forward pass?
#
# The usual unit is the *multiply-accumulate* (MAC), as in `total += weight * pixel`. Nearly all of a network's
# MACs are in its convolutions and linear layers; as usual, we count only these, and no biases.
#
# For one convolution there is a formula, but it needs the size of the map, and that depends on all layers
# before it. The easiest way is to let the model run once and to watch it. PyTorch's *hooks* make that possible:
# `module.register_forward_hook(function)` makes the module call `function(module, args, output)` whenever it
# has computed an output, and returns a handle whose `remove()` takes the hook away again. So a module that is
# used twice is seen twice.
#
# For each number that a layer puts out, ask: how many numbers were multiplied and added to get it? Think of
# groups, and of linear layers that are applied to every position of a longer input. Count with `nn.Conv2d` and
# `nn.Linear` only; all other layers cost nothing here. The batch counts: two images are twice the work.
#
# Be a good guest. A forward pass in training mode changes the statistics of batch normalisation; so use
# evaluation mode, and then put every submodule back into the mode it had, which need not be the same for all.
# Remove your hooks and leave those of others. All of this also holds when the forward pass raises an exception,
# which you pass on.


# %%
def count_macs(model, input_shape):
    """The number of multiply-accumulates of all nn.Conv2d and nn.Linear calls in one forward pass.

    model: an nn.Module that takes one tensor
    input_shape: the shape of that tensor, including the batch

    Returns an int. The model is left as it was, also when its forward pass raises an exception.
    """
    ### BEGIN SOLUTION
    macs = 0

    def count(layer, _args, output):
        nonlocal macs
        if isinstance(layer, nn.Linear):
            macs += output.numel() * layer.in_features
        else:
            height, width = layer.kernel_size
            macs += output.numel() * (layer.in_channels // layer.groups) * height * width

    modes = [(module, module.training) for module in model.modules()]
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    try:
        model.eval()
        with torch.no_grad():
            model(torch.zeros(input_shape))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    return macs
    ### END SOLUTION


# %% [markdown]
# ## What does an output see?
#
# In a plain chain of layers, the receptive field grows from layer to layer. We follow three numbers, measured
# in pixels of the image: the `size` of one field, the `distance` between the fields of neighbours, and the
# centre of the `first` field. At the image itself they are 1, 1 and 0. A window of kernel k, stride s and
# padding p changes them to
#
# $$\text{first} + \left(\tfrac{k-1}2 - p\right)\cdot\text{distance},\qquad
# \text{size} + (k-1)\cdot\text{distance},\qquad \text{distance}\cdot s.$$
#
# A kernel with dilation d is as wide as one with d·(k − 1) + 1 pixels.
#
# Real networks are not chains. In a residual block, x takes two paths and is added up again; an Inception block
# has four paths. **Where paths meet, the larger field wins**: the sum depends on everything that either of them
# has seen. And reading the list of modules is not enough: pooling may be a function call (`F.max_pool2d`),
# a module may be used twice, and the order of `modules()` is that of `__init__`, not that of `forward`.
#
# Three ways lead to the goal:
#
# - **Trace.** `torch.fx.Tracer().trace(model)` runs `forward` with a stand-in for x and returns a graph with
#   one node per call. `node.op` says what it is ("call_module", "call_function", ...), `node.target` which one,
#   `node.args` and `node.kwargs` with what, and `node.all_input_nodes` lists the nodes whose results it uses.
# - **Watch.** Run `forward` once, and let each tensor carry its field with it, with hooks or with a subclass of
#   `torch.Tensor`.
# - **Measure.** Backpropagate from one output and see which pixels have a gradient. Two things hide some of
#   them: a ReLU that is 0, and max pooling, which passes the gradient to the winner only. So you have to change
#   weights and pooling (in a copy!), or to measure with something else than gradients. And the field must not
#   reach over the edge of your image.
#
# As in the assignment on counting, pixel i has its centre at i, centres may be outside the image, and the size
# includes what is in the padding, so it may exceed the image. `centers` has one number per output along one
# axis. You may assume that the model maps (1, 3, s, s) to (1, c, s′, s′) by `nn.Conv2d`, max and average
# pooling (as modules or functions), batch normalisation, elementwise layers, sums and concatenations, that
# kernels are square, and that where paths meet their fields have the same centres.


# %%
def compute_receptive_field(model, input_size=224):
    """Size and centres of the receptive fields of a model's outputs, along one axis.

    model: an nn.Module that maps (1, 3, input_size, input_size) to (1, c, s, s)
    input_size: an int

    Returns a pair (size, centers): a number, and a list with one number for each of the s outputs.
    The model is left as it was.
    """

    ### BEGIN SOLUTION
    def along_one_axis(value):  # of a pair (rows, columns), or of an int for both
        return value if isinstance(value, int) else value[0]

    def window_of_pooling(_image, kernel_size, stride=None, padding=0, *_, dilation=1, **__):
        return kernel_size, stride or kernel_size, padding, dilation

    root = nn.Sequential(model)  # so that a model that is a single layer is called as a module, too
    fields = {}
    for node in fx.Tracer().trace(root).nodes:
        before = [fields[source] for source in node.all_input_nodes if source in fields]
        if node.op == "placeholder":
            fields[node] = (1, 1, 0.0, input_size)  # each pixel sees itself
        elif before:  # otherwise it does not depend on the image: a parameter, for example
            size, distance, first, outputs = max(before)  # where paths meet, the larger field wins
            layer = root.get_submodule(node.target) if node.op == "call_module" else None
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
                dilation = getattr(layer, "dilation", 1)  # average pooling has none
                window = layer.kernel_size, layer.stride, layer.padding, dilation
            elif node.target in (F.max_pool2d, F.avg_pool2d):
                window = window_of_pooling(*node.args, **node.kwargs)
            else:
                window = 1, 1, 0, 1
            kernel, stride, padding, dilation = map(along_one_axis, window)
            reach = dilation * (kernel - 1)  # from the first pixel of the window to the last
            outputs = (outputs + 2 * padding - reach - 1) // stride + 1
            first += (reach / 2 - padding) * distance
            size += reach * distance
            distance *= stride
            fields[node] = size, distance, first, outputs
    size, distance, first, outputs = fields[node]  # the last node is the output
    return size, [first + i * distance for i in range(outputs)]
    ### END SOLUTION


# %% [markdown]
# ### Look at it
#
# Here is what one output in the middle of the map sees after each of VGG-16's five stages, drawn on an image of
# 224 × 224 pixels. After how many stages does an output see a whole window, and after how many the whole house? No
# kernel is larger than 3 × 3. (Run the cell when your function works. It needs `matplotlib`.)


# %%
def vgg16_features():
    """The convolutions and pools of VGG-16."""
    layers, inputs = [], 3
    for convolutions, channels in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]:
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()]
            inputs = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def draw_receptive_fields():
    """A house, and what one output in the middle sees of it after one to five stages of VGG-16."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Polygon, Rectangle

    features = vgg16_features()
    ends = [i + 1 for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    fields = [compute_receptive_field(features[:end], 224) for end in ends]

    _, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    axes.add_patch(Rectangle((0, 0), 224, 150, color="lightblue"))
    axes.add_patch(Rectangle((0, 150), 224, 74, color="darkseagreen"))
    axes.add_patch(Rectangle((62, 80), 100, 90, color="wheat"))
    axes.add_patch(Polygon([(50, 80), (112, 30), (174, 80)], color="brown"))
    for left in (76, 104, 132):
        axes.add_patch(Rectangle((left, 102), 16, 20, color="white"))
    for stage, (size, centers) in enumerate(fields):
        corner = centers[len(centers) // 2] - size / 2
        label = f"after {stage + 1}: {size} × {size}"
        square = Rectangle((corner, corner), size, size, fill=False, linewidth=2, edgecolor=f"C{stage}", label=label)
        axes.add_patch(square)
    axes.legend(title="stages and pixels", loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set(xlim=(0, 224), ylim=(224, 0), aspect="equal", title="What one output of VGG-16 sees")
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_receptive_fields()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write compute_receptive_field first.")

# %% [markdown]
# ## Side by side
#
# At last, the table. For each model we want to know how many parameters it has and how much work it is. Sort
# the rows by work, the cheapest model first; if two models do the same work, sort them by name.
#
# All parameters count, whether frozen or not, and a parameter that is used in several places counts once.


# %%
def compare_architectures(models, input_shape):
    """One row per model, sorted by MACs, then by name.

    models: a dict from names to models
    input_shape: the shape of the input of all models, including the batch

    Returns a list of dicts with the keys "name", "parameters" and "macs".
    """
    ### BEGIN SOLUTION
    rows = []
    for name, model in models.items():
        parameters = sum(parameter.numel() for parameter in model.parameters())
        rows.append({"name": name, "parameters": parameters, "macs": count_macs(model, input_shape)})
    return sorted(rows, key=lambda row: (row["macs"], row["name"]))
    ### END SOLUTION


# %% [markdown]
# With these instruments, the old question has numbers for an answer. Compare your three ways to halve a map, or
# VGG-16 with a ResNet: which has more parameters, and which is more work? They are not the same thing. Most of
# VGG-16's parameters are in its first linear layer, nearly all of its work is in its convolutions.
