"""`compare_architectures(models, input_shape)`: a list of rows with name, parameters and MACs."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    column,
    conv,
    entry,
    gated_network,
    hooks,
    lived_in,
    models_to_count,
    modes,
    nested,
    rows_of,
    small_models,
    twins,
)

from autograder.grading import exercise, points

pytestmark = exercise("compare_architectures")

few = settings(max_examples=6)
widths = st.integers(2, 4)
orders = st.permutations(list(small_models(2)))


def shape(width, batch=1):
    return batch, width, 8, 8


@points(1)
@few
@given(width=widths, order=orders)
def test_names(same_outcome, width, order):
    """There is one row for each model, with its name."""

    def probe(m):
        models = small_models(width)
        rows = rows_of(m.compare_architectures({name: models[name] for name in order}, shape(width)))
        return {"names in any order": sorted(entry(row, "name") for row in rows)}

    same_outcome(probe)


@points(0.75)
@few
@given(width=widths)
def test_keys(same_outcome, width):
    """Each row has the keys "name", "parameters" and "macs", and no others."""

    def probe(m):
        rows = rows_of(m.compare_architectures({"a": conv(width, 2)}, shape(width)))
        return {"keys of the row": sorted(rows[0])}

    same_outcome(probe)


@points(1.25)
@few
@given(width=widths)
def test_parameters(same_outcome, width):
    """The number of parameters counts single numbers; running statistics and other buffers are not among them."""

    def probe(m):
        models = {**small_models(width), "buffers": models_to_count(width)["buffers"]}
        return {"number of parameters of": column(m.compare_architectures(models, shape(width)), "parameters")}

    same_outcome(probe)


def parameters_of(m, name, width):
    models = {name: models_to_count(width)[name]}
    return {"number of parameters": column(m.compare_architectures(models, shape(width)), "parameters")[name]}


@points(0.75)
@few
@given(width=widths)
def test_frozen_parameters(same_outcome, width):
    """Frozen parameters count, too."""
    same_outcome(lambda m: parameters_of(m, "frozen", width))


@points(0.75)
@few
@given(width=widths)
def test_shared_parameters(same_outcome, width):
    """A parameter that is used in several places counts once."""
    same_outcome(lambda m: parameters_of(m, "a layer twice", width))
    same_outcome(lambda m: parameters_of(m, "tied", width))


@points(1.25)
@few
@given(width=widths, batch=st.integers(1, 3))
def test_macs(same_outcome, width, batch):
    """The MACs are those of one forward pass with an input of this shape, batch included."""

    def probe(m):
        result = m.compare_architectures(small_models(width), shape(width, batch))
        return {"MACs of": column(result, "macs")}

    same_outcome(probe)


@points(1.25)
@few
@given(width=widths, order=orders)
def test_order(same_outcome, width, order):
    """The rows are sorted by MACs, the cheapest model first, whatever the order in the dict."""

    def probe(m):
        models = small_models(width)
        rows = rows_of(m.compare_architectures({name: models[name] for name in order}, shape(width)))
        return {"names from the first row to the last": [entry(row, "name") for row in rows]}

    same_outcome(probe)


@points(1)
@few
@given(names=st.permutations(["a", "b", "B", "ab", "c"]), width=widths)
def test_ties(same_outcome, names, width):
    """Models with equal MACs are sorted by name."""

    def probe(m):
        rows = rows_of(m.compare_architectures(twins(names, width), shape(width)))
        return {"names from the first row to the last": [entry(row, "name") for row in rows]}

    same_outcome(probe)


@points(0.5)
@few
@given(width=widths)
def test_types(same_outcome, width):
    """The result is a list of dicts, and its numbers are plain ints."""

    def probe(m):
        result = m.compare_architectures({"a": conv(width, 2)}, shape(width))
        row = rows_of(result)[0]
        return {
            "type of the result": type(result).__name__,
            "type of a row": type(row).__name__,
            "types of the entries of a row": sorted(type(value).__name__ for value in row.values()),
        }

    same_outcome(probe)


@points(0.5)
@few
@given(width=widths, seed=st.integers(0, 99))
def test_models_are_left_alone(same_outcome, width, seed):
    """The dict and the modes and hooks of the models in it are the same afterwards."""

    def probe(m):
        models = {"a": lived_in(nested(width), seed=seed), "b": lived_in(nested(width))}
        first = models["a"]
        m.compare_architectures(models, shape(width, 2))
        return {
            "names in the dict afterwards": list(models),
            "mode (True for training) of": modes(first),
            "number of hooks of": hooks(first),
        }

    same_outcome(probe)


@points(0.25)
@few
@given(width=widths)
def test_no_models(same_outcome, width):
    """Without models, the result is an empty list; the arguments can be given by name."""
    same_outcome(lambda m: {"number of rows": len(m.compare_architectures(input_shape=shape(width), models={}))})


@points(0.75)
@few
@given(width=widths, order=orders)
def test_everything_together(same_outcome, width, order):
    """Models of all kinds, some equal, some frozen: all rows, in the right order."""

    def probe(m):
        models = small_models(3)
        models = {name: models[name] for name in order}
        models |= {"same": models["wide"], "gated": gated_network(width), **models_to_count(3)}
        rows = rows_of(m.compare_architectures(models, (2, 3, 16, 16)))
        return {"rows": [[entry(row, key) for key in ("name", "parameters", "macs")] for row in rows]}

    same_outcome(probe)
