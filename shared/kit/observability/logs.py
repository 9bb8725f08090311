"""Log lines as JSON, without personal data: an exception is logged by its class, as its text may quote some."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from psycopg import Error as PostgresError

QUIET = ("opentelemetry", "urllib3", "aiokafka", "faststream", "httpx", "uvicorn.access")
"""Libraries whose lines below WARNING are of no use to an operator."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object; an exception is given by class and place, not by text."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
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
    described = {"error": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, PostgresError) and error.sqlstate:
        described["sqlstate"] = error.sqlstate
        described["detail"] = error.diag.message_primary or ""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    described["at"] = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}" for frame in reversed(frames)
    )
    return described


def start_logging(service: str, form: str) -> None:
    """Send this process's log lines to standard error, as JSON or as text (`form`)."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter(service) if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
