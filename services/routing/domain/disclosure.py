"""Disclosing to an agency what its release plan allows, in the forms that the plan names, with a receipt for each."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import Cause, DecisionContext, Disclosure, OutgoingEvent, emit
from services.routing.domain.referral import Referral
from shared.events import agency_inbox, disclosures
from shared.events.agency_inbox import UNDISCLOSED, Disclosed, DisclosingEvent, ReferralAmended, ReferralRequested
from shared.events.disclosures import DisclosureMade
from shared.events.event import construct
from shared.events.fields import FieldGroup, Released
from shared.events.topics import inbox_topic
from shared.events.wire import derived_id
from shared.policy.agreements import Form
from shared.policy.plan import ReleaseGround, ReleasePlan, ReleaseTerms
from shared.policy.receipts import Channel, Receipt
from shared.policy.release import Release, release

PARTNER_PATH: Final = "/partner/v1/referrals/{}"
"""The path of the partner API where an agency reads a referral."""


class PlannedDisclosure(NamedTuple):
    """What the agency of one referral may receive now, by `plan`."""

    case: CaseState
    referral: Referral
    plan: ReleasePlan
    context: DecisionContext

    @property
    def required_consents(self) -> tuple[UUID, ...]:
        """The consents without which nothing of the plan may be disclosed."""
        return tuple(sorted(self.plan.consents)) if self.plan.consents else ()

    @property
    def shown_from(self) -> datetime | None:
        """When the person may see what is disclosed now; None if there is no embargo."""
        days = self.plan.longest_delay_days
        return self.context.now + timedelta(days=days) if days else None

    def release(self) -> Release:
        """Decrypt and redact what the plan allows."""
        return release(self.plan, self.case.report, self.referral.need, self.context.keys.unseal)


class EventTemplate(NamedTuple):
    """The class of a disclosing event, and the fields that it has beside what is disclosed."""

    kind: type[DisclosingEvent]
    fields: dict[str, Any]

    @property
    def type(self) -> str:
        """The event's type on the wire."""
        return str(self.kind.model_fields["type"].default)


class ReleasedContent(NamedTuple):
    """What was released to an agency: under which receipt, by which channel, which groups, and the bytes themselves."""

    receipt_id: UUID
    channel: Channel
    groups: tuple[FieldGroup, ...]
    sent: bytes


def plan_disclosure(case: CaseState, referral: Referral, context: DecisionContext) -> PlannedDisclosure:
    """Decide what the agency of a referral may receive now."""
    plan = context.city.plan(referral.agency, context.query(case, case.need(referral.need_id)))
    return PlannedDisclosure(case, referral, plan, context)


def disclose_request(planned: PlannedDisclosure, cause: Cause) -> Disclosure:
    """Ask the agency for help, and disclose what its plan allows.

    Where the plan does not release the need in full, the event names neither need nor program: other services that
    may read the agency's inbox would learn the nature of the referral.
    """
    referral = planned.referral
    is_named = FieldGroup.NEED in planned.plan.groups_in(Form.FULL)
    fields = {
        "need_id": referral.need_id,
        "need": referral.need if is_named else UNDISCLOSED,
        "program": referral.program if is_named else UNDISCLOSED,
        "submitted_at": planned.case.report.submitted_at,
        "answer_by": referral.answer_by,
        "record_only": referral.record_only,
    }
    return _disclose(planned, EventTemplate(ReferralRequested, fields), cause)


def disclose_more(planned: PlannedDisclosure, cause: Cause) -> Disclosure:
    """Send the agency all that it may have now, after its plan has come to allow more."""
    return _disclose(planned, EventTemplate(ReferralAmended, {}), cause)


def _disclose(planned: PlannedDisclosure, template: EventTemplate, cause: Cause) -> Disclosure:
    case, referral, plan, context = planned
    topic = inbox_topic(referral.agency)
    # The receipt has the id that the outbox will give to the event: so both name the same disclosure.
    receipt_id = derived_id(cause.id, topic, template.type, str(referral.referral_id))
    content = planned.release()
    event = construct(
        template.kind,
        case_id=case.report.case_id,
        referral_id=referral.referral_id,
        sent_at=context.now,
        released=content.full,
        withheld=content.withheld,
        sealed=_seal(planned, content),
        link=PARTNER_PATH.format(referral.referral_id) if plan.groups_in(Form.THIN) else None,
        terms=terms_of(plan.terms),
        receipt_id=receipt_id,
        **template.fields,
    )
    # Serialized here once: the receipt's digest is of exactly these bytes, and the outbox publishes them.
    text = event.__pydantic_serializer__.to_json(event)
    groups = groups_in(content.full, content.sealed)
    outgoing = OutgoingEvent(topic, event, planned.required_consents, text)
    return record_disclosure(planned, ReleasedContent(receipt_id, "event", groups, text), outgoing)


def record_disclosure(planned: PlannedDisclosure, content: ReleasedContent, *before: OutgoingEvent) -> Disclosure:
    """Return a disclosure with its receipt; its event to the other services follows the events `before`."""
    receipt = _receipt(planned, content)
    consents = {
        term.consent_id: tuple(group for group in term.groups if group in receipt.groups)
        for term in planned.plan.terms
        if term.consent_id is not None
    }
    return Disclosure(receipt, consents, (*before, emit(_disclosure_made(receipt))))


def groups_in(*parts: Released | None) -> tuple[FieldGroup, ...]:
    """Return the groups that some part holds."""
    names = [name for part in parts if part is not None for name, value in part.__dict__.items() if value is not None]
    return _in_order(frozenset(names))


@lru_cache(maxsize=4096)
def terms_of(terms: tuple[ReleaseTerms, ...]) -> tuple[agency_inbox.Terms, ...]:
    """Return the terms of a plan as an agency is told them."""
    return tuple(
        construct(
            agency_inbox.Terms,
            agreement=term.agreement,
            version=term.version,
            groups=term.groups,
            onward=term.onward,
            retain_days=term.retain_days,
            consent_id=term.consent_id,
            notice=term.notice,
        )
        for term in terms
    )


def _receipt(planned: PlannedDisclosure, content: ReleasedContent) -> Receipt:
    case, referral, plan, context = planned
    return Receipt(
        receipt_id=content.receipt_id,
        case_id=case.report.case_id,
        referral_id=referral.referral_id,
        agency=referral.agency,
        given_at=context.now,
        channel=content.channel,
        form=_form(plan, content.channel),
        groups=content.groups,
        grounds=plan.grounds_of(content.groups),
        purpose=plan.terms[0].purpose,
        policy_set=plan.policy_set,
        digest=context.keys.digest(case.report, content.sent),
        shown_from=planned.shown_from,
    )


def _disclosure_made(receipt: Receipt) -> DisclosureMade:
    return construct(
        DisclosureMade,
        case_id=receipt.case_id,
        referral_id=receipt.referral_id,
        agency=receipt.agency,
        groups=receipt.groups,
        occurred_at=receipt.given_at,
        receipt_id=receipt.receipt_id,
        channel=receipt.channel,
        purpose=receipt.purpose,
        grounds=_published_grounds(receipt.grounds),
        shown_from=receipt.shown_from,
    )


def _seal(planned: PlannedDisclosure, content: Release) -> str | None:
    """Encrypt the sealed form to the agency, together with need and program, which the event may not name."""
    plan, referral = planned.plan, planned.referral
    if not plan.groups_in(Form.SEALED):
        return None
    disclosed = construct(
        Disclosed,
        need=referral.need,
        program=referral.program,
        released=content.sealed,
        terms=terms_of(plan.terms),
    )
    return planned.context.keys.encrypt_to(referral.agency, disclosed.__pydantic_serializer__.to_json(disclosed))


def _form(plan: ReleasePlan, channel: Channel) -> str:
    """Name the forms in which an event discloses; what an agency reads by the partner API is thin."""
    return "+".join([form.value for form in plan.forms_in_use]) if channel == "event" else Form.THIN.value


@lru_cache(maxsize=4096)
def _in_order(names: frozenset[str]) -> tuple[FieldGroup, ...]:
    return tuple(group for group in FieldGroup if group in names)


@lru_cache(maxsize=4096)
def _published_grounds(grounds: tuple[ReleaseGround, ...]) -> tuple[disclosures.Ground, ...]:
    return tuple(construct(disclosures.Ground, kind=each.kind, id=each.id, version=each.version) for each in grounds)
