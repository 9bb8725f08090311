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


def ask(url: str) -> Health:
    """Ask the part at this base URL; a part that does not answer is not ready."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return Health(response.status == http.client.OK, _problems(response.read()))
    except (OSError, http.client.HTTPException) as error:
        return Health(ready=False, problems=(f"does not answer: {type(error).__name__}",))
    finally:
        connection.close()


def _problems(body: bytes) -> tuple[str, ...]:
    try:
        answer = json.loads(body)
    except ValueError:
        return ()
    found = answer.get("problems", ()) if isinstance(answer, dict) else ()
    return tuple(str(problem) for problem in found)
