"""What would have been different in a past case: who is asked, and what each agency is given."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from services.routing.domain.city import RoutingCity
from services.routing.domain.submission import route
from services.routing.domain.what_if import (
    CityComparison,
    DisclosureDifference,
    PastCase,
    PlacementDifference,
    start_early,
)
from shared.city.routing_rules import RoutingRules, Rule
from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Form
from shared.policy.consent import Consent
from tests.builders import HOUR, NOON, agreement, consent, report
from tests.unit.routing.fixtures import (
    ADDRESS,
    AGREEMENTS,
    CITY,
    CONTACT,
    NEED,
    PROGRAMS,
    RULES,
    cause,
    clause,
    context,
)

HOMES = AGREEMENTS[0]


def under(*agreements: Agreement) -> RoutingCity:
    return replace(CITY, policy=CITY.policy.under(agreements))


def past(*needs: str, consents: Iterable[Consent] = (), **said: Any) -> PastCase:
    decision = route(report(*needs, **said), cause(), context(consents=tuple(consents)))
    return PastCase(decision.case, NOON, tuple(consents))


def differences(after: RoutingCity, case: PastCase) -> list[PlacementDifference | DisclosureDifference]:
    return list(CityComparison(CITY, after).differences(case))


def test_the_same_agreements_and_book_change_nothing() -> None:
    for case in (past(), past("noise", "health"), past("loneliness"), past("safety", service_code="violence")):
        assert differences(under(*AGREEMENTS), case) == []


def test_a_clause_with_fewer_groups_shows_what_is_not_given_any_more() -> None:
    less = agreement(clause("homes", NEED, CONTACT))
    (found,) = differences(under(less, *AGREEMENTS[1:]), past())
    assert isinstance(found, DisclosureDifference)
    assert (found.agency, found.added) == ("homes", {})
    assert found.removed == {Form.FULL: {ADDRESS, FieldGroup.LOCATION}}


def test_without_its_agreement_an_agency_is_not_asked_and_the_next_one_is() -> None:
    asked, homes, clinic = differences(under(*AGREEMENTS[1:]), past())
    assert isinstance(asked, PlacementDifference)
    assert (asked.before, asked.after) == ("homes/inspections", "clinic/visits")
    assert asked.why == "rule housing, choice 2"
    assert isinstance(homes, DisclosureDifference)
    assert isinstance(clinic, DisclosureDifference)
    assert (homes.agency, clinic.agency, clinic.removed) == ("homes", "clinic", {})
    assert homes.removed[Form.FULL] == {NEED, FieldGroup.LOCATION, ADDRESS, CONTACT}
    assert clinic.added[Form.FULL] == {NEED, FieldGroup.NARRATIVE}


def test_a_new_agreement_brings_in_who_was_barred() -> None:
    found = differences(under(*AGREEMENTS, agreement(clause("harbor", NEED))), past("noise", service_code="loud"))
    assert [type(each) for each in found] == [PlacementDifference, DisclosureDifference, DisclosureDifference]
    assert isinstance(found[0], PlacementDifference)
    assert (found[0].before, found[0].after) == ("police/precinct", "harbor/desk")


def test_other_rules_ask_another_agency() -> None:
    book = RoutingRules([Rule("housing", ("clinic/visits",), need="housing"), *RULES[1:]])
    first, *_ = differences(replace(CITY, rules=book), past())
    assert first == PlacementDifference(
        report().needs[0], "homes/inspections", "clinic/visits", "rule housing, choice 1"
    )


def test_a_consent_counts_as_it_stood_when_the_case_was_routed() -> None:
    given = consent("refuge", groups=[FieldGroup.VICTIM_SERVICES])
    later = replace(given, withdrawn_at=NOON + HOUR)
    case = replace(past("safety", service_code="violence", consents=[given]), consents=(later,))
    first, second = differences(under(*AGREEMENTS[:3]), case)
    assert isinstance(first, PlacementDifference)
    assert (first.before, first.after) == ("refuge/beds", None)
    assert isinstance(second, DisclosureDifference)
    assert second.removed == {Form.THIN: {NEED, ADDRESS}}


def test_an_agency_that_was_asked_later_is_gone_through_as_well() -> None:
    case = past()
    (first,) = case.case.referrals.values()
    police = next(each for each in PROGRAMS if each.agency == "police")
    second = first._replace(
        referral_id=report().case_id, agency="police", program=police.id, asked_at=NOON + HOUR, attempt=2
    )
    case = replace(case, case=case.case.with_referral(second))
    less = agreement(clause("police", NEED))
    (found,) = differences(under(*AGREEMENTS[:2], less, AGREEMENTS[3]), case)
    assert isinstance(found, DisclosureDifference)
    assert found.agency == "police"
    assert found.removed == {Form.FULL: frozenset({ADDRESS})}


def test_an_agreement_that_is_new_is_tried_as_if_it_had_begun() -> None:
    new = agreement(clause("harbor", NEED), starts=date(2030, 1, 1))
    old = HOMES.model_copy(update={"starts": date(2030, 1, 1)})
    agreements, moved = start_early([old, new], [old], NOON - timedelta(days=1))
    assert moved == (new,)
    assert [each.starts for each in agreements] == [date(2030, 1, 1), date(2026, 3, 1)]
