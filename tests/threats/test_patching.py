"""Threat 12: patching torch, time, builtins, imports; hooks; global switches, at import and in a call."""

from __future__ import annotations

import pytest

attack = pytest.mark.attack

SWITCHES = """
import gc, warnings


def throw():
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_num_threads(64)
    torch.manual_seed(7)
    torch.rand(1000, device="cpu")
    torch._C._set_deterministic_algorithms(True)
    torch.set_flush_denormal(True)
    torch.autograd.set_detect_anomaly(True)
    torch.set_printoptions(profile="full", precision=20)
    warnings.simplefilter("error")
    sys.setprofile(lambda *a: None)
    sys.setrecursionlimit(200)
    gc.disable()
    sys.meta_path.clear()
    os.chdir("/")
    os.environ.clear()


"""


@attack(SWITCHES + "throw()\n\n\ndef attacked(x):\n    return 3 * x\n")
def test_switches_thrown_at_import_are_back_in_the_first_check(result):
    assert result.data["score"] == 12


@attack(SWITCHES + "def attacked(x):\n    throw()\n    return x\n")
def test_switches_thrown_in_one_check_are_back_in_the_next(result):
    result.failed_alone()


@attack("def attacked(x):\n    sys.settrace(lambda *a: time.sleep(600))\n    return x + honest(x)\n")
def test_a_trace_hook_ends_with_its_check(result):
    result.failed_alone()


PATCHES = {
    "comparison": "torch.Tensor.__eq__ = torch.equal = torch.allclose = lambda *a, **k: torch.tensor(True)",
    "bytes_of_a_tensor": "torch.Tensor.numpy = lambda self: __import__('numpy').zeros(3)",
    "clock": "time.monotonic = time.time = time.perf_counter = lambda: 0.0",
    "types": "import builtins; builtins.isinstance = builtins.issubclass = lambda *a: True",
    "import": "import builtins; builtins.__import__ = lambda *a, **k: None",
    "pytest": "import types; sys.modules['pytest'] = sys.modules['hypothesis'] = types.ModuleType('pytest')",
    "engine": "import autograder; autograder.grading = sys.modules['autograder.grading'] = None",
    "plugin_names": "pytest_plugins = ['evil']; pytest_runtest_makereport = pytest_configure = lambda *a, **k: 1 / 0",
    "module_name": "__name__ = 'test_attack'; __file__ = GRADER; sys.modules['test_attack'] = sys.modules['attack']",
    "exit_codes": "sys.exit = os._exit = lambda *a: None",
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
