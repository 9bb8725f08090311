"""The readers of other cities' files, row by row; a broken row does not affect its neighbors."""

from datetime import UTC, datetime
from pathlib import Path

from deploy.cli.import_files.readers import READERS, read_records
from deploy.cli.import_files.rows import RowProblem, SourceFile, split_objects
from deploy.cli.import_files.values import ParsedRow
from services.intake.domain.import_record import ImportRecord, Remark

ROOT = Path(__file__).parents[3]
CITY = ROOT / "deploy/jurisdictions/sample-city"
DATA = ROOT / "tests/data"


def read(source: str, name: str) -> list[ParsedRow | RowProblem]:
    with SourceFile(DATA / name) as file:
        return list(read_records(file, READERS[source](CITY)))


def by_id(rows: list[ParsedRow | RowProblem]) -> dict[str, ParsedRow]:
    return {row.record.external_id: row for row in rows if isinstance(row, ParsedRow)}


def problems(rows: list[ParsedRow | RowProblem]) -> list[RowProblem]:
    return [row for row in rows if isinstance(row, RowProblem)]


def test_a_new_york_row_becomes_a_record_with_its_own_times_in_utc() -> None:
    row = by_id(read("nyc-311", "nyc-311.csv"))["900001"]
    assert row.remarks == ()
    assert row.record == ImportRecord(
        external_id="900001",
        service_code="heat-hot-water",
        description="HEAT/HOT WATER: ENTIRE BUILDING",
        address="1 EXAMPLE PLAZA, BROOKLYN",
        lat=40.6931,
        long=-73.9895,
        district="BROOKLYN",
        postal_code="11201",
        requested_at=datetime(2026, 1, 5, 13, 0, tzinfo=UTC),
        closed_at=datetime(2026, 1, 6, 19, 30, tzinfo=UTC),
        status="closed",
        status_notes='Heat is back, said the "super".',
        source_agency="HPD",
        channel="phone",
        attributes={"complaint_type": "HEAT/HOT WATER", "descriptor": "ENTIRE BUILDING", "agency_name": "Housing"},
    )


def test_the_portals_csv_and_the_apis_json_of_one_row_are_the_same_record() -> None:
    of_csv, of_json = (by_id(read("nyc-311", f"nyc-311.{form}"))["900001"] for form in ("csv", "json"))
    assert of_csv.record == of_json.record


def test_an_unreadable_row_has_line_and_reason_and_the_others_are_read() -> None:
    rows = read("nyc-311", "nyc-311.csv")
    assert problems(rows) == [
        RowProblem(6, "unique_key is missing"),
        RowProblem(7, "created_date is not a time"),
        RowProblem(8, "has 3 columns where the header has 41"),
    ]
    assert list(by_id(rows)) == ["900001", "900002", "900003", "900007"]


def test_doubtful_rows_are_read_with_remarks() -> None:
    rows = by_id(read("nyc-311", "nyc-311.csv"))
    assert set(rows["900002"].remarks) == {Remark.NO_ADDRESS, Remark.NO_COORDINATES}
    assert set(rows["900003"].remarks) == {
        Remark.CLOSED_BEFORE_OPENED,
        Remark.BAD_COORDINATES,
        Remark.NO_COORDINATES,
    }
    assert set(rows["900007"].remarks) == {Remark.NOT_IN_MAP, Remark.NO_COORDINATES, Remark.DATE_THOUGH_OPEN}


def test_a_row_with_a_closing_date_is_closed_whatever_its_status() -> None:
    record = by_id(read("nyc-311", "nyc-311.csv"))["900007"].record
    assert (record.status, record.closed_at) == ("closed", datetime(2026, 3, 9, 6, 30, tzinfo=UTC))


def test_a_corner_replaces_a_missing_address() -> None:
    record = by_id(read("nyc-311", "nyc-311.csv"))["900002"].record
    assert record.address == "FIRST EXAMPLE ST & SECOND EXAMPLE ST, BRONX"
    assert (record.status, record.closed_at, record.district) == ("open", None, "BRONX")


def test_summer_time_is_respected_and_a_skipped_hour_is_read() -> None:
    rows = by_id(read("nyc-311", "nyc-311.csv"))
    assert rows["900002"].record.requested_at == datetime(2026, 7, 2, 3, 15, tzinfo=UTC)
    assert rows["900007"].record.requested_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_an_unknown_agency_goes_to_the_default_service() -> None:
    assert by_id(read("nyc-311", "nyc-311.csv"))["900007"].record.service_code == "city-question"


def test_a_broken_json_object_does_not_affect_the_others() -> None:
    rows = read("nyc-311", "nyc-311.json")
    assert list(by_id(rows)) == ["900001", "900008"]
    assert problems(rows) == [RowProblem(2, "is not a whole JSON object")]


def test_chicagos_notes_give_history_answer_and_follow_ons() -> None:
    row = by_id(read("chicago-open311", "chicago-open311.json"))["26-00000001"]
    record = row.record
    assert record.service_code == "pothole-or-street"
    assert record.requested_at == datetime(2026, 2, 1, 16, 0, tzinfo=UTC)
    assert record.first_answered_at == datetime(2026, 2, 3, 15, 0, tzinfo=UTC)
    assert record.closed_at == datetime(2026, 2, 28, 18, 0, tzinfo=UTC)
    assert record.attributes == {"WHERE": "CURB, TRAFFIC", "ward": "42"}
    assert [note.kind for note in record.notes][:2] == ["opened", "activity"]
    assert set(row.remarks) == {Remark.BAD_NOTE, Remark.FOLLOW_ON_WITHOUT_START}


def test_a_follow_on_goes_to_the_agency_that_it_names() -> None:
    sewer, wires = by_id(read("chicago-open311", "chicago-open311.json"))["26-00000001"].record.follow_ons
    assert (sewer.service_code, sewer.source_agency) == ("water-or-sewer", "Water Management")
    assert sewer.opened_at == datetime(2026, 2, 3, 15, 30, tzinfo=UTC)
    assert sewer.closed_at == datetime(2026, 2, 20, 15, 30, tzinfo=UTC)
    assert (wires.service_code, wires.opened_at) == ("city-question", datetime(2026, 2, 1, 16, 0, tzinfo=UTC))


def test_a_closed_request_without_notes_was_closed_when_it_was_last_changed() -> None:
    record = by_id(read("chicago-open311", "chicago-open311.json"))["26-00000005"].record
    assert record.closed_at == datetime(2026, 2, 5, 16, 0, tzinfo=UTC)


def test_the_zero_point_is_no_place_in_chicago() -> None:
    row = by_id(read("chicago-open311", "chicago-open311.json"))["26-00000004"]
    assert (row.record.lat, row.record.long) == (None, None)
    assert Remark.BAD_COORDINATES in row.remarks


def test_chicagos_portal_writes_local_times_and_its_own_words_for_closed() -> None:
    rows = by_id(read("chicago-open311", "chicago-311.csv"))
    light, car = (row.record for row in rows.values())
    assert (light.status, light.service_code, light.channel) == ("closed", "street-light", "phone")
    assert light.requested_at == datetime(2026, 7, 1, 14, 0, tzinfo=UTC)
    assert (car.status, car.closed_at, car.lat, car.channel) == ("open", None, None, "app")


def test_objects_are_cut_alike_wherever_the_stream_is_divided() -> None:
    text = '[{"a": "x{\\"}", "b": [{"c": 1}]},\n {"d": "\\\\"},\n 7, {"e": {}}]'
    whole = list(split_objects([text]))
    assert [line for line, _ in whole] == [1, 2, 3, 3]
    assert all(list(split_objects([text[:i], text[i:]])) == whole for i in range(1, len(text)))
