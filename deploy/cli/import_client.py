"""Posts records to intake in chunks, and retries while intake is unavailable."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import httpx

from services.intake.domain.import_record import ImportRecord

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds before the first retry, and the most that they grow to."""

GIVE_UP_AFTER = 600.0
"""Seconds without a usable answer after which an import ends."""

TOO_LARGE, UNPROCESSABLE = 413, 422


class IntakeError(Exception):
    """Intake does not accept records; the text has the reason and what to do."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """Intake's answer for one record; `outcome` is created, duplicate or refused."""

    outcome: str
    reason: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What happens while intake is unavailable: `report` gets the reason; the first pause is in seconds."""

    report: Callable[[str], None]
    first_pause: float = FIRST_PAUSE


def post_records(
    client: httpx.Client, source: str, records: Sequence[ImportRecord], retry: RetryPolicy
) -> list[RecordResult]:
    """Post records and return an answer for each, in their order.

    If intake refuses the whole chunk, post its halves: in the end intake refuses only the invalid record.

    Raises:
        IntakeError: intake rejects the key, or has been unavailable for ten minutes.
    """
    response = _post_with_retry(client, source, records, retry)
    if response.is_success:
        return _answers(response.json(), records)
    if response.status_code not in {TOO_LARGE, UNPROCESSABLE, httpx.codes.BAD_REQUEST}:
        raise IntakeError(f"Intake answered {response.status_code}: {response.text[:200]}")
    if len(records) == 1:
        return [RecordResult("refused", reason=f"{response.status_code}: {response.text[:200]}")]
    half = len(records) // 2
    halves = (post_records(client, source, part, retry) for part in (records[:half], records[half:]))
    return list(chain.from_iterable(halves))


def _post_with_retry(
    client: httpx.Client, source: str, records: Sequence[ImportRecord], retry: RetryPolicy
) -> httpx.Response:
    body = {"records": [record.model_dump(mode="json") for record in records]}
    pause, until = retry.first_pause, time.monotonic() + GIVE_UP_AFTER
    while True:
        why, at_least = "", 0.0
        try:
            response = client.post(f"/imports/{source}", json=body)
            if not _is_unavailable(response):
                return response
            why, at_least = f"it answers {response.status_code}", _retry_after(response)
        except httpx.TransportError as error:
            why = type(error).__name__
        if time.monotonic() > until:
            raise IntakeError(f"Intake is unavailable ({why}). Run the same command again to continue.")
        retry.report(f"intake is unavailable ({why}), trying again")
        time.sleep(max(pause, min(at_least, LONGEST_PAUSE)))
        pause = min(pause * 2, LONGEST_PAUSE)


def _is_unavailable(response: httpx.Response) -> bool:
    return response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds of the header Retry-After; its other form, a date, counts as none."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0


def _answers(body: dict[str, Any], records: Sequence[ImportRecord]) -> list[RecordResult]:
    """Read the results, which are in the order of the records; a record without a result counts as refused."""
    results = list(body["results"])
    answers = []
    for record in records:
        is_next = bool(results) and results[0]["external_id"] == record.external_id
        result = results.pop(0) if is_next else _NO_RESULT
        answers.append(RecordResult(result["outcome"], result["reason"] or "", tuple(result["remarks"] or ())))
    return answers


_NO_RESULT: dict[str, Any] = {"outcome": "refused", "reason": "intake gave no answer for it", "remarks": ()}
