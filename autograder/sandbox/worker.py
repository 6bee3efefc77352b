"""The untrusted side: loads one student's module and evaluates probes on it until it is told to stop.

Everything here runs in the same process as the student's code and may be tampered with by it. Nothing may depend on
its honesty but the student's own score.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import linecache
import mmap
import os
import random
import socket
import struct
import sys
import traceback
import types
import warnings
from pathlib import Path

import msgspec
import torch

from autograder.magics import provide_shell
from autograder.sandbox import shipping, values
from autograder.sandbox.forward_passes import ForwardPasses, in_memory
from autograder.sandbox.framing import Buffer, receive_frame, send_frame
from autograder.sandbox.observation import Lines, Operators, Profiled, Threads
from autograder.sandbox.references import references
from autograder.sandbox.values import Answer, Encoding, Frame, Outcome, Raised, Returned, Work

MAX_MESSAGE = 2_000
MAX_NAMES = 2_000


class Load(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Define the module `name` by running `cells` (label, source) in order.

    With `keep_going` an error in one cell does not stop the next, as in a notebook. Of `exercises` it is told which is
    built on which.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    keep_going: bool = False
    exercises: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """One of the probes in a frame's body. `operators` and `lines` (of the student's files, and the profiler) say what
    of its work to tell."""

    size: int
    seed: int
    operators: bool = False
    lines: bool = False


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probes in the frame's body, one after the other. `afresh`: first undo what earlier calls changed in
    torch's globals. The answers may be fewer than the questions: the rest has then to be asked again."""

    ticket: int
    questions: tuple[Asked, ...]
    afresh: bool = False


class Prepare(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probe in the frame's body and keep what it returns, a function, for `Forward`."""

    ticket: int
    seed: int
    device: str = "cpu"


class Forward(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Call the function kept by `Prepare` once with each of the tuples of tensors whose header is `inputs` (see
    `values`) and whose bytes are the first `size` of the shared memory. With `echo` nothing is called: what the last
    call returned is the answer again."""

    ticket: int
    inputs: bytes
    size: int
    echo: bool = False


MAX_ANSWER_BYTES = 4 * 2**20  # in one frame; the answer that goes beyond is the last
POSITION = struct.Struct("!Q")  # of the question or cell at work, at the beginning of the shared memory
_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
_requests = msgspec.msgpack.Decoder(Load | Ask | Prepare | Forward)


def work(channel: socket.socket, layers: dict[str, str], shared: mmap.mmap) -> None:
    """Answers requests until the channel closes. The first frame sent says which confinement layers hold. What is timed
    comes and goes through the memory `shared` with the judge; else it holds the `POSITION`."""
    _keep_installed_packages_only()
    sys.stdin, sys.stdout, sys.stderr = (Path(os.devnull).open(mode, encoding="utf-8") for mode in ("r", "w", "w"))  # noqa: SIM115
    send_frame(channel, *values.encode(0, Answer(Returned({"layers": layers, "pid": os.getpid()}))))
    module = types.ModuleType("submission")
    provide_shell()
    threads = Threads()
    passes = ForwardPasses()
    files: set[str] = set()
    while True:
        header, body = receive_frame(channel)
        request = _requests.decode(header)
        if isinstance(request, Load):
            files = {label for label, _ in request.cells}
            module, answer = _load(request, shared)
            frame = values.encode(0, answer)
        elif isinstance(request, Ask):
            frame = _answers(request, body, module, files, threads, shared)
        elif isinstance(request, Prepare):
            frame = values.encode(request.ticket, _timed(request, body, module, files, passes))
        else:
            answer = _timed(request, bytearray(shared[: request.size]), module, files, passes)
            frame = in_memory(request.ticket, answer, shared)
        send_frame(channel, *frame)


def reset_torch() -> None:
    """Puts torch's global switches back to where a new process has them."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)
    torch._C._set_deterministic_algorithms(False)  # the public function imports the whole compiler first
    torch.autograd.set_detect_anomaly(False)
    torch.backends.cudnn.benchmark = False
    random.seed(0)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    sys.settrace(None)
    sys.setprofile(None)


def seed_torch(seed: int) -> None:
    """Seeds the CPU's global generator. (`torch.manual_seed` also asks after every accelerator, at 50 µs a call.)"""
    torch.default_generator.manual_seed(seed)


def describe(error: BaseException, files: set[str] | tuple[()]) -> Raised:
    """What is to be said of an exception: of its traceback only the frames in the student's own `files`."""
    kind = type(error)
    names = [base.__name__ for base in type.mro(kind) if base.__module__ == "builtins" and base is not object]
    frames = []
    for step, line in traceback.walk_tb(error.__traceback__):
        code = step.f_code
        if code.co_filename in files:
            text = linecache.getline(code.co_filename, line or 0).strip()
            frames.append(Frame(code.co_filename, line or 0, code.co_name[:100], text[:200]))
    if isinstance(error, SyntaxError):
        frames = [Frame(str(error.filename), error.lineno or 0, "", (error.text or "").rstrip()[:200])]
    return Raised(values.type_name(kind), tuple(names), _message(error), tuple(frames[-3:]))


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
        return text[:MAX_MESSAGE].encode("utf-8", "replace").decode() if type(text) is str else ""
    except BaseException:
        return "(its message could not be read)"


def _load(request: Load, shared: mmap.mmap) -> tuple[types.ModuleType, Answer]:
    """The module, and an answer: its public names, the errors on the way, and which name is built on which."""
    reset_torch()
    module = types.ModuleType(request.name)
    sys.modules[request.name] = module
    if not request.keep_going:  # a file knows its own name, a notebook does not
        module.__file__ = request.cells[0][0]
    errors: list[Raised] = []
    files = {label for label, _ in request.cells}
    for position, (label, source) in enumerate(request.cells):
        POSITION.pack_into(shared, 0, position)
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
        try:
            exec(compile(source, label, "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            errors.append(describe(error, files))
            if not request.keep_going:
                return module, Answer(errors[0])
    names = [name for name in module.__dict__ if type(name) is str and not name.startswith("__")]
    problems = [[error.type, error.message, error.frames[-1].file if error.frames else ""] for error in errors[:50]]
    loaded = {
        "names": names[:MAX_NAMES],
        "problems": problems,
        "references": _only(request.exercises, references(source for _, source in request.cells)),
    }
    return module, Answer(Returned(loaded), Work(running=_thread._count() + 1))


def _only(wanted: tuple[str, ...], mentioned: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: [other for other in mentioned[name] if other in wanted] for name in wanted if name in mentioned}


def _answers(
    request: Ask,
    probes: bytearray,
    module: types.ModuleType,
    files: set[str],
    threads: Threads,
    shared: mmap.mmap,
) -> tuple[bytes, list[Buffer]]:
    if request.afresh:
        reset_torch()
    gc.collect(1)  # few objects that refer to each other may hold much memory
    answers = Encoding(request.ticket)
    running = _thread._count()
    start = 0
    for position, asked in enumerate(request.questions):
        POSITION.pack_into(shared, 0, position)
        answers.add(_answer(asked, probes[start : start + asked.size], module, files, threads))
        start += asked.size
        if answers.size > MAX_ANSWER_BYTES or _thread._count() > running:  # a worker with more threads is replaced
            break
    return answers.frame()


def _answer(asked: Asked, probe: bytearray, module: types.ModuleType, files: set[str], threads: Threads) -> Answer:
    operators = Operators() if asked.operators else None
    lines, profiled = (Lines(files), Profiled()) if asked.lines else (None, None)
    seed_torch(asked.seed)
    before = threads.started
    outcome: Outcome
    try:
        function = shipping.loads(probe)
        with operators or _NOTHING, profiled or _NOTHING, lines or _NOTHING:
            outcome = Returned(function(module))
    except BaseException as error:  # SystemExit and KeyboardInterrupt are outcomes as well
        outcome = describe(error, files)
    work = Work(
        operators=operators.counts if operators else {},
        profiled=profiled.count if profiled else 0,
        lines=lines.counts if lines else (),
        started=threads.started - before,
        running=_thread._count() + 1,
        watched=lines.watched if lines else True,
    )
    return Answer(outcome, work)


def _timed(
    request: Prepare | Forward, body: bytearray, module: types.ModuleType, files: set[str], passes: ForwardPasses
) -> Answer:
    outcome: Outcome
    try:
        reset_torch()
        if isinstance(request, Prepare):
            seed_torch(request.seed)
            outcome = Returned(passes.prepare(shipping.loads(body)(module), request.device))
        else:
            outcome = Returned((passes.echo if request.echo else passes.run)(request.inputs, body))
    except BaseException as error:
        outcome = describe(error, files)
    return Answer(outcome, Work(running=_thread._count() + 1))


def _keep_installed_packages_only() -> None:
    sys.path[:] = [
        path for path in sys.path if path.endswith(("site-packages", "dist-packages")) or "/lib/python" in path
    ]
    sys.argv[:] = [""]
