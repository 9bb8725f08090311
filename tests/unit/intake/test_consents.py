"""A consent names what an agreement allows, and an end; everything else is refused with its reason."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from services.intake.domain.consent_options import ConsentCatalogue
from services.intake.domain.consents import Permission, last_day, read_permission
from services.intake.domain.report import Report, read_report
from shared.events.fields import FieldGroup
from tests.builders import HOUR, NOON
from tests.unit.intake.fixtures import CITY, INTAKE_CITY, REFUGE, WARMTH, agreement, form

HEALTH = {
    "consent[recipients]": ["clinic"],
    "consent[groups]": ["need,health"],
    "consent[purpose]": ["service-delivery"],
    "consent[ends_at]": ["2026-05-31"],
}
CASE = UUID(int=1)
OFFERS = ConsentCatalogue((WARMTH,)).options("no-heat", ("housing",), (), NOON)


def problems(**changed: str) -> list[tuple[str, str]]:
    fields = HEALTH | {f"consent[{name}]": [value] for name, value in changed.items()}
    permission, found = read_permission({name: said for name, said in fields.items() if said}, OFFERS, NOON, CITY.zone)
    assert permission is None
    return [(problem.field, problem.kind) for problem in found]


def test_what_asks_for_a_consent_is_offered_and_nothing_else() -> None:
    (offer,) = OFFERS
    assert (offer.recipient, offer.purpose) == ("clinic", "service-delivery")
    assert offer.groups == offer.main == {FieldGroup.NEED, FieldGroup.HEALTH}
    assert offer.why == ("Why warmth.",)
    assert ConsentCatalogue((WARMTH,)).options("noise", ("quiet",), (), NOON) == ()


def test_an_agreement_that_does_not_hold_offers_nothing() -> None:
    suspended = WARMTH.model_copy(update={"status": "suspended"})
    ended = agreement("over", WARMTH.share[0].model_dump(by_alias=True), ends=date(2026, 3, 1))
    assert ConsentCatalogue((suspended, ended)).options("no-heat", ("housing",), (), NOON) == ()


def test_of_a_protected_report_the_group_that_protects_it_stands_for_all() -> None:
    options = INTAKE_CITY.consent_options("violence", ("safety",), NOON)
    assert {offer.recipient: offer.main for offer in options} == {
        "refuge": {FieldGroup.VICTIM_SERVICES},
        "homes": {FieldGroup.VICTIM_SERVICES},
    }
    assert ConsentCatalogue((REFUGE,)).why("refuge/safety") == "Why refuge."


def test_of_a_report_with_two_protections_both_groups_are_offered() -> None:
    both = (FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE)
    options = ConsentCatalogue((REFUGE,)).options("violence", ("safety",), both, NOON)
    assert {offer.recipient for offer in options} == {"refuge", "homes"}
    assert all(offer.main == set(both) <= offer.groups for offer in options)


def test_a_service_that_the_catalogue_lacks_offers_nothing_and_counts_as_one_of_violence() -> None:
    assert INTAKE_CITY.consent_options("gone", ("housing",), NOON) == ()
    assert INTAKE_CITY.protections_of("gone", ("housing",)) == (FieldGroup.VICTIM_SERVICES,)


def test_a_consent_counts_to_the_end_of_its_last_day_in_the_city() -> None:
    permission, found = read_permission(HEALTH, OFFERS, NOON, CITY.zone)
    assert not found
    assert permission == Permission(
        ("clinic",),
        (FieldGroup.HEALTH, FieldGroup.NEED),
        "service-delivery",
        datetime(2026, 6, 1, tzinfo=CITY.zone),
    )
    assert last_day(permission.ends_at, CITY.zone) == date(2026, 5, 31)


def test_the_same_consent_sent_twice_has_one_id_and_another_one_another() -> None:
    permission, _ = read_permission(HEALTH, OFFERS, NOON, CITY.zone)
    longer, _ = read_permission(HEALTH | {"consent[ends_at]": ["2026-06-30"]}, OFFERS, NOON, CITY.zone)
    assert permission
    assert longer
    assert permission.id_for(CASE, "k") == permission.id_for(CASE, "k")
    assert len({permission.id_for(CASE, "k"), permission.id_for(CASE, "l"), longer.id_for(CASE, "k")}) == 3


def test_a_purpose_need_not_be_given_where_there_is_one_only() -> None:
    permission, _ = read_permission({**HEALTH, "consent[purpose]": [""]}, OFFERS, NOON, CITY.zone)
    assert permission
    assert permission.purpose == "service-delivery"


@pytest.mark.parametrize(
    ("changed", "field", "kind"),
    [
        ({"recipients": ""}, "consent[recipients]", "missing"),
        ({"recipients": "police"}, "consent[recipients]", "malformed"),
        ({"recipients": "clinic,nobody"}, "consent[recipients]", "malformed"),
        ({"groups": ""}, "consent[groups]", "missing"),
        ({"groups": "health,justice"}, "consent[groups]", "malformed"),
        ({"groups": "gold"}, "consent[groups]", "malformed"),
        ({"purpose": "research"}, "consent[purpose]", "malformed"),
        ({"ends_at": ""}, "consent[ends_at]", "missing"),
        ({"ends_at": "soon"}, "consent[ends_at]", "malformed"),
        ({"ends_at": "2026-05-31T12:00"}, "consent[ends_at]", "malformed"),
        ({"ends_at": "2026-03-01"}, "consent[ends_at]", "range"),
        ({"ends_at": "2027-06-01"}, "consent[ends_at]", "range"),
        ({"ends_at": "9999-12-31"}, "consent[ends_at]", "malformed"),
        ({"colour": "red"}, "consent", "malformed"),
    ],
)
def test_a_problem_with_a_consent_names_its_field(changed: dict[str, str], field: str, kind: str) -> None:
    assert (field, kind) in problems(**changed)


def test_a_form_without_recipients_and_groups_has_no_consent() -> None:
    nothing = {"consent[ends_at]": ["2026-05-31"], "consent[purpose]": ["service-delivery"]}
    assert read_permission(nothing, OFFERS, NOON, CITY.zone) == (None, [])


def test_a_consent_comes_with_a_report() -> None:
    moment = (NOON + timedelta(days=30)).isoformat()
    fields = (
        form() | HEALTH | {"consent[ends_at]": [moment], "consent[recipients]": [], "consent[recipients][]": ["clinic"]}
    )
    report = read_report(fields, INTAKE_CITY, NOON)
    assert isinstance(report, Report)
    assert report.permission
    assert report.permission.ends_at - NOON == 30 * 24 * HOUR
