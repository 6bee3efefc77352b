"""`cifar_resnet(n, num_classes=10)`: narrow networks of 6n + 2 layers with shortcuts that have no parameters."""

import functools

import torch
from aspects import dtypes
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import EXACT, NETWORK, close, inputs_afterwards, keeps_its_state, noise, same_in_any_layout
from torch.nn.parameter import is_lazy

from autograder.grading import exercise, points
from autograder.probes import ON_ITS_DEVICE, all_gradients, filled, on_meta_device, parameter_count, statistics

pytestmark = exercise("cifar_resnet")

IMAGE = [2, 3, 32, 32]
CLASSES = 65  # one more than there are features


def only_shortcuts(net, stem):
    """Zeroes all convolutions except the stem, whose centre becomes `stem` (16, 3); the results are the features."""
    net.eval()
    with torch.no_grad():
        if any(is_lazy(parameter) for parameter in net.parameters()):
            net(torch.zeros(1, 3, 32, 32))
        for parameter in net.parameters():
            if parameter.dim() == 4 and parameter.shape[:2] == (16, 3):
                parameter.zero_()
                parameter[:, :, 1, 1] = stem
            elif parameter.numel() == CLASSES * 64:
                parameter.copy_(torch.eye(CLASSES, 64).reshape(parameter.shape))
            elif sum(extent > 1 for extent in parameter.shape) > 1 or parameter.numel() == CLASSES:
                parameter.zero_()
    return net


@points(2)
def test_parameters(same_outcome):
    """6n + 2 layers and shortcuts without parameters: 269722 numbers to learn for n = 3."""

    def probe(m):
        counts = [parameter_count(functools.partial(m.cifar_resnet, n), IMAGE) for n in (3, 1, 2, 7)]
        return {"numbers of parameters for n = 3, 1, 2 and 7": counts}

    same_outcome(probe)


@points(1)
def test_num_classes(same_outcome):
    """The result has num_classes entries per image, 10 by default."""

    def probe(m):
        x = noise(*IMAGE)
        builds = {
            "by default": lambda: m.cifar_resnet(1),
            "with 1 class": lambda: m.cifar_resnet(1, 1),
            "with 7 classes": lambda: m.cifar_resnet(n=1, num_classes=7),
        }
        return {f"shape of the result {what}": list(filled(build, x).eval()(x).shape) for what, build in builds.items()}

    same_outcome(probe)


@points(2)
@given(levels=st.lists(st.integers(0, 40), min_size=16, max_size=16), n=st.integers(1, 2))
@settings(max_examples=4)
def test_new_channels(same_outcome, levels, n):
    """A shortcut from 16 to 32 or from 32 to 64 channels appends the new channels, all zeros, after the old ones."""
    stem = torch.tensor(levels).view(16, 1) / 4 + torch.arange(1.0, 17).view(16, 1)

    def probe(m):
        net = only_shortcuts(m.cifar_resnet(n, CLASSES), stem.expand(16, 3))
        return {"features of a grey image when all blocks add nothing": net(torch.full((1, 3, 32, 32), 1 / 3))[0, :64]}

    same_outcome(probe, tolerance=NETWORK)


@points(2)
@settings(max_examples=4)
@given(seed=st.integers(0, 999), n=st.integers(1, 2))
def test_kept_pixels(same_outcome, seed, n):
    """A shortcut to a map of half the size keeps pixels 0, 2, 4, … of each row and column."""
    x = noise(1, 3, 32, 32, seed=seed)
    stem = noise(16, 3, seed=seed + 1)

    def probe(m):
        net = only_shortcuts(m.cifar_resnet(n, CLASSES), stem)
        features = net(x)[0].detach().sort(descending=True).values
        return {"largest 16 features when all blocks add nothing": features[:16]}

    same_outcome(probe, tolerance=NETWORK)


@points(2)
@settings(max_examples=4)
@given(seed=st.integers(0, 999), n=st.integers(1, 2), batch=st.integers(2, 3))
def test_evaluation(same_outcome, seed, n, batch):
    """From the image to the classes in evaluation mode."""
    x = noise(batch, 3, 32, 32, seed=seed)
    same_outcome(lambda m: filled(lambda: m.cifar_resnet(n, 4), x).eval()(x), tolerance=NETWORK)


@points(1.5)
@settings(max_examples=2)
@given(seed=st.integers(0, 999))
def test_training(same_outcome, seed):
    """In training mode the batch norms use the statistics of the batch and update the running ones."""
    x = noise(2, 3, 32, 32, seed=seed).double()

    def probe(m):
        net = filled(lambda: m.cifar_resnet(1, 4), x)
        return {"result": net(x), "result of a second call": net(x), **statistics(net)}

    same_outcome(probe, tolerance=EXACT)


@points(1.5)
@settings(max_examples=1)
@given(seed=st.integers(0, 999))
def test_gradient(same_outcome, seed):
    """Gradients reach the image and all parameters, in both modes."""
    x = noise(2, 3, 32, 32, seed=seed).double()

    def probe(m):
        net = filled(lambda: m.cifar_resnet(1, 4), x)
        return {f"{mode} mode": all_gradients(net.train(mode == "training"), x) for mode in ("evaluation", "training")}

    same_outcome(probe, tolerance=EXACT)


@points(0.5)
def test_batch_of_one(same_outcome):
    """In evaluation mode an image gives the same result alone as in a batch; later calls do not change it."""

    def probe(m):
        x = noise(3, 3, 32, 32)
        net = filled(lambda: m.cifar_resnet(1), x).eval()
        with torch.no_grad():
            alone = net(x[1:2])
            before = alone.clone()
            net(x[2:])
            return {
                'answer to "is the result of an image alone the same as in a batch?"': close(before, net(x)[1:2]),
                'answer to "is it still the same after calls with other images?"': torch.equal(alone, before),
            }

    same_outcome(probe)


@points(0.5)
def test_argument_is_not_modified(same_outcome):
    """The images are unchanged afterwards."""

    def probe(m):
        x = noise(*IMAGE)
        return inputs_afterwards(filled(lambda: m.cifar_resnet(1), x), x)

    same_outcome(probe)


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The images may be transposed, or have their channels last."""

    def probe(m):
        net = filled(lambda: m.cifar_resnet(1), noise(*IMAGE))
        return [
            same_in_any_layout(net, noise(*IMAGE).transpose(2, 3)),
            same_in_any_layout(net, noise(*IMAGE).contiguous(memory_format=torch.channels_last)),
        ]

    same_outcome(probe)


@points(0.5)
def test_dtype(same_outcome):
    """A float32 network takes and returns float32, and a float64 network float64, with that precision."""
    same_outcome(lambda m: dtypes(lambda: m.cifar_resnet(1), noise(*IMAGE)), exact="dtype")


@points(0.5)
def test_device(same_outcome):
    """The result is on the device of the network. (Here: "meta", which has no numbers and stands in for a GPU.)"""

    def probe(m):
        x = noise(*IMAGE)
        net = filled(lambda: m.cifar_resnet(1), x).eval()
        net(x)
        elsewhere = net.to("meta")
        return {ON_ITS_DEVICE: on_meta_device(lambda: elsewhere(x.to("meta")))}

    same_outcome(probe)


@points(0.5)
def test_state(same_outcome):
    """A state_dict carries everything from one network to another, and a deep copy is independent."""
    same_outcome(lambda m: keeps_its_state(lambda: m.cifar_resnet(1), noise(*IMAGE)))
