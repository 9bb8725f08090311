"""The partner API on a real database: an agency reads what is its own, and no read goes without its receipt."""

import hmac
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from services.routing.use_cases.person_keys import DIGEST_KEY_INFO
from services.routing.workers.ledger_sequencer import sequence
from shared.events.agency_updates import ReferralAccepted, ReferralRejected
from shared.events.intake import CaseSubmitted, CaseWithdrawn
from shared.events.reasons import Reason
from shared.kit.vault.vault import Person
from shared.policy.merkle import hash_leaf
from shared.policy.receipts import canonical
from tests.builders import NOON, case_id, consent
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.ledgers import sign_now
from tests.service.routing.partner_client import agency, caller, path_of, referral_of
from tests.service.routing.test_consents import FOREVER, HEALTH, granted, relay_all, to_refuge, violent, withdrawn
from tests.service.routing.test_receipts import HINDRANCES, hindered

pytestmark = pytest.mark.servers


async def test_a_request_without_the_key_of_an_agency_is_refused(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    paths = ("/partner/v1/referrals", path_of(referral_of(harness)), f"/partner/v1/receipts/{uuid4()}")
    for key in (None, "wrong", "a key for staff", "key of another"):
        async with caller(harness, key) as stranger:
            for path in paths:
                answer = await stranger.get(path)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_an_agency_reads_all_that_it_may_have_and_the_state(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    async with agency(harness) as homes:
        read = (await homes.get(path_of(referral_of(harness)))).json()
    assert (read["need"], read["program"], read["state"]) == ("housing", "inspections", "requested")
    assert (read["case_id"], read["answer_by"]) == (str(case_id()), "2026-03-02T16:00:00Z")
    assert read["released"]["address"]["address"] == "1 Elm St"
    assert read["released"]["identity"] is None
    assert "identity" in read["withheld"]
    assert [terms["agreement"] for terms in read["terms"]] == ["to-homes"]
    assert read["emergency_until"] is None


async def test_each_read_leaves_a_receipt_of_its_own_with_a_digest_of_the_very_answer(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    async with agency(harness) as homes:
        answers = [await homes.get(path_of(referral_of(harness))) for _ in range(2)]
    kept = harness.rows(
        "SELECT receipt_id::text, agency, form, groups, digest FROM receipts WHERE channel = 'read' ORDER BY receipt_id"
    )
    person = (await _person(harness, filed)).secret
    assert kept == sorted(
        (
            each.json()["receipt_id"],
            "homes",
            "thin",
            ["need", "location", "address", "language_access"][:3],
            hmac.digest(hmac.digest(person, DIGEST_KEY_INFO, sha256), each.content, sha256),
        )
        for each in answers
    )
    made = [row.value for row in harness.outbox("routing.referrals.v1") if row.type == "disclosure.made.v1"]
    assert [each["channel"] for each in made] == ["event", "read", "read"]
    assert {each["receipt_id"] for each in made[1:]} == {row[0] for row in kept}


async def test_another_agency_s_referral_is_as_unknown_as_one_that_does_not_exist(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    referral_id = referral_of(harness)
    before = harness.snapshot()
    async with agency(harness, "clinic") as clinic:
        foreign, unknown = await clinic.get(path_of(referral_id)), await clinic.get(path_of(uuid4()))
        assert (await clinic.get("/partner/v1/referrals/not-an-id")).status_code == 404
        assert (await clinic.get("/partner/v1/referrals")).json() == {"referrals": [], "next": None}
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
    assert harness.snapshot() == before


@pytest.mark.parametrize("how", HINDRANCES)
async def test_nothing_is_given_while_receipts_cannot_be_written(harness: RoutingHarness, how: str) -> None:
    await harness.consume(harness.file("housing"))
    before = harness.snapshot()
    async with agency(harness) as homes:
        with hindered(harness, how):
            answer = await homes.get(path_of(referral_of(harness)))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "Elm" not in answer.text
        assert harness.snapshot() == before
        assert (await homes.get(path_of(referral_of(harness)))).status_code == 200


async def test_a_protected_report_is_read_while_its_consent_stands_and_leaves_no_sign_after(
    harness: RoutingHarness,
) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    referral_id = referral_of(harness, "refuge")
    async with agency(harness, "refuge") as refuge:
        read = (await refuge.get(path_of(referral_id))).json()
        assert (read["need"], read["released"]["address"]["address"]) == ("safety", "1 Elm St")
        assert len((await refuge.get("/partner/v1/referrals?state=all")).json()["referrals"]) == 1
        assert (await refuge.get(f"/partner/v1/receipts/{read['receipt_id']}")).status_code == 200
        harness.withdraw_consent(given)
        for gone in (path_of(referral_id), f"/partner/v1/receipts/{read['receipt_id']}"):
            assert (await refuge.get(gone)).status_code == 404
        assert (await refuge.get("/partner/v1/referrals?state=all")).json() == {"referrals": [], "next": None}
        await harness.consume(withdrawn(given))
        assert (await refuge.get(path_of(referral_id))).status_code == 404


async def test_what_was_read_under_a_consent_is_recalled_with_it(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    async with agency(harness, "refuge") as refuge:
        read = (await refuge.get(path_of(referral_of(harness, "refuge")))).json()
    await relay_all(harness)
    harness.clear_outbox()
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    [recalled] = [row.value for row in harness.outbox("agency.refuge.inbox.v1") if row.type == "disclosure.recalled.v1"]
    assert read["receipt_id"] in recalled["receipts"]
    assert "address" in recalled["groups"]


async def test_a_read_gives_more_once_a_consent_allows_it(harness: RoutingHarness) -> None:
    filed = harness.file("health")
    await harness.consume(filed)
    async with agency(harness, "clinic") as clinic:
        before = (await clinic.get(path_of(referral_of(harness, "clinic")))).json()
        given = harness.consent(consent("clinic", groups=[HEALTH], ends_at=FOREVER))
        await harness.consume(granted(given))
        after = (await clinic.get(path_of(referral_of(harness, "clinic")))).json()
    assert "health" in before["withheld"]
    assert "health" not in after["withheld"]
    assert [terms["consent_id"] for terms in after["terms"] if terms["consent_id"]] == [str(given.consent_id)]


async def test_what_was_erased_cannot_be_read(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    harness.erase(filed)
    async with agency(harness) as homes:
        read = (await homes.get(path_of(referral_of(harness)))).json()
    assert read["released"]["address"] is None
    assert "address" in read["withheld"]


async def test_the_list_has_ids_and_states_and_none_of_what_is_released(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    referral_id = referral_of(harness)
    accepted = ReferralAccepted(case_id=case_id(), referral_id=referral_id, occurred_at=NOON)
    await harness.consume_updates("homes", accepted)
    receipts = harness.rows("SELECT count(*) FROM receipts")
    async with agency(harness) as homes:
        listed = (await homes.get("/partner/v1/referrals")).json()
        assert listed == {
            "referrals": [
                {
                    "referral_id": str(referral_id),
                    "case_id": str(case_id()),
                    "state": "accepted",
                    "answer_by": "2026-03-02T16:00:00Z",
                }
            ],
            "next": None,
        }
    assert harness.rows("SELECT count(*) FROM receipts") == receipts, "a list is no disclosure"


async def test_open_referrals_are_told_from_all(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"), harness.file("housing", number=2))
    await harness.consume(CaseWithdrawn(case_id=case_id(2), withdrawn_at=NOON))
    async with agency(harness) as homes:
        states = {
            state: [
                each["state"] for each in (await homes.get(f"/partner/v1/referrals?state={state}")).json()["referrals"]
            ]
            for state in ("open", "all")
        }
        assert (await homes.get("/partner/v1/referrals?state=shut")).status_code == 422
        assert (await homes.get("/partner/v1/referrals?after=x")).status_code == 422
    assert (states["open"], sorted(states["all"])) == (["requested"], ["cancelled", "requested"])


async def test_the_list_goes_on_after_an_id_and_skips_what_is_hidden_without_a_sign(harness: RoutingHarness) -> None:
    await harness.consume(*(harness.file("housing", number=number) for number in range(1, 231)))
    hidden = harness.rows("SELECT referral_id FROM referrals ORDER BY referral_id OFFSET 40 LIMIT 70")
    ids = "','".join(str(row[0]) for row in hidden)
    harness.execute(
        'UPDATE cases SET report = replace(report, \'"service_code":"repair"\', \'"service_code":"violence"\') '
        f"WHERE case_id IN (SELECT case_id FROM referrals WHERE referral_id IN ('{ids}'))"
    )
    found: list[str] = []
    pages = 0
    after: str | None = ""
    async with agency(harness) as homes:
        while after is not None:
            page = (await homes.get("/partner/v1/referrals", params={"after": after} if after else {})).json()
            found += [each["referral_id"] for each in page["referrals"]]
            pages, after = pages + 1, page["next"]
    assert (pages, len(found)) == (2, 160)
    assert found == sorted(found)
    assert not {str(row[0]) for row in hidden} & set(found)


async def test_an_agency_proves_its_own_receipt_and_sees_no_other_s(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    async with agency(harness) as homes, agency(harness, "clinic") as clinic:
        read = (await homes.get(path_of(referral_of(harness)))).json()
        waiting = (await homes.get(f"/partner/v1/receipts/{read['receipt_id']}")).json()
        assert (waiting["place"], waiting["checkpoint"]) == (None, None)
        await sequence(harness.database)
        await sign_now(harness)
        proven = (await homes.get(f"/partner/v1/receipts/{read['receipt_id']}")).json()
        assert proven["receipt"]["channel"] == "read"
        assert (proven["place"] in {0, 1}, len(proven["path"])) == (True, 1)
        assert hash_leaf(canonical(proven["receipt"])) in {
            row[0] for row in harness.rows("SELECT hash FROM ledger_nodes")
        }
        assert (await clinic.get(f"/partner/v1/receipts/{read['receipt_id']}")).status_code == 404
        assert (await homes.get(f"/partner/v1/receipts/{uuid4()}")).status_code == 404


async def test_who_rejected_a_referral_may_still_read_what_was_given(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    referral_id = referral_of(harness)
    said = {"case_id": filed.case_id, "referral_id": referral_id, "occurred_at": NOON}
    await harness.consume_updates("homes", ReferralRejected(**said, reason=Reason.NO_CAPACITY, explanation="full"))
    async with agency(harness) as homes:
        assert (await homes.get(path_of(referral_id))).json()["state"] == "rejected"


async def _person(harness: RoutingHarness, filed: CaseSubmitted) -> Person:
    assert isinstance(filed.person_id, UUID)
    async with harness.database.transaction() as tx:
        return (await harness.context.vault.load(tx, [filed.person_id]))[filed.person_id]
