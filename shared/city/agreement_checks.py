"""Checks of agreements against their city: errors keep the city from starting, warnings are for a person to judge."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Final

from shared.city.agreement_files import AgreementFile, AgreementFiles
from shared.city.agreement_reach import Surroundings, overlaps, unreachable
from shared.city.toml_files import Finding
from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import FRONT_DOOR, Clause, Form, Status
from shared.policy.plan import CONSENT_ONLY

SOON: Final = timedelta(days=60)
"""How long before its end an agreement gets a warning."""


def errors_in(agreements: AgreementFiles, surroundings: Surroundings) -> list[Finding]:
    """Return what keeps agreements from being used."""
    return [*agreements.errors, *(found for file in agreements.files for found in _errors_in(file, surroundings))]


def check(agreements: AgreementFiles, surroundings: Surroundings, today: date) -> list[Finding]:
    """Return the errors in agreements, and the warnings about the files without an error, in the order of files."""
    errors = errors_in(agreements, surroundings)
    wrong = {error.file for error in errors}
    sound = [file for file in agreements.files if file.name not in wrong]
    current = [file for file in sound if not _is_over(file, today)]
    warnings = [
        *(found for file in sound for found in _warnings_about(file, surroundings, today)),
        *(found for file in current for found in unreachable(file, surroundings)),
        *overlaps(current, surroundings),
    ]
    return sorted({*errors, *warnings})


def _errors_in(file: AgreementFile, surroundings: Surroundings) -> Iterator[Finding]:
    """Report what an agreement names and the city lacks, and what no agreement may allow."""
    yield from _missing(file, "agency", file.content.parties, surroundings.parties, "parties")
    for number, contact in enumerate(file.content.contacts):
        if contact.party not in file.content.parties:
            yield file.error(f"{contact.party} is no party to this agreement", "contacts", number, "party")
    for number, clause in enumerate(file.content.share):
        yield from _unknown_conditions(file, number, clause, surroundings)
        yield from _unlawful(file, number, clause)


def _unknown_conditions(
    file: AgreementFile, number: int, clause: Clause, surroundings: Surroundings
) -> Iterator[Finding]:
    city = surroundings.city
    yield from _missing(file, "need", clause.needs or (), city.needs, "share", number, "needs")
    yield from _missing(file, "service", clause.services or (), city.services, "share", number, "services")
    yield from _missing(file, "district", clause.districts or (), city.districts, "share", number, "districts")


def _missing(
    file: AgreementFile, kind: str, names: Collection[str], known: Collection[str], *path: str | int
) -> Iterator[Finding]:
    for number, name in enumerate(names):
        if name not in known:
            yield file.error(f"there is no {kind} {name}", *path, number)


def _unlawful(file: AgreementFile, number: int, clause: Clause) -> Iterator[Finding]:
    """Report what the policies forbid, whatever the parties have signed."""
    for place, group in enumerate(clause.groups):
        path = ("share", number, "groups", place)
        if group in RESTRICTED and clause.form is Form.FULL:
            yield file.error(f"{group} is restricted: it may go sealed or thin, and never full", *path)
        if group in CONSENT_ONLY and not clause.consent:
            yield file.error(f"{group} is released only with a consent: consent = true is missing", *path)
    if FieldGroup.SUBSTANCE_USE in clause.groups and file.content.onward:
        yield file.error("substance_use may never be handed on: onward must be false", "onward")


def _is_over(file: AgreementFile, today: date) -> bool:
    """Tell whether nothing flows under an agreement any more, or for now."""
    return file.content.status is not Status.ACTIVE or file.content.ends < today


def _warnings_about(file: AgreementFile, surroundings: Surroundings, today: date) -> Iterator[Finding]:
    yield from _about_dates(file, today)
    yield from _about_parties(file)
    for number, clause in enumerate(file.content.share):
        for place, recipient in enumerate(clause.recipients):
            if clause.form is Form.SEALED and surroundings.keys is not None and recipient not in surroundings.keys:
                reason = f"{recipient} has no public key: what is sealed for it is withheld"
                yield file.warning(reason, "share", number, "to", place)


def _about_dates(file: AgreementFile, today: date) -> Iterator[Finding]:
    agreement = file.content
    if agreement.status is not Status.ACTIVE:
        yield file.warning(f"can never apply: it is {agreement.status}", "status")
    elif agreement.ends < today:
        yield file.warning(f"can never apply: it ended on {agreement.ends}", "ends")
    elif agreement.ends - today <= SOON:
        yield file.warning(f"ends on {agreement.ends}, in {(agreement.ends - today).days} days", "ends")
    if agreement.review is not None and agreement.review < today and not _is_over(file, today):
        yield file.warning(f"was to be reviewed by {agreement.review}", "review")


def _about_parties(file: AgreementFile) -> Iterator[Finding]:
    agreement = file.content
    taking_part = {party for clause in agreement.share for party in (*clause.sources, *clause.recipients)}
    reachable = {contact.party for contact in agreement.contacts}
    for number, party in enumerate(agreement.parties):
        if party not in taking_part and party != FRONT_DOOR:
            yield file.warning(f"{party} gives nothing and is given nothing", "parties", number)
        if party not in reachable:
            yield file.warning(f"there is no contact for {party}", "parties", number)
    for number, clause in enumerate(agreement.share):
        for recipient in set(clause.recipients) & set(clause.sources):
            yield file.warning(f"{recipient} would be given what it has", "share", number, "to")
