"""What an agency will do about a referral, and when: pure, and always the same for the same referral."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

REJECTIONS = (
    ("no-capacity", "We have nobody free for this at present."),
    ("not-eligible", "This household is not eligible for the program."),
    ("wrong-agency", "This is not ours to do."),
    ("out-of-area", "This lies outside the area that we serve."),
    ("insufficient-information", "We cannot tell from the report what is to be done."),
)
HOLDS = (
    ("waiting-for-parts", "A part has been ordered."),
    ("no-access", "Nobody opened the door; we will come again."),
    ("waiting-for-person", "We wait for a paper from the person."),
    ("waiting-for-weather", "It is too cold or too wet for this work."),
)
SPREAD = 0.6
"""Sigma of the log-normal times: one in six takes longer than 1.8 times the median."""

LONGEST = 3.0
"""No time is longer than this many medians."""

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True, slots=True)
class Tempo:
    """How an agency of the demonstration works: medians, and shares from 0 to 1."""

    answer: timedelta
    completion: timedelta
    rejected: float
    held: float


@dataclass(frozen=True, slots=True)
class Step:
    """One update to come; `after` counts from the arrival of the referral."""

    after: timedelta
    type: str
    details: dict[str, str]


def read_tempo(sample: dict[str, Any]) -> Tempo:
    """Read the tempo from the agency's table `sample`."""
    return Tempo(
        answer=read_duration(sample["median_answer"]),
        completion=read_duration(sample["median_completion"]),
        rejected=sample["rejected"],
        held=sample["held"],
    )


def read_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text} is not a duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def plan(referral_id: str, tempo: Tempo, speed: float) -> list[Step]:
    """Decide what will be done about a referral, `speed` times as fast as in the world."""
    chance = Random(referral_id)  # noqa: S311 - a demonstration, not a secret
    answer = _about(tempo.answer, chance) / speed
    work = _about(tempo.completion, chance) / speed
    if chance.random() < tempo.rejected:
        return [Step(answer, "referral.rejected.v1", _reason(chance, REJECTIONS))]
    return [Step(answer, "referral.accepted.v1", {}), *_work(answer, work, chance, held=chance.random() < tempo.held)]


def _work(answer: timedelta, work: timedelta, chance: Random, *, held: bool) -> Iterator[Step]:
    yield Step(answer + work * 0.2, "referral.started.v1", {})
    if held:
        yield Step(answer + work * 0.4, "referral.held.v1", _reason(chance, HOLDS))
        yield Step(answer + work * 0.7, "referral.resumed.v1", {})
    yield Step(answer + work, "referral.completed.v1", {})


def _about(median: timedelta, chance: Random) -> timedelta:
    return median * min(LONGEST, math.exp(chance.gauss(0, SPREAD)))


def _reason(chance: Random, reasons: tuple[tuple[str, str], ...]) -> dict[str, str]:
    code, words = chance.choice(reasons)
    return {"reason": code, "explanation": words}
