"""Measure the budgets: `python -m bench [NAME ...]`; exits with 1 when a bound is missed."""

import argparse
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench import deciding, filing, least, ledger, relaying, routing, telemetry, waiting
from bench.figures import ROUNDS, Figure
from bench.servers import Servers, start_servers
from shared.kit.service.service import tune_gc

BENCHES: dict[str, Callable[[Servers], Coroutine[Any, Any, list[Figure]]]] = {
    "routing": routing.throughput,
    "least": least.least,
    "filing": filing.durable_answers,
    "waiting": waiting.to_the_agency,
    "relay": relaying.waiting_rows,
    "ledger": ledger.long_and_short,
    "telemetry": telemetry.on_and_off,
    "policy": deciding.agreements,
}


def main() -> int:
    """Measure what was asked for, print each ratio with its bound, and tell whether all hold."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all without one")
    asked = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in asked if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench named {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    figures = measure(asked)
    _show(figures)
    return 0 if all(figure.holds for figure in figures) else 1


def measure(names: Sequence[str]) -> list[Figure]:
    """Measure on servers that are started for it."""
    for name in "faststream", "aiokafka":  # that consumers join and give batches back meanwhile is no news here
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    tune_gc()  # as every service does; it serves all sides alike
    console = Console(stderr=True)
    figures: list[Figure] = []
    with start_servers() as servers:
        for name in names:
            console.print(f"measuring {name}: {ROUNDS} rounds of both sides in turns ...")
            figures += uvloop.run(BENCHES[name](servers))
    return figures


def _show(figures: Sequence[Figure]) -> None:
    table = Table(title=f"medians of {ROUNDS}, both sides in one run")
    for heading in ("figure", "ours", "other side", "ratio", "bound", ""):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for each in figures:
        table.add_row(
            each.name,
            f"{each.ours:,.1f} {each.unit}",
            f"{each.theirs:,.1f} {each.unit}",
            f"{each.ratio:.2f}",
            f"{each.side} {each.bound:.2f}",
            "holds" if each.holds else "MISSED",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
