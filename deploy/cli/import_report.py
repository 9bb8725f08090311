"""The result of an import: counts by outcome, the first failed rows, and a report as JSON lines."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO

from rich.console import Console
from rich.table import Table

from deploy.cli.import_client import RecordResult
from deploy.cli.import_files.rows import RowProblem
from deploy.cli.import_files.values import ParsedRow

SHOWN = 20
"""How many failed rows are printed; all of them are in the report."""


@dataclass(slots=True)
class ImportTally:
    """The outcomes so far. `report` gets a line for each row with a reason or a remark."""

    report: IO[str] | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str, str]] = field(default_factory=list)

    def add_problem(self, problem: RowProblem) -> None:
        """Count a row that cannot be parsed."""
        self._add(problem.line, "", RecordResult("unreadable", problem.reason))

    def add_answers(self, parsed: Iterable[ParsedRow], answers: Iterable[RecordResult]) -> None:
        """Count the rows that intake has answered."""
        for row, answer in zip(parsed, answers, strict=True):
            remarks = dict.fromkeys((*map(str, row.remarks), *answer.remarks))
            self._add(row.line, row.record.external_id, RecordResult(answer.outcome, answer.reason, tuple(remarks)))

    def _add(self, line: int, external_id: str, answer: RecordResult) -> None:
        self.outcomes[answer.outcome] += 1
        self.remarks.update(answer.remarks)
        if answer.reason and len(self.failures) < SHOWN:
            self.failures.append((line, external_id, f"{answer.outcome}: {answer.reason}"))
        if self.report and (answer.reason or answer.remarks):
            row = {"line": line, "external_id": external_id, "outcome": answer.outcome, "reason": answer.reason}
            self.report.write(json.dumps({**row, "remarks": list(answer.remarks)}, ensure_ascii=False) + "\n")

    @property
    def rows(self) -> int:
        """How many rows have an outcome."""
        return self.outcomes.total()

    @property
    def is_complete(self) -> bool:
        """Whether intake refused no row."""
        return not self.outcomes["refused"]


def show(tally: ImportTally, console: Console) -> None:
    """Print the counts, and the first failed rows."""
    table = Table(title="Import", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Rows read", f"{tally.rows:,}")
    for outcome, label in _LABELS.items():
        table.add_row(label, f"{tally.outcomes[outcome]:,}")
    if tally.remarks:
        table.add_section()
    for remark, count in tally.remarks.most_common():
        table.add_row(f"Imported, but {remark}", f"{count:,}")
    console.print(table)
    for line, external_id, reason in tally.failures:
        console.print(f"line {line} {external_id} {reason}", markup=False, highlight=False)


_LABELS = {
    "created": "New cases",
    "duplicate": "Imported before",
    "refused": "Refused by intake",
    "unreadable": "Unreadable",
}
