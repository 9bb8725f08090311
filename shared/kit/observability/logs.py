"""Log lines as JSON: what happened and to which ids. No personal data, so no error texts that could quote it."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from psycopg import Error as PostgresError

QUIET = ("opentelemetry", "urllib3", "aiokafka", "faststream", "httpx", "uvicorn.access")
"""Libraries whose words below WARNING say nothing that an operator can use."""


class JsonFormatter(logging.Formatter):
    """One JSON object for each record; an exception is told by its type and where it was, not by its text."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _describe(error: BaseException) -> dict[str, str]:
    said = {"error": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, PostgresError) and error.sqlstate:
        said["sqlstate"] = error.sqlstate
        said["detail"] = error.diag.message_primary or ""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    said["at"] = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}" for frame in reversed(frames)
    )
    return said


def start_logging(service: str, form: str) -> None:
    """Send this process's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter(service) if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
