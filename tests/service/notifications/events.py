"""Events as intake and routing publish them, and the records that carry them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.events.disclosures import EmergencyAccessOpened
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import (
    CaseSubmitted,
    Channel,
    ConsentEvent,
    ConsentGranted,
    ConsentWithdrawn,
    Need,
    Origin,
    PersonErased,
    Place,
)
from shared.events.reasons import Reason
from shared.events.referrals import ReferralAccepted, ReferralHeld
from shared.events.routing import CaseResolved
from shared.events.topics import CASES, REFERRALS, TopicSpec
from shared.events.wire import event_id
from shared.kit.messaging.messages import Record
from tests.builders import event_record

FILED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def submitted(case_id: UUID, person_id: UUID | None = None, contact: str | None = None, **fields: Any) -> CaseSubmitted:
    channel: Channel = fields.pop("channel", "web")
    usual = {
        "case_id": case_id,
        "service_request_id": f"SR-{case_id.hex[:8]}",
        "service_code": "heat-hot-water",
        "needs": (Need(need_id=uuid4(), need="inadequate-housing"),),
        "place": Place(),
        "origin": Origin(channel=channel),
        "submitted_at": FILED,
        "person_id": person_id,
        "sealed": {FieldGroup.CONTACT: contact} if contact else {},
    }
    return CaseSubmitted.model_validate(usual | fields)


def _referral(case_id: UUID, hours: int, **fields: Any) -> dict[str, Any]:
    usual = {"referral_id": uuid4(), "need_id": uuid4(), "need": "inadequate-housing", "agency": "hpd"}
    times = {"submitted_at": FILED, "occurred_at": FILED + timedelta(hours=hours)}
    return {"case_id": case_id, "program": "heat-and-hot-water"} | usual | times | fields


def accepted(case_id: UUID, hours: int = 1, **fields: Any) -> ReferralAccepted:
    return ReferralAccepted.model_validate(_referral(case_id, hours, **fields))


def held(case_id: UUID, hours: int = 2, **fields: Any) -> ReferralHeld:
    why = {"reason": Reason.NO_ACCESS, "agency_controls": False}
    return ReferralHeld.model_validate(_referral(case_id, hours, **(why | fields)))


def resolved(case_id: UUID, hours: int = 3, **fields: Any) -> CaseResolved:
    times = {"submitted_at": FILED, "resolved_at": FILED + timedelta(hours=hours)}
    return CaseResolved.model_validate({"case_id": case_id, "resolution": "completed"} | times | fields)


def granted(case_id: UUID, consent_id: UUID, **fields: Any) -> ConsentGranted:
    usual = {"case_id": case_id, "consent_id": consent_id, "occurred_at": FILED, "ends_at": FILED + timedelta(days=90)}
    shared = {"recipients": ["hra"], "groups": ["health"], "purpose": "service-delivery"}
    return ConsentGranted.model_validate(usual | shared | fields)


def withdrawn(case_id: UUID, consent_id: UUID) -> ConsentWithdrawn:
    return ConsentWithdrawn(case_id=case_id, consent_id=consent_id, occurred_at=FILED + timedelta(hours=4))


def erased(case_id: UUID, person_id: UUID | None = None) -> PersonErased:
    moment = FILED + timedelta(hours=5)
    return PersonErased(case_id=case_id, person_id=person_id or uuid4(), erased_at=moment)


def opened(case_id: UUID, access_id: UUID, **fields: Any) -> EmergencyAccessOpened:
    moment = FILED + timedelta(hours=2)
    usual = {"case_id": case_id, "access_id": access_id, "referral_id": uuid4(), "agency": "hra"}
    times = {"occurred_at": moment, "ends_at": moment + timedelta(hours=4), "groups": ["identity", "health"]}
    return EmergencyAccessOpened.model_validate(usual | times | fields)


def language_of(event: Event) -> TopicSpec:
    return CASES if isinstance(event, CaseSubmitted | ConsentEvent | PersonErased) else REFERRALS


def record(event: Event, cause: UUID) -> Record:
    topic, source = language_of(event).topic, language_of(event).source
    return event_record(topic, source, event, event_id(cause, topic, event), traceparent=TRACEPARENT)
