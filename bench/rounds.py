"""CPU time of functions that are compared: interleaved rounds, and the median of each."""

import statistics
import time
from collections.abc import Callable, Mapping

WARM_UP = 3


def cpu_times(
    functions: Mapping[str, tuple[Callable[[], object], int]], *, rounds: int
) -> dict[str, float]:
    """Median microseconds of process CPU for one call of each function (with calls per round).

    What disturbs one round disturbs all functions of it alike.
    """
    for function, _calls in functions.values():
        for _ in range(WARM_UP):
            function()
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, (function, calls) in functions.items():
            began = time.process_time_ns()
            for _ in range(calls):
                function()
            taken[name].append((time.process_time_ns() - began) / calls / 1000)
    return {name: statistics.median(times) for name, times in taken.items()}
