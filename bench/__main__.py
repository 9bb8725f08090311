"""Measure the performance budgets: `python -m bench [NAME ...]`. Exit code 1: a bound is missed."""

import argparse
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench import durable_post, end_to_end, policy, routing, table_growth
from bench.figures import ROUNDS, Figure
from bench.servers import Servers, start_servers
from shared.kit.service.service import tune_gc

BENCHES: dict[str, Callable[[Servers], Coroutine[Any, Any, list[Figure]]]] = {
    "routing": routing.throughput,
    "least": routing.encrypted_data,
    "filing": durable_post.durable_answers,
    "waiting": end_to_end.to_the_agency,
    "relay": table_growth.relay_batches,
    "ledger": table_growth.ledger_places,
    "telemetry": routing.telemetry,
    "policy": policy.agreements,
}


def main() -> int:
    """Measure the named figures, print each ratio with its bound, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all if none is given")
    names = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}. The figures are {', '.join(BENCHES)}.")
    figures = measure(names)
    _show(figures)
    return 0 if all(figure.holds for figure in figures) else 1


def measure(names: Sequence[str]) -> list[Figure]:
    """Start Kafka and PostgreSQL, and measure the named figures on them."""
    for name in "faststream", "aiokafka":  # rebalances and redelivered batches are expected here
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    tune_gc()  # as every service does; both sides gain equally
    console = Console(stderr=True)
    figures: list[Figure] = []
    with start_servers() as servers:
        for name in names:
            console.print(f"measuring {name}: {ROUNDS} rounds of both sides, in turns ...")
            figures += uvloop.run(BENCHES[name](servers))
    return figures


def _show(figures: Sequence[Figure]) -> None:
    table = Table(title=f"medians of {ROUNDS} rounds, both sides in one run")
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
