"""Holds what was accepted against tables, topics and mails: the invariants of the whole system."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import httpx

from shared.events.wire import read_envelope
from tests.city import RunningCity
from tests.kafka_contents import Record, read_all, topic_names


async def inbox_records(city: RunningCity) -> list[Record]:
    """Read every agency's inbox from its beginning."""
    kafka = city.state.kafka
    return await read_all(kafka, [name for name in await topic_names(kafka) if name.endswith(".inbox.v1")])


def assert_each_201_is_one_case_with_its_referrals(city: RunningCity, numbers: Sequence[str]) -> None:
    """I1: every 201 leads to exactly one case, and one open or ended first referral for each of its needs."""
    assert len(numbers) == len(set(numbers)), "two reports got the same number"
    kept = Counter(number for (number,) in city.rows("SELECT service_request_id FROM intake.cases"))
    assert {number: kept[number] for number in numbers} == dict.fromkeys(numbers, 1)
    odd = city.rows(
        "SELECT c.service_request_id, cardinality(c.needs), count(r.need_id) FILTER (WHERE r.attempt = 1),"
        " (SELECT count(*) FROM routing.triage t WHERE t.case_id = c.case_id) FROM intake.cases c"
        " LEFT JOIN routing.referrals r USING (case_id) GROUP BY c.case_id, 1, 2"
        " HAVING cardinality(c.needs) > count(r.need_id) FILTER (WHERE r.attempt = 1)"
        "   + (SELECT count(*) FROM routing.triage t WHERE t.case_id = c.case_id)"
        " OR count(r.need_id) FILTER (WHERE r.attempt = 1) > cardinality(c.needs)"
    )
    assert odd == []


def assert_inboxes_are_in_order(records: Iterable[Record]) -> None:
    """I3: in each inbox the events of one case are in order; a repeat has the id of the first."""
    seen: dict[tuple[str, bytes], dict[int, str]] = defaultdict(dict)
    for record in records:
        envelope = read_envelope(record.headers)
        assert record.key is not None
        known = seen[record.topic, record.key]
        if envelope.sequence in known:
            assert known[envelope.sequence] == str(envelope.id), "one number, two events"
            continue
        assert envelope.sequence == len(known) + 1, f"{record.topic}: {envelope.sequence} after {sorted(known)}"
        known[envelope.sequence] = str(envelope.id)
    assert seen


def assert_nothing_happened_twice(city: RunningCity) -> None:
    """I4: no second notification of the same thing, no double count."""
    mails = httpx.get(f"{city.state.url('mailbox')}/messages.json?limit=0", timeout=30).json()
    assert mails["count"] == mails["distinct"]
    account = city.ask("metrics", "/reconciliation").json()
    assert account["duplicates"] == 0
    assert [(account["accepted"],)] == city.rows("SELECT count(*) FROM intake.cases")
    assert city.rows(
        "SELECT case_id, topic, sequence FROM metrics.journey_entries WHERE sequence IS NOT NULL"
        " GROUP BY case_id, topic, sequence HAVING count(DISTINCT event_id) > 1"
    ) == []  # fmt: skip


def assert_nothing_waits(city: RunningCity) -> None:
    """I5: every outbox is empty again."""
    for service in ("intake", "routing", "notifications", "metrics"):
        assert city.rows(f"SELECT count(*) FROM {service}.outbox") == [(0,)], service
