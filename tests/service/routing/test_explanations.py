"""Staff ask why an agency was given something or not, and are answered for then and for now."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.routing.domain.city import RoutingCity
from shared.events.fields import FieldGroup
from tests.builders import NOON, agreement, case_id, consent, need_id
from tests.service.routing.explanations import client, put_on_record
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.test_consents import FOREVER, withdrawn
from tests.unit.routing.fixtures import AGREEMENTS, CITY, clause

pytestmark = pytest.mark.servers

HEALTH = FieldGroup.HEALTH


def groups(decision: dict[str, Any]) -> dict[str, Any]:
    """Released groups with their forms, withheld ones with what decided."""
    return {
        each["group"]: [given["form"] for given in each["given"]] if each["released"] else tuple(each["withheld_by"])
        for each in decision["groups"]
    }


def of(told: dict[str, Any], agency: str) -> dict[str, Any]:
    (found,) = [each for each in told["agencies"] if each["agency"] == agency]
    assert isinstance(found, dict)
    return found


def under(city: RoutingCity, *agreements: Any) -> RoutingCity:
    return replace(city, policy=city.policy.under(agreements))


async def sharing(harness: RoutingHarness, reference: object, agency: str | None = None) -> dict[str, Any]:
    async with client(harness) as staff:
        answer = await staff.get(f"/cases/{reference}/sharing", params={"agency": agency} if agency else None)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_only_staff_are_told_why(harness: RoutingHarness) -> None:
    await harness.consume(harness.file())
    async with client(harness, key=None) as anybody:
        for path in ("sharing", "routing"):
            assert (await anybody.get(f"/cases/{case_id()}/{path}")).status_code == 401
        assert (await anybody.post("/routing/explain", json={})).status_code == 401


async def test_why_did_the_police_not_see_this(harness: RoutingHarness) -> None:
    await put_on_record(harness, AGREEMENTS, NOON)
    await harness.consume(harness.file("housing"))
    (police,) = (await sharing(harness, case_id(), "police"))["agencies"]
    assert police["because"] == ["was asked about"]
    assert police["receipts"] == []
    (need,) = police["needs"]
    assert need["referral_id"] is None
    assert groups(need["then"])["health"] == ("no-agreement",)
    assert need["now"] == {key: need["then"][key] for key in need["now"]}


async def test_each_group_of_a_referral_is_explained_and_its_receipts_are_there(harness: RoutingHarness) -> None:
    await put_on_record(harness, AGREEMENTS, NOON)
    await harness.consume(harness.file("housing"))
    ((referral_id,),) = harness.rows("SELECT referral_id FROM referrals")
    told = await sharing(harness, referral_id)
    assert (told["case_id"], told["service_request_id"]) == (str(case_id()), "SR-1")
    homes = of(told, "homes")
    assert homes["because"] == ["has or had a referral", "was given something", "is named by the routing rules"]
    (about,) = homes["needs"]
    assert (about["referral_id"], about["state"], about["then"]["entitled"]) == (str(referral_id), "requested", True)
    said = groups(about["then"])
    assert said["address"] == ["full"]
    assert said["identity"] == ("no-agreement",)
    (receipt,) = homes["receipts"]
    assert set(receipt["groups"]) <= {name for name, how in said.items() if isinstance(how, list)}
    assert receipt["grounds"] == [{"kind": "agreement", "id": "to-homes/to-homes", "version": 1}]
    assert told == await sharing(harness, "SR-1")
    assert of(told, "clinic")["because"] == ["is named by the routing rules"]


async def test_an_agency_that_was_barred_is_there_with_the_policies(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("noise", service_code="loud"))
    harbor = of(await sharing(harness, case_id()), "harbor")
    assert "was not asked because it may not know" in harbor["because"]
    (refused,) = harbor["refused"]
    assert refused["why"] == ["no-agreement"]
    assert refused["says"] == "harbor may not know of the need: no agreement releases it to this agency."
    assert not harbor["needs"][0]["now"]["entitled"]


async def test_what_was_decided_then_is_told_by_the_agreements_of_then(harness: RoutingHarness) -> None:
    then = (agreement(clause("homes", *(each for each in FieldGroup if each is FieldGroup.NEED))),)
    old = await put_on_record(harness, then, NOON - timedelta(days=9))
    world_then = replace(harness, context=replace(harness.context, city=under(CITY, *then)))
    await world_then.consume(harness.file("housing"))
    (about,) = of(await sharing(harness, case_id()), "homes")["needs"]
    assert (about["then"]["policy_set"], about["then"]["remark"]) == (old, None)
    assert groups(about["then"])["address"] == ("no-agreement",)
    assert groups(about["now"])["address"] == ["full"]
    assert about["now"]["policy_set"] == CITY.policy.hash


async def test_a_past_that_is_not_on_record_is_not_made_up(harness: RoutingHarness) -> None:
    then = under(CITY, agreement(clause("homes", FieldGroup.NEED)))
    await replace(harness, context=replace(harness.context, city=then)).consume(harness.file("housing"))
    (about,) = of(await sharing(harness, case_id()), "homes")["needs"]
    assert about["then"]["entitled"] is None
    assert "not on record" in about["then"]["remark"]
    assert about["then"]["policy_set"] == then.policy.hash


async def test_a_consent_that_was_withdrawn_counted_then_and_does_not_now(harness: RoutingHarness) -> None:
    given = harness.consent(consent("clinic", groups=[HEALTH], ends_at=FOREVER))
    await harness.consume(harness.file("health"))
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    told = await sharing(harness, case_id())
    clinic = of(told, "clinic")
    about = clinic["needs"][0]
    assert groups(about["then"])["health"] == ["thin"]
    assert set(groups(about["now"])["health"]) == {"needs-consent", "consent-withdrawn"}
    health = next(each for each in about["then"]["groups"] if each["group"] == "health")
    assert health["given"][0]["consents"] == [str(given.consent_id)]
    assert (told["consents"][0]["consent_id"], bool(told["consents"][0]["withdrawn_at"])) == (
        str(given.consent_id),
        True,
    )


async def test_recalls_and_withheld_events_are_told(harness: RoutingHarness) -> None:
    given = harness.consent(
        consent("refuge", groups=[FieldGroup.VICTIM_SERVICES], ends_at=FOREVER),
    )
    await harness.consume(harness.file("safety", service_code="violence"))
    event_id = harness.rows("SELECT receipt_id FROM receipts")[0][0]
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    refuge = of(await sharing(harness, case_id()), "refuge")
    assert [each["receipt_id"] for each in refuge["recalls"]] == [str(event_id)]
    assert refuge["recalls"][0]["consent_id"] == str(given.consent_id)
    assert str(event_id) in {each["event_id"] for each in refuge["withheld_events"]}
    assert refuge["needs"][0]["then"]["entitled"]
    assert not refuge["needs"][0]["now"]["entitled"]


async def test_an_explanation_holds_nothing_of_what_a_report_says(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    async with client(harness) as staff:
        told = (await staff.get(f"/cases/{case_id()}/sharing")).text + (await staff.get("/cases/SR-1/routing")).text
    assert "Elm" not in told
    assert "Ana" not in told


async def test_an_unknown_case_is_not_found(harness: RoutingHarness) -> None:
    async with client(harness) as staff:
        for reference in (uuid4(), "SR-404", "%27"):
            for path in ("sharing", "routing"):
                answer = await staff.get(f"/cases/{reference}/{path}")
                assert (answer.status_code, "unknown case" in answer.text) == (404, True)


async def test_the_choice_of_a_program_is_explained_with_what_was_noted(harness: RoutingHarness) -> None:
    await put_on_record(harness, AGREEMENTS, NOON)
    await harness.consume(harness.file("noise", "loneliness", service_code="loud"))
    async with client(harness) as staff:
        noise, lonely = (await staff.get("/cases/SR-1/routing")).json()["needs"]
    (referral,) = noise["referrals"]
    assert (referral["program"], referral["by"], referral["why"]) == (
        "police/precinct",
        "routing",
        "rule noise, choice 2",
    )
    assert noise["then"] == noise["now"]
    assert [(each["program"], each["standing"]) for each in noise["now"]["candidates"]] == [
        ("harbor/desk", "may-not-know"),
        ("police/precinct", "asked"),
    ]
    assert noise["now"]["candidates"][0]["policies"] == ["no-agreement"]
    assert lonely["now"]["rule"] is None
    assert lonely["triage"][0]["why"] == "no routing rule applies"
    assert lonely["need_id"] == str(need_id("loneliness"))


async def test_a_supposed_report_is_explained(harness: RoutingHarness) -> None:
    body = {"service_code": "drugs", "needs": ["housing"], "district": "north", "urgency": "routine"}
    consents = [{"recipients": ["clinic"], "groups": ["substance_use"]}]
    async with client(harness) as staff:
        without = (await staff.post("/routing/explain", json=body)).json()
        given = (await staff.post("/routing/explain", json={**body, "consents": consents})).json()
        wrong = await staff.post("/routing/explain", json={**body, "needs": []})
        strange = await staff.post("/routing/explain", content=b"\xff")
    assert without["needs"][0]["asked"] is None
    assert given["needs"][0]["asked"] == "clinic/visits"
    assert (wrong.status_code, wrong.json()["error"].partition(":")[0]) == (422, "needs")
    assert strange.status_code == 422


async def test_explaining_changes_nothing(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing", "noise"))
    before = harness.snapshot()
    await sharing(harness, case_id())
    async with client(harness) as staff:
        await staff.get(f"/cases/{case_id()}/routing")
    assert harness.snapshot() == before
