"""Real files of New York and Chicago, if they are present beside the project."""

import csv
import tomllib
from collections import Counter
from pathlib import Path

import h3
import pytest

from deploy.cli.import_files.readers import READERS, read_records
from deploy.cli.import_files.rows import SourceFile
from deploy.cli.import_files.values import ParsedRow
from services.intake.domain.import_record import Remark
from shared.city.reader import read_city

ROOT = Path(__file__).parents[3]
CITY = ROOT / "deploy/jurisdictions/sample-city"
FOLDER = ROOT.parent / "shared/data"
NEW_YORK = FOLDER / "nyc_311_service_requests_1000.csv"
CHICAGO = FOLDER / "chicago_open311_requests_with_notes.json"

needs_new_york = pytest.mark.skipif(not NEW_YORK.exists(), reason=f"{NEW_YORK.name} is not beside the project")
needs_chicago = pytest.mark.skipif(not CHICAGO.exists(), reason=f"{CHICAGO.name} is not beside the project")


def read(source: str, path: Path) -> list[ParsedRow]:
    with SourceFile(path) as file:
        rows = list(read_records(file, READERS[source](CITY)))
    parsed = [row for row in rows if isinstance(row, ParsedRow)]
    assert len(parsed) == len(rows)
    return parsed


@needs_new_york
def test_all_rows_of_new_york_are_read_and_the_doubtful_ones_are_counted() -> None:
    rows = read("nyc-311", NEW_YORK)
    remarks = Counter(remark for row in rows for remark in row.remarks)
    assert len({row.record.external_id for row in rows}) == 1000
    assert remarks[Remark.CLOSED_BEFORE_OPENED] == 10
    assert remarks[Remark.NO_ADDRESS] == 185
    assert remarks[Remark.NO_COORDINATES] == 107
    assert Remark.NOT_IN_MAP not in remarks


@needs_new_york
def test_each_row_of_new_york_has_one_need_and_leads_to_its_own_agency() -> None:
    services = tomllib.loads((CITY / "services.toml").read_text())["service"]
    rules = tomllib.loads((CITY / "routing-book.toml").read_text())["rule"]
    needs = {service["code"]: service["needs"] for service in services}
    by_service = {rule["service"]: rule for rule in rules if "service" in rule and "district" not in rule}
    by_need = {rule["need"]: rule for rule in rules if set(rule) & {"service", "need", "district"} == {"need"}}
    for row in read("nyc-311", NEW_YORK):
        code = row.record.service_code
        (need,) = needs[code]
        first = by_service.get(code, by_need[need])["candidates"][0]
        assert first.partition("/")[0] == row.record.source_agency.lower()


@needs_new_york
def test_nearly_every_point_of_new_york_lies_in_the_district_that_its_row_names() -> None:
    districts = read_city(CITY).districts.values()
    district_of = {cell: district.id for district in districts for cell in district.cells}
    with NEW_YORK.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Latitude"] and row["Borough"] != "Unspecified"]
    found = [district_of.get(h3.latlng_to_cell(float(r["Latitude"]), float(r["Longitude"]), 8)) for r in rows]
    said = [row["Borough"].lower().replace(" ", "-") for row in rows]
    assert sum(a == b for a, b in zip(found, said, strict=True)) / len(rows) > 0.99


@needs_chicago
def test_all_requests_of_chicago_are_read_with_their_follow_ons() -> None:
    rows = read("chicago-open311", CHICAGO)
    assert len(rows) == 50
    assert sum(len(row.record.follow_ons) for row in rows) == 55
    assert sum(len(row.record.notes) for row in rows) == 276
    assert Counter(remark for row in rows for remark in row.remarks) == {Remark.FOLLOW_ON_WITHOUT_START: 3}
