"""A person sees the disclosures of their own report; those under embargo once the embargo has ended."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid5

import pytest

from shared.events.disclosures import DisclosureMade, DisclosureRecalled, EmergencyAccessOpened, Ground
from shared.events.fields import FieldGroup
from shared.events.referrals import ReferralRequested
from tests.builders import HOUR, NOON
from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers

CLAUSE = Ground(kind="agreement", id="warmth/heat", version=1)


async def filed(harness: IntakeHarness) -> tuple[UUID, str]:
    response = await harness.file(form(description="Cold"))
    (case_id,) = harness.rows("SELECT case_id FROM cases ORDER BY submitted_at DESC, case_id DESC LIMIT 1")[0]
    return case_id, str(response.json()[0]["token"])


def made(case_id: UUID, number: int = 1, **said: Any) -> DisclosureMade:
    given = {
        "case_id": case_id,
        "referral_id": uuid5(case_id, "homes"),
        "agency": "homes",
        "groups": (FieldGroup.NEED, FieldGroup.ADDRESS),
        "occurred_at": NOON + HOUR,
        "receipt_id": uuid5(case_id, str(number)),
        "channel": "event",
        "purpose": "service-delivery",
        "grounds": (CLAUSE,),
    }
    return DisclosureMade(**(given | said))


def recalled(case_id: UUID, consent_id: UUID) -> DisclosureRecalled:
    return DisclosureRecalled(
        case_id=case_id,
        referral_id=uuid5(case_id, "homes"),
        agency="homes",
        groups=(FieldGroup.HEALTH,),
        occurred_at=NOON + 3 * HOUR,
        receipts=(uuid5(case_id, "1"),),
        consent_id=consent_id,
        why="consent-withdrawn",
    )


async def page(harness: IntakeHarness, token: str) -> str:
    return (await harness.client.get(f"/status/{token}")).text


async def listed(harness: IntakeHarness, token: str) -> list[dict[str, Any]]:
    response = await harness.client.get(f"/status/{token}/disclosures.json")
    assert response.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = response.json()["disclosures"]
    return found


async def test_the_page_shows_who_received_what_when_and_why(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)

    await harness.consume(made(case_id))

    text = await page(harness, token)
    assert "Homes Office received: what you need help with, the address" in text
    assert "Why warmth." in text
    assert "March 2, 2026, 08:00" in text
    assert await listed(harness, token) == [
        {
            "receipt_id": str(uuid5(case_id, "1")),
            "given_at": "2026-03-02T13:00:00Z",
            "agency": "homes",
            "agency_name": "Homes Office",
            "channel": "event",
            "groups": ["need", "address"],
            "purpose": "service-delivery",
            "words": "Homes Office received: what you need help with, the address",
            "why": ["Why warmth."],
            "ends_at": None,
            "recalled": [],
        }
    ]


async def test_a_consent_is_named_by_its_day_and_a_clause_that_is_gone_by_its_id(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    consent_id = uuid5(case_id, "consent")
    harness.rows(
        "INSERT INTO vault.consents SELECT %s, case_id, person_id, '{homes}', 'x', '{health}', 'form', NULL, 'form',"
        " '2026-03-01T15:00Z', '2026-09-01T15:00Z' FROM cases",
        consent_id,
    )
    gone = Ground(kind="agreement", id="old/clause", version=1)

    await harness.consume(made(case_id, grounds=(Ground(kind="consent", id=str(consent_id)), gone)))

    (entry,) = await listed(harness, token)
    assert entry["why"] == ["You allowed it on March 1, 2026.", "An agreement allows it (old/clause)."]


async def test_a_recall_is_shown_even_if_it_arrived_before_its_disclosure(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    consent_id = uuid5(case_id, "consent")

    await harness.consume(recalled(case_id, consent_id))
    assert await listed(harness, token) == []
    await harness.consume(made(case_id))

    assert "Recalled on March 2, 2026, 10:00" in await page(harness, token)
    (entry,) = await listed(harness, token)
    assert entry["recalled"] == [{"at": "2026-03-02T15:00:00Z", "groups": ["health"], "why": "consent-withdrawn"}]


async def test_a_disclosure_without_groups_is_shown_as_one_of_the_existence_only(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    nothing = recalled(case_id, uuid5(case_id, "consent")).model_copy(update={"groups": ()})

    await harness.consume(made(case_id, groups=()), nothing)

    text = await page(harness, token)
    assert "Homes Office was told that there is something to help with, and no more than that" in text
    assert "the agency was told to stop using it." in text


async def test_an_emergency_access_is_shown_as_one(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    access = uuid5(case_id, "access")
    opened = EmergencyAccessOpened(
        case_id=case_id,
        referral_id=uuid5(case_id, "police"),
        agency="police",
        groups=(FieldGroup.IDENTITY,),
        occurred_at=NOON,
        access_id=access,
        ends_at=NOON + 4 * HOUR,
    )
    emergency = Ground(kind="emergency", id=str(access))

    await harness.consume(opened, made(case_id, agency="police", channel="emergency", grounds=(emergency,)))

    text = await page(harness, token)
    assert "Police opened in an emergency, until March 2, 2026, 11:00, what had been withheld: your name." in text
    assert "It was an emergency." in text
    assert len(await listed(harness, token)) == 2


async def test_a_disclosure_under_embargo_appears_nowhere_until_the_embargo_ends(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    referral = uuid5(case_id, "police")
    requested = ReferralRequested(
        case_id=case_id,
        referral_id=referral,
        need_id=uuid5(case_id, "n"),
        need="safety",
        agency="police",
        program="patrol",
        attempt=1,
        submitted_at=NOON,
        occurred_at=NOON + HOUR,
        answer_by=NOON + 2 * HOUR,
    )
    late = made(case_id, referral_id=referral, agency="police", shown_from=NOON + 48 * HOUR)

    await harness.consume(requested, late)

    assert await listed(harness, token) == []
    assert "Police" not in await page(harness, token)
    assert "Police" not in str(await harness.get("requests.json", extensions="true"))
    harness.clock.shown = NOON + 48 * HOUR
    assert len(await listed(harness, token)) == 1
    assert "Police was asked to help" in await page(harness, token)
    assert "Police was asked to help" in str(await harness.get("requests.json", extensions="true"))


async def test_a_token_shows_the_disclosures_of_its_own_report_only(harness: IntakeHarness) -> None:
    case_id, token = await filed(harness)
    _, other = await filed(harness)

    await harness.consume(made(case_id))

    assert len(await listed(harness, token)) == 1
    assert await listed(harness, other) == []
    assert "No agency has received anything." in await page(harness, other)
    guessed = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
    response = await harness.client.get(f"/status/{guessed}/disclosures.json")
    assert response.status_code == HTTPStatus.NOT_FOUND
