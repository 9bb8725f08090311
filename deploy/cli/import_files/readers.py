"""Readers by source: each turns the rows of a file into records and problems, in the order of the file."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deploy.cli.import_files import chicago, nyc
from deploy.cli.import_files.import_maps import AgencyMap, ServiceMap, read_import_map
from deploy.cli.import_files.rows import Row, RowProblem, SourceFile
from deploy.cli.import_files.values import ParsedRow, UnreadableRowError
from services.intake.domain.import_record import ImportRecord, Remark, remarks_on
from shared.events.validation import first_error

RowReader = Callable[[Mapping[str, Any]], tuple[ImportRecord, set[Remark]]]


def nyc_reader(jurisdiction: Path) -> RowReader:
    """Return the reader of New York's rows, with the import map of the jurisdiction."""
    import_map = AgencyMap(read_import_map(jurisdiction, "nyc-311"))
    return lambda values: nyc.read_row(values, import_map)


def chicago_reader(jurisdiction: Path) -> RowReader:
    """Return the reader of Chicago's rows, with the import map of the jurisdiction."""
    import_map = ServiceMap(read_import_map(jurisdiction, "chicago-open311"))
    return lambda values: chicago.read_row(values, import_map)


READERS: dict[str, Callable[[Path], RowReader]] = {"nyc-311": nyc_reader, "chicago-open311": chicago_reader}


def read_records(file: SourceFile, reader: RowReader) -> Iterator[ParsedRow | RowProblem]:
    """Read a file; an unreadable row becomes a problem with its line, and the rows after it are read."""
    for row in file.rows():
        yield row if isinstance(row, RowProblem) else _read(row, reader)


def _read(row: Row, reader: RowReader) -> ParsedRow | RowProblem:
    try:
        record, remarks = reader(row.values)
    except UnreadableRowError as error:
        return RowProblem(row.line, str(error))
    except ValidationError as error:
        return RowProblem(row.line, first_error(error, "record"))
    return ParsedRow(row.line, record, tuple(sorted(remarks | set(remarks_on(record)))))
