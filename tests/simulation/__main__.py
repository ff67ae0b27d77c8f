"""`make simulate`: runs seeds on all cores, and says which of them broke what, and how."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation import campaign
from tests.simulation.mutations import RULES
from tests.simulation.runs import Result


def main() -> int:
    """Returns 1 if an invariant did not hold."""
    arguments = _arguments()
    began = time.perf_counter()
    results = _results(arguments)
    print(campaign.report(results, time.perf_counter() - began, trace=arguments.trace))
    return 1 if any(result.violations for result in results) else 0


def _results(arguments: argparse.Namespace) -> list[Result]:
    if arguments.crash:
        kind, way, number, side = arguments.crash.split(":")
        return [campaign.crash(kind, way, (int(number), side))]
    numbers = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.seeds == 1:
        return [campaign.seed(arguments.first, arguments.without)]
    with campaign.processes(os.cpu_count() or 1) as pool:
        if arguments.crashes:
            return list(campaign.crashes(pool))
        return list(campaign.seeds(pool, numbers, arguments.without))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--without", choices=RULES, help="take this rule of the ledger out")
    parser.add_argument("--crashes", action="store_true", help="crash at every request of a run")
    parser.add_argument("--crash", help="at one of them, such as list:clean:7:before")
    parser.add_argument("--trace", action="store_true", help="show all runs, and not broken ones")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the provider's thread need not be waited for
