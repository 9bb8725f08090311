"""What is decided and opened, held against the rules written a second time, with a token in every leaf."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.policy.agreements import Form
from shared.policy.release import Release, release
from tests.policy_cases import NUMBER, PolicyCase, make_case, make_report, token, unseal, without_one
from tests.policy_oracle import Groups, may_be_given

SEEDS = st.integers(min_value=0, max_value=2**48)
PLAIN = (FieldGroup.NEED, FieldGroup.LOCATION)

Written = dict[str, str]
"""The bytes of each channel, as they are sent."""


def opened(case: PolicyCase, report: CaseSubmitted) -> Release:
    return release(case.policy().plan(case.query), report, case.query.need, unseal)


def written(given_: Release) -> Written:
    """What is sent in each form, and what the partner API answers."""
    parts = {"full": given_.full, "sealed": given_.sealed, "thin": given_.thin, "api": given_.whole()}
    return {name: part.model_dump_json(exclude_none=True) for name, part in parts.items()}


def allowed(case: PolicyCase) -> Groups:
    """What the rules say, with the union of all forms for the partner API."""
    by_form = may_be_given(case.query, case.agreements, case.keys, set(case.services))
    return {**by_form, "api": set().union(*by_form.values())}


def traces(channel: str, case: PolicyCase) -> set[FieldGroup]:
    """The groups of which something is found in what is sent."""
    asked = case.query
    marks = {group: [token(group)[:-2]] for group in FieldGroup} | {
        FieldGroup.NEED: [asked.need, f'"{asked.service}"', f'"{asked.urgency}"'],
        FieldGroup.LOCATION: ["882a10081bfffff", *([asked.district] if asked.district else [])],
    }
    return {group for group, found in marks.items() if any(mark in channel for mark in found)}


@pytest.mark.parametrize("quarter", range(4))
@settings(max_examples=500, deadline=None)
@given(seed=SEEDS)
def test_each_channel_has_what_the_rules_allow_and_not_a_token_more(seed: int, quarter: int) -> None:
    case = make_case(4 * seed + quarter)
    sent, rules = written(opened(case, make_report(case))), allowed(case)
    assert {name: traces(channel, case) for name, channel in sent.items()} == rules
    number = FieldGroup.NARRATIVE in rules["api"] and FieldGroup.IDENTITY in rules["api"]
    assert (NUMBER in sent["api"]) == number


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(min_value=0, max_value=2**16))
def test_taking_something_away_adds_a_token_to_no_channel(seed: int, which: int) -> None:
    case = next(case for step in range(1000) if allowed(case := make_case(seed + step))["api"])
    before = written(opened(case, make_report(case)))
    less = without_one(case, Random(which))
    after = written(opened(less, make_report(less)))
    for name, channel in after.items():
        assert traces(channel, less) <= traces(before[name], case)
        assert channel.count(NUMBER) <= before[name].count(NUMBER)


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.frozensets(st.sampled_from(sorted(set(FieldGroup) - {*PLAIN, FieldGroup.LANGUAGE_ACCESS}))))
def test_cases_that_are_equal_in_what_is_released_look_the_same(seed: int, gone: frozenset[FieldGroup]) -> None:
    case = make_case(seed)
    given_, report, other = allowed(case)["api"], make_report(case), make_report(case, salt="other")
    blocks = {group: block for group, block in other.sealed.items() if group not in gone} | {
        group: block for group, block in report.sealed.items() if group in given_
    }
    changed = report.model_copy(update={"sealed": blocks})
    if FieldGroup.LOCATION not in given_:
        changed = changed.model_copy(
            update={"place": changed.place.model_copy(update={"cell": None, "district": None})}
        )
    first, second = opened(case, report), opened(case, changed)
    assert written(first) == written(second)
    assert first.withheld == second.withheld


def test_the_worlds_are_not_all_alike() -> None:
    rules = [allowed(make_case(seed)) for seed in range(1000)]
    assert 200 < sum(bool(given_["api"]) for given_ in rules) < 800
    assert all(sum(bool(given_[form]) for given_ in rules) > 50 for form in Form)
    assert {group for given_ in rules for group in given_["api"]} == set(FieldGroup)
