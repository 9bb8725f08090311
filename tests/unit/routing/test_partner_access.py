"""What an agency reads, and what it opens in an emergency: never more than policy and the hours allow."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.decision import CaseDecision
from services.routing.domain.partner_access import (
    MAX_ACCESS,
    AccessRequest,
    GrantedAccess,
    NotOpened,
    Opened,
    ReadRequest,
    ReferralRead,
    open_withheld,
    read,
    with_accesses,
)
from services.routing.domain.referral import Referral
from services.routing.domain.submission import route
from shared.events.fields import FieldGroup
from shared.policy.consent import Consent
from shared.policy.plan import CONSENT_ONLY
from tests.builders import HOUR, NOON, case_id, consent, report
from tests.unit.routing.fixtures import CITY, cause, context

BLOCKS = {
    FieldGroup.ADDRESS: b'{"address": "1 Elm St"}',
    FieldGroup.IDENTITY: b'{"first_name": "Ana"}',
    FieldGroup.NARRATIVE: b'{"description": "Call 212 555 0137"}',
    FieldGroup.HEALTH: b'{"answers": {"illness": ["asthma"]}}',
    FieldGroup.SUBSTANCE_USE: b'{"answers": {"what": ["alcohol"]}}',
    FieldGroup.VICTIM_SERVICES: b'{"answers": {"by": ["partner"]}}',
}
SEALED: dict[str, Any] = {"sealed": dict.fromkeys(BLOCKS, "block")}
READ, OPENED = case_id(70), case_id(80)


def filed(need: str = "housing", *consents: Consent, **said: Any) -> tuple[CaseDecision, Referral]:
    """A report that was routed, and its referral."""
    decision = route(report(need, **{**SEALED, **said}), cause(), context(blocks=BLOCKS, consents=consents))
    return decision, next(iter(decision.case.referrals.values()))


def access(referral: Referral, *groups: FieldGroup, lasts: timedelta = HOUR) -> GrantedAccess:
    """An access that was opened at noon."""
    return GrantedAccess(OPENED, referral.referral_id, referral.agency, frozenset(groups), NOON, NOON + lasts)


def read_answer(
    decision: CaseDecision, referral: Referral, *accesses: GrantedAccess, at: timedelta = timedelta()
) -> ReferralRead:
    """What the agency reads at a moment."""
    here = context(NOON + at, BLOCKS)
    answer = read(decision.case, ReadRequest(referral.agency, referral.referral_id, READ), accesses, here)
    assert answer is not None
    return ReferralRead.model_validate_json(answer.text)


def groups_of(answer: ReferralRead) -> set[str]:
    """The groups that are there."""
    return {name for name, value in answer.released if value is not None}


def test_the_words_of_a_report_stay_redacted_until_the_identity_is_open() -> None:
    decision, referral = filed()
    words = read_answer(decision, referral, access(referral, FieldGroup.NARRATIVE)).released.narrative
    assert words is not None
    assert "555" not in str(words.description)
    opened = read_answer(
        decision, referral, access(referral, FieldGroup.NARRATIVE, FieldGroup.IDENTITY)
    ).released.narrative
    assert opened is not None
    assert "555" in str(opened.description)


def test_without_an_access_a_read_is_a_read_and_with_one_it_names_it() -> None:
    decision, referral = filed()
    here = context(blocks=BLOCKS)
    for accesses, channel in (((), "read"), ((access(referral, FieldGroup.IDENTITY),), "emergency")):
        answer = read(decision.case, ReadRequest(referral.agency, referral.referral_id, READ), accesses, here)
        assert answer is not None
        [given_] = answer.decision.disclosures
        kinds = {ground.kind for ground in given_.receipt.grounds}
        assert (given_.receipt.channel, given_.receipt.form, "emergency" in kinds) == (channel, "thin", bool(accesses))


def test_an_access_to_something_that_the_report_does_not_have_gives_nothing_and_is_no_emergency() -> None:
    decision, referral = filed(sealed={FieldGroup.ADDRESS: "block"})
    opened = access(referral, FieldGroup.HOUSEHOLD)
    assert groups_of(read_answer(decision, referral, opened)) == groups_of(read_answer(decision, referral))
    answer = read(
        decision.case, ReadRequest(referral.agency, referral.referral_id, READ), (opened,), context(blocks=BLOCKS)
    )
    assert answer is not None
    assert answer.decision.disclosures[0].receipt.channel == "read"


@given(
    groups=st.frozensets(st.sampled_from(FieldGroup)),
    duration=st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    at=st.timedeltas(timedelta(hours=-1), timedelta(days=4)),
)
def test_whatever_is_kept_of_an_access_it_opens_nothing_beyond_four_hours_nor_what_rests_on_consent(
    groups: frozenset[FieldGroup], duration: timedelta, at: timedelta
) -> None:
    decision, referral = filed()
    here = context(NOON + at, BLOCKS)
    need = decision.case.need(referral.need_id)
    base = CITY.plan(referral.agency, here.query(decision.case, need))
    wider = with_accesses(base, [access(referral, *groups, lasts=duration)], NOON + at)
    more = wider.groups - base.groups
    assert more <= groups - CONSENT_ONLY
    assert base.groups <= wider.groups
    if not timedelta() <= at < min(duration, MAX_ACCESS):
        assert more == set()
    else:
        assert more == groups - CONSENT_ONLY - base.groups


@pytest.mark.parametrize(
    ("agency", "need", "service", "group"),
    [
        ("refuge", "safety", "violence", FieldGroup.VICTIM_SERVICES),
        ("clinic", "health", "drugs", FieldGroup.SUBSTANCE_USE),
    ],
)
def test_no_access_counts_for_a_report_that_is_protected(
    agency: str, need: str, service: str, group: FieldGroup
) -> None:
    agreed = consent(agency, groups=[group])
    decision, referral = filed(need, agreed, service_code=service)
    here = context(blocks=BLOCKS, consents=[agreed])
    wanted = AccessRequest(agency, referral.referral_id, OPENED, frozenset(), HOUR)
    outcome = open_withheld(decision.case, wanted, (), here)
    assert isinstance(outcome, NotOpened)
    everything = (access(referral, *FieldGroup),)
    asked = ReadRequest(agency, referral.referral_id, READ)
    before, after = read(decision.case, asked, (), here), read(decision.case, asked, everything, here)
    assert before is not None
    assert after is not None
    assert after.text == before.text


def test_what_is_opened_is_what_was_withheld_and_nothing_that_rests_on_consent() -> None:
    decision, referral = filed()
    wanted = AccessRequest("homes", referral.referral_id, OPENED, frozenset(), 24 * HOUR)
    outcome = open_withheld(decision.case, wanted, (), context(blocks=BLOCKS))
    assert isinstance(outcome, Opened)
    assert outcome.access.groups.isdisjoint(CONSENT_ONLY)
    assert outcome.access.groups.isdisjoint({FieldGroup.NEED, FieldGroup.ADDRESS})
    assert outcome.access.ends_at == NOON + MAX_ACCESS
    assert groups_of(read_answer(decision, referral, outcome.access)) >= {"identity", "health", "narrative"}


def test_an_agency_reads_no_other_agency_s_referral() -> None:
    decision, referral = filed()
    for agency, referral_id in (("clinic", referral.referral_id), ("homes", UUID(int=1))):
        assert read(decision.case, ReadRequest(agency, referral_id, READ), (), context(blocks=BLOCKS)) is None
        wanted = AccessRequest(agency, referral_id, OPENED, frozenset(), HOUR)
        assert open_withheld(decision.case, wanted, (), context(blocks=BLOCKS)) is None
