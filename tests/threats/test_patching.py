"""Threat 12: patching torch, time, builtins, imports; hooks; global switches, at import and in a call."""

from __future__ import annotations

import pytest

attack = pytest.mark.attack

SWITCHES = {
    "default_dtype": "torch.set_default_dtype(torch.float64)",
    "default_device": "torch.set_default_device('meta')",
    "grad_mode": "torch.set_grad_enabled(False)",
    "threads": "torch.set_num_threads(64)",
    "seed": "torch.manual_seed(7)",
    "random_state": "torch.rand(1000)",
    "deterministic": "torch.use_deterministic_algorithms(True)",
    "denormals": "torch.set_flush_denormal(True)",
    "anomalies": "torch.autograd.set_detect_anomaly(True)",
    "print_options": "torch.set_printoptions(profile='full', precision=20)",
    "warnings_as_errors": "import warnings; warnings.simplefilter('error')",
    "trace_hook": "sys.settrace(lambda *a: time.sleep(600))",
    "profile_hook": "sys.setprofile(lambda *a: None)",
    "garbage_collector": "import gc; gc.disable()",
    "import_hook": "sys.meta_path.insert(0, None); sys.meta_path.clear()",
    "working_folder": "os.chdir('/')",
    "environment": "os.environ.clear()",
    "recursion_limit": "sys.setrecursionlimit(150)",
}
TRACES = {"trace_hook"}


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param(name, id=name, marks=attack(f"def attacked(x):\n    {code}\n    return 3 * x\n"))
        for name, code in SWITCHES.items()
    ],
)
def test_a_switch_thrown_in_one_check_is_back_in_the_next(result, switch):
    assert result.honest_points == {"refusing": 2, "honest": 4}, switch


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param(name, id=name, marks=attack(f"def attacked(x):\n    return 3 * x\n\n\n{code}\n"))
        for name, code in SWITCHES.items()
        if name not in TRACES
    ],
)
def test_a_switch_thrown_at_import_is_back_in_the_first_check(result, switch):
    assert result.data["score"] == 12, switch


PATCHES = {
    "comparison": "torch.Tensor.__eq__ = torch.equal = torch.allclose = lambda *a, **k: torch.tensor(True)",
    "closeness": "torch.isclose = lambda a, b, **k: torch.ones_like(a, dtype=torch.bool)",
    "bytes_of_a_tensor": "torch.Tensor.numpy = lambda self: __import__('numpy').zeros(3)",
    "clock": "time.monotonic = time.time = time.perf_counter = lambda: 0.0",
    "sleep": "time.sleep = lambda seconds: None",
    "types": "import builtins; builtins.isinstance = builtins.issubclass = lambda *a: True",
    "exceptions": "import builtins; builtins.AssertionError = builtins.Exception = ValueError",
    "import": "import builtins; builtins.__import__ = lambda *a, **k: None",
    "pytest": "import types; sys.modules['pytest'] = sys.modules['hypothesis'] = types.ModuleType('pytest')",
    "engine": "import autograder; autograder.grading = sys.modules['autograder.grading'] = None",
    "judge_by_name": "import autograder.probes; autograder.probes.gradients = lambda *a: None",
    "plugin_names": "pytest_plugins = ['evil']; pytest_runtest_makereport = pytest_configure = lambda *a, **k: 1 / 0",
    "module_name": "__name__ = 'test_attack'; __file__ = GRADER; sys.modules['test_attack'] = sys.modules['attack']",
    "points": "attacked_points = score = max_score = 10**6; __score__ = 100",
    "exit_codes": "sys.exit = os._exit = lambda *a: None",
    "excepthook": "sys.excepthook = sys.unraisablehook = lambda *a: os._exit(0)",
    "codecs": "import codecs; codecs.register(lambda name: 1 / 0)",
    "copyreg": "import copyreg; copyreg.clear_extension_cache()",
}


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(name, id=name, marks=attack(f"{code}\n\n\ndef attacked(x):\n    return x\n"))
        for name, code in PATCHES.items()
    ],
)
def test_a_patch_turns_no_wrong_answer_into_a_right_one(result, patch):
    assert result.points["attacked"] == 0, patch
    assert result.data["extra_data"]["state"] == "graded"


@attack("""
def attacked(x):
    for thing in (torch.Tensor, torch.nn.Module, torch.nn.functional, torch, os, sys.modules[__name__]):
        for name in list(vars(thing)):
            try:
                setattr(thing, name, None)
            except BaseException:
                pass
    return 3
""")
def test_a_torn_down_torch_is_the_submissions_own_loss(result):
    assert result.points["attacked"] == 0
    assert result.data["extra_data"]["state"] == "graded"
