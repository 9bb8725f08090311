"""Redaction: what tables count, and operators see, of a protected report.

In its journey and its traces operators see what happens and when. They do not see which service, need, program or
agency it is about. A report about violence has no row in tables by agency, need or district.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.metrics.domain.facts import ReferralFact
from services.metrics.domain.journey import JourneyEntry
from services.metrics.domain.records import CaseRecord
from services.metrics.domain.spans import Span
from shared.events.agency_inbox import UNDISCLOSED
from shared.events.fields import FieldGroup
from shared.policy.protection import ProtectionRules

REVEALING_FIELDS: Final = (
    "service_code",
    "need",
    "needs",
    "program",
    "to_program",
    "agency",
    "to_agency",
    "routed",
)
"""The fields that reveal what a report is about. An agency is one of them: it may help with one kind of need only."""

_AGENCY = re.compile(r"(?<=agency[./-])[a-z0-9]+(?:-[a-z0-9]+)*|(?<=agencies/)[a-z0-9-]+")
"""The agency's id in the name of a topic, a consumer group or a source."""


def redact_record(record: CaseRecord, protection: ProtectionRules) -> CaseRecord:
    """Return a record as tables may count it.

    A case about violence counts in totals only: a row of an agency, a need or a district would reveal that there is
    one. A case whose report has not arrived yet counts as such a case.
    """
    needs = {*(need.need for need in record.needs), *(referral.need for referral in record.referrals)}
    protections = protection.protections_of(record.case.service_code, [need for need in needs if need])
    if FieldGroup.VICTIM_SERVICES not in protections:
        return record
    referrals = [_redact_referral(referral) for referral in record.referrals]
    return replace(record, case=replace(record.case, district=UNDISCLOSED), referrals=referrals)


def _redact_referral(referral: ReferralFact) -> ReferralFact:
    if referral.agency is None:
        return referral  # not counted yet: measure_referral needs the agency
    return replace(referral, agency=UNDISCLOSED, program=UNDISCLOSED, need=UNDISCLOSED)


def redact_entry(entry: JourneyEntry) -> JourneyEntry:
    """Return the entry without what the report is about."""
    summary = {name: UNDISCLOSED if name in REVEALING_FIELDS else value for name, value in entry.summary.items()}
    return replace(entry, summary=summary, topic=_redact_text(entry.topic), source=_redact_text(entry.source))


def redact_span(span: Span) -> Span:
    """Return the span without the names of agencies, needs, programs and services."""
    return replace(span, name=_redact_text(span.name), attributes=_redact_attributes(span.attributes))


def _redact_text(text: str) -> str:
    return _AGENCY.sub(UNDISCLOSED, text)


def _redact_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _redact_value(name, value) for name, value in attributes.items()}


def _redact_value(name: str, value: Any) -> Any:
    if name.rpartition(".")[2] in REVEALING_FIELDS:
        return UNDISCLOSED
    return _redact_text(value) if isinstance(value, str) else value
