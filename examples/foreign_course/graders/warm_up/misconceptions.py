"""Known wrong answers to the exercises of `warm_up`, each with the hint for a student who gave it."""

import numpy as np
import torch.nn.functional as F
from warm_up import positions

from autograder.grading import misconception

# positions


@misconception("positions", hint="Where is the cosine of the first angle: beside its sine, or behind all sines?")
def sines_then_cosines(length, dim):
    right = positions(length, dim)
    return np.concatenate([right[:, 0::2], right[:, 1::2]], axis=1)


@misconception("positions", hint="Is the exponent i/d or 2i/d? Try the last pair of columns.")
def half_the_exponent(length, dim):
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(dim // 2) / dim)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, dim)


@misconception("positions", hint="Which position does the first row belong to?", severe="no row is right")
def counts_from_one(length, dim):
    return positions(length + 1, dim)[1:]


@misconception("positions", hint="Print the dtype of your array.")
def in_float32(length, dim):
    return positions(length, dim).astype(np.float32)


# training_step


@misconception("training_step", hint="What is in `.grad` when the second step begins?")
def keeps_the_gradients(model, x, y, optimizer):
    model.train()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@misconception("training_step", hint="When is the loss computed: before the step, or after it? And of which type is it?")
def returns_a_tensor(model, x, y, optimizer):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


@misconception("training_step", hint="In which mode does somebody leave the model who has just evaluated it?")
def forgets_the_mode(model, x, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@misconception(
    "training_step",
    hint="Who changes the parameters: the backward pass or the optimizer?",
    severe="nothing is trained",
)
def never_steps(model, x, y, optimizer):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss.item()
