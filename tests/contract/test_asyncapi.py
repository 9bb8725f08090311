"""`docs/asyncapi.yaml` is an AsyncAPI document, and says what is true."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from deploy.contract.catalogue import published
from deploy.kafka.topic_declarations import declared_topics
from shared.events.topics import TOPIC_SPECS, dead_letter_topic
from tests.contract.asyncapi_form import DOCUMENT

DOCS = Path(__file__).parents[2] / "docs"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return dict(yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8")))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def resolve(document: Document, reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_it_has_the_form_that_the_specification_asks_for(document: Document) -> None:
    jsonschema_rs.Draft202012Validator(DOCUMENT, validate_formats=True).validate(document)


@pytest.mark.parametrize("misspelt", ["adress", "message"])
def test_a_misspelt_field_is_seen(document: Document, misspelt: str) -> None:
    wrong = deepcopy(document)
    wrong["channels"]["intake.cases"][misspelt] = "intake.cases.v1"

    assert not jsonschema_rs.is_valid(DOCUMENT, wrong)


def test_every_reference_leads_somewhere(document: Document) -> None:
    for reference in references(document):
        if reference.startswith("#/"):
            assert resolve(document, reference) is not None
        else:
            assert (DOCS / reference).is_file()


def test_every_topic_that_speaks_a_language_is_a_channel(document: Document) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}

    assert addresses == {language.topic for language in TOPIC_SPECS} | {dead_letter_topic("{service}")}


def test_every_place_in_an_address_is_a_parameter(document: Document) -> None:
    for channel in document["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel.get("parameters", {}))


def test_every_event_is_a_message_of_its_channel(document: Document) -> None:
    for said in published():
        message = resolve(document, document["channels"][said.family]["messages"][said.event_type]["$ref"])
        assert message["payload"] == {"$ref": f"./schemas/{said.name}.json"}


def test_the_operations_are_what_the_topics_declare(document: Document) -> None:
    told = {
        (resolve(document, operation["channel"]["$ref"])["address"], operation["action"], operation["tags"][0]["name"])
        for operation in document["operations"].values()
    }
    for topic in declared_topics(["{agency}"]):
        if topic.name not in {language.topic for language in TOPIC_SPECS}:
            continue
        assert (topic.name, "send", topic.owner.strip("{}")) in told
        assert {(topic.name, "receive", reader.strip("{}")) for reader in topic.readers} <= told


def test_every_example_s_headers_are_as_its_message_says(document: Document) -> None:
    for name, message in document["components"]["messages"].items():
        for example in message.get("examples", []):
            schema = {**message["headers"], "components": document["components"]}
            assert jsonschema_rs.is_valid(schema, example["headers"], validate_formats=True), name
