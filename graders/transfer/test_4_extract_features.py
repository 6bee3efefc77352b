"""`extract_features(model, x, layer)`: the output of a layer in evaluation mode, and a model that stays as it was."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    CHILDREN,
    DOTTED,
    UNKNOWN,
    asks_itself,
    float64,
    fragile,
    freeze_some,
    hooks,
    in_place_first,
    in_place_later,
    in_place_next,
    mix_modes,
    modes,
    named,
    perceptron,
    photo,
    states,
    trainable,
    values,
    view_then_in_place,
)

from autograder.grading import Tolerance, exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import on_meta_device

pytestmark = exercise("extract_features")

CLOSE = Tolerance(1e-3, 1e-4)
names = st.sampled_from(CHILDREN)
FIRST = "stem"  # where the layer is not the question: right even for code that finds the first layer only
seeds = st.integers(0, 99)
two = tensors((2, 3), layouts=False)


def photos(batches=(1, 3), layouts=False, **options):
    return tensors(shapes(batches, (3, 3), (1, 5), (1, 5)), layouts=layouts, **options)


@points(2)
@given(x=photos(), layer=st.sampled_from(CHILDREN))
def test_direct_child(same_outcome, x, layer):
    """The result is the output of the layer with that name, as the model computes it along the way."""
    same_outcome(lambda m: m.extract_features(photo().eval(), x, layer), tolerance=CLOSE, exact="shape")


@points(2)
@settings(max_examples=3)
@given(x=photos())
def test_dotted_name(same_outcome, x):
    """The layer may be nested: in an nn.Sequential, a ModuleList, a ModuleDict or a module of any other kind."""
    for layer in DOTTED:
        same_outcome(lambda m, layer=layer: m.extract_features(photo().eval(), x, layer), tolerance=CLOSE)


@points(2)
@given(x=tensors((3, 3), layouts=False), layer=st.sampled_from(["noise", "norm", "drop", "top"]), seed=seeds)
def test_evaluation_mode(same_outcome, x, layer, seed):
    """The features are computed in evaluation mode, whatever mode the model or some of its submodules are in."""

    def probe(m):
        return {
            "features of a model in training mode": m.extract_features(asks_itself().train(), x, layer),
            "features of a model in mixed modes": m.extract_features(mix_modes(asks_itself(), seed), x, layer),
        }

    same_outcome(probe, tolerance=CLOSE)


@points(1)
@settings(max_examples=15)
@given(x=photos(batches=(2, 3)))
def test_model_is_not_modified(same_outcome, x):
    """Parameters, running statistics, gradients, frozen and trainable parameters are the same afterwards."""

    def probe(m):
        model = freeze_some(photo(), 1)
        m.extract_features(model, x, FIRST)
        grads = [parameter.grad for parameter in model.parameters()]
        return {"value of": values(model), "requires_grad of": trainable(model), "gradients": grads}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(x=photos())
def test_arguments_by_name(same_outcome, x):
    """The arguments are called `model`, `x` and `layer`."""
    same_outcome(lambda m: m.extract_features(layer=FIRST, x=x, model=photo().eval()), tolerance=CLOSE)


@points(2)
@settings(max_examples=8)
@given(x=photos(batches=(2, 3)), seed=seeds)
def test_modes(same_outcome, x, seed):
    """Afterwards every submodule is in the mode it was in before, even if they were not all in the same one."""

    def probe(m):
        models = {
            "the model was in training mode": photo().train(),
            "the model was in evaluation mode": photo().eval(),
            "the modes were mixed": mix_modes(photo(), seed),
        }
        for model in models.values():
            m.extract_features(model, x, FIRST)
        return {f"mode (True for training; {before}) of": modes(model) for before, model in models.items()}

    same_outcome(probe)


@points(1.0)
@given(x=photos(), others=st.lists(names, max_size=3))
def test_hooks(same_outcome, x, others):
    """Afterwards the model has the hooks it had before: ours are gone, other people's are still there and run."""

    def probe(m):
        model, calls = photo().eval(), []
        for name in others:
            model.get_submodule(name).register_forward_hook(lambda *_: calls.append("after"))
            model.get_submodule(name).register_forward_pre_hook(lambda *_: calls.append("before"))
        m.extract_features(model, x, FIRST)
        left = hooks(model)
        calls.clear()
        model.eval()(x)
        return {"number of hooks of": left, "number of times other hooks run afterwards": len(calls)}

    same_outcome(probe)


def raising(m, model, layer):
    """The outcome of a call whose forward raises before it reaches `layer`."""
    try:
        m.extract_features(model, torch.ones(3, 3), layer)
    except OverflowError:
        return "OverflowError"
    return "nothing"


@points(1.5)
@given(layer=st.sampled_from(["after", "guard"]), seed=seeds)
def test_modes_after_an_exception(same_outcome, layer, seed):
    """When the forward pass raises, the exception reaches the caller, and the modes are still as before."""

    def probe(m):
        model = mix_modes(fragile(), seed)
        return {"exception that the call raises": raising(m, model, layer), "mode (True for training) of": modes(model)}

    same_outcome(probe)


@points(1)
@given(layer=st.sampled_from(["after", "guard"]), others=st.lists(st.sampled_from(["guard", "after"])))
def test_hooks_after_an_exception(same_outcome, layer, others):
    """When the forward pass raises, the exception reaches the caller, and still no hook of ours is left."""

    def probe(m):
        model = fragile().eval()
        for name in others:
            model.get_submodule(name).register_forward_hook(lambda *_: None)
        return {"exception that the call raises": raising(m, model, layer), "number of hooks of": hooks(model)}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=15)
@given(x=photos(batches=(2, 3)))
def test_no_graph(same_outcome, x):
    """The result has no graph, even if parameters or the input require gradients; the input still requires them."""

    def probe(m):
        leaf = x.clone().requires_grad_()
        plain, other = m.extract_features(photo(), x, FIRST), m.extract_features(photo(), leaf, FIRST)
        return {
            "requires_grad of the result": [plain.requires_grad, other.requires_grad],
            'answer to "does the result have a graph?"': [plain.grad_fn is not None, other.grad_fn is not None],
            "requires_grad of the input": [x.requires_grad, leaf.requires_grad],
        }

    same_outcome(probe)


@points(0.5)
@given(layer=st.sampled_from(["after", "guard"]), enabled=st.booleans(), size=st.sampled_from([2, 3]))
def test_grad_mode(same_outcome, layer, enabled, size):
    """Autograd is on or off afterwards as it was before, even after an exception."""

    def probe(m):
        with torch.set_grad_enabled(enabled):
            if size > 2:
                raising(m, fragile(), layer)
            else:
                m.extract_features(fragile(), torch.ones(size, 3), layer)
            return {"result of torch.is_grad_enabled() afterwards": torch.is_grad_enabled()}

    same_outcome(probe)


@points(1.5)
@given(x=tensors(st.sampled_from([(2, 6), (2, 2, 3)])), build=st.sampled_from([in_place_first, view_then_in_place]))
def test_input_is_not_modified(same_outcome, x, build):
    """The tensor that was passed in is the same afterwards, even if the first layer works in place."""

    def probe(m):
        model = build().eval()
        m.extract_features(model, x, next(reversed(named(model))))
        return {"input after the call": x}

    same_outcome(probe)


@points(1.5)
@given(x=tensors((2, 6), layouts=False))
def test_later_layers_work_in_place(same_outcome, x):
    """The result is what the layer returned, even if a later layer writes into that tensor."""
    same_outcome(lambda m: m.extract_features(in_place_next().eval(), x, "1"), tolerance=CLOSE)
    same_outcome(lambda m: m.extract_features(in_place_later().eval(), x, "first"), tolerance=CLOSE)
    same_outcome(lambda m: m.extract_features(in_place_later().eval(), x, "second"), tolerance=CLOSE)


@points(1.5)
@settings(max_examples=2)
@given(x=photos(batches=(2, 3)))
def test_unknown_name(same_outcome, x):
    """A name that no submodule has raises a ValueError, even if a longer name ends in it or a parameter has it."""
    for layer in UNKNOWN:
        same_outcome(lambda m, layer=layer: m.extract_features(photo(), x, layer), raises=ValueError)


@points(0.5)
@settings(max_examples=15)
@given(x=photos(batches=(2, 3)), layer=st.sampled_from(UNKNOWN), seed=seeds)
def test_unknown_name_leaves_the_model_alone(same_outcome, x, layer, seed):
    """After the ValueError for an unknown name, the model has the modes and hooks that it had before."""

    def probe(m):
        model = mix_modes(photo(), seed)
        try:
            m.extract_features(model, x, layer)
            refused = False
        except NotImplementedError:
            raise
        except Exception:
            refused = True
        return {'answer to "does the call raise an exception?"': refused, **states(model)}

    same_outcome(probe)


@points(0.5)
@given(x=photos(dtype=float64))
def test_dtype(same_outcome, x):
    """A model in float64 gives features in float64, one in float32 in float32."""
    same_outcome(lambda m: m.extract_features(photo().double().eval(), x / 3, FIRST), exact="dtype")
    same_outcome(lambda m: m.extract_features(photo().eval(), x.float(), FIRST), exact="dtype")


@points(0.5)
@settings(max_examples=4)
@given(x=photos())
def test_device(same_outcome, x):
    """The features are on the device of the model. (Here: "meta", which has no numbers and stands in for a GPU.)"""

    def probe(m):
        m.extract_features(photo().eval(), x, FIRST)
        model, elsewhere = photo().eval().to("meta"), x.to("meta")
        same = on_meta_device(lambda: m.extract_features(model, elsewhere, FIRST))
        return {'answer to "are the features on the device of the model?"': same}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=15)
@given(x=photos(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: m.extract_features(photo().eval(), x, FIRST), tolerance=CLOSE)


@points(0.5)
@settings(max_examples=15)
@given(one=two, other=two, layer=st.sampled_from(["0", "1", "4"]))
def test_two_calls(same_outcome, one, other, layer):
    """A second call does not change the result of the first one, and the model can be trained afterwards."""

    def probe(m):
        model = perceptron().eval()
        first, second = m.extract_features(model, one, layer), m.extract_features(model, other, layer)
        with torch.enable_grad():
            model.eval()(one).square().sum().backward()
        gradient = model[0].weight.grad
        return {"features": [first, second], "gradient of a parameter in training": gradient}

    same_outcome(probe, tolerance=CLOSE)


@points(2)
@settings(max_examples=15)
@given(x=photos(layouts=True), layer=st.sampled_from([*CHILDREN, *DOTTED]), seed=seeds, double=st.booleans())
def test_everything_at_once(same_outcome, x, layer, seed, double):
    """Features of any layer of a network in mixed modes, partly frozen, in either dtype; then all is as it was."""

    def probe(m):
        model, given = mix_modes(freeze_some(photo(), seed), seed), x
        if double:
            model, given = model.double(), x.double()
        features = m.extract_features(model, given, layer)
        return {"features": features, "input after the call": given, **states(model), "value of": values(model)}

    same_outcome(probe, tolerance=CLOSE)
