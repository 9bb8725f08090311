"""Asking a part over HTTP whether it is ready."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

_SECONDS = 5.0


@dataclass(frozen=True)
class Health:
    """What a part said: ready or not, and why not."""

    ready: bool
    problems: tuple[str, ...] = ()
    dead_letters: int = 0


def ask(url: str) -> Health:
    """Ask the part at this base URL; a part that does not answer is not ready."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return _read(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        return Health(ready=False, problems=(f"does not answer: {type(error).__name__}",))
    finally:
        connection.close()


def _read(status: int, body: bytes) -> Health:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    said = answer if isinstance(answer, dict) else {}
    problems = tuple(str(problem) for problem in said.get("problems", ()))
    return Health(status == http.client.OK, problems, int(said.get("figures", {}).get("dead_letters", 0)))
