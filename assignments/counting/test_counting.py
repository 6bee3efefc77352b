"""Public tests of the assignment "counting": small examples that you can check by hand.

Run them next to your `counting.py` with

    autograder check

or, without the autograder, with

    pytest test_counting.py

For one exercise only: `pytest -k output_size`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import counting
import pytest
from torch import nn

# ------------------------------------------------------------------------------------------ conv2d_parameters


def test_conv2d_parameters__with_bias():
    """8 filters of 5×5 on 3 channels: 8 · 3 · 5 · 5 weights and 8 biases."""
    assert counting.conv2d_parameters(3, 8, 5) == 608


def test_conv2d_parameters__without_bias():
    """Without biases, only the weights are left."""
    assert counting.conv2d_parameters(3, 8, 5, bias=False) == 600


def test_conv2d_parameters__rectangular_kernel():
    """A kernel that is 1 high and 3 wide: 2 · 4 · 1 · 3 weights and 4 biases."""
    assert counting.conv2d_parameters(2, 4, (1, 3)) == 28


def test_conv2d_parameters__groups():
    """With two groups, each of 6 filters sees 2 of the 4 channels: 6 · 2 · 3 · 3 weights."""
    assert counting.conv2d_parameters(4, 6, 3, bias=False, groups=2) == 108


def test_conv2d_parameters__unequal_groups():
    """3 channels cannot be divided into 2 equal groups: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.conv2d_parameters(3, 4, 3, groups=2)


# ------------------------------------------------------------------------------------------ linear_parameters


def test_linear_parameters__with_bias():
    """From 3 to 4 features: 12 weights and 4 biases."""
    assert counting.linear_parameters(3, 4) == 16


def test_linear_parameters__without_bias():
    """From 3 to 4 features without biases: 12 weights."""
    assert counting.linear_parameters(3, 4, bias=False) == 12


def test_linear_parameters__plain_int():
    """The result is an int."""
    assert type(counting.linear_parameters(3, 4)) is int


# --------------------------------------------------------------------------------------- batchnorm_parameters


def test_batchnorm_parameters__like_the_library():
    """As many as `nn.BatchNorm2d(8)` has."""
    library = sum(parameter.numel() for parameter in nn.BatchNorm2d(8).parameters())
    assert counting.batchnorm_parameters(8) == library


def test_batchnorm_parameters__without_affine():
    """With affine=False nothing is learned."""
    assert counting.batchnorm_parameters(8, affine=False) == 0


# --------------------------------------------------------------------------------------------- mlp_parameters


def test_mlp_parameters__one_hidden_layer():
    """[2, 3, 1]: 2 · 3 weights and 3 biases, then 3 · 1 weights and 1 bias."""
    assert counting.mlp_parameters([2, 3, 1]) == 13


def test_mlp_parameters__without_bias():
    """The same without biases."""
    assert counting.mlp_parameters([2, 3, 1], bias=False) == 9


def test_mlp_parameters__too_few_sizes():
    """One size does not make a layer: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.mlp_parameters([5])


# ------------------------------------------------------------------------------------------- count_parameters


def test_count_parameters__two_layers():
    """From 2 to 3 features and from 3 to 1: 9 and 4 parameters."""
    assert counting.count_parameters(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))) == 13


def test_count_parameters__shared_layer():
    """The same layer in two places counts once."""
    layer = nn.Linear(2, 2)
    assert counting.count_parameters(nn.Sequential(layer, nn.ReLU(), layer)) == 6


def test_count_parameters__buffers():
    """Batch normalisation over 5 channels has 10 parameters; its running statistics are buffers."""
    assert counting.count_parameters(nn.BatchNorm2d(5)) == 10


def test_count_parameters__frozen():
    """A frozen layer counts, unless only trainable parameters are asked for."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    assert counting.count_parameters(model) == 13
    assert counting.count_parameters(model, trainable_only=True) == 4


# ------------------------------------------------------------------------------------------------ output_size


def test_output_size__kernel():
    """A window of 3 fits into 7 pixels at five places."""
    assert counting.output_size(7, 3) == 5


def test_output_size__stride():
    """In steps of 2, a window of 3 fits into 6 pixels at two places."""
    assert counting.output_size(6, 3, stride=2) == 2


def test_output_size__padding():
    """In steps of 2, a window of 3 fits at three places into 5 pixels with one more on each side."""
    assert counting.output_size(5, 3, stride=2, padding=1) == 3


def test_output_size__too_large():
    """A window of 4 does not fit into 3 pixels: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.output_size(3, 4)


def test_output_size__stride_of_zero():
    """A window that does not move raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.output_size(7, 3, stride=0)


# ---------------------------------------------------------------------------------------------- network_sizes


def test_network_sizes__alexnet():
    """The first four layers of AlexNet."""
    layers = [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0)]
    assert list(counting.network_sizes(224, layers)) == [224, 55, 27, 27, 13]


def test_network_sizes__one_layer():
    """One layer makes two sizes: the input's and the output's."""
    assert list(counting.network_sizes(10, [(3, 1, 0)])) == [10, 8]


def test_network_sizes__too_large():
    """The second window does not fit into what the first one leaves: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.network_sizes(5, [(3, 1, 0), (4, 1, 0)])


# ----------------------------------------------------------------------------------------------- same_padding


def test_same_padding__three():
    """A kernel of 3 needs one pixel on each side."""
    assert counting.same_padding(3) == 1


def test_same_padding__seven():
    """A kernel of 7 needs three."""
    assert counting.same_padding(7) == 3


def test_same_padding__even():
    """For a kernel of 4 there is no such padding: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        counting.same_padding(4)


# -------------------------------------------------------------------------------------------- receptive_field


def test_receptive_field__two_layers():
    """Two layers with kernel 3 see 5 pixels; on 6 pixels, the windows are 0…4 and 1…5."""
    size, centers = counting.receptive_field([(3, 1, 0), (3, 1, 0)], 6)
    assert size == 5
    assert list(centers) == [2, 3]


def test_receptive_field__stride():
    """After a stride of 2 the second layer sees numbers that are 2 pixels apart."""
    size, centers = counting.receptive_field([(3, 2, 0), (3, 1, 0)], 9)
    assert size == 7
    assert list(centers) == [3, 5]


def test_receptive_field__padding():
    """With padding 1 the windows are at −1…1, 1…3 and 3…5."""
    size, centers = counting.receptive_field([(3, 2, 1)], 6)
    assert size == 3
    assert list(centers) == [0, 2, 4]


def test_receptive_field__even_kernel():
    """The centre of pixels 0 and 1 is between them."""
    size, centers = counting.receptive_field([(2, 1, 0)], 3)
    assert size == 2
    assert list(centers) == [0.5, 1.5]


# -------------------------------------------------------------------------------------------------- conv_macs


def test_conv_macs__one_weight():
    """A 1×1 convolution with one channel multiplies once for every pixel."""
    assert counting.conv_macs(1, 1, 1, input_size=4) == 16


def test_conv_macs__channels():
    """From 2 to 3 channels, kernel 3, 4×4 pixels: 54 weights, each used for 2×2 output pixels."""
    assert counting.conv_macs(2, 3, 3, 4) == 216


def test_conv_macs__stride_and_padding():
    """With stride 2 and padding 1 a 3×3 window fits into 6×6 pixels at 3×3 places."""
    assert counting.conv_macs(1, 2, 3, 6, stride=2, padding=1) == 162


def test_conv_macs__groups():
    """With as many groups as channels, each of 4 filters has 9 weights, used for 2×2 pixels."""
    assert counting.conv_macs(4, 4, 3, 4, groups=4) == 144


# ---------------------------------------------------------------------------------------------------- ANSWERS


def answer(question):
    number = counting.ANSWERS[question]
    assert number is not None, f"{question} is not answered yet"
    assert number == int(number), f"{question} should be a whole number"
    return number


def test_ANSWERS__whole_numbers():
    """Every question is answered with a whole number that is not negative."""
    for question in counting.ANSWERS:
        assert answer(question) >= 0


def test_ANSWERS__bias():
    """A bias is one more number for each of 64 filters."""
    assert answer("stem_conv_with_bias") - answer("stem_conv_weights") == 64


def test_ANSWERS__small_kernels():
    """Two small kernels need fewer parameters than a large one."""
    assert answer("two_3x3_64") < answer("one_5x5_64")


def test_ANSWERS__bottleneck():
    """The bottleneck block needs much less than a tenth of the parameters of the basic block."""
    assert 10 * answer("bottleneck_block_256_64") < answer("basic_block_256")


def test_ANSWERS__whole_networks():
    """VGG-16 has more than six times the parameters of ResNet-34."""
    assert answer("vgg16") > 6 * answer("resnet34")
