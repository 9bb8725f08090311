"""The consent fields of a form: what they offer, and what a person chose in them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

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
from services.intake.domain.validation import Fields
from services.intake.http.translations import Texts
from services.intake.use_cases.context import IntakeContext
from shared.events.fields import FieldGroup
from shared.policy.plan import CONSENT_ONLY

ALWAYS: Final = "always"
"""The hidden field with the groups that every consent of this form includes."""


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    """An agency that a person can choose; `why` says what it does with what it is told."""

    id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """What a form offers: agencies, groups and purposes to choose from, and the groups that are always included.

    `days` are the first, the proposed and the last day on which a consent may end.
    """

    recipients: Sequence[RecipientChoice]
    groups: Sequence[tuple[str, str]]
    always: Sequence[str]
    purposes: Sequence[tuple[str, str]]
    days: tuple[str, str, str]
    protections: Collection[FieldGroup]

    @property
    def lead(self) -> Literal["agreement", "suppressed", "consent"]:
        """Which sentence says what is told without a consent: some things, nothing at all, or nothing to agencies."""
        if CONSENT_ONLY.isdisjoint(self.protections):
            return "agreement"
        return "suppressed" if FieldGroup.VICTIM_SERVICES in self.protections else "consent"


def consent_form(context: IntakeContext, texts: Texts, service_code: str, needs: tuple[str, ...]) -> ConsentForm:
    """Return the consent fields for a report on this service with these needs."""
    now, city = context.clock(), context.jurisdiction
    options = city.consent_options(service_code, needs, now)
    protections = city.protections_of(service_code, needs)
    main = {group for option in options for group in option.main}
    # Where only the protections can be chosen, there is nothing to choose: the form asks for the whole report.
    always = main if main == set(protections) else main & {FieldGroup.NEED}
    return ConsentForm(
        recipients=_recipients(texts, options),
        groups=[(group.value, texts[f"group.{group.value}"]) for group in FieldGroup if group in main - always],
        always=[group.value for group in FieldGroup if group in always],
        purposes=[(name, texts.purpose(name)) for name in dict.fromkeys(option.purpose for option in options)],
        # A day is valid to its end: the day that begins a year from now would end too late.
        days=(
            _day(context, now),
            _day(context, now + DEFAULT_DURATION),
            _day(context, now + MAX_DURATION - timedelta(days=1)),
        ),
        protections=protections,
    )


def chosen(fields: Fields) -> Fields:
    """Return a form's fields as a caller of the API would send them.

    A form has a purpose and an end even where the person chose no agency: without an agency there is no consent.
    """
    own = {name: values for name, values in fields.items() if name != ALWAYS}
    if any(own.get(RECIPIENTS, ())):
        return own | {GROUPS: [*own.get(GROUPS, ()), *fields.get(ALWAYS, ())]}
    return {name: values for name, values in own.items() if name not in {ENDS_AT, PURPOSE}}


def _recipients(texts: Texts, options: Sequence[ConsentOption]) -> list[RecipientChoice]:
    reasons: dict[str, list[str]] = {}
    for option in options:
        reasons.setdefault(option.recipient, []).extend(option.why)
    name = texts.jurisdiction.agency_name
    return [RecipientChoice(each, name(each), " ".join(map(texts.reason, why))) for each, why in reasons.items()]


def _day(context: IntakeContext, moment: datetime) -> str:
    return last_day(moment, context.jurisdiction.profile.zone).isoformat()
