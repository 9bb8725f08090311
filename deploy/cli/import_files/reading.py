"""Reads a file of any known source into records and problems, one after another."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deploy.cli.import_files import chicago, nyc
from deploy.cli.import_files.mapping import AgencyMap, ServiceMap, load
from deploy.cli.import_files.rows import Problem, Row, SourceFile
from deploy.cli.import_files.values import Parsed, UnreadableRowError
from services.intake.domain.import_record import ImportRecord, Remark, remarks_on
from shared.events.validation import first_error

RowReader = Callable[[Mapping[str, Any]], tuple[ImportRecord, set[Remark]]]


def nyc_reader(jurisdiction: Path) -> RowReader:
    """Make the reader of New York's rows, with the jurisdiction's own import map."""
    import_map = AgencyMap(load(jurisdiction, "nyc-311"))
    return lambda values: nyc.read_row(values, import_map)


def chicago_reader(jurisdiction: Path) -> RowReader:
    """Make the reader of Chicago's rows, with the jurisdiction's own import map."""
    import_map = ServiceMap(load(jurisdiction, "chicago-open311"))
    return lambda values: chicago.read_row(values, import_map)


READERS: dict[str, Callable[[Path], RowReader]] = {"nyc-311": nyc_reader, "chicago-open311": chicago_reader}


def read_records(file: SourceFile, reader: RowReader) -> Iterator[Parsed | Problem]:
    """Read a file; what cannot be read is a problem with its line, and the rows after it are read all the same."""
    for row in file.rows():
        yield row if isinstance(row, Problem) else _read(row, reader)


def _read(row: Row, reader: RowReader) -> Parsed | Problem:
    try:
        record, remarks = reader(row.values)
    except UnreadableRowError as error:
        return Problem(row.line, str(error))
    except ValidationError as error:
        return Problem(row.line, first_error(error, "record"))
    return Parsed(row.line, record, tuple(sorted(remarks | set(remarks_on(record)))))
