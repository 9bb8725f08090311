"""The part of a form in which a person allows agencies to be told: what it offers, and what was chosen in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.consent_options import ConsentOption
from services.intake.domain.consents import (
    DEFAULT_DURATION,
    ENDS_AT,
    GROUPS,
    MAX_DURATION,
    PURPOSE,
    RECIPIENTS,
    last_day,
)
from services.intake.domain.fields import Fields
from services.intake.http.translations import Texts
from services.intake.use_cases.context import IntakeContext
from shared.events.fields import FieldGroup
from shared.policy.plan import CONSENT_ONLY

ALWAYS = "always"
"""The field with the groups that come with whatever is allowed."""


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """An agency that may be named: its id, its name, and what it does with what it is told."""

    id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """What is offered: agencies, groups and purposes to choose from, groups that come with them, and the last days.

    `nobody` is told of the report, or no `agency`, unless it is allowed.
    """

    recipients: Sequence[RecipientChoice]
    groups: Sequence[tuple[str, str]]
    always: Sequence[str]
    purposes: Sequence[tuple[str, str]]
    days: tuple[str, str, str]
    protections: Collection[FieldGroup]

    @property
    def lead(self) -> str:
        """The words that say what is told without a consent."""
        if CONSENT_ONLY.isdisjoint(self.protections):
            return "some"
        return "nobody" if FieldGroup.VICTIM_SERVICES in self.protections else "no_agency"


def consent_form(context: IntakeContext, texts: Texts, service_code: str, needs: tuple[str, ...]) -> ConsentForm:
    """Put together what can be allowed for such a report."""
    now, city = context.clock(), context.jurisdiction
    offers = city.consent_options(service_code, needs, now)
    protections = city.protections_of(service_code, needs)
    main = {group for offer in offers for group in offer.main}
    always = main if main == set(protections) else main & {FieldGroup.NEED}
    return ConsentForm(
        recipients=_recipients(texts, offers),
        groups=[(group.value, texts[f"group.{group.value}"]) for group in FieldGroup if group in main - always],
        always=[group.value for group in FieldGroup if group in always],
        purposes=[(name, texts.purpose(name)) for name in dict.fromkeys(offer.purpose for offer in offers)],
        days=(
            _day(context, now),
            _day(context, now + DEFAULT_DURATION),
            _day(context, now + MAX_DURATION - timedelta(days=1)),
        ),
        protections=protections,
    )


def chosen(fields: Fields) -> Fields:
    """Return what was chosen as an API would be told it: without agencies there is no consent, whatever was preset."""
    said = {name: values for name, values in fields.items() if name != ALWAYS}
    if any(said.get(RECIPIENTS, ())):
        return said | {GROUPS: [*said.get(GROUPS, ()), *fields.get(ALWAYS, ())]}
    return {name: values for name, values in said.items() if name not in {ENDS_AT, PURPOSE}}


def _recipients(texts: Texts, offers: Sequence[ConsentOption]) -> list[RecipientChoice]:
    reasons: dict[str, list[str]] = {}
    for offer in offers:
        reasons.setdefault(offer.recipient, []).extend(offer.why)
    name = texts.jurisdiction.agency_name
    return [RecipientChoice(each, name(each), " ".join(map(texts.why, why))) for each, why in reasons.items()]


def _day(context: IntakeContext, moment: datetime) -> str:
    return last_day(moment, context.jurisdiction.profile.zone).isoformat()
