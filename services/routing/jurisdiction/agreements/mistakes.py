"""Errors: what an agreement names and the city does not have, and what no agreement may allow."""

from collections.abc import Collection, Iterator

from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding
from services.routing.jurisdiction.agreements.surroundings import Surroundings
from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Clause, Form
from shared.policy.plan import CONSENT_ONLY


def mistakes_in(file: AgreementFile, city: Surroundings) -> Iterator[Finding]:
    """Say what is wrong in one agreement."""
    yield from _missing(file, "agency", file.agreement.parties, city.parties, "parties")
    for number, contact in enumerate(file.agreement.contacts):
        if contact.party not in file.agreement.parties:
            yield file.error(f"{contact.party} is no party to this agreement", "contacts", number, "party")
    for number, clause in enumerate(file.agreement.share):
        yield from _strangers(file, number, clause, city)
        yield from _unlawful(file, number, clause)


def _strangers(file: AgreementFile, number: int, clause: Clause, city: Surroundings) -> Iterator[Finding]:
    named = (
        ("need", "needs", clause.needs, city.needs),
        ("service", "services", clause.services, city.services),
        ("district", "districts", clause.districts, city.districts),
    )
    for kind, key, values, known in named:
        yield from _missing(file, kind, values or (), known, "share", number, key)


def _missing(
    file: AgreementFile, kind: str, names: Collection[str], known: Collection[str], *path: str | int
) -> Iterator[Finding]:
    for number, name in enumerate(names):
        if name not in known:
            yield file.error(f"there is no {kind} {name}", *path, number)


def _unlawful(file: AgreementFile, number: int, clause: Clause) -> Iterator[Finding]:
    """Find what the hard rules forbid, whatever the parties have signed."""
    for place, group in enumerate(clause.groups):
        path = ("share", number, "groups", place)
        if group in RESTRICTED and clause.form is Form.FULL:
            yield file.error(f"{group} is restricted: it may go sealed or thin, and never full", *path)
        if group in CONSENT_ONLY and not clause.consent:
            yield file.error(f"{group} goes to nobody without a consent: consent = true is missing", *path)
    if FieldGroup.SUBSTANCE_USE in clause.groups and file.agreement.onward:
        yield file.error("substance_use may never be handed on: onward must be false", "onward")
