"""`VGG16(num_classes=1000)`. It is large: most checks look at its outline, and two run it once."""

import math

import torch
from inputs import VALUES, agree, float64, images, layouts_of, trainable
from torch.overrides import TorchFunctionMode

from autograder.grading import exercise, expect, expect_tensor, points, time_limit
from autograder.probes import ON_ITS_DEVICE, filled, on_meta_device, outline, zeroed

pytestmark = [exercise("VGG16"), time_limit(20)]

SHAPE = (1, 3, 224, 224)
CLASSES, WIDTH = 1000, 4096  # scores, and activations that a dropout sees
DIGITS = 4  # activations that one score encodes


def outlined(m, dtype=torch.float32, **arguments):
    """A network in evaluation mode, without numbers if possible, and the device that an image must be on."""
    model = outline(lambda: m.VGG16(**arguments), SHAPE).to(dtype).eval()
    return model, next(model.parameters()).device


class ZerosAllTheWay(TorchFunctionMode):
    """A convolution of zeros without biases returns zeros: only its shape has to be computed."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is not torch.conv2d:
            return function(*args, **kwargs)
        given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
        if given["input"].any() or (given.get("bias") is not None and given["bias"].any()):
            return function(*args, **kwargs)
        empty = function(*map(bare, args), **{name: bare(argument) for name, argument in kwargs.items()})
        return torch.zeros_like(empty, device=given["input"].device)


def bare(argument):
    """A tensor without its numbers; other arguments as they are."""
    return argument.to("meta") if isinstance(argument, torch.Tensor) else argument


def revealing_dropout(model):
    """Sets the parameters so that the scores of a network in training mode record what its two dropouts did.

    With biases of 0, an image of zeros stays zero up to the classifier. There, biases of 1 reach the first dropout. An
    identity matrix takes every other activation that it lets through to the second dropout, where 1 is added to all
    activations. A score contains the results for four neighbours, halved, as the digits of a number in base 4.
    """
    halves, digits = torch.zeros(WIDTH, WIDTH), torch.zeros(CLASSES, WIDTH)
    halves[range(0, WIDTH, 2), range(0, WIDTH, 2)] = 1
    for j in range(DIGITS):
        digits[range(CLASSES), range(j, DIGITS * CLASSES, DIGITS)] = 4**j / 2
    with torch.no_grad():
        for parameter in model.parameters():
            if sum(extent > 1 for extent in parameter.shape) < 2:
                parameter.fill_(float(parameter.numel() == WIDTH))
            elif parameter.numel() == WIDTH * WIDTH:
                parameter.copy_(halves.reshape(parameter.shape))
            elif parameter.numel() == WIDTH * CLASSES:
                parameter.copy_(digits.reshape(parameter.shape))
    return model


@points(1)
def test_number_of_parameters(same_outcome):
    """There are 138357544 parameters for 1000 classes, which is the default."""
    same_outcome(lambda m: {"number of parameters": trainable(m.VGG16, SHAPE)})


@points(1)
def test_num_classes(same_outcome):
    """The number of classes determines the last layer: its scores have the shape (N, num_classes)."""

    def probe(m):
        model, device = outlined(m, num_classes=7)
        one_more = trainable(lambda: m.VGG16(8), SHAPE) - trainable(lambda: m.VGG16(7), SHAPE)
        return {
            "number of parameters added by one more class": one_more,
            "shape of the scores": list(model(torch.empty(2, 3, 224, 224, device=device)).shape),
        }

    same_outcome(probe)


@points(0.25)
def test_batch_of_one_image(same_outcome):
    """A batch of one image gives scores of shape (1, num_classes)."""

    def probe(m):
        model, device = outlined(m)
        return {"shape of the scores": list(model(torch.empty(SHAPE, device=device)).shape)}

    same_outcome(probe)


@points(0.75)
def test_layers(same_outcome):
    """There are 13 convolutions and 3 linear layers of the right widths, each with a bias."""

    def probe(m):
        shapes = [[extent for extent in value.shape if extent > 1] for value in outline(m.VGG16, SHAPE).parameters()]
        sizes = sorted([shape[0], math.prod(shape[1:])] for shape in shapes)
        return {"sizes of the parameters (outputs, numbers per output)": sizes}

    same_outcome(probe)


@points(2)
def test_values(same_outcome):
    """With the same parameters the scores in evaluation mode are those of VGG-16."""
    x = images(*SHAPE)

    def probe(m):
        with torch.no_grad():
            return filled(m.VGG16, x).eval()(x)

    same_outcome(probe, tolerance=VALUES)


@points(0.75)
def test_gradients(same_outcome):
    """A gradient reaches the image and every parameter."""

    def probe(m):
        model, device = outlined(m)
        x = torch.zeros(SHAPE, device=device, requires_grad=True)
        of_image, *others = torch.autograd.grad(model(x).sum(), [x, *model.parameters()], allow_unused=True)
        return {
            'answer to "does a gradient reach the image?"': of_image is not None,
            'answer to "does a gradient reach every parameter?"': all(other is not None for other in others),
        }

    same_outcome(probe)


@points(2.25)
def test_dropout(student):
    """In training mode a dropout of 0.5 follows each of the two hidden linear layers, before or after its ReLU."""

    def probe(m):
        x = torch.zeros(SHAPE)
        model = revealing_dropout(zeroed(m.VGG16, x))
        with torch.no_grad(), ZerosAllTheWay():
            return model(x)

    scores = expect_tensor(student(probe), torch.empty(1, CLASSES)).flatten().double()
    hint = "Print the network: what comes between its linear layers?"
    message = "The dropouts after the two hidden linear layers do not leave zeros and doubled activations."
    whole = (scores - scores.round()).abs().max() < 1e-3 and scores.min() >= 0
    expect(whole and scores.max() < 4**DIGITS, message, hint=hint)
    digits = torch.stack([(scores.round() / 4**j).floor() % 4 for j in range(DIGITS)], dim=1)
    # The second dropout made zeros and doubled the others: 1, or 1 plus twice 1 where the first one left a 1.
    for name, part, wanted in (
        ("second", digits[:, 1::2], {0: 1 / 2, 1: 1 / 2}),
        ("first", digits[:, ::2], {0: 1 / 2, 1: 1 / 4, 3: 1 / 4}),
    ):
        for value, chance in wanted.items():
            share = float((part == value).double().mean())
            bound = 6 * math.sqrt(chance * (1 - chance) / part.numel())
            message = f"After the {name} hidden linear layer, the share of activations that is dropped is not one half."
            expect(abs(share - chance) < bound, message, hint=hint)


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes batches of any size, drops other activations in each pass, and keeps earlier scores."""

    def probe(m):
        x = torch.zeros(SHAPE)
        model = revealing_dropout(zeroed(m.VGG16, x))
        with torch.no_grad(), ZerosAllTheWay():
            first = model(x)
            before = first.clone()
            second = model(x).clone()
            return {
                'answer to "are activations dropped?"': len(before.unique()) > 1,
                'answer to "does a second pass drop the same activations?"': agree(before, second),
                'answer to "are the scores of the first pass still the same?"': agree(first, before),
                "shape of the scores for two images": list(model(torch.zeros(2, 3, 224, 224)).shape),
            }

    same_outcome(probe)


@points(0.25)
def test_device(same_outcome):
    """In training mode, too, the scores are on the image's device. (Here: "meta", which stands in for a GPU.)"""

    def probe(m):
        model = outline(m.VGG16, SHAPE).to("meta").train()
        return {ON_ITS_DEVICE: on_meta_device(lambda: model(torch.zeros(SHAPE, device="meta")))}

    same_outcome(probe)


@points(0.75)
def test_dtype(same_outcome):
    """A network in float64 returns scores in float64, one in float32 in float32."""

    def probe(m):
        found = {}
        for dtype in (torch.float32, float64):
            model, device = outlined(m, dtype)
            scores = model(torch.empty(SHAPE, dtype=dtype, device=device))
            found[f"dtype of the scores of a network in {dtype}"] = str(scores.dtype)
        return found

    same_outcome(probe)


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""

    def probe(m):
        model, device = outlined(m)
        images = layouts_of(torch.zeros(2, *SHAPE[1:]))
        return {f"shape of the scores for {name}": list(model(x.to(device)).shape) for name, x in images.items()}

    same_outcome(probe)
