"""Giving: an agency is told what its release plan lets it have, in the forms that it names, and a receipt is left."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from services.routing.domain.decision import CaseDecision, Disclosure, OutgoingEvent
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

PARTNER_PATH = "/partner/v1/referrals/{}"
"""Where an agency reads about a referral, on routing's own address."""


class EventTemplate(NamedTuple):
    """What kind of event gives something, and what else it says."""

    kind: type[DisclosingEvent]
    said: dict[str, Any]

    @property
    def type(self) -> str:
        """The event's type on the wire."""
        return str(self.kind.model_fields["type"].default)


def plan_of(turn: CaseDecision, referral: Referral) -> ReleasePlan:
    """Decide what the referral's agency may be given now."""
    return turn.around.city.plan(referral.agency, turn.asking(turn.case.need(referral.need_id)))


def give_request(turn: CaseDecision, referral: Referral) -> None:
    """Ask the agency for help, and give it what it may have; what is restricted in its very nature is not named."""
    plan = plan_of(turn, referral)
    is_plain = FieldGroup.NEED in plan.groups_in(Form.FULL)
    said = {
        "need_id": referral.need_id,
        "need": referral.need if is_plain else UNDISCLOSED,
        "program": referral.program if is_plain else UNDISCLOSED,
        "submitted_at": turn.report.submitted_at,
        "answer_by": referral.answer_by,
        "record_only": referral.record_only,
    }
    _give(turn, referral, plan, EventTemplate(ReferralRequested, said))


def give_more(turn: CaseDecision, referral: Referral, plan: ReleasePlan) -> None:
    """Tell the agency all that it may have now, after that has become more."""
    _give(turn, referral, plan, EventTemplate(ReferralAmended, {}))


def _give(turn: CaseDecision, referral: Referral, plan: ReleasePlan, telling: EventTemplate) -> None:
    topic = inbox_topic(referral.agency)
    receipt_id = derived_id(turn.prompt.cause, topic, telling.type, str(referral.referral_id))
    opened = release(plan, turn.report, referral.need, turn.around.keys.unseal)
    event = construct(
        telling.kind,
        case_id=turn.report.case_id,
        referral_id=referral.referral_id,
        sent_at=turn.around.now,
        released=opened.full,
        withheld=opened.withheld,
        sealed=_seal(turn, referral, plan, opened),
        link=PARTNER_PATH.format(referral.referral_id) if plan.groups_in(Form.THIN) else None,
        terms=terms_of(plan.terms),
        receipt_id=receipt_id,
        **telling.said,
    )
    text = event.__pydantic_serializer__.to_json(event)
    turn.said.append(OutgoingEvent(topic, event, required_consents_of(plan), text))
    groups = named_in(opened.full, opened.sealed)
    leave_receipt(turn, plan, receipt_for(turn, referral, plan, ReleasedContent(receipt_id, "event", groups, text)))


class ReleasedContent(NamedTuple):
    """What was handed over: under which receipt, in which way, which groups, and the very bytes."""

    receipt_id: UUID
    channel: Channel
    groups: tuple[FieldGroup, ...]
    sent: bytes


def receipt_for(turn: CaseDecision, referral: Referral, plan: ReleasePlan, handed: ReleasedContent) -> Receipt:
    """Write the receipt of one disclosure."""
    now = turn.around.now
    return Receipt(
        receipt_id=handed.receipt_id,
        case_id=turn.report.case_id,
        referral_id=referral.referral_id,
        agency=referral.agency,
        given_at=now,
        channel=handed.channel,
        form=_form(plan, handed.channel),
        groups=handed.groups,
        grounds=plan.grounds_of(handed.groups),
        purpose=plan.terms[0].purpose,
        policy_set=plan.policy_set,
        digest=turn.around.keys.digest(turn.report, handed.sent),
        shown_from=shown_from(plan, now),
    )


def leave_receipt(turn: CaseDecision, plan: ReleasePlan, receipt: Receipt) -> None:
    """Keep a receipt, and tell the other services that there was a disclosure."""
    needed = {
        term.consent_id: tuple(group for group in term.groups if group in receipt.groups)
        for term in plan.terms
        if term.consent_id is not None
    }
    turn.given.append(Disclosure(receipt, needed))
    made = construct(
        DisclosureMade,
        case_id=receipt.case_id,
        referral_id=receipt.referral_id,
        agency=receipt.agency,
        groups=receipt.groups,
        occurred_at=receipt.given_at,
        receipt_id=receipt.receipt_id,
        channel=receipt.channel,
        purpose=receipt.purpose,
        grounds=_grounds_said(receipt.grounds),
        shown_from=receipt.shown_from,
    )
    turn.say(made)


def required_consents_of(plan: ReleasePlan) -> tuple[UUID, ...]:
    """Return the consents without which nothing of this may be said."""
    return tuple(sorted(plan.consents)) if plan.consents else ()


def named_in(*parts: Released | None) -> tuple[FieldGroup, ...]:
    """Return the groups that are there in some part."""
    names = [name for part in parts if part is not None for name, value in part.__dict__.items() if value is not None]
    return _in_order(frozenset(names))


@lru_cache(maxsize=4096)
def _in_order(names: frozenset[str]) -> tuple[FieldGroup, ...]:
    return tuple(group for group in FieldGroup if group in names)


@lru_cache(maxsize=4096)
def terms_of(terms: tuple[ReleaseTerms, ...]) -> tuple[agency_inbox.Terms, ...]:
    """Write the terms of a plan as the agency is told them."""
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


@lru_cache(maxsize=4096)
def _grounds_said(grounds: tuple[ReleaseGround, ...]) -> tuple[disclosures.Ground, ...]:
    return tuple(construct(disclosures.Ground, kind=each.kind, id=each.id, version=each.version) for each in grounds)


def _seal(turn: CaseDecision, referral: Referral, plan: ReleasePlan, opened: Release) -> str | None:
    """Encrypt the sealed part to the agency, with need and program, which the event may not name."""
    if not plan.groups_in(Form.SEALED):
        return None
    part = construct(
        Disclosed,
        need=referral.need,
        program=referral.program,
        released=opened.sealed,
        terms=terms_of(plan.terms),
    )
    return turn.around.keys.seal_to(referral.agency, part.__pydantic_serializer__.to_json(part))


def _form(plan: ReleasePlan, channel: Channel) -> str:
    """Name the forms in which an event gives something; what an agency reads by itself is thin."""
    return "+".join([form.value for form in plan.forms_in_use]) if channel == "event" else Form.THIN.value


def shown_from(plan: ReleasePlan, now: datetime) -> datetime | None:
    """Return when the person may see what is given now; None is at once."""
    return now + timedelta(days=plan.longest_delay_days) if plan.longest_delay_days else None
