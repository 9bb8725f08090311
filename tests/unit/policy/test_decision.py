"""What decides, what it is called, and for how long it holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cachetools import LRUCache
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Form
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.explanation import WORDS, explain
from shared.policy.plan import REDISCLOSURE_NOTICE, ReleaseGround
from shared.policy.policies import Policies, PolicyError, our_policies, read_policies
from tests.builders import DAY, NOON
from tests.policy_cases import DISTRICTS, NEEDS, SERVICES, URGENCY, PolicyCase, make_case
from tests.policy_oracle import may_be_given
from tests.unit.policy.fixtures import ALL, agreement, consent, query, share

NEED, ADDRESS, VICTIMS = FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.VICTIM_SERVICES
DRUGS = FieldGroup.SUBSTANCE_USE

WITHHELD: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "no-agreement": ({}, {}, {"agency": "stranger"}),
    "agreement-suspended": ({}, {"status": "suspended"}, {}),
    "agreement-ended": ({}, {"status": "ended"}, {}),
    "agreement-not-begun": ({}, {"starts": "2026-03-03"}, {}),
    "unknown-service": ({}, {}, {"service": "sorcery"}),
    "condition-not-met:service": ({"services": ("paint",)}, {}, {}),
    "condition-not-met:district": ({"districts": ("north",)}, {}, {}),
    "condition-not-met:urgency": ({"urgency": ("emergency",)}, {}, {}),
    "needs-consent": ({"consent": True}, {}, {}),
    "victim-services-needs-consent": ({"form": "thin"}, {}, {"protects": VICTIMS}),
    "substance-use-needs-consent": ({"form": "thin"}, {}, {"protects": DRUGS}),
    "substance-use-never-onward": ({"form": "thin"}, {"onward": True}, {"protects": DRUGS}),
    "restricted-never-full": ({}, {}, {"protects": FieldGroup.JUSTICE}),
    "no-public-key": ({"form": "sealed"}, {}, {}),
}


def sharing(*agreements: Any, **said: Any) -> DisclosurePolicy:
    return DisclosurePolicy(agreements or (agreement(),), **{"services": ("repair", "paint"), **said})


@pytest.mark.parametrize(("why", "clause", "whole", "asked"), [(why, *said) for why, said in WITHHELD.items()])
def test_what_is_withheld_names_what_decided(
    why: str, clause: dict[str, Any], whole: dict[str, Any], asked: dict[str, Any]
) -> None:
    plan = sharing(agreement(share(**clause), **whole)).plan(query(**asked))
    assert why in plan.verdicts[NEED].withheld_by
    assert not plan.entitled
    assert not plan.groups


def test_a_district_that_is_not_known_meets_no_condition() -> None:
    plan = sharing(agreement(share(districts=("south",)))).plan(query(district=None))
    assert plan.verdicts[NEED].withheld_by == ("condition-not-met:district",)


def test_the_first_and_the_last_day_belong_to_an_agreement() -> None:
    decides = sharing(agreement(starts="2026-03-02", ends="2026-03-02"))
    midnight = NOON.replace(hour=0)
    tick = timedelta(microseconds=1)
    entitled = [
        decides.plan(query(at=at)).entitled for at in (midnight - tick, midnight, midnight + DAY - tick, midnight + DAY)
    ]
    assert entitled == [False, True, True, False]


def test_what_is_released_names_its_clause_and_terms() -> None:
    plan = sharing().plan(query())
    assert plan.verdicts[NEED].grounds == (ReleaseGround("agreement", "city-homes/repairs", 2),)
    assert [(term.agreement, term.version, term.consent_id, term.groups) for term in plan.terms] == [
        ("city-homes", 2, None, (NEED, ADDRESS))
    ]
    assert (plan.terms[0].onward, plan.terms[0].retain_days, plan.terms[0].notice) == (False, 90, None)
    assert plan.policy_set == sharing().hash
    assert plan.verdicts[FieldGroup.HEALTH].withheld_by == ("no-agreement",)


def test_drugs_go_with_the_notice_and_the_consent_that_was_needed() -> None:
    given_ = consent(DRUGS)
    plan = sharing(agreement(share(form="thin"))).plan(query(protects=DRUGS, consents=(given_,)))
    assert plan.groups_in(Form.THIN) == {NEED, ADDRESS}
    assert ReleaseGround("consent", str(given_.consent_id)) in plan.verdicts[NEED].grounds
    assert [(term.consent_id, term.notice, term.onward) for term in plan.terms] == [
        (given_.consent_id, REDISCLOSURE_NOTICE, False)
    ]
    assert plan.consents == {given_.consent_id}
    assert plan.is_restricted


def test_a_consent_that_was_not_needed_is_not_named() -> None:
    plan = sharing().plan(query(consents=(consent(NEED),)))
    assert plan.entitled
    assert not plan.consents


def test_of_two_consents_the_one_that_lasts_longer_is_relied_on() -> None:
    short, long = consent(NEED, number=1), consent(NEED, number=2, ends_at=NOON + 5 * DAY)
    plan = sharing(agreement(share(consent=True))).plan(query(consents=(short, long)))
    assert plan.consents == {long.consent_id}


def test_of_two_clauses_the_one_without_consent_is_relied_on() -> None:
    both = agreement(share("asks", consent=True), share("free", delay_days=30))
    plan = sharing(both).plan(query(consents=(consent(NEED),)))
    assert [ground.id for ground in plan.verdicts[NEED].grounds] == ["city-homes/free"]
    assert plan.delay_days(Form.FULL) == 30


def test_a_group_may_go_in_two_forms() -> None:
    plan = sharing(agreement(share(), share("pull", form="thin"))).plan(query())
    assert plan.verdicts[NEED].forms == {Form.FULL, Form.THIN}


CONSENTS = {
    "consent-for-another-purpose": consent(VICTIMS, purpose="audit"),
    "consent-not-begun": consent(VICTIMS, granted_at=NOON + DAY / 2),
    "consent-ended": consent(VICTIMS, ends_at=NOON),
    "consent-withdrawn": consent(VICTIMS, withdrawn_at=NOON - DAY / 2),
}


@pytest.mark.parametrize("why", CONSENTS)
def test_a_consent_that_does_not_count_says_why(why: str) -> None:
    plan = sharing(agreement(share(form="thin"))).plan(query(protects=VICTIMS, consents=(CONSENTS[why],)))
    assert not plan.groups
    assert plan.verdicts[NEED].withheld_by == ("victim-services-needs-consent", why)


def test_a_consent_for_another_agency_is_not_even_mentioned() -> None:
    other = consent(VICTIMS, recipients=frozenset({"clinic"}))
    plan = sharing(agreement(share(form="thin"))).plan(query(protects=VICTIMS, consents=(other,)))
    assert plan.verdicts[NEED].withheld_by == ("victim-services-needs-consent",)


@given(st.integers(-1_000_000, 1_000_000), st.integers(-1_000_000, 1_000_000), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_consent_stands_in_the_policies_when_it_says_that_it_does(granted: int, ends: int, withdrawn: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    said = consent(
        VICTIMS,
        granted_at=NOON + timedelta(microseconds=granted * 600),
        ends_at=NOON + timedelta(microseconds=ends),
        withdrawn_at=NOON if withdrawn else None,
    )
    plan = PROTECTED.plan(query(protects=VICTIMS, consents=(said,)))
    assert plan.entitled == said.live(NOON)


PROTECTED = sharing(agreement(share(form="thin")))


def failing() -> Policies:
    """Policies of which one fails, where it is asked about the address: Cedar's numbers have an end."""
    fails = """
    @id("too-late")
    forbid (principal, action == Action::"receive", resource == Group::"address")
    when { context.at + 9223372036854775807 < 0 };
    """
    ours = our_policies()
    return read_policies(ours.text + fails, ours.schema_text)


def test_a_policy_that_fails_denies_the_group_that_it_was_asked_about() -> None:
    plan = sharing(policies=failing()).plan(query())
    assert plan.groups == {NEED}
    assert plan.verdicts[ADDRESS].withheld_by == ("error:too-late",)


def test_a_question_that_cedar_cannot_read_is_denied() -> None:
    asked = query(urgency=7)
    plan = sharing().plan(asked)
    assert not plan.groups
    assert plan.verdicts[NEED].withheld_by == ("error:request",)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("context.clause.agreement.status", "context.clause.agreement.state"),
        lambda text: text.replace('@id("needs-consent")', ""),
        lambda text: text.replace('@id("needs-consent")', '@id("agreement-ended")'),
        lambda text: text + "forbid (",
    ],
    ids=("does not fit the schema", "has no id", "has another's id", "is not Cedar"),
)
def test_policies_that_cannot_be_trusted_are_refused(spoil: Any) -> None:
    ours = our_policies()
    assert spoil(ours.text) != ours.text
    with pytest.raises(PolicyError):
        read_policies(spoil(ours.text), ours.schema_text)


def test_an_agreement_is_there_once() -> None:
    with pytest.raises(PolicyError, match="twice"):
        sharing(agreement(), agreement(version=3))


def test_the_hash_changes_with_agreements_and_policies_and_with_nothing_else() -> None:
    first = sharing().hash
    assert first == sharing(keys=("homes",)).hash
    assert first != sharing(agreement(version=3)).hash
    assert first != sharing(policies=failing()).hash
    two = (agreement(), agreement(id="other"))
    assert sharing(*two).hash == sharing(*reversed(two)).hash


VARIED = st.fixed_dictionaries(
    {},
    optional={
        "district": st.sampled_from((*DISTRICTS, None)),
        "service": st.sampled_from((*SERVICES, "sorcery")),
        "urgency": st.sampled_from(URGENCY),
        "need": st.sampled_from(NEEDS),
        "protects": st.sampled_from((None, VICTIMS, DRUGS)),
        "at": st.integers(-4, 4).map(lambda halves: NOON + halves * DAY / 2),
        "sources": st.sampled_from((frozenset({FRONT_DOOR}), frozenset({"birch"}))),
    },
)


@given(st.integers(0, 2**20), st.lists(VARIED, min_size=2, max_size=8))
@settings(max_examples=80, deadline=None)
def test_what_is_kept_is_what_would_be_decided(seed: int, varied: list[dict[str, Any]]) -> None:
    case = make_case(seed)
    decides = DisclosurePolicy(case.agreements, case.keys, services=case.services)
    for changes in varied + varied[::-1]:
        question = case.query._replace(**changes)
        kept = decides.plan(question)
        assert kept == case.policy()._decide(question._replace(consents=its_own(question.agency, question.consents)))
        assert kept.valid_from <= question.at < kept.valid_until


CONDITIONS: dict[str, dict[str, Any]] = {
    "needs": {"need": "food"},
    "services": {"service": "paint"},
    "districts": {"district": "north"},
    "urgency": {"urgency": "urgent"},
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_plan_is_for_no_case_that_does_not_meet_its_condition(condition: str) -> None:
    met = {"needs": ("housing",), "services": ("repair",), "districts": ("south",), "urgency": ("routine",)}
    limited: dict[str, Any] = {condition: met[condition]}
    decides = sharing(agreement(share(**limited)))
    assert decides.plan(query()).entitled
    assert not decides.plan(query(**CONDITIONS[condition])).entitled
    assert decides.plan(query()).entitled


@pytest.mark.parametrize("asks_for_consent", [True, False])
def test_a_plan_is_not_used_past_the_end_of_what_it_depends_on(*, asks_for_consent: bool) -> None:
    decides = sharing(agreement(share(consent=asks_for_consent), ends="2026-03-03"))
    end = NOON + DAY if asks_for_consent else NOON + DAY * 1.5
    consents = (consent(NEED),) if asks_for_consent else ()
    tick = timedelta(microseconds=1)
    entitled = [decides.plan(query(at=at, consents=consents)).entitled for at in (NOON, end - tick, end, NOON)]
    assert entitled == [True, True, False, True]


def test_a_plan_without_a_consent_is_not_used_once_it_begins() -> None:
    decides = sharing(agreement(share(consent=True)))
    later = (consent(NEED, granted_at=NOON + DAY / 2),)
    entitled = [decides.plan(query(at=at, consents=later)).entitled for at in (NOON, NOON + DAY / 2, NOON)]
    assert entitled == [False, True, False]


def test_a_plan_on_a_consent_is_not_used_once_it_is_withdrawn() -> None:
    decides = sharing(agreement(share(consent=True)))
    assert decides.plan(query(consents=(consent(NEED),))).entitled
    assert not decides.plan(query(consents=(consent(NEED, withdrawn_at=NOON),))).entitled
    assert not decides.plan(query()).entitled


def its_own(agency: str, consents: tuple[Consent, ...]) -> tuple[Consent, ...]:
    return tuple(sorted((c for c in consents if agency in c.recipients), key=lambda c: c.consent_id))


def test_cases_that_differ_in_nothing_that_is_asked_for_share_a_plan() -> None:
    decides = sharing(agreement(share(services=("repair",))))
    first, second = decides.plan(query(district="north")), decides.plan(query(district="south", urgency="urgent"))
    assert first is second
    assert decides.plan(query(service="paint")) is not first


def test_no_more_plans_are_kept_than_there_is_room_for() -> None:
    decides = sharing(agreement(share(consent=True)))
    decides._by_consents = LRUCache(3)
    for number in range(5):
        decides.plan(query(consents=(consent(NEED, number=number),)))
    assert len(decides._by_consents) == 3


IDS = ("needs-consent", *(why for why in WITHHELD if why not in {"needs-consent", "no-agreement"}))


@pytest.mark.parametrize("policy", [*IDS, *CONSENTS])
def test_without_any_one_of_the_policies_more_would_be_given(policy: str) -> None:
    ours = our_policies()
    rest = "@id(".join(part for part in ours.text.split("@id(") if not part.startswith(f'"{policy}")'))
    weaker = read_policies(rest, ours.schema_text)
    assert len(weaker.policy_set) == len(ours.policy_set) - 1
    assert any(gives_more(make_case(seed), weaker) for seed in range(5000))


def gives_more(case: PolicyCase, policies: Policies) -> bool:
    decides = DisclosurePolicy(case.agreements, case.keys, services=case.services, policies=policies)
    plan = decides.plan(case.query)
    rules = may_be_given(case.query, case.agreements, case.keys, set(case.services))
    return any(plan.entitled and plan.groups_in(form) - rules[form] for form in Form)


def test_every_policy_has_words() -> None:
    ids = {part.split('"')[1] for part in our_policies().text.split("@id(")[1:]}
    assert ids - {"clause", "consent"} <= set(WORDS)


def test_an_explanation_names_the_clause_and_why() -> None:
    decides = sharing(agreement(share(), share("health", groups=("health",), needs=("health",), form="thin")))
    found = {each.group: each for each in explain(decides, query())}
    assert found[NEED].why == ("city-homes/repairs (version 2) gives it in the event: It repairs.",)
    assert found[FieldGroup.HEALTH].why == ("city-homes/health (version 2) does not give it: it is for other needs.",)
    assert found[VICTIMS].why == ("Withheld: no agreement releases it to this agency.",)
    assert not found[VICTIMS].released


def test_an_explanation_names_the_consent() -> None:
    given_ = consent(NEED)
    asked = query(consents=(given_,))
    assert str(given_.consent_id) in explain(sharing(agreement(share(consent=True))), asked)[0].why[0]


def test_everything_but_restricted_data_may_go_in_full() -> None:
    plan = sharing(agreement(share(groups=ALL))).plan(query(consents=(consent(*ALL),)))
    restricted = {FieldGroup.HEALTH, DRUGS, VICTIMS, FieldGroup.JUSTICE}
    assert plan.groups_in(Form.FULL) == set(ALL) - restricted
    assert plan.withheld == (FieldGroup.HEALTH, FieldGroup.JUSTICE)
    assert replace(plan, protects=VICTIMS).is_restricted
