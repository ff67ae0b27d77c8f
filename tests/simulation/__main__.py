"""`make simulate`: runs seeds on all cores, and says which broke what."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation.campaign import report, simulate


def main() -> int:
    """Returns 1 if an invariant did not hold."""
    arguments = _arguments()
    began = time.perf_counter()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    results = simulate(seeds, without=arguments.without, processes=arguments.processes)
    print(report(results, time.perf_counter() - began, trace=arguments.trace))
    return 1 if any(result.violations for result in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--without", choices=("condition", "fence", "taint"), help="breaks it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--trace", action="store_true", help="show every run, also good ones")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
