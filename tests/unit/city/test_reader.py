"""A city whose files are wrong is refused at the start, with the file and the reason."""

import shutil
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from shared.city.reader import last_change, read_agencies, read_city, read_translations
from shared.city.toml_files import CityError
from shared.events.fields import FieldGroup
from shared.kit.service.settings import SAMPLE_CITY

WRONG = {
    "agencies.toml is missing": (
        "agencies.toml",
        None,
        None,
        "agencies.toml:1: error: cannot be read: No such file or directory",
    ),
    "the book is not TOML": ("routing-book.toml", "[[rule]]", "[[rule]", "error: not TOML: "),
    "a time to answer is no time": ("agencies.toml", '"PT4H"', '"soon"', "answer_within"),
    "a rule has an unknown key": ("routing-book.toml", "fallback", "fall_back", "fall_back"),
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
    "a need is not listed": ("services.toml", 'needs = ["noise"]', 'needs = ["din"]', "there is no need din"),
    "a service is there twice": ("services.toml", 'code = "graffiti"', 'code = "tree"', "service tree is there twice"),
    "a need is there twice": ("needs.toml", 'code = "noise"', 'code = "clean-air"', "need clean-air is there twice"),
    "a district is there twice": ("districts.toml", 'id = "queens"', 'id = "bronx"', "district bronx is there twice"),
    "a service has an unknown key": ("services.toml", "protects", "protect", "protect is not known here"),
    "a service is missing": ("services.toml", 'name = "Graffiti"', "", "name is missing"),
    "the profile has no time zone": ("city.toml", "time_zone", "timezone", "timezone is not known here"),
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
    with pytest.raises(CityError) as raised:
        read_city(folder)
    assert said in str(raised.value)
    assert file in str(raised.value)


def test_all_wrong_files_are_named_at_once(tmp_path: Path) -> None:
    folder = shutil.copytree(SAMPLE_CITY, tmp_path / "city")
    (folder / "needs.toml").write_bytes(b"\n\n# \xff\n")
    (folder / "city.toml").unlink()
    with pytest.raises(CityError) as unread:
        read_city(folder)
    found = [(Path(each.file).name, each.line) for each in unread.value.findings]
    assert found == [("city.toml", 1), ("needs.toml", 3)]
    (folder / "needs.toml").write_text("[[need]]\n")
    shutil.copy(SAMPLE_CITY / "city.toml", folder)
    (folder / "routing-book.toml").write_text('[[rule]]\nid = "one"\n')
    with pytest.raises(CityError) as unparsed:
        read_city(folder)
    assert {Path(each.file).name for each in unparsed.value.findings} == {"needs.toml", "routing-book.toml"}


def test_the_sample_city_is_read_as_a_whole() -> None:
    city = read_city(SAMPLE_CITY)
    program = city.programs["hpd/heat-and-hot-water"]
    assert (program.agency, program.title, program.answer_within) == ("hpd", "Heat and hot water", timedelta(hours=4))
    assert city.rules.find("heat-hot-water", "inadequate-housing", "bronx")
    assert city.protection.protections_of("heat-hot-water", ["inadequate-housing"]) == ()
    assert city.protection.protections_of("heat-hot-water", ["elder-abuse"]) == (FieldGroup.VICTIM_SERVICES,)
    assert {agency.id for agency in read_agencies(SAMPLE_CITY).agency} == set(city.agencies)
    assert set(read_translations(SAMPLE_CITY)) == {"es"}
    assert last_change(SAMPLE_CITY).tzinfo is UTC


def test_agencies_alone_are_read_without_the_other_files_and_refused_when_wrong(tmp_path: Path) -> None:
    (tmp_path / "agencies.toml").write_bytes((SAMPLE_CITY / "agencies.toml").read_bytes())
    assert read_agencies(tmp_path) == read_agencies(SAMPLE_CITY)
    (tmp_path / "agencies.toml").write_text("agency = []")
    with pytest.raises(CityError, match=r"agencies\.toml:1: error: agency: "):
        read_agencies(tmp_path)
    (tmp_path / "agencies.toml").unlink()
    with pytest.raises(CityError, match="cannot be read"):
        read_agencies(tmp_path)


def test_a_translation_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "es.toml").write_text("hola")
    with pytest.raises(CityError, match=r"es\.toml:1: error: not TOML"):
        read_translations(tmp_path)
