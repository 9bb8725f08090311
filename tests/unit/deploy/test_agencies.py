"""A sample agency responds to the same referral in the same way, loses none, and sends valid updates."""

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.agencies.client import SampleAgency, handle_event
from deploy.local.agencies.referral_store import ReferralStore
from deploy.local.agencies.response_plan import ResponseProfile, Step, plan_response, read_duration
from deploy.local.agencies.wire import ForeignMessageError, PendingUpdate, ReceivedEvent, continue_trace, decode, encode
from shared.events import wire
from shared.events.agency_inbox import ReferralRequested
from shared.events.fields import Released
from shared.events.topics import AGENCY_UPDATES

PROFILE = ResponseProfile(answer=timedelta(hours=2), completion=timedelta(days=2), rejected=0.1, held=0.2)
AGENCY = SampleAgency("hpd", PROFILE, speed=3600)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReferralStore]:
    with closing(ReferralStore(tmp_path / "hpd.sqlite")) as own:
        yield own


def heard(kind: str = "referral.requested.v1", **event: object) -> ReceivedEvent:
    case_id = str(event.pop("case_id", uuid4()))
    now = "2026-03-01T12:00:00Z"
    referral = {"type": kind, "case_id": case_id, "referral_id": str(uuid4()), "sent_at": now, "submitted_at": now}
    return ReceivedEvent(str(uuid4()), kind, case_id, TRACE, referral | event)


def update(kind: str, **details: str) -> PendingUpdate:
    return PendingUpdate(str(uuid4()), str(uuid4()), 1, kind, details, str(uuid4()), TRACE, at=1_770_000_000.5)


def test_the_same_referral_is_always_treated_alike() -> None:
    referral = str(uuid4())
    assert plan_response(referral, PROFILE, 10) == plan_response(referral, PROFILE, 10)


def test_a_referral_is_either_rejected_with_a_reason_or_accepted_started_and_completed() -> None:
    endings = Counter[str]()
    for _ in range(2000):
        steps = plan_response(str(uuid4()), PROFILE, 1)
        kinds = [step.type.split(".")[1] for step in steps]
        assert kinds in (
            ["rejected"],
            ["accepted", "started", "completed"],
            ["accepted", "started", "held", "resumed", "completed"],
        )
        assert sorted(step.after for step in steps) == [step.after for step in steps]
        endings[kinds[-1]] += 1
    assert 0.05 < endings["rejected"] / 2000 < 0.15


def test_half_of_the_answers_come_within_the_median() -> None:
    answers = sorted(plan_response(str(i), PROFILE, 1)[0].after for i in range(1001))
    assert PROFILE.answer * 0.85 < answers[500] < PROFILE.answer * 1.15


def test_durations_are_read_as_iso_8601_writes_them() -> None:
    assert read_duration("P1DT2H30M") == timedelta(days=1, hours=2, minutes=30)
    with pytest.raises(ValueError, match="PX"):
        read_duration("PX")


def test_every_update_is_valid_by_the_published_contract() -> None:
    steps = {step.type: step for i in range(500) for step in plan_response(str(i), PROFILE, 1)}
    assert len(steps) == 6
    for step in steps.values():
        value, headers = encode("hpd", update(step.type, **step.details), 3)
        envelope = wire.read_envelope(headers)
        event = wire.read_event(AGENCY_UPDATES, envelope, value)
        assert envelope.source == AGENCY_UPDATES.source_of("agency.hpd.updates.v1")
        assert (envelope.sequence, envelope.classification) == (3, event.classification)
        assert dict(headers)["ce_dataschema"].decode() == wire.schema_uri("agency.hpd.updates.v1", step.type)
        assert envelope.time == event.occurred_at == datetime.fromtimestamp(1_770_000_000.5, UTC)


def test_an_update_that_is_sent_again_is_the_same_to_the_last_byte() -> None:
    said = update("referral.accepted.v1")
    assert encode("hpd", said, 1) == encode("hpd", said, 1)
    assert dict(encode("hpd", said, 1)[1])["ce_id"] != dict(encode("dob", said, 1)[1])["ce_id"]


def test_the_trace_of_the_referral_goes_on_under_a_span_of_the_agencys_own() -> None:
    headers = dict(encode("hpd", update("referral.accepted.v1"), 1)[1])
    version, trace, span, flags = headers["traceparent"].decode().split("-")
    assert (version, trace, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
    assert span == UUID(headers["ce_id"].decode()).hex[:16]
    assert continue_trace("", "1" * 16) == ""


def test_a_referral_as_routing_writes_it_is_decoded() -> None:
    event = ReferralRequested(
        case_id=uuid4(),
        referral_id=uuid4(),
        sent_at=datetime.now(UTC),
        need_id=uuid4(),
        need="inadequate-housing",
        program="housing-inspections",
        submitted_at=datetime.now(UTC),
        released=Released(),
    )
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": event.type,
        "ce_dataclassification": event.classification.value,
    }
    found = decode([(name, text.encode()) for name, text in headers.items()], event.model_dump_json().encode())
    assert (found.type, found.case_id) == (event.type, str(event.case_id))
    assert found.event["referral_id"] == str(event.referral_id)


@pytest.mark.parametrize(
    ("label", "value"),
    [("top-secret", b'{"case_id": "1"}'), ("public", b"{"), ("public", b"[]"), ("public", None), ("public", b"\xff")],
)
def test_a_message_that_must_not_or_cannot_be_decoded_is_rejected(label: str, value: bytes | None) -> None:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_type": "t", "ce_dataclassification": label}
    with pytest.raises(ForeignMessageError):
        decode([(name, text.encode()) for name, text in headers.items()], value)


def test_a_referral_that_comes_twice_is_answered_once(store: ReferralStore) -> None:
    referral = heard()
    handle_event(AGENCY, referral, store)
    before = store.list_due(1e12, 100)
    handle_event(AGENCY, referral, store)
    assert store.list_due(1e12, 100) == before


def test_a_referral_that_only_records_the_past_is_not_answered(store: ReferralStore) -> None:
    handle_event(AGENCY, heard(record_only=True), store)
    assert store.count_pending() == 0


def test_a_report_that_was_open_for_long_when_it_was_imported_is_left_to_people(store: ReferralStore) -> None:
    handle_event(AGENCY, heard(submitted_at="2018-06-26T14:58:54Z"), store)
    assert store.count_pending() == 0


def test_a_cancelled_referral_has_no_pending_update(store: ReferralStore) -> None:
    referral = heard()
    handle_event(AGENCY, referral, store)
    handle_event(AGENCY, heard("referral.cancelled.v1", referral_id=referral.event["referral_id"]), store)
    assert store.count_pending() == 0


def test_after_an_erasure_nothing_is_stored_and_a_replay_does_not_restore_it(tmp_path: Path) -> None:
    referral = heard()
    file = tmp_path / "hpd.sqlite"
    with closing(ReferralStore(file)) as store:
        for _ in range(2):
            handle_event(AGENCY, referral, store)
            handle_event(AGENCY, heard("person.erased.v1", referral_id=referral.event["referral_id"]), store)
            assert store.count_pending() == 0
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT * FROM referrals").fetchall() == [(referral.event["referral_id"], "", "", "")]


def test_a_referral_after_its_erasure_is_not_stored(store: ReferralStore) -> None:
    referral = heard()
    handle_event(AGENCY, heard("person.erased.v1", referral_id=referral.event["referral_id"]), store)
    handle_event(AGENCY, referral, store)
    assert store.count_pending() == 0


@pytest.mark.parametrize("kind", ["emergency.access.v1", "disclosure.recalled.v1", "referral.amended.v1"])
def test_events_for_information_do_not_change_the_pending_updates(store: ReferralStore, kind: str) -> None:
    referral = heard()
    handle_event(AGENCY, referral, store)
    before = store.list_due(1e12, 100)
    handle_event(AGENCY, heard(kind, referral_id=referral.event["referral_id"]), store)
    assert store.list_due(1e12, 100) == before


def test_a_reminder_makes_the_agency_answer_at_once(store: ReferralStore) -> None:
    referral = heard()
    store.add(referral, [Step(timedelta(hours=5), "referral.accepted.v1", {})], now=0)
    assert store.list_due(100, 10) == []
    store.advance(referral.event["referral_id"], 100)
    assert [u.type for u, _ in store.list_due(100, 10)] == ["referral.accepted.v1"]


def test_an_event_of_an_unknown_type_is_skipped(store: ReferralStore) -> None:
    handle_event(AGENCY, heard("case.status.v1"), store)
    assert store.count_pending() == 0


def test_an_unconfirmed_update_is_sent_again_with_the_same_sequence_after_a_restart(tmp_path: Path) -> None:
    case_id = str(uuid4())
    with closing(ReferralStore(tmp_path / "a.sqlite")) as before:
        for _ in range(3):
            before.add(heard(case_id=case_id), plan_response(str(random.random()), PROFILE, 1), now=0)
        first = before.list_due(1e12, 4)
        before.mark_sent([u for u, _ in first[:2]])
    with closing(ReferralStore(tmp_path / "a.sqlite")) as after:
        second = after.list_due(1e12, 100)
    assert second[:2] == first[2:]
    assert [sequence for _, sequence in first[:2] + second] == list(range(1, len(second) + 3))
    assert json.loads(encode("hpd", *second[0])[0])["case_id"] == case_id
