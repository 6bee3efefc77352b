"""`evaluate(model, loader, loss_fn)`: mean loss and accuracy, from a model that is afterwards as it was."""

import contextlib

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SHARES,
    Fragile,
    NoLength,
    cross_entropy,
    mixed,
    modes,
    number,
    tiny_batches,
    tiny_model,
    type_of,
    with_gradients,
)

from autograder.grading import exercise, points
from autograder.probes import Journal, WatchedLoader, WatchedLoss, snapshot, watched_model

pytestmark = exercise("evaluate")

seeds = st.integers(0, 9999)
sizes = st.sampled_from([[4, 4, 1], [5, 2], [6, 3, 1]])
few = settings(max_examples=4)


def settled():
    """A model in which no mode matters."""
    return tiny_model().eval()


def noisy():
    return tiny_model(batch_norm=True, dropout=0.5)


def evaluated(m, model, batches, loss_fn=cross_entropy):
    loss, accuracy = m.evaluate(model, batches, loss_fn)
    return {"mean loss": number(loss), "accuracy": number(accuracy)}


def watched(m, model, batches):
    """The journal of an evaluation."""
    journal = Journal()
    loader = WatchedLoader(batches, journal)
    m.evaluate(watched_model(model, journal), loader, WatchedLoss(cross_entropy, journal))
    return journal


@points(2)
@settings(max_examples=6)
@given(seed=seeds, sizes=sizes)
def test_mean_loss(same_outcome, seed, sizes):
    """The first number is the mean loss per sample, so a smaller batch counts less."""
    batches = tiny_batches(*sizes, seed=seed)
    same_outcome(lambda m: {"mean loss": number(m.evaluate(settled(), batches, cross_entropy)[0])})


@points(2)
@settings(max_examples=8)
@given(seed=seeds, sizes=sizes)
def test_accuracy(same_outcome, seed, sizes):
    """The second number is the accuracy: the share of all samples whose largest logit is at the label."""
    batches = tiny_batches(*sizes, seed=seed)
    same_outcome(lambda m: {"accuracy": number(m.evaluate(settled(), batches, cross_entropy)[1])}, tolerance=SHARES)


@points(2)
@few
@given(seed=seeds, before=st.sampled_from(["training", "mixed"]))
def test_evaluation_mode(same_outcome, seed, before):
    """All batches go through the model in evaluation mode, whatever mode it or some of its submodules were in."""
    batches = tiny_batches(3, 3, seed=seed)

    def probe(m):
        model = noisy() if before == "training" else mixed(noisy())
        return {"modes of the forward passes": sorted(set(watched(m, model, batches).details("mode")))}

    same_outcome(probe)


@points(1.5)
@few
@given(seed=seeds)
def test_no_graph(same_outcome, seed):
    """No graph is recorded."""
    batches = tiny_batches(3, 3, seed=seed)
    same_outcome(lambda m: {"outputs of the model": sorted(set(watched(m, settled(), batches).details("output")))})


@points(1.5)
@settings(max_examples=6)
@given(seed=seeds, before=st.sampled_from(["training", "evaluation", "mixed"]))
def test_modes_afterwards(same_outcome, seed, before):
    """Afterwards every submodule is in the mode it was in before, even if they were not all in the same one."""
    batches = tiny_batches(3, 3, seed=seed)

    def probe(m):
        model = mixed(noisy()) if before == "mixed" else noisy().train(before == "training")
        m.evaluate(model, batches, cross_entropy)
        return {"mode (True for training) of": modes(model)}

    same_outcome(probe)


@points(1)
@few
@given(seed=seeds, number_of_good_batches=st.sampled_from([0, 2]))
def test_modes_after_an_exception(same_outcome, seed, number_of_good_batches):
    """When the forward pass raises, the exception reaches the caller, and the modes are still as before."""
    batches = tiny_batches(*[3] * number_of_good_batches, 2, seed=seed)

    def probe(m):
        model, raised = mixed(Fragile()), "nothing"
        try:
            m.evaluate(model, batches, cross_entropy)
        except OverflowError:
            raised = "OverflowError"
        return {"exception that the call raises": raised, "mode (True for training) of": modes(model)}

    same_outcome(probe)


@points(1)
@few
@given(seed=seeds)
def test_model_is_not_modified(same_outcome, seed):
    """Parameters, their gradients, buffers, hooks and what requires a gradient are the same afterwards."""
    batches = tiny_batches(3, 3, seed=seed)

    def probe(m):
        model = with_gradients(tiny_model(batch_norm=True).eval())
        model[0].bias.requires_grad_(False)
        m.evaluate(model, batches, cross_entropy)
        found = snapshot(model)
        return {what: found[what] for what in ("values", "gradients", "requires_grad", "numbers of hooks")}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_python_floats(same_outcome, seed):
    """Both results are Python floats, not tensors."""
    batches = tiny_batches(3, 2, seed=seed)
    same_outcome(
        lambda m: {"types of the results": [type_of(x) for x in m.evaluate(settled(), batches, cross_entropy)]}
    )


@points(0.5)
@settings(max_examples=2)
@given(as_list=st.booleans())
def test_empty_loader(same_outcome, as_list):
    """A loader without batches raises a ValueError."""
    same_outcome(lambda m: m.evaluate(settled(), [] if as_list else NoLength([]), cross_entropy), raises=ValueError)


@points(0.5)
@few
@given(seed=seeds)
def test_every_batch_once(same_outcome, seed):
    """Every batch goes through the model once."""
    batches = tiny_batches(4, 4, 2, seed=seed)
    same_outcome(lambda m: {"list of forward passes": sorted(watched(m, settled(), batches).details("forward"))})


@points(0.5)
@settings(max_examples=4)
@given(enabled=st.booleans(), last=st.sampled_from([2, 3]))
def test_grad_mode(same_outcome, enabled, last):
    """Autograd is on or off afterwards as it was before, even after an exception."""

    def probe(m):
        with torch.set_grad_enabled(enabled):
            with contextlib.suppress(OverflowError):
                m.evaluate(Fragile(), tiny_batches(3, last), cross_entropy)
            return {'answer to "is autograd on?"': torch.is_grad_enabled()}

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(seed=seeds, sizes=sizes)
def test_everything_at_once(same_outcome, seed, sizes):
    """A model with batch normalisation and dropout in mixed modes, a loader without length, an uneven last batch."""
    batches = tiny_batches(*sizes, seed=seed)

    def probe(m):
        model = with_gradients(mixed(noisy()))
        found = [evaluated(m, model, NoLength(batches)) for _ in range(2)]
        return {"first call": found[0], "second call": found[1], "mode (True for training) of": modes(model)}

    same_outcome(probe, tolerance=SHARES)
