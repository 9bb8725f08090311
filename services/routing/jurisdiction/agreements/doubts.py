"""Warnings: dates that come near, parties without a part, and sealed clauses for agencies that could not open them."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding
from services.routing.jurisdiction.agreements.surroundings import Surroundings
from shared.policy.agreements import FRONT_DOOR, Form, Status

SOON: Final = timedelta(days=60)
"""How long before its end an agreement is mentioned."""


def is_over(file: AgreementFile, today: date) -> bool:
    """Tell whether nothing flows under an agreement any more, or for now."""
    return file.agreement.status is not Status.ACTIVE or file.agreement.ends < today


def doubts_about(file: AgreementFile, city: Surroundings, today: date) -> Iterator[Finding]:
    """Say what a person should look at in one agreement."""
    yield from _about_dates(file, today)
    yield from _about_parties(file)
    for number, clause in enumerate(file.agreement.share):
        for place, recipient in enumerate(clause.recipients):
            if clause.form is Form.SEALED and city.keys is not None and recipient not in city.keys:
                reason = f"{recipient} has no public key: what is sealed for it is withheld"
                yield file.warning(reason, "share", number, "to", place)


def _about_dates(file: AgreementFile, today: date) -> Iterator[Finding]:
    agreement = file.agreement
    if agreement.status is not Status.ACTIVE:
        yield file.warning(f"can never apply: it is {agreement.status}", "status")
    elif agreement.ends < today:
        yield file.warning(f"can never apply: it ended on {agreement.ends}", "ends")
    elif agreement.ends - today <= SOON:
        yield file.warning(f"ends on {agreement.ends}, in {(agreement.ends - today).days} days", "ends")
    if agreement.review is not None and agreement.review < today and not is_over(file, today):
        yield file.warning(f"was to be reviewed by {agreement.review}", "review")


def _about_parties(file: AgreementFile) -> Iterator[Finding]:
    agreement = file.agreement
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
