"""Warnings: a clause that gives what another clause gives already."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding
from services.routing.jurisdiction.agreements.reach import reached
from services.routing.jurisdiction.agreements.surroundings import Surroundings
from shared.policy.agreements import FRONT_DOOR, Clause
from shared.policy.plan import CONSENT_ONLY

_CONDITIONS = ("needs", "services", "districts", "urgency")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A clause, and where it stands."""

    file: AgreementFile
    number: int
    clause: Clause

    @property
    def name(self) -> str:
        return self.file.agreement.ground(self.clause)


def overlaps(files: Iterable[AgreementFile], city: Surroundings) -> Iterator[Finding]:
    """Say which clauses add nothing to another for some recipient and groups; of two that are alike, the later."""
    by_recipient: dict[str, list[_Placed]] = {}
    for file in files:
        for number, clause in enumerate(file.agreement.share):
            for recipient in dict.fromkeys(clause.recipients):
                by_recipient.setdefault(recipient, []).append(_Placed(file, number, clause))
    for recipient, placed in by_recipient.items():
        for later, one in enumerate(placed):
            for earlier, other in enumerate(placed):
                alike = _covers(one, other, recipient, city)
                if one is not other and _covers(other, one, recipient, city) and not (alike and later < earlier):
                    yield from _overlap(one, other, recipient)


def _overlap(one: _Placed, other: _Placed, recipient: str) -> Iterator[Finding]:
    twice = [group for group in one.clause.groups if group in other.clause.groups]
    if twice:
        reason = f"gives {recipient} nothing by {', '.join(twice)} that {other.name} does not give already"
        yield one.file.warning(reason, "share", one.number, "groups")


def _covers(wide: _Placed, narrow: _Placed, recipient: str, city: Surroundings) -> bool:
    """Tell whether the one clause applies whenever the other does, and gives in the same form."""
    one, other = wide.clause, narrow.clause
    if one.form is not other.form or not _sources_cover(one, other) or not _consent_covers(wide, narrow):
        return False
    for condition in _CONDITIONS:
        within, asked = getattr(one, condition), getattr(other, condition)
        if within is not None and (asked is None or not set(asked) <= set(within)):
            return False
    return one.consent or not other.consent or not _reaches_protected(other, recipient, city)


def _sources_cover(one: Clause, other: Clause) -> bool:
    return FRONT_DOOR in one.sources or set(other.sources) <= set(one.sources)


def _consent_covers(wide: _Placed, narrow: _Placed) -> bool:
    """A consent counts for one purpose: two clauses that need one are alike only when they serve the same."""
    if not wide.clause.consent:
        return True
    return narrow.clause.consent and wide.file.agreement.purpose == narrow.file.agreement.purpose


def _reaches_protected(clause: Clause, recipient: str, city: Surroundings) -> bool:
    return any(not CONSENT_ONLY.isdisjoint(report.protections) for report in reached(clause, recipient, city))
