"""Why an agency is asked or passed over, and given a group or not: ids that decided, and words for each of them."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cedarpy import policies_to_json_str

from services.routing.domain.city import PlacementQuery
from services.routing.domain.explanation import (
    NEED_WITHHELD,
    GroupDecision,
    describe_policy,
    explain_disclosure,
    explain_placement,
)
from services.routing.domain.what_if import consents_as_known
from services.routing.use_cases.explain.hypothetical_report import HypotheticalReport
from shared.city.routing_rules import RoutingRules, Rule
from shared.events.fields import FieldGroup
from shared.policy.agreements import Form
from shared.policy.consent import Consent
from shared.policy.explanation import WORDS
from shared.policy.policies import our_policies
from tests.builders import HOUR, NOON, agreement, consent
from tests.unit.routing.fixtures import ADDRESS, CITY, CONTACT, NEED, clause

PERMITS = {"clause", "consent"}
"""The policies that permit: they are never what something is withheld by."""


def ask(need: str, service: str = "repair", *consents: Consent, **said: Any) -> PlacementQuery:
    protections = CITY.protection.protections_of(service, [need])
    return PlacementQuery(need, service, "south", "routine", protections, NOON, consents)._replace(**said)


def answer(agency: str, query: PlacementQuery, group: FieldGroup) -> GroupDecision:
    decision = explain_disclosure(query, CITY, agency)
    return next(each for each in decision.answers if each.group is group)


def policy_ids() -> set[str]:
    written = json.loads(policies_to_json_str(our_policies().text))["staticPolicies"].values()
    return {policy["annotations"]["id"] for policy in written}


def test_each_policy_that_forbids_has_words() -> None:
    assert policy_ids() - PERMITS <= WORDS.keys()
    for policy in [*policy_ids() - PERMITS, NEED_WITHHELD]:
        assert describe_policy(policy) != policy
        assert re.fullmatch(r"[a-z0-9].*[^.]", describe_policy(policy))


def test_a_released_group_names_the_clause_its_version_and_why() -> None:
    found = answer("homes", ask("housing"), ADDRESS)
    assert (found.released, found.withheld_by) == (True, ())
    (given,) = found.given
    assert (given.form, given.clause, given.version, given.why) == (
        Form.FULL,
        "to-homes/to-homes",
        1,
        "They help.",
    )
    assert found.says == "address is released full under to-homes/to-homes (version 1): They help."


def test_a_withheld_group_names_what_decided() -> None:
    found = answer("homes", ask("housing"), FieldGroup.HEALTH)
    assert (found.released, found.withheld_by) == (False, ("no-agreement",))
    assert found.says == "health is withheld: no agreement releases it to this agency."


def test_a_group_that_needed_a_consent_names_it() -> None:
    given = consent("clinic", groups=[FieldGroup.HEALTH])
    found = answer("clinic", ask("health", "repair", given), FieldGroup.HEALTH)
    assert found.given[0].consents == (str(given.consent_id),)
    assert f"by consent {given.consent_id}" in found.says
    missing = answer("clinic", ask("health"), FieldGroup.HEALTH)
    assert missing.withheld_by == ("needs-consent",)
    assert "requires a consent" in missing.clauses[0]


def test_an_agency_that_may_not_know_of_the_need_is_given_nothing_else_either() -> None:
    sharing = CITY.policy.under([agreement(clause("police", ADDRESS, CONTACT))])
    decision = explain_disclosure(ask("noise", "loud"), replace(CITY, policy=sharing), "police")
    assert not decision.entitled
    assert not any(each.released for each in decision.answers)
    address = next(each for each in decision.answers if each.group is ADDRESS)
    assert address.withheld_by == (NEED_WITHHELD,)
    assert decision.says(asked=True).startswith(
        "It may not know of the need, and so is told nothing at all: no agreement"
    )


def test_an_agency_that_was_not_asked_is_not_said_to_have_been_given_anything() -> None:
    decision = explain_disclosure(ask("housing"), CITY, "clinic")
    assert decision.says(asked=True) == "It may know of the need, and is given need, narrative."
    assert decision.says(asked=False) == "It was not asked for help. If it were, it would be given need, narrative."


def test_every_group_has_an_answer_that_says_the_same_as_the_plan() -> None:
    for agency in ("homes", "clinic", "police", "refuge", "harbor"):
        for need, service in (("housing", "repair"), ("noise", "loud"), ("housing", "drugs"), ("safety", "violence")):
            query = ask(need, service, consent("clinic", groups=[FieldGroup.SUBSTANCE_USE]))
            plan, decision = CITY.plan(agency, query), explain_disclosure(query, CITY, agency)
            assert [each.group for each in decision.answers] == list(FieldGroup)
            said = {each.group for each in decision.answers if each.released}
            assert said == (plan.groups if plan.entitled else set())
            assert all(each.says for each in decision.answers)


def test_the_first_candidate_that_may_know_is_asked_and_each_other_has_its_reason() -> None:
    choice = explain_placement(ask("noise", "loud"), CITY)
    assert (choice.rule, choice.asked) == ("noise", "police/precinct")
    harbor, police = choice.candidates
    assert (harbor.standing, harbor.policies) == ("may-not-know", ("no-agreement",))
    assert harbor.why == "may not know of the need: no agreement releases it to this agency"
    assert (police.standing, police.why) == ("asked", "is choice 2 of the rule")


def test_the_looks_into_the_book_tell_why_a_rule_counts() -> None:
    rules = [Rule("heat", ("homes/inspections",), need="housing"), Rule("all", ("police/precinct",))]
    rules.append(Rule("north", ("homes/inspections",), service="repair", need="housing", district="north"))
    book = RoutingRules(rules)
    choice = explain_placement(ask("housing"), replace(CITY, rules=book))
    assert [(look.rule, look.why) for look in choice.looks] == [
        (None, "no rule names service repair and need housing and district south"),
        ("heat", "rule heat names need housing: it counts"),
        ("all", "rule all names nothing, and so applies to everything, and is less specific"),
    ]
    north = explain_placement(ask("housing", district="north"), replace(CITY, rules=book))
    assert north.looks[0].why.endswith("it counts")


def test_a_program_of_another_district_says_so() -> None:
    book = RoutingRules([Rule("ill", ("clinic/north", "clinic/visits"), need="health", fallback="clinic/north")])
    choice = explain_placement(ask("health"), replace(CITY, rules=book))
    assert choice.candidates[0].why == "works only in north, and the district is south"
    assert choice.asked == "clinic/visits"
    assert choice.fallback is not None
    assert choice.fallback.standing == "other-district"
    unknown = explain_placement(ask("health", district=None), replace(CITY, rules=book))
    assert unknown.candidates[0].why == "works only in north, and the district is not known"


def test_of_two_protections_the_one_that_withholds_is_explained() -> None:
    victims, drugs = FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE
    for groups in ([victims], [drugs], [victims, drugs]):
        query = ask("safety", "drugs", consent("refuge", groups=groups))
        decision, plan = explain_disclosure(query, CITY, "refuge"), CITY.plan("refuge", query)
        told = answer("refuge", query, NEED)
        assert (decision.entitled, told.released) == (plan.entitled, plan.entitled)
        assert told.withheld_by == plan.verdicts[NEED].withheld_by
        assert told.clauses
        assert [each.consents for each in told.given] == (
            [(str(query.consents[0].consent_id),)] if plan.entitled else []
        )


def test_a_need_without_a_rule_says_so() -> None:
    choice = explain_placement(ask("loneliness"), CITY)
    assert (choice.rule, choice.asked, choice.candidates) == (None, None, ())
    assert choice.why == "no routing rule applies"


def test_a_service_that_the_catalogue_lacks_bars_everybody() -> None:
    choice = explain_placement(ask("housing", "unheard-of"), CITY)
    assert choice.asked is None
    assert {each.policies for each in choice.candidates} == {("unknown-service",)}


def test_a_consent_that_was_withdrawn_later_stood_before() -> None:
    fallen = consent("clinic", withdrawn_at=NOON)
    assert consents_as_known([fallen], NOON - timedelta(minutes=1))[0].live(NOON - timedelta(minutes=1))
    assert not consents_as_known([fallen], NOON)[0].live(NOON)
    assert not consents_as_known([fallen], NOON - 2 * HOUR)[0].live(NOON - 2 * HOUR)


@pytest.mark.parametrize(("consents", "asked"), [([], None), ([("clinic", "substance_use")], "clinic/visits")])
def test_a_supposed_report_is_placed_with_the_consents_that_are_supposed(
    consents: list[tuple[str, str]], asked: str | None
) -> None:
    supposed = [{"recipients": [agency], "groups": [group]} for agency, group in consents]
    question = HypotheticalReport.model_validate({"service_code": "drugs", "needs": ["housing"], "consents": supposed})
    (query,) = question.queries(CITY, NOON)
    assert explain_placement(query, CITY).asked == asked


def test_who_is_asked_first_is_a_source_for_the_agency_asked_next() -> None:
    question = HypotheticalReport.model_validate({"service_code": "repair", "needs": ["housing", "health"]})
    assert [sorted(query.holders) for query in question.queries(CITY, NOON)] == [[], ["homes"]]
    assert NEED in CITY.plan("clinic", next(iter(question.queries(CITY, NOON)))).groups
