"""The published schema of agreements accepts what the reader accepts, and refuses what it refuses in one file."""

import copy
import json
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from deploy.contract.agreement_schema import SCHEMA_FILE, agreement_schema
from shared.kit.service.settings import SAMPLE_CITY
from shared.policy.agreements import Agreement

ROOT = Path(__file__).parents[2]
FILES = sorted((SAMPLE_CITY / "agreements").glob("*.toml"))
VALIDATOR = jsonschema_rs.Draft202012Validator(agreement_schema(), validate_formats=True)

SOUND = json.loads(
    json.dumps(
        tomllib.loads((SAMPLE_CITY / "agreements/victim-services.toml").read_text(encoding="utf-8")),
        default=date.isoformat,
    )
)

Break = Callable[[dict[str, Any]], Any]

BROKEN: dict[str, Break] = {
    "an unknown key": lambda said: said.update(forward=True),
    "an unknown key of a share": lambda said: said["share"][0].update(shape="thin"),
    "no legal basis": lambda said: said.pop("legal_basis"),
    "no form": lambda said: said["share"][0].pop("form"),
    "no parties": lambda said: said.update(parties=["front-door"]),
    "no contact": lambda said: said.update(contacts=[]),
    "no group": lambda said: said["share"][0].update(groups=[]),
    "a group that is none": lambda said: said["share"][0].update(groups=["gossip"]),
    "an urgency that is none": lambda said: said["share"][0].update(urgency=["whenever"]),
    "no need at all": lambda said: said["share"][0].update(needs=[]),
    "a need in capitals": lambda said: said["share"][0].update(needs=["NOISE"]),
    "a status that is none": lambda said: said.update(status="signed"),
    "a date that is none": lambda said: said.update(ends="soon"),
    "a version before the first": lambda said: said.update(version=0),
    "a version in words": lambda said: said.update(version="one"),
    "nothing kept": lambda said: said.update(retain_days=0),
    "violence in full": lambda said: said["share"][0].update(form="full"),
    "violence without a consent": lambda said: said["share"][0].pop("consent"),
    "violence with no consent": lambda said: said["share"][0].update(consent=False),
}

HARD_RULES = {"violence in full", "violence without a consent", "violence with no consent"}
"""What the reader's model takes, and the check of agreements does not."""


def test_it_is_a_schema_and_is_published() -> None:
    assert jsonschema_rs.meta.is_valid(agreement_schema())
    assert json.loads((ROOT / SCHEMA_FILE).read_text(encoding="utf-8")) == agreement_schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_it_accepts_the_agreements_of_the_sample_city_which_name_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    hint = text.splitlines()[0].removeprefix("#:schema ")
    assert (file.parent / hint).resolve() == ROOT / SCHEMA_FILE
    VALIDATOR.validate(json.loads(json.dumps(tomllib.loads(text), default=date.isoformat)))


@pytest.mark.parametrize("name", BROKEN)
def test_it_refuses_what_the_reader_refuses(name: str) -> None:
    assert VALIDATOR.is_valid(SOUND)
    said = copy.deepcopy(SOUND)
    BROKEN[name](said)
    assert not VALIDATOR.is_valid(said)
    if name not in HARD_RULES:
        with pytest.raises(ValidationError):
            Agreement.model_validate(said)


def test_it_explains_every_key() -> None:
    schema = agreement_schema()
    parts = [schema, schema["$defs"]["Clause"], schema["$defs"]["Contact"]]
    assert all(key["description"] for part in parts for key in part["properties"].values())
