"""Who may write SQL that names the table outbox."""

import re
from collections.abc import Iterator
from typing import Final

from tests.architecture.source import Project, PythonFile

OUTBOX: Final = "shared/kit/messaging/outbox.py"
READERS: Final = {
    "shared/kit/database/subject_export.py": "exports the unpublished events of one case, and is below messaging",
    "services/intake/store/persons.py": "exports the unpublished events of one person",
}

_TABLE = r"(?:\w+\.)?\"?outbox\"?(?![\w\"])"
_WRITES = re.compile(
    rf"\b(?:INSERT\s+INTO|DELETE\s+FROM(?:\s+ONLY)?|UPDATE(?:\s+ONLY)?|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO|COPY)\s+{_TABLE}",
    re.IGNORECASE,
)
_READS = re.compile(rf"\b(?:FROM|JOIN|USING|TABLE)\s+(?:ONLY\s+)?{_TABLE}|,\s*{_TABLE}\s+AS\b", re.IGNORECASE)
_DEFINES_TABLES = re.compile(r"/migrations[/.]|/tables[/.]")


def only_the_outbox_module_writes_outbox_rows(project: Project) -> Iterator[str]:
    """shared/kit/messaging/outbox.py is the only code that inserts into, updates or deletes from the outbox."""
    for path, line, sql in _statements(project):
        if _WRITES.search(sql):
            yield f"{path}:{line}: move this SQL into {OUTBOX}, and call it; it writes the table outbox"
        elif _READS.search(sql) and path not in READERS:
            yield f"{path}:{line}: move this SQL into {OUTBOX}, or add the file to READERS with a reason"


def _statements(project: Project) -> Iterator[tuple[str, int, str]]:
    for path, text in project.files.items():
        if not path.startswith(("services/", "shared/", "deploy/")) or path == OUTBOX or _DEFINES_TABLES.search(path):
            continue
        if path.endswith(".py"):
            strings = PythonFile(path, text).strings
            yield from ((path, line, sql) for line, sql, is_docstring in strings if not is_docstring)
        elif path.endswith(".sql"):
            yield path, 1, text
