"""What protects a report: no further need and no stricter service ever loosens it."""

from itertools import permutations
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.plan import CONSENT_ONLY
from shared.policy.protection import STRICTEST_FIRST, ListedService, ProtectionRules, protection_rules, strictest

VICTIMS, DRUGS, HEALTH = FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE, FieldGroup.HEALTH

NEEDS = ("housing", "safety", "care", "company")
UNKNOWN = "unknown"


class Listed(NamedTuple):
    """One service of a list."""

    code: str
    needs: tuple[str, ...]
    protects: FieldGroup | None = None


needs_lists = st.lists(st.sampled_from(NEEDS), max_size=4)
groups = st.sampled_from((None, *FieldGroup))
lists = st.lists(
    st.builds(
        Listed,
        code=st.sampled_from(("repair", "noise", "violence", "drugs")),
        needs=st.lists(st.sampled_from(NEEDS), min_size=1, unique=True).map(tuple),
        protects=groups,
    ),
    unique_by=lambda service: service.code,
)
codes = st.sampled_from(("repair", "noise", "violence", "drugs", UNKNOWN)) | st.none()


def rank(group: FieldGroup | None) -> int:
    """How much a group protects: the lower, the stricter."""
    return len(STRICTEST_FIRST) if group is None else STRICTEST_FIRST.index(group)


@given(lists, codes, needs_lists, st.sampled_from(NEEDS))
def test_a_further_need_never_loosens(
    services: list[Listed], service: str | None, needs: list[str], further: str
) -> None:
    rules = protection_rules(services)
    before, after = rules.protections_of(service, needs), rules.protections_of(service, [*needs, further])
    assert set(before) <= set(after)
    assert rank(strictest(after)) <= rank(strictest(before))


@given(lists, codes, codes, needs_lists)
def test_a_stricter_service_never_loosens(
    services: list[Listed], service: str | None, other: str | None, needs: list[str]
) -> None:
    rules = protection_rules(services)
    milder, stricter = sorted((service, other), key=lambda code: -rank(strictest(rules.protections_of(code, ()))))
    assert rank(strictest(rules.protections_of(stricter, needs))) <= rank(
        strictest(rules.protections_of(milder, needs))
    )


@given(lists.filter(bool), st.data(), codes, needs_lists)
def test_no_report_is_loosened_when_the_list_protects_one_service_more_strictly(
    services: list[Listed], data: st.DataObject, service: str | None, needs: list[str]
) -> None:
    place = data.draw(st.integers(0, len(services) - 1))
    one = services[place]
    tightened = data.draw(st.sampled_from([group for group in FieldGroup if rank(group) <= rank(one.protects)]))
    changed = [*services[:place], one._replace(protects=tightened), *services[place + 1 :]]
    before = protection_rules(services).protections_of(service, needs)
    after = protection_rules(changed).protections_of(service, needs)
    assert rank(strictest(after)) <= rank(strictest(before))


@given(lists, needs_lists)
def test_a_service_that_is_not_on_the_list_counts_as_victim_services(services: list[Listed], needs: list[str]) -> None:
    rules = protection_rules(services)
    for unknown in (UNKNOWN, None):
        protections = rules.protections_of(unknown, needs)
        assert protections[0] is VICTIMS
        assert set(protections) == {VICTIMS, *rules.protections_of_needs(needs)}


@given(lists, codes, needs_lists, st.data())
def test_the_order_of_needs_and_of_the_list_does_not_matter(
    services: list[Listed], service: str | None, needs: list[str], data: st.DataObject
) -> None:
    expected = protection_rules(services).protections_of(service, needs)
    rules = protection_rules(data.draw(st.permutations(services)))
    assert rules.protections_of(service, data.draw(st.permutations(needs))) == expected
    assert rules.protections_of(service, [*needs, *needs]) == expected


@given(lists, codes, needs_lists)
def test_every_group_that_protects_is_named_once_and_the_strictest_is_the_first(
    services: list[Listed], service: str | None, needs: list[str]
) -> None:
    rules = protection_rules(services)
    protections = rules.protections_of(service, needs)
    assert list(protections) == sorted(set(protections), key=rank)
    assert strictest(protections) is next(iter(protections), None)
    own = rules.services.get(service or "", VICTIMS)
    assert set(protections) == {*([own] if own else []), *rules.protections_of_needs(needs)}


def rules_of(*services: ListedService) -> ProtectionRules:
    """Return the rules of a list."""
    return protection_rules(services)


def test_a_need_protects_when_only_protected_services_name_it() -> None:
    rules = rules_of(
        Listed("repair", ("housing",)),
        Listed("violence", ("safety", "housing"), VICTIMS),
        Listed("drugs", ("care",), DRUGS),
    )
    assert rules.protections_of("repair", ["housing"]) == ()
    assert rules.protections_of("repair", ["housing", "safety"]) == (VICTIMS,)
    assert rules.protections_of("repair", ["care"]) == (DRUGS,)
    assert rules.protections_of("repair", ["never-listed"]) == ()
    assert rules.protections_of("drugs", ["safety"]) == (VICTIMS, DRUGS)


def test_of_a_need_that_several_protected_services_name_every_group_protects() -> None:
    services = (
        Listed("violence", ("safety",), VICTIMS),
        Listed("drugs", ("safety",), DRUGS),
        Listed("clinic", ("safety",), HEALTH),
    )
    for ordered in permutations(services):
        rules = rules_of(Listed("repair", ("housing",)), *ordered)
        assert rules.protections_of("repair", ["safety"]) == (VICTIMS, DRUGS, HEALTH)
        assert rules.protections_of("clinic", []) == (HEALTH,)


def test_groups_that_need_a_consent_are_stricter_than_restricted_ones_and_these_than_all_others() -> None:
    assert STRICTEST_FIRST[0] is VICTIMS
    assert set(STRICTEST_FIRST[: len(CONSENT_ONLY)]) == CONSENT_ONLY
    assert set(STRICTEST_FIRST[: len(RESTRICTED)]) == RESTRICTED
    assert sorted(STRICTEST_FIRST) == sorted(FieldGroup)


def test_the_strictest_of_nothing_is_nothing() -> None:
    assert strictest([]) is None
    assert strictest([None, None]) is None
    assert strictest([None, HEALTH, DRUGS, VICTIMS]) is VICTIMS
    assert strictest([FieldGroup.NEED, HEALTH, None]) is HEALTH
