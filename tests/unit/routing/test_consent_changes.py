"""Consents decide which agency is asked, what is disclosed and recalled, and when a case is suppressed."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

from services.routing.domain.case import Resolution
from services.routing.domain.consent_changes import (
    ConsentUse,
    GrantedConsent,
    RevokedConsent,
    erase,
    extend_disclosure,
    recall,
)
from services.routing.domain.decision import CaseDecision, DecisionContext, Disclosure
from services.routing.domain.submission import route, withdraw
from shared.events import agency_inbox, disclosures
from shared.events.agency_inbox import UNDISCLOSED, ReferralAmended, ReferralRequested
from shared.events.disclosures import DisclosureMade
from shared.events.event import Classification, Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseWithdrawn
from shared.policy.consent import Consent
from tests.builders import NOON, case_id, consent, need_id, report
from tests.unit.routing.fixtures import CITY, cause, context, event_types

E = TypeVar("E", bound=Event)
HEALTH, DRUGS, VIOLENCE = FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES
BLOCKS = {
    HEALTH: b'{"answers": {"illness": ["asthma"]}}',
    DRUGS: b'{"answers": {"what": ["alcohol"]}}',
    FieldGroup.NARRATIVE: b'{"description": "Call 212 555 0137"}',
    FieldGroup.ADDRESS: b'{"address": "1 Elm St"}',
}
SEALED: dict[str, Any] = {"sealed": dict.fromkeys(BLOCKS, "block")}


def events_of(decision: CaseDecision, kind: type[E]) -> list[E]:
    """Return the events of one class that a decision publishes."""
    return [each.event for each in decision.events if isinstance(each.event, kind)]


def here(*consents: Consent) -> DecisionContext:
    """The town with these consents, and with what sealed groups hold."""
    return context(blocks=BLOCKS, consents=consents)


def uses(given: Iterable[Disclosure], *, delivered: bool = True) -> tuple[ConsentUse, ...]:
    """What was given under consents, as it is kept."""
    return tuple(
        ConsentUse(
            each.receipt.receipt_id, each.receipt.referral_id or case_id(), each.receipt.agency, groups, delivered
        )
        for each in given
        for groups in each.consents.values()
    )


def test_each_disclosure_leaves_a_receipt_that_says_what_was_given_and_what_it_depends_on() -> None:
    decision = route(report("housing", **SEALED), cause(), here())
    [given] = decision.disclosures
    [event], [told] = events_of(decision, ReferralRequested), events_of(decision, DisclosureMade)
    assert given.receipt.receipt_id == event.receipt_id == told.receipt_id
    assert given.receipt.groups == told.groups == (FieldGroup.NEED, FieldGroup.LOCATION, FieldGroup.ADDRESS)
    assert [ground.id for ground in told.grounds] == ["to-homes/to-homes"]
    assert (given.receipt.policy_set, given.receipt.form) == (CITY.policy.hash, "full")
    assert [terms.agreement for terms in event.terms] == ["to-homes"]
    assert given.consents == {}


def test_words_are_redacted_for_an_agency_that_may_not_know_who_wrote_them() -> None:
    [event] = events_of(route(report("health", **SEALED), cause(), here()), ReferralRequested)
    assert event.released.narrative is not None
    assert event.released.narrative.description == "Call [phone number]"


def test_a_restricted_report_travels_sealed_names_nothing_outside_and_depends_on_its_consent() -> None:
    given = consent("clinic", groups=[DRUGS])
    decision = route(report("health", service_code="drugs", **SEALED), cause(), here(given))
    [asked] = [each for each in decision.events if isinstance(each.event, ReferralRequested)]
    event = asked.event
    assert isinstance(event, ReferralRequested)
    assert (event.need, event.program) == (UNDISCLOSED, UNDISCLOSED)
    assert not event.released.model_dump(exclude_none=True)
    assert event.sealed is not None
    assert event.sealed.startswith("clinic:")
    assert '"need":"health"' in event.sealed
    assert "alcohol" in event.sealed
    assert event.label is Classification.RESTRICTED
    assert event.terms[0].consent_id == given.consent_id
    assert event.terms[0].notice
    assert asked.required_consents == (given.consent_id,)
    assert list(decision.disclosures[0].consents) == [given.consent_id]


def test_a_report_of_violence_without_a_consent_leaves_no_sign() -> None:
    decision = route(report("safety", "housing", **SEALED), cause(), here())
    assert decision.events == ()
    assert decision.disclosures == ()
    assert decision.case.triage == {}
    assert {barred.agency for barred in decision.denials} == {"refuge", "homes", "clinic"}
    gone = withdraw(decision.case, CaseWithdrawn(case_id=case_id(), withdrawn_at=NOON), cause("back"), here())
    assert gone.events == ()


def test_a_consent_lets_a_report_of_violence_reach_whom_it_names_and_no_other() -> None:
    silent = route(report("safety", "housing", **SEALED), cause(), here())
    given = consent("refuge", groups=[VIOLENCE])
    decision = extend_disclosure(silent.case, GrantedConsent(given.consent_id, frozenset()), cause("yes"), here(given))
    assert [each.agency for each in decision.case.referrals.values()] == ["refuge"]
    [event] = events_of(decision, ReferralRequested)
    assert (event.need, event.sealed, event.released.model_dump(exclude_none=True)) == (UNDISCLOSED, None, {})
    assert event.link == f"/partner/v1/referrals/{event.referral_id}"
    assert decision.disclosures[0].receipt.groups == ()


def test_a_consent_that_has_ended_counts_for_nothing() -> None:
    over = consent("refuge", groups=[VIOLENCE], ends_at=NOON)
    taken_back = consent("refuge", groups=[VIOLENCE], withdrawn_at=NOON - timedelta(minutes=1))
    for each in (over, taken_back):
        assert route(report("safety", **SEALED), cause(), here(each)).events == ()


def test_a_consent_given_later_amends_what_an_agency_may_see_once() -> None:
    filed = route(report("health", **SEALED), cause(), here())
    given = consent("clinic", groups=[HEALTH])
    decision = extend_disclosure(filed.case, GrantedConsent(given.consent_id, frozenset()), cause("more"), here(given))
    [event] = events_of(decision, ReferralAmended)
    assert event.link is not None
    assert "asthma" not in event.model_dump_json()
    used = frozenset(use.referral_id for use in uses(decision.disclosures))
    assert (
        extend_disclosure(decision.case, GrantedConsent(given.consent_id, used), cause("again"), here(given)).events
        == ()
    )


def test_a_consent_that_gives_no_agency_more_says_nothing() -> None:
    filed = route(report("housing", **SEALED), cause(), here())
    given = consent("clinic", groups=[HEALTH])
    assert (
        extend_disclosure(filed.case, GrantedConsent(given.consent_id, frozenset()), cause("more"), here(given)).events
        == ()
    )


def test_a_withdrawn_consent_recalls_what_was_given_and_ends_what_depended_on_it() -> None:
    given = consent("clinic", groups=[DRUGS])
    filed = route(report("health", service_code="drugs", **SEALED), cause(), here(given))
    fallen = RevokedConsent(given.consent_id, "consent-withdrawn", uses(filed.disclosures))
    decision = recall(filed.case, fallen, cause("back"), here())
    assert event_types(decision.events) == [
        "clinic < disclosure.recalled",
        "disclosure.recalled",
        "referral.cancelled",
        "clinic < referral.cancelled",
        "case.unroutable",
    ]
    [told] = events_of(decision, agency_inbox.DisclosureRecalled)
    assert told.receipts == tuple(each.receipt.receipt_id for each in filed.disclosures)
    assert DRUGS in told.groups
    assert decision.recalled_consents == (given.consent_id,)


def test_an_agency_that_was_never_sent_a_referral_is_not_told_of_its_end() -> None:
    given = consent("refuge", groups=[VIOLENCE])
    filed = route(report("safety", **SEALED), cause(), here(given))
    fallen = RevokedConsent(given.consent_id, "consent-withdrawn", uses(filed.disclosures, delivered=False))
    decision = recall(filed.case, fallen, cause("back"), here())
    assert not [each for each in decision.events if each.topic.startswith("agency.")]
    assert not decision.case.open_referrals()
    assert decision.case.triage == {}


def test_a_request_that_was_withheld_is_repeated_when_it_may_be_made_without_the_consent() -> None:
    given = consent("clinic", groups=[HEALTH])
    filed = route(report("health", **SEALED), cause(), here(given))
    [first] = events_of(filed, ReferralRequested)
    assert first.link is not None
    fallen = RevokedConsent(given.consent_id, "consent-withdrawn", uses(filed.disclosures, delivered=False))
    decision = recall(filed.case, fallen, cause("back"), here())
    [again] = events_of(decision, ReferralRequested)
    assert again.referral_id == first.referral_id
    assert again.link is None
    assert events_of(decision, disclosures.DisclosureRecalled), "the other services have heard of a disclosure"
    assert not events_of(decision, agency_inbox.DisclosureRecalled)


def test_a_need_can_be_handed_to_the_same_program_after_a_new_consent() -> None:
    given = consent("refuge", groups=[VIOLENCE])
    filed = route(report("safety", **SEALED), cause(), here(given))
    ended = recall(
        filed.case, RevokedConsent(given.consent_id, "consent-expired", uses(filed.disclosures)), cause("over"), here()
    )
    assert ended.case.resolution is None
    decision = extend_disclosure(ended.case, GrantedConsent(given.consent_id, frozenset()), cause("new"), here(given))
    first, second = decision.case.referrals_of(need_id("safety"))
    assert (first.agency, second.agency, second.attempt) == ("refuge", "refuge", 2)


def test_a_case_that_has_ended_is_not_reopened_by_a_consent() -> None:
    filed = route(report("health", **SEALED), cause(), here())
    ended = filed.case.with_resolution(Resolution.COMPLETED, NOON)
    given = consent("clinic", groups=[HEALTH])
    assert (
        extend_disclosure(ended, GrantedConsent(given.consent_id, frozenset()), cause("more"), here(given)).events == ()
    )


def test_every_recipient_is_told_of_an_erasure_and_the_blocks_are_dropped() -> None:
    filed = route(report("health", **SEALED), cause(), here())
    decision = erase(filed.case, [(case_id(), "clinic"), (case_id(), "homes")], cause("gone"), here())
    assert event_types(decision.events) == ["clinic < person.erased", "homes < person.erased"]
    assert decision.case.report.sealed == {}
    assert "block" not in decision.case.text
