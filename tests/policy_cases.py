"""Agreements, consents and cases made from a seed, small enough that they often concern one another."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid5

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin, Place
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery

AGENCIES = ("ash", "birch", "cedar")
NEEDS = ("shelter", "safety")
SERVICES = ("roof", "guard")
DISTRICTS = ("uptown", "harbor")
URGENCY = ("routine", "urgent", "emergency")
PURPOSES = ("care", "audit")
DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPACE = UUID("00000000-0000-5000-8000-000000000001")

T = TypeVar("T")


@dataclass(frozen=True)
class PolicyCase:
    """What is agreed, and one question about one case."""

    agreements: tuple[Agreement, ...]
    keys: frozenset[str]
    query: DisclosureQuery
    services: frozenset[str] = frozenset(SERVICES)

    def policy(self) -> DisclosurePolicy:
        """Return what decides by these agreements."""
        return _policy(self.agreements, self.keys, self.services)


@lru_cache(maxsize=1024)
def _policy(agreements: tuple[Agreement, ...], keys: frozenset[str], services: frozenset[str]) -> DisclosurePolicy:
    return DisclosurePolicy(agreements, keys, services=services)


def make_case(seed: int) -> PolicyCase:
    """Make a world; the same seed makes the same one. There are 256 sets of agreements, and each has many cases."""
    agreements, keys = _agreed(seed % 256)
    rng = Random(seed)
    strict = rng.random() < 0.4
    consents = tuple(
        _consent(rng, number, strict=strict)
        for number in range(rng.choice((1, 2, 2, 3) if strict else (0, 0, 0, 1, 2)))
    )
    query = DisclosureQuery(
        agency=rng.choice((*AGENCIES, "stranger") if rng.random() < 0.2 else AGENCIES),
        sources=frozenset({FRONT_DOOR, *_some(rng, AGENCIES, least=0)} if rng.random() < 0.9 else {"ash"}),
        need=rng.choice(NEEDS),
        service=rng.choice(SERVICES) if rng.random() < 0.95 else "unheard-of",
        district=rng.choice((*DISTRICTS, None)),
        urgency=rng.choice(URGENCY),
        protects=_protects(rng, strict=strict),
        at=NOON + timedelta(hours=rng.choice((-13, -12, 0, 0, 0, 0, 12))),
        consents=consents,
    )
    return PolicyCase(agreements, keys, query)


@lru_cache(maxsize=256)
def _agreed(number: int) -> tuple[tuple[Agreement, ...], frozenset[str]]:
    rng = Random(number)
    agreements = tuple(_agreement(rng, each) for each in range(rng.randint(1, 4)))
    return agreements, frozenset(_some(rng, AGENCIES, least=0))


def without_one(case: PolicyCase, rng: Random) -> PolicyCase:
    """Take away a consent, an agreement, a clause or a group."""
    consents, agreements = case.query.consents, case.agreements
    kind = rng.choice(("consent", "agreement", "clause", "group"))
    if kind == "consent" and consents:
        return replace(case, query=case.query._replace(consents=_less(rng, consents)))
    if kind in {"consent", "agreement"}:
        return replace(case, agreements=_less(rng, agreements))
    place = rng.randrange(len(agreements))
    shares = _smaller(rng, agreements[place], whole=kind == "clause")
    changed = [agreements[place].model_copy(update={"share": shares})] if shares else []
    return replace(case, agreements=(*agreements[:place], *changed, *agreements[place + 1 :]))


def _smaller(rng: Random, agreement: Agreement, *, whole: bool) -> tuple[Any, ...]:
    place = rng.randrange(len(agreement.share))
    before, clause, after = agreement.share[:place], agreement.share[place], agreement.share[place + 1 :]
    groups = () if whole else _less(rng, clause.groups)
    return (*before, *([clause.model_copy(update={"groups": groups})] if groups else []), *after)


def _agreement(rng: Random, number: int) -> Agreement:
    starts = DAY + timedelta(days=rng.choice((-9, -9, -9, -9, 0, 1)))
    return Agreement(
        id=f"agreement-{number}",
        version=rng.randint(1, 3),
        title="An agreement",
        purpose=PURPOSES[0] if rng.random() < 0.8 else PURPOSES[1],
        legal_basis="By law",
        status=rng.choice(("active",) * 8 + ("suspended", "ended")),
        starts=starts,
        ends=max(starts, DAY + timedelta(days=rng.choice((9, 9, 9, 9, 0, -1)))),
        onward=rng.random() < 0.2,
        retain_days=30,
        contacts=({"party": "ash", "name": "Desk", "email": "desk@example.org"},),
        parties=(FRONT_DOOR, *AGENCIES),
        share=tuple(_clause(rng, clause) for clause in range(rng.randint(1, 2))),
    )


def _clause(rng: Random, number: int) -> dict[str, Any]:
    groups = _some(rng, tuple(FieldGroup), least=2, most=6)
    return {
        "id": f"clause-{number}",
        "from": (FRONT_DOOR, *_some(rng, AGENCIES, least=0, most=1)) if rng.random() < 0.8 else ("birch",),
        "to": _some(rng, AGENCIES, least=1),
        "groups": tuple(dict.fromkeys((FieldGroup.NEED, *groups))) if rng.random() < 0.7 else groups,
        "form": rng.choice(("full", "sealed", "thin")),
        "needs": _some(rng, NEEDS, least=1) if rng.random() < 0.12 else None,
        "services": _some(rng, SERVICES, least=1) if rng.random() < 0.12 else None,
        "districts": _some(rng, DISTRICTS, least=1) if rng.random() < 0.12 else None,
        "urgency": _some(rng, URGENCY, least=1) if rng.random() < 0.12 else None,
        "consent": rng.random() < 0.3,
        "delay_days": rng.choice((0, 0, 30)),
        "why": "Because it helps.",
    }


def _consent(rng: Random, number: int, *, strict: bool) -> Consent:
    named = {FieldGroup.NEED, FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE} if strict else set()
    return Consent(
        consent_id=uuid5(SPACE, f"consent {number}"),
        case_id=SPACE,
        recipients=frozenset(_some(rng, AGENCIES, least=1)),
        purpose=PURPOSES[0] if rng.random() < 0.8 else PURPOSES[1],
        groups=frozenset(_some(rng, tuple(FieldGroup), least=1)) | set(_some(rng, sorted(named), least=0)),
        granted_at=NOON + timedelta(days=rng.choice((-3, -3, -3, 1))),
        ends_at=NOON + timedelta(days=rng.choice((3, 3, 3, -1))),
        withdrawn_at=NOON - timedelta(days=1) if rng.random() < 0.15 else None,
    )


def _protects(rng: Random, *, strict: bool) -> FieldGroup | None:
    if strict:
        return rng.choice((FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE))
    return FieldGroup.HEALTH if rng.random() < 0.1 else None


def _some(rng: Random, things: Sequence[T], *, least: int, most: int | None = None) -> tuple[T, ...]:
    return tuple(rng.sample(things, rng.randint(least, most or len(things))))


def _less(rng: Random, things: tuple[T, ...]) -> tuple[T, ...]:
    place = rng.randrange(len(things))
    return things[:place] + things[place + 1 :]


NUMBER = "(212) 555-0142"
"""A telephone number in a description: an agency that may receive the contact may read it."""


def token(group: FieldGroup, leaf: str = "", salt: str = "") -> str:
    """Return a value that is found nowhere else; it has letters alone, so that it looks like nothing but a word."""
    return f"zq{salt}{group.replace('_', '')}{leaf}qz"


def make_report(case: PolicyCase, salt: str = "") -> CaseSubmitted:
    """Make the case that the question is about, with something in every group."""
    asked = case.query
    return CaseSubmitted(
        case_id=SPACE,
        service_request_id="SR-1",
        service_code=asked.service,
        needs=(Need(need_id=SPACE, need=asked.need),),
        place=Place(cell="882a10081bfffff", district=asked.district),
        urgency=asked.urgency,
        language=token(FieldGroup.LANGUAGE_ACCESS),
        origin=Origin(channel="web"),
        submitted_at=NOON,
        sealed={group: json.dumps(block) for group, block in _blocks(salt).items()},
    )


def unseal(report: CaseSubmitted, group: FieldGroup) -> bytes | None:
    """Open a block, which is not really sealed."""
    block = report.sealed.get(group)
    return block.encode() if block else None


def _blocks(salt: str) -> dict[FieldGroup, dict[str, Any]]:
    def of(group: FieldGroup, *leaves: str) -> dict[str, Any]:
        return {leaf: token(group, leaf.replace("_", ""), salt) for leaf in leaves}

    answered = (
        FieldGroup.HOUSEHOLD,
        FieldGroup.HEALTH,
        FieldGroup.SUBSTANCE_USE,
        FieldGroup.VICTIM_SERVICES,
        FieldGroup.JUSTICE,
    )
    narrative = FieldGroup.NARRATIVE
    return {
        FieldGroup.ADDRESS: of(FieldGroup.ADDRESS, "address", "address_id", "postal_code"),
        FieldGroup.IDENTITY: of(FieldGroup.IDENTITY, "first_name", "last_name", "device_id", "account_id"),
        FieldGroup.CONTACT: of(FieldGroup.CONTACT, "email", "phone"),
        narrative: {
            "description": f"{token(narrative, 'description', salt)} call {NUMBER}",
            "attributes": {"what": [token(narrative, "answer", salt)]},
        },
        FieldGroup.ATTACHMENTS: of(FieldGroup.ATTACHMENTS, "media_url"),
        **{group: {"answers": {"what": [token(group, "answer", salt)]}} for group in answered},
    }
