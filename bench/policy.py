"""The time to decide what an agency may receive, with 1,000 agreements and with 10."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from time import perf_counter
from typing import Final

from bench.figures import Figure, in_turns
from bench.servers import Servers
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery

MANY: Final = 1000
FEW: Final = 10
QUESTIONS: Final = 300
REPEATS: Final = 100
NEEDS: Final = ("shelter", "repair", "care", "safety")
DISTRICTS: Final = tuple(f"district-{number}" for number in range(60))
MILLION: Final = 1e6


async def agreements(_: Servers) -> list[Figure]:
    """Compare new decisions and cached decisions; on each side one clause matches a question."""
    many, few = _questions(MANY), _questions(FEW)
    made = await in_turns(lambda: _new(MANY, many), lambda: _new(FEW, few))
    known_many, known_few = _sharing(MANY), _sharing(FEW)
    kept = await in_turns(lambda: _cached(known_many, many), lambda: _cached(known_few, few))
    return [
        Figure(f"decision, {MANY:,} agreements / {FEW}", *made, "us", 2.0, "at most"),
        Figure(f"decision made before, {MANY:,} agreements / {FEW}", *kept, "us", 2.0, "at most"),
    ]


async def _new(number: int, questions: Sequence[DisclosureQuery]) -> float:
    """Return the microseconds for a new question."""
    sharing = _sharing(number)
    started = perf_counter()
    for question in questions:
        sharing.plan(question)
    return (perf_counter() - started) / len(questions) * MILLION


async def _cached(sharing: DisclosurePolicy, questions: Sequence[DisclosureQuery]) -> float:
    """Return the microseconds for a cached question; the first round, which is not counted, fills the cache."""
    started = perf_counter()
    for _ in range(REPEATS):
        for question in questions:
            sharing.plan(question)
    return (perf_counter() - started) / REPEATS / len(questions) * MILLION


def _sharing(number: int) -> DisclosurePolicy:
    return DisclosurePolicy([_agreement(each) for each in range(number)])


def _agreement(number: int) -> Agreement:
    """Return an agreement of the front door with an agency for one need; each agency has four of them."""
    agency, need = f"agency-{number // len(NEEDS)}", NEEDS[number % len(NEEDS)]
    share = {
        "id": "cases",
        "from": (FRONT_DOOR,),
        "to": (agency,),
        "groups": ("need", "location", "address", "contact", "narrative", "language_access"),
        "form": "full",
        "needs": (need,),
        "districts": DISTRICTS,
        "why": "For a measurement.",
    }
    return Agreement(
        id=f"agreement-{number}",
        version=1,
        title="An agreement",
        purpose="service-delivery",
        legal_basis="By law",
        status="active",
        starts=date(2026, 1, 1),
        ends=date(2027, 12, 31),
        retain_days=365,
        contacts=({"party": agency, "name": "Desk", "email": "desk@example.org"},),
        parties=(FRONT_DOOR, agency),
        share=(share,),
    )


def _questions(number: int) -> list[DisclosureQuery]:
    """Return questions about all agreements in turn; another district makes another question."""
    at, held = datetime(2026, 7, 1, tzinfo=UTC), frozenset({FRONT_DOOR})
    asked = itertools.islice(((district, each) for district in DISTRICTS for each in range(number)), QUESTIONS)
    return [
        DisclosureQuery(
            f"agency-{each // len(NEEDS)}", held, NEEDS[each % len(NEEDS)], "service", district, "routine", None, at
        )
        for district, each in asked
    ]
