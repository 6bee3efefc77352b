"""`cifar_resnet(n, num_classes=10)`: narrow networks of 6n + 2 layers with shortcuts that have no parameters."""

import functools

import torch
from aspects import in_training, slopes
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import EXACT, NETWORK, close, inputs_afterwards, keeps_its_state, noise, same_in_any_layout
from torch.nn.parameter import is_lazy

from autograder.grading import exercise, points
from autograder.probes import ON_ITS_DEVICE, built, filled, on_meta_device, parameter_count, statistics

pytestmark = exercise("cifar_resnet")

IMAGE = [2, 3, 32, 32]
FEATURES, CLASSES = 64, 10


def shortcuts(build, x, stem, biases=None, head=None):
    """A network in evaluation mode whose blocks add nothing to their shortcuts.

    Args:
        stem: what the stem makes of a pixel, (16, 3).
        biases: {channels: what each batch norm of so many channels adds}.
        head: the weights of the last layer; by default each class is the sum of all features.
    """
    net = built(build, x).eval()
    with torch.no_grad():
        if any(is_lazy(parameter) for parameter in net.parameters()):
            net(x)
        for parameter in net.parameters():
            extents = [extent for extent in parameter.shape if extent > 1]
            if parameter.dim() == 4 and parameter.shape[:2] == (16, 3):
                parameter.zero_()
                parameter[:, :, 1, 1] = stem
            elif parameter.numel() == CLASSES * FEATURES:
                parameter.copy_((torch.ones(CLASSES, FEATURES) if head is None else head).reshape(parameter.shape))
            elif len(extents) > 1 or parameter.numel() == CLASSES:
                parameter.zero_()
            elif biases and not parameter.any():
                parameter.fill_(biases.get(parameter.numel(), 0))
    return net


def grey(levels):
    """One image for each level, all of whose pixels have it: which of them a shortcut keeps makes no difference. Levels
    with a mean of 0 do not show whether the images are normalised first."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 3, 32, 32) / 3


@points(1.5)
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


@points(1)
@settings(max_examples=3)
@given(seed=st.integers(0, 999))
def test_stem(same_outcome, seed):
    """The stem ends in a ReLU, before the first block."""
    x, stem = grey([2.0, 1.0, -3.0]), noise(16, 3, seed=seed)

    def probe(m):
        return {"sum of the features of grey images": shortcuts(lambda: m.cifar_resnet(1), x, stem, {16: 1.0})(x)[:, 0]}

    same_outcome(probe, tolerance=NETWORK)


@points(1)
@settings(max_examples=2)
@given(less=st.sampled_from([-0.25, -0.5]))
def test_no_relu_before_the_sum(same_outcome, less):
    """What the convolutions of a block return may be negative: the only ReLU after them is behind the sum."""
    x = grey([2.0, 1.0, -3.0])

    def probe(m):
        net = shortcuts(lambda: m.cifar_resnet(1), x, torch.ones(16, 3), {32: less, 64: less})
        return {f"sum of the features of grey images where {less} is added": net(x)[:, 0]}

    same_outcome(probe, tolerance=NETWORK)


@points(1.5)
@given(levels=st.lists(st.integers(0, 40), min_size=16, max_size=16), n=st.integers(1, 2))
@settings(max_examples=4)
def test_new_channels(same_outcome, levels, n):
    """A shortcut from 16 to 32 or from 32 to 64 channels appends the new channels, all zeros, after the old ones."""
    stem = torch.tensor(levels).view(16, 1) / 4 + torch.arange(1.0, 17).view(16, 1)
    x = grey([1.0, -1.0])
    heads = [torch.eye(FEATURES)[start : start + CLASSES] for start in (0, 10, 20, 30, 40, 50)]
    heads.append(torch.eye(FEATURES)[-CLASSES:])

    def probe(m):
        found = [shortcuts(lambda: m.cifar_resnet(n), x, stem.expand(16, 3), head=head)(x) for head in heads]
        features = torch.cat([*found[:-1], found[-1][:, 60 - FEATURES :]], 1)
        return {"features of two grey images when all blocks add nothing": features}

    same_outcome(probe, tolerance=NETWORK)


@points(1.5)
@settings(max_examples=4)
@given(seed=st.integers(0, 999), n=st.integers(1, 2))
def test_kept_pixels(same_outcome, seed, n):
    """A shortcut to a map of half the size keeps pixels 0, 2, 4, … of each row and column."""
    x, stem = noise(3, 3, 32, 32, seed=seed), noise(16, 3, seed=seed + 1)
    x = x - x.mean()

    def probe(m):
        net = shortcuts(lambda: m.cifar_resnet(n), x, stem)
        return {"sum of the features when all blocks add nothing": net(x)[:, 0]}

    same_outcome(probe, tolerance=NETWORK)


@points(0.75)
@settings(max_examples=2)
@given(seed=st.integers(0, 999))
def test_training(same_outcome, seed):
    """Batch norms use the statistics of the batch in training mode, and the running ones in evaluation mode."""
    x = noise(*IMAGE, seed=seed).double()
    same_outcome(lambda m: in_training(lambda: m.cifar_resnet(1), x), tolerance=EXACT)


@points(0.75)
def test_statistics(same_outcome):
    """Each batch norm updates its running statistics in training mode, and only then."""

    def probe(m):
        x = grey([1.0, -1.0])
        net = shortcuts(lambda: m.cifar_resnet(1), x, torch.zeros(16, 3)).train()
        net(x)
        after_training = statistics(net)
        net.eval()(x + 1)
        return {"statistics after training": after_training, "statistics after evaluation": statistics(net)}

    same_outcome(probe)


@points(1)
@settings(max_examples=1)
@given(seed=st.integers(0, 999))
def test_gradient(same_outcome, seed):
    """Gradients reach the image and all parameters, in both modes."""
    x = noise(*IMAGE, seed=seed).double()

    def probe(m):
        net = filled(lambda: m.cifar_resnet(1), x)
        return {f"{mode} mode": slopes(net.train(mode == "training"), x) for mode in ("evaluation", "training")}

    same_outcome(probe, tolerance=NETWORK)


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

    def probe(m):
        found = {}
        for dtype in (torch.float32, torch.float64):
            x = grey([1.0, -1.0]).to(dtype) / 7
            net = shortcuts(lambda: m.cifar_resnet(1), x, torch.ones(16, 3, dtype=dtype) / 3)
            found[f"dtype of the result for {dtype}"] = str(net(x).dtype)
        return {**found, "sum of the features of grey images in float64": net(x)[:, 0]}

    same_outcome(probe, exact="dtype")


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


@points(2)
@settings(max_examples=3)
@given(seed=st.integers(0, 999), n=st.integers(1, 2), batch=st.integers(2, 3))
def test_everything_together(same_outcome, seed, n, batch):
    """From the image to the classes, in both modes, with all blocks; in training mode the statistics are updated."""
    x = noise(batch, 3, 32, 32, seed=seed).double()

    def probe(m):
        net = filled(lambda: m.cifar_resnet(n), x)
        found = {"result in evaluation mode": net.eval()(x), "result in training mode": net.train()(x)}
        return {**found, "result of a second call": net(x), **statistics(net)}

    same_outcome(probe, tolerance=EXACT)
