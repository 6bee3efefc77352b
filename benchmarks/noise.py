"""How often a submission exactly at the limit loses points on a GPU through noise: simulated, in a minute.

Run `python benchmarks/noise.py [checks]`. A check is timed by two clocks, and a deduction is confirmed once more.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable

from autograder.timing.decision import Thresholds, Verdict, overall, verdict

LIMITS = Thresholds(8, 32)
CLOCKS = 2
NOISES: dict[str, Callable[[random.Random], float]] = {
    "normal, 10 %": lambda chance: chance.gauss(0, 0.1),
    "heavy tails": lambda chance: 0.1 * chance.gauss(0, 1) / max(1e-9, abs(chance.gauss(0, 1))),
    "now and then three times as long": lambda chance: (
        chance.choice((0, 0, 0, 0, 1, -1)) * math.log(3) + chance.gauss(0, 0.05)
    ),
}


def is_slow(draw: Callable[[], float]) -> bool:
    """One measurement, with noise that the clocks do not share."""
    series: list[list[float]] = [[] for _ in range(CLOCKS)]
    while True:
        for logs in series:
            logs.append(math.log(LIMITS.full) + draw())
        found = overall([verdict(logs, LIMITS) for logs in series], strict=True)
        if found is not Verdict.OPEN:
            return found is Verdict.SLOW


def larger_of_both_is_slow(draw: Callable[[], float]) -> bool:
    """What it would be if the larger ratio of each quadruple counted."""
    logs: list[float] = []
    while (found := verdict(logs, LIMITS)) is Verdict.OPEN:
        logs.append(math.log(LIMITS.full) + max(draw() for _ in range(CLOCKS)))
    return found is Verdict.SLOW


def main(checks: int) -> None:
    chance = random.Random(19)
    print(f"{'noise':34} {'a verdict per clock':>20} {'the larger of both':>20}")
    for name, noise in NOISES.items():
        shares = [
            sum(all(rule(lambda: noise(chance)) for _ in range(2)) for _ in range(checks)) / checks  # noqa: B023
            for rule in (is_slow, larger_of_both_is_slow)
        ]
        print(f"{name:34} {shares[0]:20.2%} {shares[1]:20.2%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
