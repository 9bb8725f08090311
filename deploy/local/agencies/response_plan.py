"""What an agency will do about a referral, and when; the same referral always gets the same response."""

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
class ResponseProfile:
    """How a sample agency works: medians of its times, and shares of its referrals from 0 to 1."""

    answer: timedelta
    completion: timedelta
    rejected: float
    held: float


@dataclass(frozen=True, slots=True)
class Step:
    """One future update; `after` counts from the arrival of the referral."""

    after: timedelta
    type: str
    details: dict[str, str]


def read_profile(sample: dict[str, Any]) -> ResponseProfile:
    """Read the profile from the agency's table `sample`."""
    return ResponseProfile(
        answer=read_duration(sample["median_answer"]),
        completion=read_duration(sample["median_completion"]),
        rejected=sample["rejected"],
        held=sample["held"],
    )


def read_duration(text: str) -> timedelta:
    """Parse an ISO 8601 duration of days, hours, minutes and seconds.

    Raises:
        ValueError: the text is not one.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text} is not a duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def plan_response(referral_id: str, profile: ResponseProfile, speed: float) -> list[Step]:
    """Return the updates about a referral, `speed` times as fast as in reality."""
    # The referral's id is the seed: a repeated message gets the same response.
    rng = Random(referral_id)  # noqa: S311 - a demonstration, not a secret
    answer = _about(profile.answer, rng) / speed
    work = _about(profile.completion, rng) / speed
    if rng.random() < profile.rejected:
        return [Step(answer, "referral.rejected.v1", _reason(rng, REJECTIONS))]
    return [Step(answer, "referral.accepted.v1", {}), *_work(answer, work, rng, held=rng.random() < profile.held)]


def _work(answer: timedelta, work: timedelta, rng: Random, *, held: bool) -> Iterator[Step]:
    yield Step(answer + work * 0.2, "referral.started.v1", {})
    if held:
        yield Step(answer + work * 0.4, "referral.held.v1", _reason(rng, HOLDS))
        yield Step(answer + work * 0.7, "referral.resumed.v1", {})
    yield Step(answer + work, "referral.completed.v1", {})


def _about(median: timedelta, rng: Random) -> timedelta:
    return median * min(LONGEST, math.exp(rng.gauss(0, SPREAD)))


def _reason(rng: Random, reasons: tuple[tuple[str, str], ...]) -> dict[str, str]:
    code, words = rng.choice(reasons)
    return {"reason": code, "explanation": words}
