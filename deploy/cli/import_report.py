"""Counts what became of an imported file's rows, and says it: a table, the rows at fault, and JSON lines."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO

from rich.console import Console
from rich.table import Table

from deploy.cli.import_client import Answer
from deploy.cli.import_files.rows import Problem
from deploy.cli.import_files.values import Parsed

SHOWN = 20
"""How many rows at fault are printed; all of them are in the report."""


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far; `report` takes a line for each row that somebody should look at."""

    report: IO[str] | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str, str]] = field(default_factory=list)

    def add_problem(self, problem: Problem) -> None:
        """Count a row that cannot be read."""
        self._add(problem.line, "", Answer("unreadable", problem.reason))

    def add_answers(self, parsed: Iterable[Parsed], answers: Iterable[Answer]) -> None:
        """Count the rows that intake has answered."""
        for row, answer in zip(parsed, answers, strict=True):
            remarks = dict.fromkeys((*map(str, row.remarks), *answer.remarks))
            self._add(row.line, row.record.external_id, Answer(answer.outcome, answer.reason, tuple(remarks)))

    def _add(self, line: int, external_id: str, answer: Answer) -> None:
        self.outcomes[answer.outcome] += 1
        self.remarks.update(answer.remarks)
        if answer.reason and len(self.faults) < SHOWN:
            self.faults.append((line, external_id, f"{answer.outcome}: {answer.reason}"))
        if self.report and (answer.reason or answer.remarks):
            row = {"line": line, "external_id": external_id, "outcome": answer.outcome, "reason": answer.reason}
            self.report.write(json.dumps({**row, "remarks": list(answer.remarks)}, ensure_ascii=False) + "\n")

    @property
    def rows(self) -> int:
        """How many rows have been dealt with."""
        return self.outcomes.total()

    @property
    def is_whole(self) -> bool:
        """Whether every row that could be read is in."""
        return not self.outcomes["refused"]


def show(tally: Tally, console: Console) -> None:
    """Print the summary, and the first rows at fault."""
    table = Table(title="Import", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Rows read", f"{tally.rows:,}")
    for outcome, words in _WORDS.items():
        table.add_row(words, f"{tally.outcomes[outcome]:,}")
    if tally.remarks:
        table.add_section()
    for remark, count in tally.remarks.most_common():
        table.add_row(f"Taken in, but {remark}", f"{count:,}")
    console.print(table)
    for line, external_id, reason in tally.faults:
        console.print(f"line {line} {external_id} {reason}", markup=False, highlight=False)


_WORDS = {
    "created": "New cases",
    "duplicate": "Known already",
    "refused": "Refused by intake",
    "unreadable": "Not readable",
}
