"""What is answered on demand, of the same cases: emergencies, lists, the pages of staff, and exports for a person."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.events.fields import FieldGroup
from tests.journey.disclosures.emergencies import Access
from tests.journey.disclosures.harness import DisclosureHarness, Filed, tokens_in
from tests.policy_oracle import STRICT, may_be_opened

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]


def get(harness: DisclosureHarness, agency: str, path: str) -> httpx.Response:
    """Ask the partner API as an agency."""
    keys = harness.keys(agency)
    return httpx.get(f"{keys.api}/partner/v1/{path}", headers={"Authorization": f"Bearer {keys.api_key}"}, timeout=60)


def given(harness: DisclosureHarness, access: Access) -> set[FieldGroup]:
    """What the agreements give to the agency that tried to open more."""
    return set().union(*harness.allowed(access.filed, access.agency).values())


def words(accesses: list[Access]) -> set[bytes]:
    """The tokens in the reasons that were kept."""
    return {access.word for access in accesses if access.is_open}


def test_an_emergency_opens_what_is_withheld_but_for_what_rests_on_consent_alone(
    harness: DisclosureHarness, accesses: list[Access]
) -> None:
    for access in accesses:
        expected = may_be_opened(harness.protects(access.filed), given(harness, access))
        assert access.answer.status_code == (201 if expected else 409), access.answer.text
        assert set(access.answer.json().get("groups", ())) == expected
        assert tokens_in(access.answer.content) == set()
    assert sum(access.is_open for access in accesses) > 5
    refused = {harness.protects(access.filed) for access in accesses if not access.is_open}
    assert refused >= STRICT


def test_what_is_read_in_an_emergency_is_what_was_given_and_what_was_opened(
    harness: DisclosureHarness, accesses: list[Access]
) -> None:
    more = 0
    for access in accesses:
        base = given(harness, access)
        allowed = base | may_be_opened(harness.protects(access.filed), base)
        read = get(harness, access.agency, f"referrals/{access.referral_id}")
        found = tokens_in(read.content)
        assert found == {token for token, group in access.filed.tokens.items() if group in allowed}
        assert (read.json()["emergency_until"] is not None) == access.is_open
        more += bool(found - {token for token, group in access.filed.tokens.items() if group in base})
    assert more > 5
    ((receipts,),) = harness.city.rows("SELECT count(*) FROM routing.receipts WHERE channel = 'emergency'")
    assert receipts >= more


def test_an_emergency_cannot_ask_for_what_rests_on_consent_alone(
    harness: DisclosureHarness, accesses: list[Access]
) -> None:
    access = next(each for each in accesses if each.is_open)
    keys = harness.keys(access.agency)
    for group in STRICT:
        answer = httpx.post(
            f"{keys.api}/partner/v1/referrals/{access.referral_id}/emergency",
            headers={"Authorization": f"Bearer {keys.api_key}"},
            json={"reason": "A person may be hurt", "caseworker": "Kim Lee", "groups": [group]},
            timeout=60,
        )
        assert answer.status_code == 422
        assert tokens_in(answer.content) == set()


def listed(harness: DisclosureHarness, agency: str) -> Iterator[dict[str, Any]]:
    """Every page of an agency's list."""
    path = "referrals?state=all"
    while path:
        page: dict[str, Any] = get(harness, agency, path).json()
        yield page
        path = f"referrals?state=all&after={page['next']}" if page["next"] else ""


def test_the_partner_api_lists_an_agency_s_own_referrals_and_nothing_of_what_is_in_them(
    harness: DisclosureHarness,
) -> None:
    own: dict[str, set[str]] = {}
    for filed in harness.filed:
        for referral_id, agency in filed.referrals.items():
            own.setdefault(agency, set()).add(referral_id)
    assert len(own) > 5
    for agency, expected in own.items():
        pages = list(listed(harness, agency))
        assert {each["referral_id"] for page in pages for each in page["referrals"]} == expected
        assert tokens_in(json.dumps(pages).encode()) == set()


def test_a_proof_holds_no_token_and_is_shown_to_whom_the_receipt_names(harness: DisclosureHarness) -> None:
    query = "SELECT DISTINCT ON (agency, channel) agency, receipt_id FROM routing.receipts ORDER BY agency, channel"
    receipts = harness.city.rows(query)
    assert len(receipts) > 5
    for agency, receipt_id in receipts:
        shown = get(harness, agency, f"receipts/{receipt_id}")
        assert (shown.status_code, tokens_in(shown.content)) == (200, set())
        assert get(harness, "dpr" if agency != "dpr" else "dof", f"receipts/{receipt_id}").status_code == 404


@pytest.mark.parametrize("form", ["text/html", "application/json"])
def test_the_review_queue_holds_what_caseworkers_said_and_nothing_of_the_reports(
    harness: DisclosureHarness, accesses: list[Access], form: str
) -> None:
    state = harness.city.state
    headers = {"Authorization": f"Bearer {state.staff_key}", "Accept": form}
    page = httpx.get(f"{state.url('routing')}/emergencies", headers=headers, timeout=60)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith(form)
    assert tokens_in(page.content) == words(accesses)
    desk = httpx.get(f"{state.url('routing')}/triage", headers=headers, timeout=60)
    assert desk.status_code == 200
    assert tokens_in(desk.content) == set()


def to_be_exported(harness: DisclosureHarness, accesses: list[Access]) -> list[Filed]:
    """One case of each kind: protected and suppressed, protected and referred, opened in an emergency, and neither."""
    opened = next(access.filed for access in accesses if access.is_open)
    refused = next(access.filed for access in accesses if not access.is_open)
    untold = next(each for each in harness.filed if harness.protects(each) in STRICT and not each.consents)
    plain = next(
        each for each in harness.filed if harness.protects(each) is None and each is not opened and each.referrals
    )
    return [opened, refused, untold, plain]


def test_an_export_holds_all_tokens_of_its_person_and_none_of_anybody_else(
    harness: DisclosureHarness, accesses: list[Access]
) -> None:
    for filed in to_be_exported(harness, accesses):
        made = harness.city.command("person", "export", filed.number)
        assert made.returncode == 0, made.stderr
        reasons = words([access for access in accesses if access.filed is filed])
        assert tokens_in(made.stdout.encode()) == {*filed.tokens, *reasons}
        assert tokens_in(made.stderr.encode()) == set()
