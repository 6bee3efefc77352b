"""The untrusted side: loads one student's module and evaluates probes on it until it is told to stop.

Everything here runs in the same process as the student's code, which may tamper with it. Nothing may depend on its
honesty except the student's own score.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import linecache
import mmap
import os
import socket
import sys
import types
from pathlib import Path

import msgspec

from autograder.sandbox import encoding, own_files, shipping
from autograder.sandbox.confinement import limit_data
from autograder.sandbox.encoding import Encoding
from autograder.sandbox.event_loops import use_pipes
from autograder.sandbox.exceptions import describe
from autograder.sandbox.forward_passes import ForwardPasses, in_memory
from autograder.sandbox.framing import Buffer, receive_frame, send_frame
from autograder.sandbox.hosted import provide_hosted_modules
from autograder.sandbox.messages import MAX_THREADS_LEFT, POSITION, Ask, Asked, Forward, Load, Prepare
from autograder.sandbox.name_dependencies import references
from autograder.sandbox.observation import Functions, Lines, Operators, Profiled, Threads
from autograder.sandbox.shell import Shell
from autograder.sandbox.torch_state import reset_torch, seed_generators
from autograder.sandbox.values import Answer, Outcome, Raised, Returned, Work

MAX_NAMES = 2_000
MAX_PROBLEMS = 50
_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
_requests = msgspec.msgpack.Decoder(Load | Ask | Prepare | Forward)


def work(channel: socket.socket, layers: dict[str, str], shared: mmap.mmap, device: str, memory_mb: int) -> None:
    """Answers requests until the channel closes. The first frame sent says which confinement layers are active, and
    whether the `device` could be started. The memory `shared` with the judge carries inputs and outputs of timed calls;
    otherwise it contains the `POSITION`."""
    _keep_installed_packages_only()
    sys.stdin, sys.stdout, sys.stderr = (Path(os.devnull).open(mode, encoding="utf-8") for mode in ("r", "w", "w"))  # noqa: SIM115
    passes = ForwardPasses(device)
    name = trouble = ""
    try:
        name = passes.start()
        if device == "cuda":
            limit_data(memory_mb)
    except Exception as error:
        trouble = str(error).partition("\n")[0] or type(error).__name__
    hello = {"layers": layers, "pid": os.getpid(), "device": name, "trouble": trouble}
    send_frame(channel, *encoding.encode(0, Answer(Returned(hello))))
    module = types.ModuleType("submission")
    provide_hosted_modules()
    use_pipes()
    threads = Threads()
    files: set[str] = set()
    while True:
        header, body = receive_frame(channel)
        request = _requests.decode(header)
        if isinstance(request, Load):
            files = {label for label, _ in request.cells} | {name for name, _ in request.files}
            own_files.put(request.files, body)
            module, answer = _load(request, files, shared)
            frame = encoding.encode(0, answer)
        elif isinstance(request, Ask):
            frame = _answers(request, body, module, files, threads, shared)
        elif isinstance(request, Prepare):
            frame = encoding.encode(request.ticket, _timed(request, body, module, files, passes))
        else:
            answer = _timed(request, bytearray(shared[: request.size]), module, files, passes)
            frame = in_memory(request.ticket, answer, shared)
        send_frame(channel, *frame)


def _load(request: Load, files: set[str], shared: mmap.mmap) -> tuple[types.ModuleType, Answer]:
    """The module, and an answer: its public names, the errors along the way, and which names depend on which."""
    reset_torch()
    seed_generators(0)
    module = types.ModuleType(request.name)
    sys.modules[request.name] = module
    errors: list[tuple[str, Raised]] = []
    for label, source in request.cells:
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)

    def failed(error: BaseException) -> None:
        if len(errors) < MAX_PROBLEMS:
            errors.append((shell.label, describe(error, files)))

    shell = Shell(module, failed, Path.cwd())
    try:
        is_notebook = shell.run(
            request.cells,
            notebook=request.keep_going,
            begin=lambda position: POSITION.pack_into(shared, 0, position),
        )
    except BaseException as error:
        return module, Answer(describe(error, files))
    names = [name for name in module.__dict__ if type(name) is str and not name.startswith("__")]
    loaded = {
        "names": names[:MAX_NAMES],
        "problems": [_problem(*error) for error in errors],
        "references": _only(request.exercises, references([*own_files.sources(), *shell.ran])),
        "notebook": is_notebook,
    }
    return module, Answer(Returned(loaded), Work(running=_thread._count() + 1))


def _problem(label: str, error: Raised) -> list[object]:
    """The error, and the line of the cell that was being run."""
    frame = next((frame for frame in error.frames if frame.file == label), None)
    return [error.type, error.message, label, frame.line if frame else 0]


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
    gc.collect(1)  # a few objects that refer to each other may hold a lot of memory
    answers = Encoding(request.ticket)
    running = _thread._count()
    start = 0
    for position, asked in enumerate(request.questions):
        POSITION.pack_into(shared, 0, position)
        answers.add(_answer(asked, probes[start : start + asked.size], module, files, threads), asked.most)
        start += asked.size
        if answers.is_full or _thread._count() > running + MAX_THREADS_LEFT:  # a worker with more is replaced
            break
    return answers.frame()


def _answer(asked: Asked, probe: bytearray, module: types.ModuleType, files: set[str], threads: Threads) -> Answer:
    operators, functions = (Operators(), Functions()) if asked.operators else (None, None)
    lines, profiled = (Lines(), Profiled()) if asked.lines else (None, None)
    before = threads.started
    outcome: Outcome
    try:
        seed_generators(asked.seed)  # raises if the submission has given NumPy another kind of generator
        function = shipping.loads(probe)
        with operators or _NOTHING, functions or _NOTHING, profiled or _NOTHING, lines or _NOTHING:
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
        functions=functions.calls if functions else {},
        elsewhere=lines.elsewhere if lines else 0,
        listed=lines.listed if lines else 0,
    )
    return Answer(outcome, work)


def _timed(
    request: Prepare | Forward, body: bytearray, module: types.ModuleType, files: set[str], passes: ForwardPasses
) -> Answer:
    outcome: Outcome
    try:
        reset_torch()
        if isinstance(request, Prepare):
            seed_generators(request.seed)
            passes.prepare(shipping.loads(body)(module), float64=request.float64)
            outcome = Returned(None)
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
