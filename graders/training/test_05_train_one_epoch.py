"""`train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None)`: one pass through the batches.

Each check looks at one thing that the loop does, and leaves the rest out of the picture: with one batch nothing is left
over from the last one; with a learning rate of 0 the model stays the same, whatever the optimizer does.
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    CLIPPED,
    OPTIMIZERS,
    TYPE,
    NoLength,
    Run,
    mixed,
    number,
    partly_in_evaluation,
    squared_error,
    tiny_model,
    type_of,
    values,
    with_gradients,
)

from autograder.grading import exercise, points

pytestmark = exercise("train_one_epoch")

seeds = st.integers(0, 9999)
few = settings(max_examples=4)
STILL = "SGD with lr=0"


def with_batch_norm():
    return tiny_model(batch_norm=True)


@points(2)
@few
@given(seed=seeds)
def test_one_step(same_outcome, seed):
    """For one batch: forward, loss, backward, and one step of the optimizer with these gradients."""

    def probe(m):
        run = Run([5], seed=seed)
        run.train(m)
        return {
            "order of events": run.journal.order("backward", "step"),
            "parameters afterwards": torch.cat([value.flatten() for value in values(run.model).values()]),
        }

    same_outcome(probe)


@points(1.5)
@few
@given(seed=seeds)
def test_gradients_of_earlier_batches(same_outcome, seed):
    """The step for the second of three batches uses the gradients of this batch alone."""

    def probe(m):
        run = Run([4, 4, 4], seed=seed, optimizer=STILL)
        run.train(m)
        return {"gradient that the optimizer found for the second batch": run.gradient(1)}

    same_outcome(probe)


@points(1.5)
@few
@given(seed=seeds)
def test_gradients_before_the_first_batch(same_outcome, seed):
    """Gradients that are there before the call do not count."""

    def probe(m):
        run = Run([4, 4, 4], seed=seed, optimizer=STILL)
        with_gradients(run.model)
        run.train(m)
        return {"gradient that the optimizer found for the first batch": run.gradient(0)}

    same_outcome(probe)


@points(2)
@settings(max_examples=6)
@given(seed=seeds, sizes=st.sampled_from([[4, 4, 4], [4, 4, 2], [3, 3, 3, 1]]))
def test_every_batch_once(same_outcome, seed, sizes):
    """Every batch goes through the model once, in the order of the loader, and the last one may be smaller."""

    def probe(m):
        run = Run(sizes, seed=seed, optimizer=STILL)
        run.train(m)
        return {"list of forward passes": run.journal.details("forward")}

    same_outcome(probe)


@points(2)
@settings(max_examples=6)
@given(seed=seeds, sizes=st.sampled_from([[4, 4, 1], [5, 2], [6, 6, 3]]))
def test_mean_per_sample(same_outcome, seed, sizes):
    """The result is the mean loss per sample, so a smaller batch counts less."""
    same_outcome(lambda m: {"mean loss": number(Run(sizes, seed=seed, optimizer=STILL).train(m))})


@points(1)
@few
@given(seed=seeds)
def test_loss_before_the_step(same_outcome, seed):
    """The loss of a batch is the one that the step is made for, not that of the model after the step."""
    same_outcome(lambda m: {"mean loss": number(Run([5], seed=seed).train(m))})


@points(2)
@few
@given(seed=seeds, before=st.sampled_from(["evaluation", "mixed"]))
def test_training_mode(same_outcome, seed, before):
    """All batches go through the model in training mode, whatever mode it or some of its submodules were in."""

    def probe(m):
        run = Run([3, 3], seed=seed, model=lambda: tiny_model(batch_norm=True, dropout=0.5), optimizer=STILL)
        run.model.eval() if before == "evaluation" else mixed(run.model)
        run.train(m)
        return {"modes of the forward passes": sorted(set(run.journal.details("mode")))}

    same_outcome(probe)


@points(1)
@few
@given(seed=seeds)
def test_own_train_method(same_outcome, seed):
    """The mode is set by the model's own `train()`: a layer that stays in evaluation mode there stays in it."""

    def probe(m):
        run = Run([3, 3], seed=seed, model=partly_in_evaluation, optimizer=STILL)
        run.train(m)
        return {
            "running mean of a layer whose train() leaves it in evaluation mode": values(run.model)["1.running_mean"]
        }

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds)
def test_running_statistics(same_outcome, seed):
    """Batch normalisation sees each batch once: its running statistics are those of one pass in training mode."""

    def probe(m):
        run = Run([4, 4], seed=seed, model=with_batch_norm, optimizer=STILL)
        run.train(m)
        return {"value of": {name: value for name, value in values(run.model).items() if name.startswith("1.")}}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=6)
@given(seed=seeds, clip_norm=st.sampled_from([0.05, 0.1, 0.01]))
def test_long_gradients_are_clipped(same_outcome, seed, clip_norm):
    """If the L2 norm of all gradients together is above clip_norm, the step finds them shortened to this norm."""

    def probe(m):
        run = Run([4], seed=seed, optimizer=STILL)
        run.train(m, clip_norm=clip_norm)
        return {"gradient that the optimizer found": run.gradient(0)}

    same_outcome(probe, tolerance=CLIPPED)


@points(0.75)
@few
@given(seed=seeds, clip_norm=st.sampled_from([30.0, 100]))
def test_short_gradients_stay(same_outcome, seed, clip_norm):
    """If the norm is below clip_norm, the gradients stay as they are."""

    def probe(m):
        run = Run([4], seed=seed, optimizer=STILL)
        run.train(m, clip_norm=clip_norm)
        return {"gradient that the optimizer found": run.gradient(0)}

    same_outcome(probe, tolerance=CLIPPED)


@points(1)
@settings(max_examples=3)
@given(seed=seeds)
def test_keeps_no_graph(same_outcome, seed):
    """The graphs of earlier batches are not kept in memory."""

    def probe(m):
        run = Run([2] * 6, seed=seed, optimizer=STILL)
        run.train(m)
        return {'answer to "are more than two graphs in memory at the same time?"': run.journal.most_graphs > 2}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_python_float(same_outcome, seed):
    """The result is a Python float, not a tensor."""
    same_outcome(lambda m: {TYPE: type_of(Run([2, 2], seed=seed).train(m))})


@points(1)
@settings(max_examples=2)
@given(as_list=st.booleans())
def test_empty_loader(same_outcome, as_list):
    """A loader without batches raises a ValueError."""

    def probe(m):
        run = Run([2])
        return m.train_one_epoch(run.model, [] if as_list else NoLength([]), run.loss_fn, run.optimizer)

    same_outcome(probe, raises=ValueError)


@points(1.5)
@settings(max_examples=8)
@given(seed=seeds, name=st.sampled_from([name for name in OPTIMIZERS if "SGD" not in name]), frozen=st.booleans())
def test_real_optimizers(same_outcome, seed, name, frozen):
    """Momentum, Adam, AdamW, parameter groups with learning rates of their own, and frozen parameters all work."""

    def build():
        model = tiny_model()
        model[0].weight.requires_grad_(not frozen)
        return model

    def probe(m):
        run = Run([4, 4, 4], seed=seed, model=build, optimizer=name)
        run.train(m)
        return {"value of": values(run.model)}

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds)
def test_other_losses(same_outcome, seed):
    """The loss is computed by `loss_fn`, whatever that is."""
    run_with = {"loss_fn": squared_error, "optimizer": STILL}
    same_outcome(lambda m: {"mean loss": number(Run([5], seed=seed, **run_with).train(m))})


@points(0.25)
@settings(max_examples=2)
@given(seed=seeds)
def test_loader_without_length(same_outcome, seed):
    """The loader may be anything that can be iterated over; it need not have a length."""

    def probe(m):
        run = Run([5], seed=seed, optimizer=STILL)
        return {
            "mean loss": number(m.train_one_epoch(run.model, NoLength(run.loader.batches), run.loss_fn, run.optimizer))
        }

    same_outcome(probe)


@points(1.5)
@settings(max_examples=6)
@given(seed=seeds, name=st.sampled_from(["momentum", "Adam", "groups"]), clip_norm=st.sampled_from([None, 0.3]))
def test_everything_at_once(same_outcome, seed, name, clip_norm):
    """Two epochs with batch normalisation, an uneven last batch, clipping, and modes and gradients from before."""

    def probe(m):
        run = Run([4, 4, 3], seed=seed, model=with_batch_norm, optimizer=name)
        with_gradients(run.model.eval())
        losses = [number(run.train(m, clip_norm=clip_norm)) for _ in range(2)]
        return {"mean losses": losses, "value of": values(run.model)}

    same_outcome(probe, tolerance=CLIPPED)
