"""Real files of other cities, from the command to the figures."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.city import RunningCity, running_city
from tests.eventually import eventually

DATA = Path(__file__).parents[3] / "shared" / "data"
NYC = DATA / "nyc_311_service_requests_1000.csv"
CHICAGO = DATA / "chicago_open311_requests_with_notes.json"

pytestmark = [
    pytest.mark.skipif(not NYC.exists(), reason=f"the file of New York is not there: {NYC.name}"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def city() -> Iterator[RunningCity]:
    """Run a city that holds nothing but what is imported."""
    with running_city() as made:
        yield made


@pytest.fixture(scope="module")
def nyc(city: RunningCity) -> str:
    """Import New York's file; return what the command said."""
    said = city.command("import", "nyc-311", str(NYC))
    assert said.returncode == 0, said.stdout + said.stderr
    city.reconciled(1000)
    return said.stdout + said.stderr


def nyc_rows() -> list[dict[str, str]]:
    """Read the file."""
    with NYC.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def from_the_file() -> dict[str, tuple[float, float]]:
    """Compute p50 and p90 of resolution in seconds for each agency, straight from the rows."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for row in nyc_rows():
        if row["Closed Date"] and (took := moment(row["Closed Date"]) - moment(row["Created Date"])) >= 0:
            seconds[row["Agency"].lower()].append(took)
    several = {agency: values for agency, values in seconds.items() if len(values) > 1}
    return {
        agency: (cut[49], cut[89]) for agency, v in several.items() if (cut := quantiles(v, n=100, method="inclusive"))
    }


def moment(local: str) -> float:
    """Read a time of New York's clocks, which were put back between some openings and closings."""
    return datetime.strptime(local, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=ZoneInfo("America/New_York")).timestamp()


def test_all_rows_are_taken_in_and_their_quality_is_reported(nyc: str) -> None:
    for figure in ("1,000", "10", "185", "107"):
        assert figure in nyc


def test_each_row_reaches_the_agency_that_the_file_names(city: RunningCity, nyc: str) -> None:
    assert nyc
    asked = city.rows(
        "SELECT c.external_id, array_agg(r.agency) FROM routing.referrals r JOIN intake.cases c USING (case_id)"
        " WHERE r.attempt = 1 GROUP BY 1"
    )
    named = {row["Unique Key"]: row["Agency"].lower() for row in nyc_rows()}
    assert len(asked) == 1000
    assert [key for key, agencies in asked if named[key] not in agencies] == []
    assert {"hpd", "dohmh", "nypd"} <= {agency for _, agencies in asked for agency in agencies}


def test_the_figures_of_resolution_equal_those_of_the_file(city: RunningCity, nyc: str) -> None:
    assert nyc
    wanted = from_the_file()

    def shown() -> dict[str, Any] | None:
        cells = city.ask("metrics", "/clocks?by=agency&clock=resolution").json()
        found = {cell["agency"]: (cell["p50"], cell["p90"]) for cell in cells}
        return found if set(wanted) <= set(found) and _same(found, wanted) else None

    assert eventually(shown)
    assert {"hpd", "dohmh", "nypd"} <= set(wanted)


def _same(found: dict[str, tuple[float, float]], wanted: dict[str, tuple[float, float]]) -> bool:
    return all(found[agency] == pytest.approx(cuts, abs=0.001) for agency, cuts in wanted.items())


def test_no_mail_is_sent_about_what_was_closed_before(city: RunningCity, nyc: str) -> None:
    assert nyc
    assert city.rows("SELECT count(*) FROM notifications.deliveries") == [(0,)]


def test_the_same_file_again_adds_nothing(city: RunningCity, nyc: str) -> None:
    assert nyc
    again = city.command("import", "nyc-311", str(NYC))
    assert again.returncode == 0, again.stdout + again.stderr
    assert city.rows("SELECT count(*) FROM intake.cases WHERE source = 'nyc-311'") == [(1000,)]


def test_chicagos_file_comes_with_its_follow_ons(city: RunningCity, nyc: str) -> None:
    assert nyc
    rows = json.loads(CHICAGO.read_text(encoding="utf-8"))
    follow_ons = {
        (row["service_request_id"], note["extended_attributes"]["service_request_id"])
        for row in rows
        for note in row["notes"]
        if note["type"].startswith("follow_on")
    }
    said = city.command("import", "chicago-open311", str(CHICAGO))
    assert said.returncode == 0, said.stdout + said.stderr
    city.reconciled(1050)
    counted = city.rows("SELECT count(*), sum(cardinality(needs)) FROM intake.cases WHERE source = 'chicago-open311'")
    assert counted == [(len(rows), len(rows) + len(follow_ons))]
