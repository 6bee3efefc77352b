"""`save_checkpoint(path, model, optimizer, epoch)`: one file from which training can go on.

How the file is laid out is free: the checks look for numbers anywhere in it.
"""

from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import OPTIMIZERS, folder, holds, moments, resumable, values

from autograder.grading import exercise, points, time_limit

# Files on a busy disk can take a while.
pytestmark = [exercise("save_checkpoint"), time_limit(20)]

seeds = st.integers(0, 9999)
few = settings(max_examples=3)


def answer(question, found):
    return {f'answer to "{question}"': bool(found)}


@points(0.5)
def test_one_file(same_outcome):
    """There is one file afterwards, with the name that was asked for."""

    def probe(m):
        with folder():
            path = Path("model.pt")
            m.save_checkpoint(str(path), *resumable(), 3)
            return {"list of files": sorted(file.name for file in Path().rglob("*"))}

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds)
def test_can_be_read_safely(same_outcome, seed):
    """torch.load(path, weights_only=True) reads the file."""

    def probe(m):
        with folder():
            path = Path("model.pt")
            m.save_checkpoint(str(path), *resumable(seed=seed), 3)
            try:
                torch.load(path, weights_only=True)
            except Exception:
                return answer("does torch.load(path, weights_only=True) read the file?", False)
            return answer("does torch.load(path, weights_only=True) read the file?", True)

    same_outcome(probe)


def contents(build, wanted):
    """A probe: whether the file contains what `wanted` makes of model and optimizer, for each name."""

    def probe(m):
        with folder():
            path = Path("model.pt")
            model, optimizer = build()
            m.save_checkpoint(str(path), model, optimizer, 37)
            found = {what: holds(path, state) for what, state in wanted(model, optimizer).items()}
            return {'answer to "are they in the file?" for the': found}

    return probe


@points(0.5)
@few
@given(seed=seeds)
def test_parameters_and_buffers(same_outcome, seed):
    """The file contains the parameters and the buffers of the model."""

    def wanted(model, _):
        return {
            "parameters": list(model.parameters()),
            "buffers": [buffer for buffer in model.buffers() if buffer.dim()],
        }

    same_outcome(contents(lambda: resumable(seed=seed), wanted))


@points(0.5)
@few
@given(seed=seeds, name=st.sampled_from(["momentum", "Adam", "AdamW"]))
def test_state_of_the_optimizer(same_outcome, seed, name):
    """The file contains what the optimizer has learned: momentum, Adam's moments and step counts."""
    same_outcome(
        contents(
            lambda: resumable(name, seed=seed, batch_norm=False),
            lambda _, optimizer: {"numbers of the optimizer": moments(optimizer)},
        )
    )


@points(0.25)
def test_learning_rates(same_outcome):
    """The file contains the optimizer's learning rates, which a scheduler may have changed."""

    def build():
        model, optimizer = resumable("groups")
        optimizer.param_groups[0]["lr"] = 0.0123
        return model, optimizer

    same_outcome(contents(build, lambda *_: {"learning rates": [0.0123, 0.4]}))


@points(0.25)
@few
@given(epoch=st.integers(20, 99))
def test_epoch(same_outcome, epoch):
    """The file contains the epoch."""

    def probe(m):
        with folder():
            path = Path("model.pt")
            m.save_checkpoint(str(path), *resumable(), epoch)
            return answer("is the epoch in the file?", holds(path, [epoch]))

    same_outcome(probe)


@points(0.25)
@few
@given(seed=seeds)
def test_nothing_else_changes(same_outcome, seed):
    """Neither the model nor the optimizer is modified; training goes on as if nothing had been saved."""

    def probe(m):
        with folder():
            model, optimizer = resumable("Adam", seed=seed)
            m.save_checkpoint("model.pt", model, optimizer, 1)
            return {
                "value of": values(model),
                "list of the optimizer's numbers": moments(optimizer),
                "learning rate": optimizer.param_groups[0]["lr"],
                "mode (True for training)": model.training,
            }

    same_outcome(probe)


@points(0.25)
@few
@given(seed=seeds, name=st.sampled_from(list(OPTIMIZERS)))
def test_everything_at_once(same_outcome, seed, name):
    """The path may be a pathlib.Path, and a file that is there already is replaced by one with everything in it."""

    def probe(m):
        with folder():
            path = Path("best.ckpt")
            m.save_checkpoint(path, *resumable(name, seed=seed + 1), 1)
            model, optimizer = resumable(name, seed=seed)
            m.save_checkpoint(path, model, optimizer, 41)
            found = {
                "model": holds(path, list(model.parameters())),
                "optimizer": holds(path, moments(optimizer)),
                "epoch": holds(path, [41]),
            }
            return {
                'answer to "is it in the file?" for the': found,
                "number of files": len(list(Path().iterdir())),
            }

    same_outcome(probe)
