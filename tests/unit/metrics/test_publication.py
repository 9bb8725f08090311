"""No published figure reveals a small group, by itself or together with another published figure."""

from collections import Counter, defaultdict
from functools import cache, lru_cache
from itertools import permutations
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.metrics.domain.cell_suppression import CountName
from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.clocks import measure_case, measure_referral
from services.metrics.domain.count_relations import MEASURES, PUBLISHED_CLOCKS, TABLES, Aggregates
from services.metrics.domain.publication import Publication, publish
from services.metrics.domain.reconciliation import reconcile, suppress_counts
from services.metrics.domain.records import CaseRecord
from services.metrics.domain.redaction import redact_record
from services.metrics.domain.tallies import tally
from shared.events.agency_inbox import UNDISCLOSED
from shared.events.fields import FieldGroup
from shared.policy.protection import ProtectionRules
from tests.unit.metrics.case_events import START, CaseEvents, random_case
from tests.unit.metrics.test_clocks import record_of

MINIMUM = 11
ZONE = ZoneInfo("America/New_York")
SECRET = "partner-violence-help"
PROTECTION = ProtectionRules({"heat-hot-water": None, SECRET: FieldGroup.VICTIM_SERVICES})
Groups = dict[CountName, set[UUID]]
"""The cases or referrals that each count contains."""


def rows_of(record: CaseRecord) -> list[tuple[str, UUID, list[tuple[str, str]], Any]]:
    """Return the clocks of a case and of its referrals, each with the rows that it counts in."""
    redacted = redact_record(record, PROTECTION)
    case = measure_case(redacted, ZONE)
    placed = [("city", ""), ("week", str(case.week)), ("district", case.district)]
    found: list[tuple[str, UUID, list[tuple[str, str]], Any]] = [("case", case.case_id, placed, case)]
    for referral in redacted.referrals:
        clocks = measure_referral(referral, redacted.holds.get(referral.referral_id, ()), ZONE)
        if clocks:
            own = [("agency", clocks.agency), ("need", clocks.need), ("pairing", clocks.pairing)]
            found.append(("referral", clocks.referral_id, own, clocks))
    return found


def groups_of(records: list[CaseRecord]) -> Groups:
    """Put every case and referral into the groups that the figures count, one by one."""
    groups: Groups = defaultdict(set)
    for record in records:
        for name in tally(record):
            if "." not in name or name == "triage.open":
                groups["total", name].add(record.case.case_id)
        for _, identity, placed, clocks in rows_of(record):
            for clock in PUBLISHED_CLOCKS:
                seconds = getattr(clocks, clock)
                state = "n" if seconds is not None and seconds >= 0 else "invalid" if seconds is not None else "open"
                if state != "open" or clocks.is_open:
                    for row in placed:
                        groups[*row, clock, state].add(identity)
    return groups


def figures_of(records: list[CaseRecord]) -> Aggregates:
    """Compute the figures as the rollups do."""
    totals: Counter[str] = Counter()
    for record in records:
        totals.update(tally(record))
    groups = groups_of(records)
    cells: dict[tuple[str, str], list[Cell]] = {(table, clock): [] for table in TABLES for clock in PUBLISHED_CLOCKS}
    for table, row, clock in sorted({name[:3] for name in groups if name[0] != "total"}):
        sizes = {measure: len(groups[table, row, clock, measure]) for measure in MEASURES}
        week = START.date().fromisoformat(row) if table == "week" else ALL_TIME
        key = "" if table == "week" else row
        cell = Cell(by=table, key=key, week=week, clock=clock, p50=1, p90=2, p95=3, hold=0, as_of=START, **sizes)
        cells[table, clock].append(cell)
    return Aggregates(totals, cells)


def many(number: int, seed: int, *, secret: int = 0) -> list[CaseRecord]:
    public = [any_record(place, seed * 1000 + place) for place in range(number)]
    return public + [kept_secret(place) for place in range(secret)]


@lru_cache(maxsize=1 << 12)
def any_record(place: int, seed: int) -> CaseRecord:
    """Return the record of a random case; hypothesis asks for a third of them again."""
    return record_of(random_case(place, seed))


@cache
def kept_secret(place: int) -> CaseRecord:
    """Return one of the cases about violence, which are the same in every city."""
    case = CaseEvents(10_000 + place).file(("noise",), service_code=SECRET).route({"noise": "nypd"})
    return record_of(case.wait(minutes=place).resolve())


def shown(published: Publication) -> dict[CountName, int]:
    """Return every count that everyone may see, by name, through what pages and API are made from."""
    found: dict[CountName, int] = {
        ("total", name): n for name in published.aggregates.totals if (n := published.total(name))
    }
    for table in ("city", "week", "district", "agency", "need"):
        for clock in PUBLISHED_CLOCKS:
            for cell in published.cells(table, clock):
                row = cell.week.isoformat() if table == "week" else cell.key
                for measure in MEASURES:
                    if count := getattr(cell, measure):
                        found[table, row, clock, measure] = count
    return found


def is_known_to_hold(one: CountName, other: CountName) -> bool:
    """Tell whether a reader may know that one group lies in another: not so of a district and a week."""
    tables = {one[0], other[0]}
    return tables != {"district", "week"} and not (len(tables) == 1 and one[0] != "total" and one[1] != other[1])


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 90), st.integers(0, 10_000), st.integers(0, 14))
def test_no_published_pair_of_numbers_reveals_a_small_group(number: int, seed: int, secret: int) -> None:
    records = many(number, seed, secret=secret)
    groups, published = groups_of(records), shown(publish(figures_of(records), MINIMUM))
    assert not {name: count for name, count in published.items() if 0 < count < MINIMUM}
    for one, other in permutations([name for name in published if name in groups], 2):
        if is_known_to_hold(one, other) and groups[one] < groups[other]:
            assert len(groups[other] - groups[one]) >= MINIMUM, (one, other)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 90), st.integers(0, 10_000), st.integers(0, 14))
def test_no_table_subtracted_from_the_whole_city_reveals_a_small_group(number: int, seed: int, secret: int) -> None:
    records = many(number, seed, secret=secret)
    groups, published = groups_of(records), shown(publish(figures_of(records), MINIMUM))
    for table, wholes in (("district", ("city",)), ("week", ("city",)), ("agency", ("need",)), ("need", ("agency",))):
        for clock in PUBLISHED_CLOCKS:
            for measure in MEASURES:
                rows = [name for name in published if name[0] == table and name[2:] == (clock, measure)]
                known = [name for name in published if name[0] in wholes and name[2:] == (clock, measure)]
                everybody = {name for name in groups if name[0] in wholes and name[2:] == (clock, measure)}
                if everybody and everybody <= set(known):
                    left = set().union(*(groups[name] for name in known)) - set().union(*(groups[n] for n in rows))
                    assert not 0 < len(left) < MINIMUM, (table, clock, measure)


@given(st.integers(0, 60), st.integers(0, 10_000), st.integers(0, 20))
def test_a_case_about_violence_has_no_row_of_its_own_in_any_table(number: int, seed: int, secret: int) -> None:
    published = publish(figures_of(many(number, seed, secret=secret)), MINIMUM)
    keys = {
        cell.key
        for table in ("district", "agency", "need")
        for clock in PUBLISHED_CLOCKS
        for cell in published.cells(table, clock)
    }
    assert UNDISCLOSED not in keys
    assert "undisclosed" not in "".join(keys)


def test_a_city_of_some_size_still_sees_its_main_figures() -> None:
    records = many(500, 7)
    published = publish(figures_of(records), MINIMUM)
    assert published.total("accepted") == 500
    [response] = published.cells("city", "response")
    assert response.p50 is not None
    assert len([cell for cell in published.cells("agency", "response") if cell.p50 is not None]) == 3
    assert [cell.n for cell in published.cells("agency", "response") if cell.n] != []


def test_the_reconciliation_that_everyone_sees_has_no_small_number() -> None:
    figures = figures_of(many(40, 3))
    whole = reconcile(figures.totals, None, START)
    public = suppress_counts(whole, publish(figures, MINIMUM))
    numbers = [*public.values(), *public["referrals"].values(), *public["mails"].values()]
    assert public.keys() >= whole.keys()
    assert not [n for n in numbers if type(n) is int and 0 < n < MINIMUM]
    assert public["accepted"] == 40


def test_times_of_few_are_left_out_of_a_group_that_is_large_enough() -> None:
    cell = Cell(
        by="agency", key="hpd", week=ALL_TIME, clock="response", n=3, invalid=0, open=40, p50=1, p90=2, p95=3, hold=9,
        as_of=START,
    )  # fmt: skip
    [public] = publish(Aggregates({}, {("agency", "response"): [cell]}), MINIMUM).cells("agency", "response")
    assert (public.n, public.open, public.p50, public.hold, public.is_blank) == (None, 40, None, None, False)
