"""A city with other files: read from texts, and refused with file, line and reason."""

import pytest

from shared.city.reader import ChangedFilesError, load_agreements, read_changed, read_city
from shared.kit.service.settings import SAMPLE_CITY

BOOK = (SAMPLE_CITY / "routing-book.toml").read_text("utf-8")
AGENCIES = (SAMPLE_CITY / "agencies.toml").read_text("utf-8")
SIGNED = {f"agreements/{path.name}": path.read_text("utf-8") for path in (SAMPLE_CITY / "agreements").glob("*.toml")}


def findings(texts: dict[str, str]) -> list[str]:
    with pytest.raises(ChangedFilesError) as caught:
        read_changed(SAMPLE_CITY, texts)
    return [f"{each.file}:{each.line}: {each.reason}" for each in caught.value.findings]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_same_files_make_the_same_city() -> None:
    city = read_city(SAMPLE_CITY)
    changed = read_changed(SAMPLE_CITY, {**SIGNED, "routing-book.toml": BOOK})
    agreements = [file.content for file in load_agreements(SAMPLE_CITY, city)]
    assert [file.content for file in changed.agreements] == agreements
    assert changed.city.programs == city.programs
    assert changed.city.services == city.services


def test_agreements_that_are_not_among_the_files_are_gone() -> None:
    one = next(iter(SIGNED))
    assert len(read_changed(SAMPLE_CITY, {one: SIGNED[one]}).agreements) == 1
    assert len(read_changed(SAMPLE_CITY, {"routing-book.toml": BOOK}).agreements) == len(SIGNED)


def test_a_text_that_is_not_toml_is_refused_with_its_line() -> None:
    (found,) = findings({"routing-book.toml": f"{BOOK}\n[[rule]\n"})
    assert found.startswith(f"routing-book.toml:{BOOK.count(chr(10)) + 2}: not TOML")


def test_a_rule_that_asks_a_program_which_is_not_there_is_refused_with_its_line() -> None:
    wrong = f'{BOOK}\n[[rule]]\nid = "mine"\nneed = "noise"\ncandidates = ["nypd/choir"]\n'
    line = line_of(wrong, 'id = "mine"') - 1
    assert findings({"routing-book.toml": wrong}) == [
        f"routing-book.toml:{line}: rule mine: there is no program nypd/choir"
    ]


def test_a_rule_with_a_part_that_is_missing_is_refused_with_its_line() -> None:
    wrong = f'{BOOK}\n[[rule]]\nid = "mine"\n'
    (found,) = findings({"routing-book.toml": wrong})
    assert found == f"routing-book.toml:{wrong.count(chr(10)) - 1}: candidates is missing"


def test_an_agency_that_is_there_twice_is_refused_with_the_line_of_the_second() -> None:
    wrong = AGENCIES.replace('id = "hpd"', 'id = "hra"', 1)
    found = findings({"agencies.toml": wrong})
    assert any(each.startswith("agencies.toml:") and each.endswith("agency hra is there twice") for each in found)


def test_an_agreement_that_the_law_forbids_is_refused() -> None:
    name, text = next((name, text) for name, text in SIGNED.items() if 'form = "thin"' in text and '"health"' in text)
    found = findings({**SIGNED, name: text.replace('form = "thin"', 'form = "full"')})
    assert any("may go sealed or thin, and never full" in each and each.startswith(name) for each in found)


def test_a_file_that_is_not_read_is_refused() -> None:
    assert findings({"city.toml": ""}) == ["city.toml:1: is not read here"]
