"""The files of the sample city agree with one another: every need of every service has a program."""

import tomllib
from pathlib import Path
from typing import Any

import h3
import pytest

from deploy.jurisdictions.districts import fill_cells
from shared.events.fields import FieldGroup

CITY = Path(__file__).parents[3] / "deploy/jurisdictions/sample-city"
UNCOVERED_ON_PURPOSE = "neighbor-mediation"


def load(name: str) -> dict[str, Any]:
    return tomllib.loads((CITY / name).read_text(encoding="utf-8"))


SERVICES = {service["code"]: service for service in load("services.toml")["service"]}
NEEDS = {need["code"] for need in load("needs.toml")["need"]}
AGENCIES = {agency["id"]: agency for agency in load("agencies.toml")["agency"]}
PROGRAMS = {f"{a['id']}/{program['id']}": program for a in AGENCIES.values() for program in a["program"]}
RULES = load("routing-book.toml")["rule"]
DISTRICTS = load("districts.toml")
DISTRICT_OF = {cell: district["id"] for district in DISTRICTS["district"] for cell in district["cells"]}
AGREEMENTS = [load(f"agreements/{path.name}") for path in sorted((CITY / "agreements").glob("*.toml"))]
SHARES = [share for agreement in AGREEMENTS for share in agreement["share"]]
IMPORTS = {name: load(f"imports/{name}.toml") for name in ("nyc-311", "chicago-open311")}


def most_specific_rule(service: str, need: str, district: str | None) -> dict[str, Any] | None:
    asked = {"service": service, "need": need, "district": district}
    fitting = [rule for rule in RULES if all(rule.get(key, asked[key]) == asked[key] for key in asked)]
    return max(fitting, key=lambda rule: tuple(key in rule for key in asked), default=None)


def first_agency(service: str, need: str, district: str | None = None) -> str | None:
    rule = most_specific_rule(service, need, district)
    return rule["candidates"][0].partition("/")[0] if rule else None


def test_every_need_of_every_service_is_covered_in_every_district_but_for_one_on_purpose() -> None:
    places = [None, *(district["id"] for district in DISTRICTS["district"])]
    uncovered = {
        need
        for code, service in SERVICES.items()
        for need in service["needs"]
        for place in places
        if most_specific_rule(code, need, place) is None
    }
    assert uncovered == {UNCOVERED_ON_PURPOSE}


def test_every_program_of_the_routing_rules_exists_and_helps_with_the_need() -> None:
    for rule in RULES:
        for program in [*rule["candidates"], *filter(None, [rule.get("fallback")])]:
            assert rule["need"] in PROGRAMS[program]["needs"], (rule["id"], program)


def test_no_candidate_is_named_twice_and_no_two_rules_share_a_name_or_a_condition() -> None:
    assert all(len(set(rule["candidates"])) == len(rule["candidates"]) for rule in RULES)
    assert len({rule["id"] for rule in RULES}) == len(RULES)
    assert len({tuple(rule.get(key) for key in ("service", "need", "district")) for rule in RULES}) == len(RULES)


def test_a_rule_of_one_district_names_a_program_that_serves_it() -> None:
    for rule in RULES:
        for program in rule["candidates"]:
            assert rule.get("district") in {None, *PROGRAMS[program].get("districts", [rule.get("district")])}


def test_a_rule_of_the_whole_city_names_no_program_of_a_few_districts() -> None:
    whole_city = [rule for rule in RULES if "district" not in rule]
    assert not [p for rule in whole_city for p in rule["candidates"] if "districts" in PROGRAMS[p]]


def test_services_and_programs_use_only_needs_that_are_listed_and_all_of_these() -> None:
    of_services = {need for service in SERVICES.values() for need in service["needs"]}
    of_programs = {need for program in PROGRAMS.values() for need in program["needs"]}
    assert of_services == NEEDS
    assert of_programs == NEEDS - {UNCOVERED_ON_PURPOSE}


def test_some_services_need_several_agencies() -> None:
    agencies = {code: {first_agency(code, need) for need in s["needs"]} for code, s in SERVICES.items()}
    assert agencies["lead-paint-with-child"] == {"hpd", "dohmh"}
    assert agencies["partner-violence-help"] == {"lantern", "hpd", "dohmh"}
    assert agencies["illegal-lockout"] == {"hpd", "nypd"}
    assert agencies["unsafe-housing"] == {"hpd", "dob", "hra"}


def test_what_protects_a_service_is_a_field_group() -> None:
    protecting = {service["protects"] for service in SERVICES.values() if "protects" in service}
    assert protecting == {FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE}


@pytest.mark.parametrize("code", SERVICES)
def test_the_questions_of_a_service_are_ordered_and_every_list_has_choices(code: str) -> None:
    questions = SERVICES[code].get("attribute", [])
    assert [question["order"] for question in questions] == list(range(1, len(questions) + 1))
    for question in questions:
        assert ("values" in question) == question["datatype"].endswith("valuelist")


def test_every_agency_is_told_by_an_agreement_what_is_needed() -> None:
    told = {to for share in SHARES if "need" in share["groups"] for to in share["to"]}
    assert told == set(AGENCIES)


def test_what_the_front_door_gives_an_agency_in_full_is_what_it_needs_for_its_work() -> None:
    given: dict[str, set[str]] = {}
    for share in SHARES:
        if share["form"] == "full" and share["from"] == ["front-door"]:
            for to in share["to"]:
                given.setdefault(to, set()).update(share["groups"])
    assert given["hpd"] >= {"need", "address", "identity", "contact", "household", "narrative"}
    assert not given["nypd"] & {"identity", "contact", "household"}
    assert given["edc"] == {"need", "location", "narrative"}
    assert given["fourth-pier"] == {"need", "location", "language_access"}
    assert not {"lantern", "elder-team", "brickline"} & set(given)


def test_a_contractor_is_given_an_address_and_whom_to_call_and_nothing_else() -> None:
    shares = [share for share in SHARES if "brickline" in share["to"]]
    assert [set(share["groups"]) for share in shares] == [{"need", "address", "contact"}]


def test_what_is_protected_is_never_given_without_a_consent() -> None:
    protected = {code for code, service in SERVICES.items() if "protects" in service}
    for share in SHARES:
        if protected & set(share.get("services", ())) or {"victim_services", "substance_use"} & set(share["groups"]):
            assert (share["consent"], share["form"] != "full") == (True, True), share["id"]


def test_the_cells_of_each_district_are_those_of_its_outline() -> None:
    text = (CITY / "districts.toml").read_text(encoding="utf-8")
    assert fill_cells(text) == text


def test_no_cell_is_in_two_districts() -> None:
    assert len(DISTRICT_OF) == sum(len(d["cells"]) for d in DISTRICTS["district"])


@pytest.mark.parametrize(
    ("lat", "long", "district"),
    [
        (40.7580, -73.9855, "manhattan"),
        (40.8448, -73.8648, "bronx"),
        (40.6782, -73.9442, "brooklyn"),
        (40.7282, -73.7949, "queens"),
        (40.5795, -74.1502, "staten-island"),
        (41.8781, -87.6298, None),
    ],
)
def test_a_place_lies_in_the_district_where_people_would_say_it_does(
    lat: float, long: float, district: str | None
) -> None:
    cell = h3.latlng_to_cell(lat, long, DISTRICTS["resolution"])
    assert DISTRICT_OF.get(cell) == district


def test_import_maps_name_only_services_of_the_city() -> None:
    new_york, chicago = IMPORTS["nyc-311"], IMPORTS["chicago-open311"]
    of_agencies = [code for entry in new_york["agency"].values() for code in entry.get("types", {}).values()]
    general = [entry["general"] for entry in new_york["agency"].values()]
    named = {*of_agencies, *general, *chicago["services"].values(), *chicago["agencies"].values()}
    assert named | {new_york["default"], chicago["default"]} <= set(SERVICES)


RENAMED = {"dcwp": "dca", "oti": "doitt", "dhs": "hra"}


@pytest.mark.parametrize("name", IMPORTS["nyc-311"]["agency"])
def test_a_new_york_row_leads_to_its_own_agency_whatever_its_kind(name: str) -> None:
    entry = IMPORTS["nyc-311"]["agency"][name]
    expected = RENAMED.get(name.lower(), name.lower())
    for code in {entry["general"], *entry.get("types", {}).values()}:
        assert first_agency(code, SERVICES[code]["needs"][0]) == expected
