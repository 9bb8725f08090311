"""The most specific routing rule applies, however many rules there are."""

import timeit
from dataclasses import replace
from itertools import product
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.city import CaseSnapshot, PlacementQuery
from services.routing.domain.placement import Placed, Unplaced, place, place_fallback
from shared.city.routing_rules import RoutingRules, Rule
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason
from shared.policy.consent import Consent
from shared.policy.protection import ProtectionRules
from tests.builders import NOON, consent, report
from tests.unit.routing.fixtures import CITY, PROTECTS, context

WORDS = st.sampled_from(["a", "b", "c"])
RULES = st.lists(st.tuples(*[st.none() | WORDS] * 3), max_size=30).map(
    lambda keys: [Rule(f"r{i}", ("x/y",), *key) for i, key in enumerate(keys)]
)


def slow_find(rules: list[Rule], *asked: str) -> Rule | None:
    """Return, of all rules that apply, the most specific, and of those the first: the definition, as a scan."""
    applying = [r for r in rules if all(named in {None, have} for named, have in zip(r.key, asked, strict=True))]
    weigh = [(tuple(part is not None for part in rule.key), -i, rule) for i, rule in enumerate(applying)]
    return max(weigh, key=lambda each: each[:2])[2] if weigh else None


@given(RULES, WORDS, WORDS, WORDS)
def test_the_rules_find_what_a_scan_of_all_rules_would_find(
    rules: list[Rule], service: str, need: str, district: str
) -> None:
    assert RoutingRules(rules).find(service, need, district) is slow_find(rules, service, need, district)


def test_a_rule_for_the_service_goes_before_one_for_need_and_district() -> None:
    rules = [Rule("near", ("a/b",), None, "heat", "north"), Rule("mine", ("a/b",), "boiler", None, None)]
    found = RoutingRules(rules).find("boiler", "heat", "north")
    assert found is rules[1]


def test_an_unknown_place_matches_no_rule_for_a_district() -> None:
    rules = RoutingRules([Rule("near", ("a/b",), need="heat", district="north")])
    assert rules.find("boiler", "heat", None) is None


def test_a_thousand_rules_cost_no_more_than_twice_what_ten_cost() -> None:
    names = [f"n{i}" for i in range(10)]
    many = [Rule(f"{s}-{n}-{d}", ("a/b",), s, n, d) for s, n, d in product(names, names, names)]
    ten, thousand = RoutingRules(many[:10]), RoutingRules(many)

    def seconds(rules: RoutingRules) -> float:
        # Processor time: what other processes take does not count.
        return min(timeit.repeat(lambda: rules.find("n0", "n0", "n9"), timer=process_time, number=5_000, repeat=20))

    assert seconds(thousand) <= 2 * seconds(ten)


def ask(need: str, service: str, *consents: Consent) -> PlacementQuery:
    """What is asked about a need in the south, at noon."""
    return PlacementQuery(
        need, service, "south", "routine", CITY.protection.protections_of(service, [need]), NOON, consents
    )


def test_the_first_candidate_is_asked() -> None:
    placed = place(ask("housing", "repair"), CITY)
    assert isinstance(placed, Placed)
    assert placed.program.name == "homes/inspections"
    assert placed.why == "rule housing, choice 1"


def test_a_candidate_that_was_tried_is_passed_over() -> None:
    placed = place(ask("housing", "repair"), CITY, {"homes/inspections"})
    assert isinstance(placed, Placed)
    assert placed.program.name == "clinic/visits"


def test_when_all_were_tried_no_program_is_left() -> None:
    unplaced = place(ask("housing", "repair"), CITY, {"homes/inspections", "clinic/visits"})
    assert unplaced == Unplaced(Reason.CANDIDATES_EXHAUSTED, "rule housing: every candidate was asked")


def test_a_program_of_another_district_is_passed_over() -> None:
    rule = Rule("north-only", ("clinic/north", "clinic/visits"), need="health")
    city = type(CITY)(CITY.programs, RoutingRules([rule]), CITY.policy, CITY.protection)
    placed = place(ask("health", "repair"), city)
    assert isinstance(placed, Placed)
    assert placed.program.name == "clinic/visits"


def test_an_agency_that_no_agreement_names_is_passed_over_and_that_is_noted() -> None:
    placed = place(ask("noise", "loud"), CITY)
    assert isinstance(placed, Placed)
    assert placed.program.name == "police/precinct"
    assert placed.denied == {"harbor": ("no-agreement",)}


def test_a_strict_report_reaches_only_an_agency_that_the_person_has_named() -> None:
    unplaced = place(ask("housing", "drugs"), CITY)
    assert isinstance(unplaced, Unplaced)
    assert list(unplaced.denied) == ["homes", "clinic"]
    placed = place(ask("housing", "drugs", consent("clinic", groups=[FieldGroup.SUBSTANCE_USE])), CITY)
    assert isinstance(placed, Placed)
    assert placed.program.agency == "clinic"
    assert list(placed.denied) == ["homes"]


def test_a_report_of_violence_reaches_no_agency_without_a_consent() -> None:
    assert isinstance(place(ask("housing", "violence"), CITY), Unplaced)
    assert isinstance(place(ask("safety", "violence"), CITY), Unplaced)
    named = consent("refuge", groups=[FieldGroup.VICTIM_SERVICES])
    placed = place(ask("safety", "violence", named), CITY)
    assert isinstance(placed, Placed)
    assert placed.program.name == "refuge/beds"


def test_a_report_that_is_protected_for_two_reasons_needs_a_consent_for_both() -> None:
    both = report("safety", service_code="drugs")
    assert CITY.protections_of(both) == (FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE)
    for groups, released in (
        ([FieldGroup.VICTIM_SERVICES], set()),
        ([FieldGroup.SUBSTANCE_USE], set()),
        ([FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE], {FieldGroup.NEED, FieldGroup.ADDRESS}),
    ):
        query = CITY.query(both, "safety", CaseSnapshot(NOON, (consent("refuge", groups=groups),)))
        plan = CITY.plan("refuge", query)
        assert plan.groups == released
        assert plan.entitled is bool(released)
        assert any(terms.notice for terms in plan.terms) is bool(released), "the notice of 42 CFR part 2 goes with it"


def test_a_need_that_only_protected_services_name_protects_the_whole_report() -> None:
    assert CITY.protections_of(report("housing", "safety")) == (FieldGroup.VICTIM_SERVICES,)
    assert CITY.protections_of(report("housing", service_code="drugs")) == (FieldGroup.SUBSTANCE_USE,)
    assert CITY.protections_of(report("safety", service_code="drugs"))[0] is FieldGroup.VICTIM_SERVICES
    assert CITY.protections_of(report("housing")) == ()


def test_a_report_that_is_protected_for_three_reasons_needs_a_consent_for_all() -> None:
    protection = ProtectionRules(
        PROTECTS,
        {"safety": frozenset({FieldGroup.VICTIM_SERVICES, FieldGroup.HEALTH})},
    )
    city, all_three = replace(CITY, protection=protection), report("safety", service_code="drugs")
    reasons = city.protections_of(all_three)
    assert reasons == (FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE, FieldGroup.HEALTH)
    for without in (*reasons, None):
        named = consent("refuge", groups=[group for group in reasons if group is not without])
        plan = city.plan("refuge", city.query(all_three, "safety", CaseSnapshot(NOON, (named,))))
        assert plan.entitled is (without is None), without
        assert plan.protects is FieldGroup.VICTIM_SERVICES


def test_a_report_of_a_service_that_the_catalogue_lacks_counts_as_one_of_violence() -> None:
    unheard = report("housing", service_code="unheard-of")
    assert CITY.protections_of(unheard) == (FieldGroup.VICTIM_SERVICES,)
    assert context().is_suppressed(unheard)


def test_a_report_of_a_service_that_the_catalogue_lacks_reaches_no_agency() -> None:
    assert isinstance(place(ask("housing", "unheard-of"), CITY), Unplaced)


def test_the_fallback_is_asked_once() -> None:
    query = ask("housing", "repair")
    placed = place_fallback(query, CITY, {"homes/inspections"})
    assert isinstance(placed, Placed)
    assert placed.program.name == "homes/emergency"
    again = place_fallback(query, CITY, {"homes/inspections", "homes/emergency"})
    assert isinstance(again, Unplaced)
    assert again.reason is Reason.NO_ANSWER
