"""Whatever is wrong or doubtful in an agreement is told with its file, its line and the reason."""

import re
import shutil
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.city.agreement_files import AgreementFile, parse_agreement
from shared.city.reader import check_agreements, load_agreements, read_city
from shared.city.toml_files import CityError, Finding, Severity, has_errors
from shared.kit.service.settings import SAMPLE_CITY

TODAY = date(2026, 3, 2)


class Slip(NamedTuple):
    """An error in a file: instead of `right` it has `wrong`; the finding names the line with `shown`."""

    file: str
    right: str
    wrong: str
    shown: str
    events: str


BED = 'to = ["fourth-pier"]\nneeds = ["homelessness"]\ngroups = ["need", "location", "language_access"]\nform = "full"'
NEED_IN_FULL = 'groups = ["need"]\nform = "full"\n'
LOCKED_OUT = (
    'needs = ["public-order"]\nservices = ["illegal-lockout"]\n'
    'groups = ["identity", "contact", "household"]\nform = "thin"'
)
GUESTS = 'id = "guests"\nfrom = ["hra"]\nto = ["fourth-pier"]'
TO_POLICE = 'to = ["nypd"]\nneeds = ["personal-safety"]\nservices = ["elder-abuse-help"]\n'

ERRORS = {
    "not TOML": Slip("shelter-beds", "version = 1", "version = ", "version = ", "not TOML: Invalid value"),
    "an unknown key": Slip("shelter-beds", "onward", "forward", "forward", "forward is not known here"),
    "an unknown key of a share": Slip("shelter-beds", "form =", "shape =", "shape =", "shape is not known here"),
    "a key that is missing": Slip("shelter-beds", "legal_basis", "# legal", "#:schema", "legal_basis is missing"),
    "a key of a share that is missing": Slip("shelter-beds", 'form = "full"', "#", "[[share]]", "form is missing"),
    "a form that is none": Slip("shelter-beds", '"full"', '"open"', '"open"', "share.0.form: input should be"),
    "a group that is none": Slip("shelter-beds", '"location"', '"place"', '"place"', "share.0.groups.1: input should"),
    "a date that is none": Slip("shelter-beds", "2028-12-31", '"soon"', '"soon"', "ends: input should be a valid date"),
    "an end before the start": Slip(
        "shelter-beds", "ends = 2028", "ends = 2024", "2024-12-31", "ends before it starts"
    ),
    "a share twice": Slip(
        "emergency-repairs",
        "[[share]]",
        f'[[share]]\nid = "repairs"\nfrom = ["hpd"]\nto = ["brickline"]\n{NEED_IN_FULL}why = "Twice."\n\n[[share]]',
        'id = "repairs"',
        "two shares have the same id",
    ),
    "a recipient that has not signed": Slip(
        "shelter-beds", BED, BED.replace("fourth-pier", "hpd"), '["hpd"]', "not a party: hpd"
    ),
    "a source that has not signed": Slip("shelter-beds", '["hra"]', '["nypd"]', '["nypd"]', "not a party: nypd"),
    "an agreement twice": Slip(
        "shelter-beds",
        'id = "shelter-beds"',
        'id = "emergency-repairs"',
        'id = "emergency',
        "there is an agreement emergency-repairs already",
    ),
    "a party that the city lacks": Slip("shelter-beds", '"hra", ', '"hra", "cia", ', '"cia"', "there is no agency cia"),
    "a contact of no party": Slip("shelter-beds", 'party = "hra"', 'party = "hpd"', '"hpd"', "hpd is no party"),
    "a need that is none": Slip(
        "shelter-beds", '"homelessness"', '"homeless"', '"homeless"', "there is no need homeless"
    ),
    "a service that is none": Slip(
        "housing-police", '"illegal-lockout"', '"lockout"', '"lockout"', "there is no service lockout"
    ),
    "a district that is none": Slip(
        "shelter-beds",
        BED,
        f'{BED}\ndistricts = [\n  "bronx",\n  "bronks",\n]',
        '"bronks"',
        "there is no district bronks",
    ),
    "health in full": Slip("shelter-beds", '"language_access"]', '"health"]', '"health"]', "health is restricted"),
    "violence without a consent": Slip(
        "victim-services", "consent = true", "", '"victim_services"', "victim_services is released only with a consent"
    ),
    "drugs without a consent": Slip(
        "alcohol-and-drug-care", "consent = true", "", '"substance_use"', "substance_use is released only with"
    ),
    "drugs handed on": Slip("alcohol-and-drug-care", "onward = false", "onward = true", "onward", "never be handed on"),
}

WARNINGS = {
    "suspended": Slip("shelter-beds", '"active"', '"suspended"', "status", "can never apply: it is suspended"),
    "ended by its parties": Slip("shelter-beds", '"active"', '"ended"', "status", "can never apply: it is ended"),
    "past its end": Slip(
        "shelter-beds", "ends = 2028-12-31", "ends = 2026-03-01", "ends =", "can never apply: it ended on 2026-03-01"
    ),
    "near its end": Slip(
        "shelter-beds", "ends = 2028-12-31", "ends = 2026-05-01", "ends =", "ends on 2026-05-01, in 60 days"
    ),
    "on its last day": Slip("shelter-beds", "ends = 2028-12-31", "ends = 2026-03-02", "ends =", "in 0 days"),
    "not reviewed": Slip(
        "shelter-beds", "review = 2028-06-30", "review = 2026-03-01", "review", "was to be reviewed by 2026-03-01"
    ),
    "a party without a part": Slip(
        "shelter-beds", GUESTS, GUESTS.replace("hra", "front-door"), "parties", "hra gives nothing and is given nothing"
    ),
    "a party without a contact": Slip(
        "shelter-beds", 'party = "hra"', 'party = "front-door"', "parties", "there is no contact for hra"
    ),
    "its own source": Slip(
        "shelter-beds", '["hra"]', '["hra", "fourth-pier"]', "", "fourth-pier would be given what it has"
    ),
    "an agency that no rule asks": Slip(
        "shelter-beds",
        BED,
        BED.replace('["fo', '["front-door", "fo'),
        'to = ["front-door"',
        "can never apply to front-door: no routing rule asks front-door",
    ),
    "a need that leads to others": Slip(
        "shelter-beds",
        BED,
        BED.replace("homelessness", "noise"),
        "to =",
        "can never apply to fourth-pier: the routing rules ask fourth-pier for help with nothing that meets",
    ),
    "an urgency that is never stated": Slip(
        "shelter-beds", BED, f'{BED}\nurgency = ["routine"]', "to =", "nothing that meets its conditions"
    ),
    "one need of several": Slip(
        "shelter-beds",
        '["homelessness"]',
        '["homelessness",\n  "noise"]',
        '"noise"',
        "need noise never leads to fourth-pier here",
    ),
    "one service of several": Slip(
        "housing-police",
        '["illegal-lockout"]',
        '["illegal-lockout", "graffiti"]',
        '"graffiti"',
        "service graffiti never leads to nypd here",
    ),
    "a source without such cases": Slip(
        "housing-police",
        '["public-order"]\nservices = ["illegal-lockout"]',
        '["public-order"]\nservices = ["drug-activity"]',
        "to =",
        "can never apply to nypd: no such report is also referred to hpd",
    ),
    "protected reports without a consent": Slip(
        "elder-abuse-team",
        f'{TO_POLICE}groups = ["need", "address", "victim_services"]\nform = "thin"\nconsent = true',
        f'{TO_POLICE}groups = ["need", "address"]\nform = "thin"',
        'to = ["nypd"]',
        "can never apply to nypd: the reports that meet its conditions are protected",
    ),
    "the same again": Slip(
        "housing-police",
        LOCKED_OUT,
        LOCKED_OUT.replace('"identity"', '"address"').replace("thin", "full"),
        "groups",
        "gives nypd nothing by address that front-door-police/place does not give already",
    ),
}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Give a test a city of its own to spoil, without the many cells of its districts."""
    folder = shutil.copytree(SAMPLE_CITY, tmp_path / "city")
    names = re.findall(r'^id = "(.+)"$', (SAMPLE_CITY / "districts.toml").read_text(encoding="utf-8"), re.MULTILINE)
    districts = "\n".join(f'[[district]]\nid = "{name}"\nname = "{name}"' for name in names)
    (folder / "districts.toml").write_text(f"resolution = 8\n{districts}", encoding="utf-8")
    return folder


def spoil(city: Path, slip: Slip) -> Path:
    """Put what is wrong into an agreement; return its file."""
    file = city / f"agreements/{slip.file}.toml"
    text = file.read_text(encoding="utf-8")
    assert slip.right in text
    file.write_text(text.replace(slip.right, slip.wrong, 1), encoding="utf-8")
    return file


def load(city: Path) -> tuple[AgreementFile, ...]:
    return load_agreements(city, read_city(city))


def check(city: Path) -> list[Finding]:
    return check_agreements(city, TODAY)[1]


def found_by(slip: Slip, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if slip.events in finding.reason]


def line_shown(finding: Finding) -> str:
    return Path(finding.file).read_text(encoding="utf-8").splitlines()[finding.line - 1]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_shown_where_it_is_and_keeps_the_city_from_starting(name: str, city: Path) -> None:
    slip = ERRORS[name]
    file = spoil(city, slip)
    findings = check(city)
    error = found_by(slip, findings)[0]
    assert (error.file, error.severity) == (str(file), Severity.ERROR)
    assert slip.shown in line_shown(error)
    assert has_errors(findings)
    with pytest.raises(CityError) as raised:
        load(city)
    assert f"{file}:{error.line}: error: {error.reason}" in str(raised.value)


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_is_shown_where_it_is_and_keeps_no_city_from_starting(name: str, city: Path) -> None:
    slip = WARNINGS[name]
    file = spoil(city, slip)
    findings = check(city)
    warning = found_by(slip, findings)[0]
    assert (warning.file, warning.severity) == (str(file), Severity.WARNING)
    assert slip.shown in line_shown(warning)
    assert not has_errors(findings)
    assert len(load(city)) == len(load(SAMPLE_CITY))


def test_the_sample_city_has_nothing_wrong_and_nothing_doubtful() -> None:
    reading, findings = check_agreements(SAMPLE_CITY, TODAY, keys={"dohmh", "elder-team"})
    assert findings == []
    assert len(reading.files) >= 14


def test_what_is_sealed_for_an_agency_without_a_key_is_doubtful() -> None:
    _, findings = check_agreements(SAMPLE_CITY, TODAY, keys={"elder-team"})
    assert {finding.reason for finding in findings} == {"dohmh has no public key: what is sealed for it is withheld"}


def test_a_district_where_the_agency_does_not_work_is_doubtful(city: Path) -> None:
    spoil(city, Slip("shelter-beds", BED, f'{BED}\ndistricts = ["bronx", "queens"]', "", ""))
    agencies = city / "agencies.toml"
    text, program = agencies.read_text(encoding="utf-8"), 'name = "Night shelter"\n'
    agencies.write_text(text.replace(program, f'{program}districts = ["bronx"]\n'), encoding="utf-8")
    assert "district queens never leads to fourth-pier here" in {finding.reason for finding in check(city)}


def test_of_two_clauses_that_are_alike_only_the_later_is_doubtful(city: Path) -> None:
    file = city / "agreements/emergency-repairs.toml"
    text = file.read_text(encoding="utf-8")
    share = text[text.index("[[share]]") :]
    file.write_text(f"{text}\n{share.replace('repairs', 'again', 1)}", encoding="utf-8")
    reasons = [finding.reason for finding in check(city)]
    assert reasons == [
        "gives brickline nothing by need, address, contact that emergency-repairs/repairs does not give already"
    ]


def test_a_wrong_file_does_not_hide_what_is_wrong_in_another(city: Path) -> None:
    files = {spoil(city, ERRORS["not TOML"]), spoil(city, ERRORS["drugs handed on"])}
    assert {Path(finding.file) for finding in check(city)} == files


def test_files_that_cannot_be_read_are_errors(city: Path) -> None:
    (city / "agreements/a.toml").mkdir()
    (city / "agreements/b.toml").write_bytes(b"id = 1\n\xff\n")
    findings = {Path(finding.file).name: (finding.line, finding.reason) for finding in check(city)}
    assert findings["a.toml"] == (1, "cannot be read: Is a directory")
    assert findings["b.toml"] == (2, "not TOML: it is not UTF-8")


def test_a_text_that_breaks_off_is_wrong_at_its_end() -> None:
    found = parse_agreement("cut.toml", 'id = "cut"\nparties = ["hpd",\n')
    assert isinstance(found, list)
    assert [str(each) for each in found] == ["cut.toml:2: error: not TOML: Invalid value (at end of document)"]


def test_a_city_without_agreements_has_none(city: Path) -> None:
    shutil.rmtree(city / "agreements")
    assert load(city) == ()


def test_a_clause_reaches_no_report_that_another_protection_keeps_back(city: Path) -> None:
    """Help with alcohol or drugs needs no consent here, but its need is one that only victim services names too."""
    services = city / "services.toml"
    text = services.read_text(encoding="utf-8")
    right = 'needs = ["substance-use"]\nprotects = "substance_use"'
    assert right in text
    plain = text.replace(right, 'needs = ["substance-use"]\nprotects = "health"')
    shared = plain.replace('needs = ["elder-abuse",', 'needs = ["elder-abuse", "substance-use",')
    agreement = city / "agreements/alcohol-and-drug-care.toml"
    without = agreement.read_text(encoding="utf-8").replace("consent = true", "").replace(', "substance_use"', "")
    agreement.write_text(without, encoding="utf-8")
    said = "protected, and need a consent"
    services.write_text(plain, encoding="utf-8")
    assert not [found for found in check(city) if said in found.reason]
    services.write_text(shared, encoding="utf-8")
    assert {Path(found.file).stem for found in check(city) if said in found.reason} == {"alcohol-and-drug-care"}
