"""A city whose files are wrong is refused at the start, with the file and the reason."""

import shutil
from pathlib import Path

import pytest

from services.routing.domain.placement import Placed, PlacementQuery, Unplaced, place
from services.routing.jurisdiction import JurisdictionError, load_city
from shared.events.fields import FieldGroup
from shared.kit.service.settings import SAMPLE_CITY
from tests.unit.routing.town import NOON

WRONG = {
    "agencies.toml is missing": ("agencies.toml", None, None, "agencies.toml cannot be read"),
    "the book is not TOML": ("routing-book.toml", "[[rule]]", "[[rule]", "routing-book.toml is not TOML"),
    "a time to answer is no time": ("agencies.toml", '"PT4H"', '"soon"', "answer_within"),
    "a rule has a key that nobody knows": ("routing-book.toml", "fallback", "fall_back", "fall_back"),
    "a candidate is no program": (
        "routing-book.toml",
        "hpd/heat-and-hot-water",
        "hpd/heating",
        "no program hpd/heating",
    ),
    "a rule is for no need": ("routing-book.toml", 'need = "noise"', 'need = "din"', "no need din"),
    "a rule is for no service": ("routing-book.toml", 'service = "graffiti"', 'service = "tags"', "no service tags"),
    "a rule is for no district": (
        "routing-book.toml",
        'district = "bronx"',
        'district = "bronks"',
        "no district bronks",
    ),
    "a rule is there twice": ("routing-book.toml", 'id = "noise"', 'id = "housing"', "rule housing is there twice"),
    "a candidate does not help": (
        "routing-book.toml",
        '["dcas/city-desk"]',
        '["hpd/emergency-housing"]',
        "does not help",
    ),
    "a service protects no group": ("services.toml", 'protects = "substance_use"', 'protects = "fun"', "protects"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_folder_is_refused_with_file_and_reason(name: str, tmp_path: Path) -> None:
    file, right, wrong, said = WRONG[name]
    folder = shutil.copytree(SAMPLE_CITY, tmp_path / "city")
    if right is None or wrong is None:
        (folder / file).unlink()
    else:
        text = (folder / file).read_text()
        assert right in text
        (folder / file).write_text(text.replace(right, wrong))
    with pytest.raises(JurisdictionError) as raised:
        load_city(folder)
    assert said in str(raised.value)
    assert file in str(raised.value)


def test_the_sample_city_sends_a_cold_apartment_to_housing_and_rats_to_health() -> None:
    city = load_city(SAMPLE_CITY)
    asked = {
        ("inadequate-housing", "heat-hot-water"): "hpd/heat-and-hot-water",
        ("environmental-health", "rats-or-mice"): "dohmh/pest-control",
        ("noise", "noise-from-works"): "dep/noise-inspections",
    }
    for (need, service), program in asked.items():
        placed = place(PlacementQuery(need, service, "bronx", "routine", (), NOON), city)
        assert isinstance(placed, Placed)
        assert placed.program.name == program


def test_the_sample_city_sends_violence_by_a_partner_to_nobody_without_a_consent() -> None:
    city = load_city(SAMPLE_CITY)
    protections = city.protection.protections_of("partner-violence-help", ["intimate-partner-violence"])
    assert protections == (FieldGroup.VICTIM_SERVICES,)
    asking = PlacementQuery("intimate-partner-violence", "partner-violence-help", "bronx", "urgent", protections, NOON)
    assert isinstance(place(asking, city), Unplaced)
