"""Everything that routing says is an event of the language of its topic, whichever way it was made."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.routing.domain.agency_updates import ReceivedUpdate, RefusedUpdate, apply_update
from services.routing.domain.consent_changes import (
    ConsentUse,
    GrantedConsent,
    RevokedConsent,
    erase,
    extend_disclosure,
    recall,
)
from services.routing.domain.deadlines import handle_overdue
from services.routing.domain.decision import CaseDecision, OutgoingEvent
from services.routing.domain.partner_access import AccessRequest, Opened, ReadRequest, open_withheld, read
from services.routing.domain.submission import route, withdraw
from services.routing.domain.triage import TriageChoice, assign
from shared.events import agency_updates
from shared.events.agency_updates import AgencyUpdate
from shared.events.fields import FieldGroup
from shared.events.intake import CaseWithdrawn, Place
from shared.events.topics import AGENCY_INBOX, REFERRALS, TopicSpec
from tests.builders import HOUR, NOON, case_id, consent, need_id, recorded_referral, report
from tests.unit.routing.fixtures import cause, context, update

BLOCKS = {
    FieldGroup.ADDRESS: b'{"address": "1 Elm St", "lat": 40.7, "long": -73.9}',
    FieldGroup.NARRATIVE: b'{"description": "It is cold.", "attributes": {"scope": ["building"]}}',
    FieldGroup.CONTACT: b'{"email": "ana@example.org"}',
}


_WORK = (
    agency_updates.ReferralAccepted,
    agency_updates.ReferralStarted,
    agency_updates.ReferralHeld,
    agency_updates.ReferralResumed,
)
WAYS_OF_A_REFERRAL: tuple[tuple[type[AgencyUpdate], ...], ...] = (
    (*_WORK, agency_updates.ReferralCompleted),
    (*_WORK, agency_updates.ReferralFailed),
    (agency_updates.ReferralRejected,),
    (agency_updates.ReferralAccepted, agency_updates.ReferralCancelled),
)


def everything_said() -> list[OutgoingEvent]:
    """What routing says in a life full of incident."""
    return [said for outcome in _outcomes() for said in outcome.events]


def _outcomes() -> Iterator[CaseDecision | RefusedUpdate]:
    here = context(blocks=BLOCKS)
    sealed = dict.fromkeys((*BLOCKS, FieldGroup.HEALTH), "block")
    filed = route(report("housing", "health", "loneliness", sealed=sealed), cause(), here)
    nowhere = report("housing", place=Place(), recorded=(recorded_referral(closed_at=NOON + HOUR),))
    yield from (filed, route(nowhere, cause(), here))
    yield withdraw(filed.case, CaseWithdrawn(case_id=case_id(), withdrawn_at=NOON), cause(), here)
    chosen = assign(filed.case, TriageChoice(need_id("loneliness"), "police/precinct", "staff"), here)
    assert isinstance(chosen, CaseDecision)
    yield chosen
    case = filed.case
    for step in range(3):
        decision = handle_overdue(case, next(iter(case.referrals)), context(NOON + timedelta(days=step + 1), BLOCKS))
        case = decision.case
        yield decision
    yield from _opened_by_an_agency(filed)
    yield from _consented()
    for ways in WAYS_OF_A_REFERRAL:
        yield from _told(*ways)
    yield from _told(agency_updates.ReferralCompleted)
    yield from _told(agency_updates.ReferralTransferred, to_agency="police", to_program="precinct")


def _opened_by_an_agency(filed: CaseDecision) -> Iterator[CaseDecision]:
    """An agency reads, opens more in an emergency, and reads again."""
    here, referral = context(blocks=BLOCKS), next(iter(filed.case.referrals.values()))
    asked = ReadRequest(referral.agency, referral.referral_id, case_id(7))
    wanted = AccessRequest(referral.agency, referral.referral_id, case_id(8), frozenset(), HOUR)
    opened = open_withheld(filed.case, wanted, (), here)
    assert isinstance(opened, Opened)
    yield opened.decision
    for accesses in ((), (opened.access,)):
        answer = read(filed.case, asked, accesses, here)
        assert answer is not None
        yield answer.decision


def _consented() -> Iterator[CaseDecision]:
    """A consent is given and taken back, and the person is erased."""
    given = consent("clinic", groups=[FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE])
    here, blocks = context(blocks=BLOCKS, consents=[given]), dict.fromkeys((*BLOCKS, FieldGroup.HEALTH), "block")
    filed = route(report("health", sealed=blocks), cause(), context(blocks=BLOCKS))
    wider = extend_disclosure(filed.case, GrantedConsent(given.consent_id, frozenset()), cause("more"), here)
    [use] = [
        ConsentUse(each.receipt.receipt_id, case_id(), each.receipt.agency, groups, delivered=True)
        for each in wider.disclosures
        for groups in each.consents.values()
    ]
    fallen = RevokedConsent(given.consent_id, "consent-withdrawn", (use,))
    yield from (wider, recall(wider.case, fallen, cause("less"), context(blocks=BLOCKS)))
    yield route(report("health", service_code="drugs", sealed=blocks), cause(), here)
    yield erase(filed.case, [(case_id(), "clinic")], cause("gone"), here)


def _told(*kinds: type[AgencyUpdate], **said: str) -> Iterator[CaseDecision | RefusedUpdate]:
    decision = route(report("housing"), cause(), context())
    for number, kind in enumerate(kinds):
        outcome = apply_update(
            decision.case,
            ReceivedUpdate("homes", update(kind, decision, NOON + number * HOUR, **said), cause()),
            context(),
        )
        yield outcome
        decision = outcome if isinstance(outcome, CaseDecision) else decision


@pytest.mark.parametrize("language", [REFERRALS, AGENCY_INBOX], ids=["to services", "to agencies"])
def test_what_is_said_is_what_its_language_reads(language: TopicSpec) -> None:
    for said in everything_said():
        if language.pattern.match(said.topic):
            read = language.events.validate_json(said.event.model_dump_json())
            assert read == said.event
            assert list(read.model_dump()) == list(type(read).model_fields)


def test_every_kind_of_event_is_said_in_it() -> None:
    kinds = {said.event.type for said in everything_said() if said.topic == REFERRALS.topic}
    mapping = REFERRALS.events.json_schema()["discriminator"]["mapping"]
    assert kinds == set(mapping)
