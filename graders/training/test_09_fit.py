"""`fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None)`: epochs, and when to stop.

In most checks the optimizer is scripted: each step sets the only parameter of the model, which is also its loss, to the
next number of a list. So the validation losses are exactly these numbers, however training is written.
"""

import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import OPTIMIZERS, SHARES, cross_entropy, number, scripted_fit, tiny_batches, tiny_model, values

from autograder.grading import exercise, points
from autograder.probes import Journal, WatchedLoader, WatchedLoss, watched_model

pytestmark = exercise("fit")

seeds = st.integers(0, 9999)
few = settings(max_examples=4)
FALLING = [5.0, 4.0, 3.0, 2.0]


def plain(history):
    """A history with plain numbers."""
    return [{key: number(value) for key, value in epoch.items()} for epoch in history]


def column(history, key):
    return [number(epoch[key]) for epoch in history]


@points(1.5)
@settings(max_examples=6)
@given(epochs=st.integers(1, 4), patience=st.sampled_from([None, 9]))
def test_history(same_outcome, epochs, patience):
    """The result is a list of one dictionary for each epoch, with train_loss, valid_loss and valid_accuracy."""

    def probe(m):
        history, _ = scripted_fit(m, FALLING[:epochs], patience=patience)
        return {"number of epochs": len(history), "keys": sorted(history[0])}

    same_outcome(probe)


@points(0.75)
@few
@given(losses=st.permutations([5.0, 4.0, 3.0, 2.0]))
def test_training_losses(same_outcome, losses):
    """train_loss is the mean loss of the epoch's training, before each of its steps."""
    same_outcome(lambda m: {"list of training losses": column(scripted_fit(m, losses)[0], "train_loss")})


@points(1.25)
@few
@given(losses=st.permutations([5.0, 4.0, 3.0, 2.0]))
def test_validation_losses(same_outcome, losses):
    """valid_loss is the mean loss on the validation set after the epoch's training."""
    same_outcome(lambda m: {"list of validation losses": column(scripted_fit(m, losses)[0], "valid_loss")})


@points(0.5)
@few
@given(losses=st.permutations([5.0, -4.0, 3.0, -2.0]))
def test_validation_accuracy(same_outcome, losses):
    """valid_accuracy is the accuracy on the validation set after the epoch's training."""

    def probe(m):
        history, _ = scripted_fit(m, losses)
        return {"list of accuracies": column(history, "valid_accuracy")}

    same_outcome(probe, tolerance=SHARES)


@points(1)
@few
@given(seed=seeds)
def test_train_then_evaluate(same_outcome, seed):
    """In each epoch, the training set goes through the model in training mode, then the validation set in evaluation
    mode."""

    def probe(m):
        journal = Journal()
        model = watched_model(tiny_model(batch_norm=True), journal)
        train = WatchedLoader(tiny_batches(3, 3, seed=seed), journal, "training")
        valid = WatchedLoader(tiny_batches(4, seed=seed + 1), journal, "validation")
        m.fit(model, train, valid, WatchedLoss(F.cross_entropy, journal), OPTIMIZERS["SGD"](model), 2)
        passes = zip(journal.details("forward"), journal.details("mode"), strict=True)
        return {"list of forward passes": [f"{samples} in {mode} mode" for samples, mode in passes]}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=6)
@given(patience=st.integers(1, 3), start=st.sampled_from([[3.0], [5.0, 3.0]]), rest=st.sampled_from([4.0, 3.0]))
def test_patience(same_outcome, patience, start, rest):
    """Training ends after `patience` epochs without a new lowest validation loss; one that is equal is not lower."""

    def probe(m):
        history, _ = scripted_fit(m, start + [rest] * 6, patience=patience)
        return {"number of epochs": len(history)}

    same_outcome(probe)


@points(1)
@few
@given(low=st.sampled_from([2.0, 1.0]), high=st.sampled_from([6.0, 7.0]))
def test_epochs_in_a_row(same_outcome, low, high):
    """Only epochs in a row count: a new lowest loss starts the count again, a loss that only falls does not."""

    def probe(m):
        again, _ = scripted_fit(m, [5.0, high, low, high, high, high], patience=2)
        falling, _ = scripted_fit(m, [low, 9.0, 8.0, 7.0, 6.0, 5.0], patience=3)
        return {"numbers of epochs": [len(again), len(falling)]}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=6)
@given(losses=st.sampled_from([[5.0, 2.0, 4.0], [2.0, 4.0, 5.0], [5.0, 4.0, 1.0, 3.0, 2.0]]), stops=st.booleans())
def test_best_parameters(same_outcome, losses, stops):
    """With patience, the model ends with the parameters of its best epoch, whether or not it was stopped early."""

    def probe(m):
        _, model = scripted_fit(m, losses, patience=1 if stops else 9)
        return {"parameter of the model": model.level.item()}

    same_outcome(probe)


@points(0.5)
@few
@given(losses=st.sampled_from([[5.0, 2.0, 4.0], [2.0, 4.0, 5.0], [4.0, 2.0, 2.0, 2.0]]))
def test_best_buffers(same_outcome, losses):
    """It ends with the buffers of its best epoch, too; of several that are equally good, the first one's."""

    def probe(m):
        _, model = scripted_fit(m, losses, patience=9)
        return {"buffer of the model (training passes so far)": model.count.item()}

    same_outcome(probe)


@points(0.75)
@few
@given(losses=st.sampled_from([[5.0, 2.0, 4.0, 4.0], [2.0, 4.0, 5.0, 7.0]]))
def test_without_patience(same_outcome, losses):
    """Without patience, all epochs are trained, and the model stays as it is after the last."""

    def probe(m):
        history, model = scripted_fit(m, losses)
        return {"number of epochs": len(history), "parameter of the model": model.level.item()}

    same_outcome(probe)


@points(0.75)
@settings(max_examples=2)
@given(patience=st.sampled_from([None, 2]))
def test_no_epochs(same_outcome, patience):
    """With epochs=0 the result is an empty list, and the model is not touched."""

    def probe(m):
        history, model = scripted_fit(m, [], epochs=0, patience=patience)
        return {"history": history, "value of": values(model)}

    same_outcome(probe)


@points(1)
@settings(max_examples=4)
@given(seed=seeds, patience=st.sampled_from([None, 1, 2]))
def test_everything_at_once(same_outcome, seed, patience):
    """A real model with batch normalisation and a real optimizer, which learn the training set by heart."""
    train, valid = tiny_batches(4, 4, 3, seed=seed), tiny_batches(5, 2, seed=seed + 1)

    def probe(m):
        model = tiny_model(batch_norm=True)
        history = m.fit(model, train, valid, cross_entropy, OPTIMIZERS["Adam"](model), epochs=4, patience=patience)
        return {"history": plain(history), "value of": values(model)}

    same_outcome(probe, tolerance=SHARES)
