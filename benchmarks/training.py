"""A threshold on accuracy against a comparison of parameters: which training loops does each judge get wrong?

Run `python benchmarks/training.py [repeats]`; half a minute. Each loop trains a tiny network on a tiny task, from many
starts. A judge with a threshold looks at the accuracy afterwards; the other compares the parameters after three steps
in float64 with those of the right loop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

Batch = tuple[torch.Tensor, torch.Tensor]
Loop = Callable[[nn.Module, Sequence[Batch], torch.optim.Optimizer], None]

THRESHOLD = 0.8
EPOCHS, SAMPLES, SIZE = 16, 96, 16
SAME = 1e-9  # parameters whose largest difference is smaller are the same


def right(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def steps_twice(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.step()


def adds_weight_decay(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    for x, y in batches:
        optimizer.zero_grad()
        penalty = sum(parameter.square().sum() for parameter in model.parameters())
        (F.cross_entropy(model(x), y) + 1e-3 * penalty).backward()
        optimizer.step()


def skips_the_last_batch(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    right(model, batches[:-1], optimizer)


def never_zeroes(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    for x, y in batches:
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def with_softmax(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x).softmax(1), y).backward()
        optimizer.step()


def by_a_closure(model: nn.Module, batches: Sequence[Batch], optimizer: torch.optim.Optimizer) -> None:
    """Right, but written in another way."""
    for x, y in batches:

        def closure() -> float:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)  # noqa: B023
            loss.backward()
            return loss.item()

        optimizer.step(closure)


LOOPS = (right, by_a_closure, steps_twice, adds_weight_decay, skips_the_last_batch, never_zeroes, with_softmax)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)).double()


def data(seed: int) -> list[Batch]:
    """Two classes, inside and outside a circle."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(SAMPLES, 2, generator=generator, dtype=torch.float64) * 2 - 1
    y = (x.square().sum(1) < 0.6).long()
    return list(zip(x.split(SIZE), y.split(SIZE), strict=True))


def trained(loop: Loop, seed: int, batches: Sequence[Batch], epochs: int) -> nn.Module:
    torch.manual_seed(seed)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(epochs):
        loop(model, batches, optimizer)
    return model


def accuracy(loop: Loop, seed: int) -> float:
    batches = data(seed)
    model = trained(loop, seed, batches, EPOCHS)
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return float((model(x).argmax(1) == y).double().mean())


def distance(loop: Loop, seed: int) -> float:
    """Between the parameters after three batches and those of the right loop."""
    batches = data(seed)[:3]
    vectors = [nn.utils.parameters_to_vector(trained(one, seed, batches, 1).parameters()) for one in (loop, right)]
    return float((vectors[0] - vectors[1]).detach().abs().max())


def main(repeats: int) -> None:
    torch.set_num_threads(1)  # the network is tiny
    print(f"{'loop':22} {'passes the threshold':>21} {'accuracies':>13} {'same parameters':>16} {'distances':>18}")
    for loop in LOOPS:
        shares = [accuracy(loop, seed) for seed in range(repeats)]
        far = [distance(loop, seed) for seed in range(repeats)]
        passed, same = (sum(values) for values in ([s >= THRESHOLD for s in shares], [d < SAME for d in far]))
        print(
            f"{loop.__name__:22} {f'{passed} of {repeats}':>21} {f'{min(shares):.2f} … {max(shares):.2f}':>13} "
            f"{f'{same} of {repeats}':>16} {f'{min(far):.0e} … {max(far):.0e}':>18}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
