"""What an agency may be given, said a second time and from the rules alone; decisions are held against it."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Clause
from shared.policy.disclosure_query import DisclosureQuery

STRICT = {FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE}
NEVER_FULL = {*STRICT, FieldGroup.HEALTH, FieldGroup.JUSTICE}
Given = dict[str, set[FieldGroup]]


def may_be_given(
    asked: DisclosureQuery, agreements: Iterable[Agreement], keys: Collection[str], services: set[str]
) -> Given:
    """Return the groups that the agency may be given, by form; nothing at all if it may not know the need."""
    given: Given = {"full": set(), "sealed": set(), "thin": set()}
    for agreement in agreements:
        day = asked.at.date()
        if agreement.status == "active" and agreement.starts <= day <= agreement.ends and asked.service in services:
            for clause in agreement.share:
                if _applies(clause, asked) and (clause.form != "sealed" or asked.agency in keys):
                    given[clause.form] |= {group for group in clause.groups if _may_go(group, clause, agreement, asked)}
    return given if FieldGroup.NEED in set().union(*given.values()) else {form: set() for form in given}


def may_be_opened(protects: FieldGroup | None, given: set[FieldGroup]) -> set[FieldGroup]:
    """Return what a caseworker may open in an emergency, beside what the agency may be given: never what is strict."""
    return set() if protects in STRICT else set(FieldGroup) - STRICT - given


def _applies(clause: Clause, asked: DisclosureQuery) -> bool:
    conditions = (
        (clause.needs, asked.need),
        (clause.services, asked.service),
        (clause.districts, asked.district),
        (clause.urgency, asked.urgency),
    )
    between = asked.agency in clause.recipients and any(source in asked.sources for source in clause.sources)
    return between and all(wanted is None or value in wanted for wanted, value in conditions)


def _may_go(group: FieldGroup, clause: Clause, agreement: Agreement, asked: DisclosureQuery) -> bool:
    subjects = {group} | ({asked.protects} if asked.protects else set())
    if clause.form == "full" and (group in NEVER_FULL or asked.protects):
        return False
    if FieldGroup.SUBSTANCE_USE in subjects and agreement.onward:
        return False
    named = {
        name
        for consent in asked.consents
        if asked.agency in consent.recipients and consent.purpose == agreement.purpose and not consent.withdrawn_at
        if consent.granted_at - timedelta(minutes=5) <= asked.at < consent.ends_at
        for name in consent.groups
    }
    if (clause.consent or asked.protects in STRICT) and not subjects & named:
        return False
    return group not in STRICT or group in named
