"""`accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size)`: one step for a batch in small parts."""

import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from inputs import OPTIMIZERS, TYPE, number, tiny_batches, tiny_model, type_of, values, with_gradients

from autograder.grading import exercise, points
from autograder.probes import Journal, WatchedLoss, watched_model, watched_optimizer

pytestmark = exercise("accumulate_gradients")

seeds = st.integers(0, 9999)
even = st.sampled_from([(6, 3), (8, 2), (6, 2)])
uneven = st.sampled_from([(7, 3), (10, 4), (5, 2)])
few = settings(max_examples=5)


class Part:
    """A call whose model, loss and optimizer write in one journal."""

    def __init__(self, m, case, *, seed=0, optimizer="SGD with lr=0", prepare=lambda model: model):
        count, size = case
        [(x, y)] = tiny_batches(count, seed=seed)
        self.journal = Journal()
        self.journal.introduce(x)
        self.model = watched_model(prepare(tiny_model()), self.journal)
        self.optimizer = watched_optimizer(OPTIMIZERS[optimizer](self.model), self.journal)
        loss_fn = WatchedLoss(F.cross_entropy, self.journal)
        self.result = m.accumulate_gradients(self.model, x, y, loss_fn, self.optimizer, size)

    def gradient(self):
        """What the optimizer found at its last step."""
        return {"gradient that the optimizer found": (self.journal.gradients or [None])[-1]}


@points(1.75)
@few
@given(seed=seeds, case=even)
def test_equal_parts(same_outcome, seed, case):
    """The step finds the gradients of the whole batch's mean loss, if all parts have the same size."""
    same_outcome(lambda m: Part(m, case, seed=seed).gradient())


@points(1.5)
@few
@given(seed=seeds, case=uneven)
def test_smaller_last_part(same_outcome, seed, case):
    """So it does if the last part is smaller: every sample counts the same."""
    same_outcome(lambda m: Part(m, case, seed=seed).gradient())


@points(1)
@few
@given(seed=seeds, case=even)
def test_one_step(same_outcome, seed, case):
    """There is one step of the optimizer, after all parts."""

    def probe(m):
        events = [kind for kind, _ in Part(m, case, seed=seed).journal.events if kind in ("forward", "step")]
        return {
            "number of steps": events.count("step"),
            'answer to "does the step come last?"': events[-1:] == ["step"],
        }

    same_outcome(probe)


@points(1.5)
@few
@given(seed=seeds, case=st.one_of(even, uneven))
def test_size_of_the_parts(same_outcome, seed, case):
    """At most micro_batch_size samples are in the model at a time."""

    def probe(m):
        sizes = [len(numbers) for numbers in Part(m, case, seed=seed).journal.passes]
        return {f"list of sizes above {case[1]} of forward passes": [size for size in sizes if size > case[1]]}

    same_outcome(probe)


@points(0.5)
@few
@given(seed=seeds, case=even)
def test_order_of_the_samples(same_outcome, seed, case):
    """Every sample goes through the model once, in the order of the batch."""

    def probe(m):
        passes = Part(m, case, seed=seed).journal.passes
        return {"list of samples in the order of the forward passes": [number for part in passes for number in part]}

    same_outcome(probe)


@points(1)
@few
@given(seed=seeds, case=st.sampled_from([(4, 4), (6, 6)]))
def test_gradients_from_before(same_outcome, seed, case):
    """Gradients that are there before the call do not count."""
    same_outcome(lambda m: Part(m, case, seed=seed, prepare=with_gradients).gradient())


@points(1)
@few
@given(seed=seeds, case=uneven)
def test_mean_loss(same_outcome, seed, case):
    """The result is the mean loss of the whole batch, before the step."""
    same_outcome(lambda m: {"mean loss": number(Part(m, case, seed=seed, optimizer="SGD").result)})


@points(0.25)
@settings(max_examples=2)
@given(seed=seeds)
def test_python_float(same_outcome, seed):
    """The result is a Python float, not a tensor."""
    same_outcome(lambda m: {TYPE: type_of(Part(m, (4, 2), seed=seed).result)})


@points(0.5)
@settings(max_examples=3)
@given(size=st.sampled_from([0, -1, -2]))
def test_size_below_one(same_outcome, size):
    """A micro-batch of less than one sample raises a ValueError."""
    same_outcome(lambda m: Part(m, (4, size)).result, raises=ValueError)


@points(0.25)
@settings(max_examples=2)
@given(seed=seeds, case=st.sampled_from([(4, 4), (1, 1)]))
@example(seed=0, case=(3, 8))
@example(seed=0, case=(3, 1))
def test_one_part_or_single_samples(same_outcome, seed, case):
    """The batch may fit as a whole, and a micro-batch may be a single sample."""
    same_outcome(lambda m: Part(m, case, seed=seed).gradient())


@points(0.75)
@few
@given(seed=seeds, case=uneven, optimizer=st.sampled_from(["Adam", "momentum", "groups"]))
def test_everything_at_once(same_outcome, seed, case, optimizer):
    """A real optimizer, an uneven last part and gradients from before: all parameters and the loss are right."""

    def probe(m):
        part = Part(m, case, seed=seed, optimizer=optimizer, prepare=with_gradients)
        return {"mean loss": number(part.result), "value of": values(part.model)}

    same_outcome(probe)
