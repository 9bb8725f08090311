"""What an agency may be given, said a second time and from the rules alone; decisions are held against it."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Clause
from shared.policy.disclosure_query import DisclosureQuery

STRICT = {FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE}
NEVER_FULL = {*STRICT, FieldGroup.HEALTH, FieldGroup.JUSTICE}
Groups = dict[str, set[FieldGroup]]


def may_be_given(
    query: DisclosureQuery, agreements: Iterable[Agreement], keys: Collection[str], services: set[str]
) -> Groups:
    """Return the groups that the agency may be given, by form; nothing at all if it may not know the need."""
    given: Groups = {"full": set(), "sealed": set(), "thin": set()}
    for agreement in agreements:
        day = query.at.date()
        if agreement.status == "active" and agreement.starts <= day <= agreement.ends and query.service in services:
            for clause in agreement.share:
                if _applies(clause, query) and (clause.form != "sealed" or query.agency in keys):
                    given[clause.form] |= {group for group in clause.groups if _may_go(group, clause, agreement, query)}
    return given if FieldGroup.NEED in set().union(*given.values()) else {form: set() for form in given}


def may_be_opened(protects: FieldGroup | None, given: set[FieldGroup]) -> set[FieldGroup]:
    """Return what a caseworker may open in an emergency, beside what the agency may be given: never what is strict."""
    return set() if protects in STRICT else set(FieldGroup) - STRICT - given


def _applies(clause: Clause, query: DisclosureQuery) -> bool:
    conditions = (
        (clause.needs, query.need),
        (clause.services, query.service),
        (clause.districts, query.district),
        (clause.urgency, query.urgency),
    )
    between = query.agency in clause.recipients and any(source in query.sources for source in clause.sources)
    return between and all(wanted is None or value in wanted for wanted, value in conditions)


def _may_go(group: FieldGroup, clause: Clause, agreement: Agreement, query: DisclosureQuery) -> bool:
    subjects = {group} | ({query.protects} if query.protects else set())
    if clause.form == "full" and (group in NEVER_FULL or query.protects):
        return False
    if FieldGroup.SUBSTANCE_USE in subjects and agreement.onward:
        return False
    named = {
        name
        for consent in query.consents
        if query.agency in consent.recipients and consent.purpose == agreement.purpose and not consent.withdrawn_at
        if consent.granted_at - timedelta(minutes=5) <= query.at < consent.ends_at
        for name in consent.groups
    }
    if (clause.consent or query.protects in STRICT) and not subjects & named:
        return False
    return group not in STRICT or group in named
