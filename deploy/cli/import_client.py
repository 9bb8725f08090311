"""Hands records to intake in chunks, and waits out its absences."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import httpx

from services.intake.domain.import_record import ImportRecord

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two tries, and what they grow to."""

PATIENCE = 600.0
"""Seconds without an answer after which we give up."""

TOO_LARGE, UNPROCESSABLE = 413, 422


class IntakeError(Exception):
    """Intake cannot take anything in now; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one record: created, duplicate or refused."""

    outcome: str
    reason: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How an absence of intake is waited out: who is told why, and the first pause in seconds."""

    tell: Callable[[str], None]
    first_pause: float = FIRST_PAUSE


def post_records(client: httpx.Client, source: str, records: Sequence[ImportRecord], waiting: Waiting) -> list[Answer]:
    """Post records and return an answer for each, in their order.

    A chunk that is refused as a whole is posted again in halves, so that only the record at fault is refused.

    Raises:
        IntakeError: intake does not know our key, or has not answered for ten minutes.
    """
    response = _post_patiently(client, source, records, waiting)
    if response.is_success:
        return _answers(response.json(), records)
    if response.status_code not in {TOO_LARGE, UNPROCESSABLE, httpx.codes.BAD_REQUEST}:
        raise IntakeError(f"Intake answered {response.status_code}: {response.text[:200]}")
    if len(records) == 1:
        return [Answer("refused", reason=f"{response.status_code}: {response.text[:200]}")]
    half = len(records) // 2
    halves = (post_records(client, source, part, waiting) for part in (records[:half], records[half:]))
    return list(chain.from_iterable(halves))


def _post_patiently(
    client: httpx.Client, source: str, records: Sequence[ImportRecord], waiting: Waiting
) -> httpx.Response:
    body = {"records": [record.model_dump(mode="json") for record in records]}
    pause, until = waiting.first_pause, time.monotonic() + PATIENCE
    while True:
        why, at_least = "", 0.0
        try:
            response = client.post(f"/imports/{source}", json=body)
            if not _is_away(response):
                return response
            why, at_least = f"it answers {response.status_code}", _retry_after(response)
        except httpx.TransportError as error:
            why = type(error).__name__
        if time.monotonic() > until:
            raise IntakeError(f"Intake is away ({why}). Run the same command again to go on.")
        waiting.tell(f"intake is away ({why}), trying again")
        time.sleep(max(pause, min(at_least, LONGEST_PAUSE)))
        pause = min(pause * 2, LONGEST_PAUSE)


def _is_away(response: httpx.Response) -> bool:
    return response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds that the answer asks us to wait; a date is not read."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0


def _answers(body: dict[str, Any], records: Sequence[ImportRecord]) -> list[Answer]:
    """Read the results, which stand in the order of the records; one that is not told of counts as refused."""
    results = list(body["results"])
    answers = []
    for record in records:
        told = results.pop(0) if results and results[0]["external_id"] == record.external_id else _NOT_TOLD
        answers.append(Answer(told["outcome"], told["reason"] or "", tuple(told["remarks"] or ())))
    return answers


_NOT_TOLD: dict[str, Any] = {"outcome": "refused", "reason": "intake gave no answer for it", "remarks": ()}
