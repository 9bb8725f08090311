"""Discretion: what not even operators are shown of a report whose very nature is protected.

A report is protected by its service, or by a need that only protected services name. One that has to do with violence
is counted in totals only: in no table by agency, need or district, where its row would tell that there is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from services.metrics.domain.facts import ReferralFact
from services.metrics.domain.records import CaseRecord
from shared.events.agency_inbox import UNDISCLOSED
from shared.events.fields import FieldGroup

SECRET: Final = FieldGroup.VICTIM_SERVICES


@dataclass(frozen=True, slots=True)
class Discretion:
    """What protects: each service of the city with its group, if any, and the needs that only protected ones name."""

    services: Mapping[str, FieldGroup | None]
    needs: Mapping[str, FieldGroup]

    def protects(self, service_code: str | None, needs: Iterable[str]) -> FieldGroup | None:
        """Return what a report protects; one of a service that is not in the list (any more) is of the strictest kind.

        While the report itself has not been heard of, its needs alone decide.
        """
        service = None if service_code is None else self.services.get(service_code, SECRET)
        found = {service, *(self.needs.get(need) for need in needs)} - {None}
        return SECRET if SECRET in found else next(iter(found), None)

    def protects_case(self, record: CaseRecord) -> FieldGroup | None:
        """Return what a case protects, from all that is known of it."""
        needs = {*(need.need for need in record.needs), *(referral.need for referral in record.referrals)}
        return self.protects(record.case.service_code, [need for need in needs if need])

    def conceal(self, record: CaseRecord) -> CaseRecord:
        """Return a record as it may be counted in tables: a case about violence is nobody's there, and nowhere."""
        if self.protects_case(record) is not SECRET:
            return record
        hidden = [_concealed(referral) for referral in record.referrals]
        return replace(record, case=replace(record.case, district=UNDISCLOSED), referrals=hidden)


def read_discretion(services: Iterable[Mapping[str, Any]]) -> Discretion:
    """Learn from the city's list of services what protects."""
    groups: dict[str, FieldGroup | None] = {}
    named: dict[str, set[FieldGroup | None]] = {}
    for service in services:
        group = FieldGroup(service["protects"]) if service.get("protects") else None
        groups[service["code"]] = group
        for need in service.get("needs", ()):
            named.setdefault(need, set()).add(group)
    protected = {need: found - {None} for need, found in named.items() if None not in found}
    strict = {need: SECRET if SECRET in found else next(iter(found)) for need, found in protected.items()}
    return Discretion(groups, {need: group for need, group in strict.items() if group})


def _concealed(referral: ReferralFact) -> ReferralFact:
    known = referral.agency is not None
    return replace(referral, agency=UNDISCLOSED, program=UNDISCLOSED, need=UNDISCLOSED) if known else referral


__all__ = ["SECRET", "UNDISCLOSED", "Discretion", "read_discretion"]
