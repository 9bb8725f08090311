"""Two hundred cases of every kind, with consents of every kind: each token is where the rules let it be, nowhere else.

The rules are those of `tests/policy_oracle.py`, written independently of the decision.
"""

import json

import httpx
import pytest

from shared.events.fields import FieldGroup
from tests.eventually import eventually
from tests.journey.disclosures.harness import CASES, DisclosureHarness, Filed, tokens_in
from tests.kafka_contents import Record

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]


def owners(harness: DisclosureHarness) -> dict[bytes, tuple[Filed, FieldGroup]]:
    """Whose each token is, and of which group."""
    return {token: (filed, group) for filed in harness.filed for token, group in filed.tokens.items()}


def test_cases_of_every_kind_were_filed(harness: DisclosureHarness) -> None:
    kinds = {harness.services[str(filed.form["service_code"])].get("protects") for filed in harness.filed}
    assert kinds == {None, "substance_use", "victim_services"}
    assert sum(bool(filed.consents) for filed in harness.filed) > 10
    assert {group for filed in harness.filed for group in filed.tokens.values()} >= {
        FieldGroup.HEALTH, FieldGroup.HOUSEHOLD, FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES,
    }  # fmt: skip


def test_an_inbox_holds_in_the_clear_what_the_agreements_give_in_full_and_nothing_else(
    harness: DisclosureHarness, records: list[Record]
) -> None:
    found: dict[str, set[bytes]] = {}
    for record in records:
        if record.topic.startswith("agency.") and record.topic.endswith(".inbox.v1"):
            found.setdefault(record.topic.split(".")[1], set()).update(tokens_in(record.value or b""))
    expected: dict[str, set[bytes]] = {}
    for filed in harness.filed:
        for agency in {agency for agency, _ in filed.agencies}:
            full = harness.allowed(filed, agency)["full"]
            expected.setdefault(agency, set()).update(t for t, group in filed.tokens.items() if group in full)
    assert {agency: tokens for agency, tokens in found.items() if tokens} == {
        agency: tokens for agency, tokens in expected.items() if tokens
    }


def test_a_sealed_block_holds_what_the_agreements_seal_to_the_agency_and_only_its_key_opens_it(
    harness: DisclosureHarness, records: list[Record]
) -> None:
    by_case = {filed.case_id: filed for filed in harness.filed}
    opened = 0
    for record in records:
        sealed = json.loads(record.value or b"{}").get("sealed") if record.topic.endswith(".inbox.v1") else None
        if not sealed:
            continue
        agency, filed = record.topic.split(".")[1], by_case[(record.key or b"").decode()]
        plain = harness.keys(agency).open(sealed)
        assert plain is not None
        allowed = harness.allowed(filed, agency)["sealed"]
        assert tokens_in(json.dumps(plain).encode()) == {t for t, group in filed.tokens.items() if group in allowed}
        assert harness.keys("dpr").open(sealed) is None
        opened += 1
    assert opened > 5


def test_the_partner_api_gives_each_agency_all_that_it_may_have_and_no_other_anything(
    harness: DisclosureHarness,
) -> None:
    read = 0
    with httpx.Client(timeout=60) as client:
        for filed in harness.filed:
            for referral_id, agency in filed.referrals.items():
                keys, other = harness.keys(agency), harness.keys("dof" if agency != "dof" else "dpr")
                path = f"{keys.api}/partner/v1/referrals/{referral_id}"
                mine = client.get(path, headers={"Authorization": f"Bearer {keys.api_key}"})
                assert mine.status_code == 200, mine.text
                allowed = harness.readable(filed, referral_id)
                assert tokens_in(mine.content) == {t for t, group in filed.tokens.items() if group in allowed}
                read += 1
                theirs = client.get(path, headers={"Authorization": f"Bearer {other.api_key}"})
                assert theirs.status_code == 404
    assert read > 100
    ((receipts,),) = harness.city.rows("SELECT count(*) FROM routing.receipts WHERE channel = 'read'")
    assert receipts >= read


def test_no_other_topic_no_key_and_no_header_holds_a_token(records: list[Record]) -> None:
    inner = [record for record in records if not record.topic.endswith(".inbox.v1")]
    assert len(inner) > CASES
    values = b"\n".join(record.value or b"" for record in inner)
    outside = b"\n".join(
        (record.key or b"") + b"".join(n.encode() + v for n, v in record.headers) for record in records
    )
    assert tokens_in(values) | tokens_in(outside) == set()


def test_a_report_of_violence_without_a_consent_leaves_no_sign_in_any_topic(
    harness: DisclosureHarness, records: list[Record]
) -> None:
    silent = [filed for filed in harness.filed if _is_silent(harness, filed)]
    assert len(silent) > 5
    raw = b"\n".join((record.key or b"") + (record.value or b"") for record in records)
    for filed in silent:
        assert filed.case_id.encode() not in raw
        assert filed.number.encode() not in raw
    for schema in ("routing", "notifications", "metrics"):
        assert {filed.case_id for filed in silent} & _cases_in(harness, schema) == set()


def _is_silent(harness: DisclosureHarness, filed: Filed) -> bool:
    protects = harness.services[str(filed.form["service_code"])].get("protects")
    return protects == "victim_services" and not filed.consents


def _cases_in(harness: DisclosureHarness, schema: str) -> set[str]:
    tables = harness.city.rows(
        f"SELECT table_name FROM information_schema.columns WHERE table_schema = '{schema}' AND column_name = 'case_id'"
    )
    every = " UNION ".join(f"SELECT case_id::text FROM {schema}.{table}" for (table,) in tables)
    return {case_id for (case_id,) in harness.city.rows(every)}


@pytest.mark.parametrize("schema", ["intake", "routing", "notifications", "metrics", "vault"])
def test_no_table_holds_a_token(harness: DisclosureHarness, schema: str) -> None:
    tables = [name for (name,) in harness.city.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")]
    raw = "\n".join(
        str(row) for name in tables for row in harness.city.rows(f"SELECT t::text FROM {schema}.{name} AS t")
    )
    assert tokens_in(raw.encode()) == set()


def test_no_log_line_and_no_span_holds_a_token(harness: DisclosureHarness) -> None:
    logs = b"\n".join(file.read_bytes() for file in (harness.city.folder / "logs").rglob("*") if file.is_file())
    assert len(logs) > 1000
    assert tokens_in(logs) == set()


def test_mails_go_to_those_who_reported_and_hold_nothing_else_of_theirs(harness: DisclosureHarness) -> None:
    mailbox = harness.city.state.url("mailbox")
    raw = eventually(lambda: httpx.get(f"{mailbox}/messages.json?limit=10000", timeout=30).content)
    groups = {owners(harness)[token][1] for token in tokens_in(raw)}
    assert groups <= {FieldGroup.CONTACT}


def test_what_the_public_may_read_holds_no_token(harness: DisclosureHarness) -> None:
    intake, metrics = harness.city.state.url("intake"), harness.city.state.url("metrics")
    paths = [f"{intake}/open311/v2/requests.{form}?extensions=true&page_size=200" for form in ("json", "xml")]
    paths += [f"{metrics}/", f"{intake}/"]
    paths += [f"{intake}/open311/v2/requests/{filed.number}.json" for filed in harness.filed[:40]]
    raw = b"\n".join(httpx.get(path, timeout=30, follow_redirects=True).content for path in paths)
    assert tokens_in(raw) == set()
    protected = [filed for filed in harness.filed if "protects" in harness.services[str(filed.form["service_code"])]]
    assert [filed.number for filed in protected if filed.number.encode() in raw] == []


def test_what_staff_read_of_a_case_holds_no_token(harness: DisclosureHarness) -> None:
    answers = [
        harness.city.ask(part, f"/cases/{filed.case_id}").content
        for filed in harness.filed[::8]
        for part in ("routing", "metrics")
        if filed.agencies
    ]
    assert len(answers) > 20
    assert tokens_in(b"\n".join(answers)) == set()
