"""Holds a folder of agreements against the city that they belong to."""

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from services.routing.jurisdiction.agreements.doubts import doubts_about, is_over
from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding, Severity
from services.routing.jurisdiction.agreements.mistakes import mistakes_in
from services.routing.jurisdiction.agreements.overlaps import overlaps
from services.routing.jurisdiction.agreements.reach import unreachable
from services.routing.jurisdiction.agreements.reading import SUBFOLDER, Reading, read_agreements
from services.routing.jurisdiction.agreements.surroundings import Surroundings, surroundings_of
from services.routing.jurisdiction.reading import JurisdictionError, read_folder
from shared.policy.agreements import Agreement


def load_agreements(jurisdiction: Path) -> tuple[Agreement, ...]:
    """Read the agreements of a jurisdiction's folder.

    Raises:
        JurisdictionError: one of them cannot be used; the text names file, line and reason of every error.
    """
    reading = read_agreements(jurisdiction / SUBFOLDER)
    errors = find_errors(reading, surroundings_of(read_folder(jurisdiction)))
    if errors:
        raise JurisdictionError("\n  ".join([f"{jurisdiction} cannot be used:", *map(str, errors)]))
    return tuple(file.agreement for file in reading.files)


def check_agreements(
    jurisdiction: Path, today: date, folder: Path | None = None, keys: Collection[str] | None = None
) -> tuple[Reading, list[Finding]]:
    """Read agreements, and say everything that is wrong or doubtful about them on a day, in the order of the files.

    What is doubtful in a file is told when nothing is wrong in it any more.

    `folder` is where the agreements lie, if not in the jurisdiction's own folder; `keys` are the agencies that have a
    public key, where that is known.

    Raises:
        JurisdictionError: the jurisdiction's other files cannot be used.
    """
    city = surroundings_of(read_folder(jurisdiction), keys)
    reading = read_agreements(folder or jurisdiction / SUBFOLDER)
    errors = find_errors(reading, city)
    wrong = {error.file for error in errors}
    sound = [file for file in reading.files if file.file not in wrong]
    return reading, sorted({*errors, *_warnings(sound, city, today)})


def find_errors(reading: Reading, city: Surroundings) -> list[Finding]:
    """Return what keeps the agreements from being used."""
    return [*reading.errors, *(found for file in reading.files for found in mistakes_in(file, city))]


def has_errors(findings: Collection[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def _warnings(files: Sequence[AgreementFile], city: Surroundings, today: date) -> list[Finding]:
    current = [file for file in files if not is_over(file, today)]
    return [
        *(found for file in files for found in doubts_about(file, city, today)),
        *(found for file in current for found in unreachable(file, city)),
        *overlaps(current, city),
    ]
