"""What is found wrong, or doubtful, in an agreement: the file, the line, and the reason."""

from dataclasses import dataclass
from enum import StrEnum

from services.routing.jurisdiction.agreements.lines import Lines, Path, nearest
from shared.policy.agreements import Agreement


class Severity(StrEnum):
    """An error keeps the folder from being used; a warning is for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that a writer should look at."""

    file: str
    line: int
    severity: Severity
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.reason}"


@dataclass(frozen=True, slots=True)
class AgreementFile:
    """One agreement, the text that it was read from, and where each part of it stands there."""

    file: str
    text: str
    agreement: Agreement
    lines: Lines

    def error(self, reason: str, *path: str | int) -> Finding:
        """Say that something is wrong at a path."""
        return self._found(Severity.ERROR, path, reason)

    def warning(self, reason: str, *path: str | int) -> Finding:
        """Say that something at a path is doubtful."""
        return self._found(Severity.WARNING, path, reason)

    def _found(self, severity: Severity, path: Path, reason: str) -> Finding:
        return Finding(self.file, nearest(self.lines, path), severity, reason)
