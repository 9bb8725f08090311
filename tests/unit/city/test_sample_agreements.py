"""What the sample city's agreements come to, when they are decided by: who is given what, and under which consent."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.city.reader import load_agreements, read_city
from shared.events.fields import RESTRICTED, FieldGroup
from shared.kit.service.settings import SAMPLE_CITY
from shared.policy.agreements import FRONT_DOOR, Form
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleasePlan

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FILES = load_agreements(SAMPLE_CITY, read_city(SAMPLE_CITY))
SHARING = DisclosurePolicy([file.content for file in FILES], keys={"dohmh", "elder-team"})

PARTNER_VIOLENCE = ("partner-violence-help", FieldGroup.VICTIM_SERVICES)
ELDER_ABUSE = ("elder-abuse-help", FieldGroup.VICTIM_SERVICES)
DRUGS = ("alcohol-or-drug-help", FieldGroup.SUBSTANCE_USE)

PROTECTED = {
    "lantern": ("intimate-partner-violence", *PARTNER_VIOLENCE, Form.THIN),
    "hra": ("intimate-partner-violence", *PARTNER_VIOLENCE, Form.THIN),
    "hpd": ("housing-instability", *PARTNER_VIOLENCE, Form.THIN),
    "dohmh": ("substance-use", *DRUGS, Form.SEALED),
    "elder-team": ("elder-abuse", *ELDER_ABUSE, Form.SEALED),
    "dfta": ("elder-abuse", *ELDER_ABUSE, Form.THIN),
}
"""For each agency: a need, the service of a protected report, what protects it, and the form in which it may go."""


def consent(agency: str, *groups: FieldGroup, ends_at: datetime = NOON + timedelta(days=90)) -> Consent:
    return Consent(UUID(int=1), UUID(int=2), frozenset({agency}), "service-delivery", frozenset(groups), NOON, ends_at)


def plan(agency: str, need: str, service: str, *others: str, **known: object) -> ReleasePlan:
    """Decide on a report in the Bronx that these other agencies have a referral of."""
    said = {"district": "bronx", "urgency": "urgent", "protects": None, "at": NOON} | known
    sources = frozenset({FRONT_DOOR, *others})
    return SHARING.plan(DisclosureQuery(agency=agency, sources=sources, need=need, service=service, **said))  # type: ignore[arg-type]


@pytest.mark.parametrize("agency", PROTECTED)
def test_a_protected_report_reaches_only_whom_a_consent_names(agency: str) -> None:
    need, service, protects, form = PROTECTED[agency]
    without = plan(agency, need, service, protects=protects)
    assert (without.entitled, without.groups) == (False, frozenset())
    of_another = plan(agency, need, service, protects=protects, consents=(consent("nypd", protects),))
    assert of_another.groups == frozenset()
    named = plan(agency, need, service, protects=protects, consents=(consent(agency, protects),))
    assert named.entitled
    assert named.groups == named.groups_in(form) > {FieldGroup.NEED, protects}


def test_the_place_of_a_person_who_fled_from_a_partner_is_told_to_no_agency() -> None:
    for agency in ("lantern", "hra", "hpd", "dohmh"):
        for need in ("intimate-partner-violence", "housing-instability", "behavioral-health"):
            agreed = (consent(agency, *FieldGroup),)
            given = plan(agency, need, *PARTNER_VIOLENCE[:1], protects=PARTNER_VIOLENCE[1], consents=agreed)
            assert not given.groups & {FieldGroup.LOCATION, FieldGroup.ADDRESS}, (agency, need)


def test_police_learn_a_name_only_in_a_lockout_or_a_danger_to_life() -> None:
    lockout = plan("nypd", "public-order", "illegal-lockout", "hpd")
    assert lockout.groups_in(Form.THIN) == {FieldGroup.IDENTITY, FieldGroup.CONTACT, FieldGroup.HOUSEHOLD}
    assert FieldGroup.IDENTITY not in plan("nypd", "public-order", "illegal-lockout").groups
    assert FieldGroup.IDENTITY not in plan("nypd", "public-order", "police-matter", "hpd").groups
    crisis = plan("nypd", "personal-safety", "mental-health-crisis", "dohmh", urgency="emergency")
    assert crisis.groups_in(Form.THIN) == {FieldGroup.IDENTITY}
    assert not crisis.groups & {FieldGroup.HEALTH, FieldGroup.NARRATIVE, FieldGroup.CONTACT}


def test_health_learns_of_lead_in_blood_and_housing_only_with_consent() -> None:
    asked = ("lead-paint-with-child", "hpd", "dohmh")
    assert FieldGroup.HEALTH in plan("dohmh", "environmental-health", *asked).groups_in(Form.SEALED)
    assert FieldGroup.HEALTH not in plan("hpd", "inadequate-housing", *asked).groups
    agreed = (consent("hpd", FieldGroup.HEALTH),)
    assert FieldGroup.HEALTH in plan("hpd", "inadequate-housing", *asked, consents=agreed).groups_in(Form.THIN)


def test_a_contractor_is_asked_only_after_housing_and_a_shelter_learns_names_only_after_social_services() -> None:
    assert not plan("brickline", "inadequate-housing", "leak-or-plumbing").entitled
    repair = plan("brickline", "inadequate-housing", "leak-or-plumbing", "hpd")
    assert repair.groups == {FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.CONTACT}
    assert FieldGroup.IDENTITY not in plan("fourth-pier", "homelessness", "shelter-tonight").groups
    guests = plan("fourth-pier", "homelessness", "shelter-tonight", "hra")
    assert guests.groups_in(Form.THIN) == {FieldGroup.IDENTITY, FieldGroup.CONTACT, FieldGroup.HOUSEHOLD}


def test_no_agency_is_given_anything_restricted_in_full() -> None:
    for agreement in SHARING.agreements:
        for clause in agreement.share:
            for agency in clause.recipients:
                service = (clause.services or ("shelter-tonight",))[0]
                need = (clause.needs or ("homelessness",))[0]
                agreed = (consent(agency, *FieldGroup),)
                given = plan(agency, need, service, *clause.sources, consents=agreed, urgency="emergency")
                assert not given.groups_in(Form.FULL) & RESTRICTED


def test_nothing_goes_before_the_agreements_begin_or_after_they_end() -> None:
    for at in (datetime(2024, 12, 31, 23, 59, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)):
        assert plan("hpd", "inadequate-housing", "heat-hot-water", at=at).groups == frozenset()
    last = datetime(2034, 12, 31, 23, 59, tzinfo=UTC)
    assert plan("hpd", "inadequate-housing", "heat-hot-water", at=last).entitled
