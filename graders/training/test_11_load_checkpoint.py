"""`load_checkpoint(path, model, optimizer)`: training goes on where the file says.

The files are written by the submission's own `save_checkpoint`. What it forgot to save is not missed here.
"""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import OPTIMIZERS, folder, holds, moments, resumable, steps_of, tiny_batches

from autograder.grading import exercise, points, time_limit

# Files on a busy disk can take a while.
pytestmark = [exercise("load_checkpoint"), time_limit(20)]

seeds = st.integers(0, 9999)
few = settings(max_examples=3)


def fresh(name):
    """A model and an optimizer that know nothing yet, and others' numbers."""
    return resumable(name, steps=1, seed=77_777)


@points(0.75)
@few
@given(seed=seeds)
def test_parameters(same_outcome, seed):
    """The model has the parameters of the file."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable(seed=seed)
            m.save_checkpoint(path, model, optimizer, 3)
            other, its = fresh("momentum")
            m.load_checkpoint(path, other, its)
            return {"value of": {name: value.detach() for name, value in other.named_parameters()}}

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds)
def test_buffers(same_outcome, seed):
    """The model has the buffers of the file."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable(seed=seed)
            m.save_checkpoint(path, model, optimizer, 3)
            other, its = fresh("momentum")
            m.load_checkpoint(path, other, its)
            saved = holds(path, [*model.parameters()]) and not holds(path, [model[1].running_mean])
            return {"value of": dict((model if saved else other).named_buffers())}

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds, name=st.sampled_from(["momentum", "Adam", "AdamW"]))
def test_state_of_the_optimizer(same_outcome, seed, name):
    """The optimizer has the momentum, the moments and the step counts of the file."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable(name, seed=seed)
            m.save_checkpoint(path, model, optimizer, 3)
            other, its = fresh(name)
            m.load_checkpoint(path, other, its)
            forgotten = holds(path, [*model.parameters()]) and not holds(path, moments(optimizer))
            return {"list of the optimizer's numbers": moments(optimizer if forgotten else its)}

    same_outcome(probe)


@points(0.25)
def test_learning_rates(same_outcome):
    """The optimizer has the learning rates of the file, which a scheduler may have changed."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable("groups")
            for group in optimizer.param_groups:
                group["lr"] *= 0.125
            m.save_checkpoint(path, model, optimizer, 3)
            other, its = fresh("groups")
            m.load_checkpoint(path, other, its)
            rates = [group["lr"] for group in optimizer.param_groups]
            forgotten = holds(path, [*model.parameters()]) and not holds(path, rates)
            return {"list of learning rates": rates if forgotten else [group["lr"] for group in its.param_groups]}

    same_outcome(probe)


@points(0.5)
@few
@given(epoch=st.integers(20, 99))
def test_epoch(same_outcome, epoch):
    """The result is the epoch, an int."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable()
            m.save_checkpoint(path, model, optimizer, epoch)
            found = m.load_checkpoint(path, *fresh("momentum"))
            forgotten = holds(path, [*model.parameters()]) and not holds(path, [epoch])
            return {"result": epoch if forgotten else found}

    same_outcome(probe)


@points(0.25)
@settings(max_examples=2)
@given(pathlike=st.booleans())
def test_no_file(same_outcome, pathlike):
    """If there is no such file, there is a FileNotFoundError."""

    def probe(m):
        with folder():
            path = Path("missing.pt")
            return m.load_checkpoint(path if pathlike else str(path), *resumable())

    same_outcome(probe, raises=FileNotFoundError)


@points(0.25)
@few
@given(seed=seeds, name=st.sampled_from([name for name in OPTIMIZERS if "SGD" not in name]))
def test_everything_at_once(same_outcome, seed, name):
    """The next steps are those of a run that was never interrupted."""

    def probe(m):
        with folder():
            path = "model.pt"
            model, optimizer = resumable(name, seed=seed)
            m.save_checkpoint(path, model, optimizer, 3)
            rates = [group["lr"] for group in optimizer.param_groups]
            whole = holds(path, [*model.parameters(), model[1].running_mean, moments(optimizer), rates])
            other, its = fresh(name)
            m.load_checkpoint(path, other, its)
            forgotten = holds(path, [*model.parameters()]) and not whole
            return {
                "value of": steps_of(*((model, optimizer) if forgotten else (other, its)), tiny_batches(4, 4, seed=5))
            }

    same_outcome(probe)
