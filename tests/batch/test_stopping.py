"""Signals that end a job: what must not be lost is done first, and what was ignored stays ignored."""

from __future__ import annotations

import os
import signal

import pytest

from autograder.batch.stopping import Stops
from autograder.errors import Stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU])
def test_a_signal_stops_and_the_old_handler_comes_back(number):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped, Stops():
        os.kill(os.getpid(), number)
    assert stopped.value.number == number
    assert signal.getsignal(number) == before


def test_a_signal_waits_until_what_is_held_is_done():
    done = []

    def work(stops: Stops) -> None:
        with stops.held():
            with stops.held():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")
        done.append("not this")

    with pytest.raises(Stopped), Stops() as stops:
        work(stops)
    assert done == ["inner", "outer"]


def test_what_is_ignored_as_under_nohup_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stops():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
