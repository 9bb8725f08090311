"""The files of the published contract: the content of each, and which files are stale."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from deploy.contract import agreement_schema, asyncapi
from deploy.contract.catalogue import EventContract, published
from deploy.contract.examples import AGENCY, example_id, examples
from deploy.contract.schemas import schema_of
from services.intake.http import openapi
from services.routing.http import openapi as partner_openapi
from shared.events.event import Event
from shared.events.wire import event_id, write_time
from shared.kit.http.openapi import write_yaml
from shared.kit.messaging.outbox import OutboxRow
from shared.kit.relay.cloud_events import encode_row

Message = dict[str, Any]

TRACEPARENT = f"00-{example_id('trace').hex}-{example_id('span').hex[:16]}-01"


def write_message(contract: EventContract, event: Event) -> Message:
    """Return an event as the message that the relay sends: topic, key, headers and value."""
    topic = contract.language.topic.format(agency=AGENCY)
    cause = example_id("cause")
    row = OutboxRow(
        id=1,
        topic=topic,
        case_id=str(event.case_id),
        event_id=str(event_id(cause, topic, event)),
        event_type=event.type,
        happened_at=write_time(event.happened_at),
        classification=event.label.value,
        causation_id=str(cause),
        sequence=1,
        traceparent=TRACEPARENT,
        value=event.model_dump_json(),
        raw=None,
    )
    key, value, headers = encode_row(row, contract.language.source.format(agency=AGENCY).encode(), row.traceparent)
    return {
        "topic": topic,
        "key": (key or b"").decode(),
        "headers": {name: text.decode() for name, text in headers},
        "value": json.loads(value or b""),
    }


def example_messages() -> dict[str, Message]:
    """Return an example message of each event, by the event's name."""
    found = {type(event): event for event in examples()}
    return {contract.name: write_message(contract, found[contract.model]) for contract in published()}


FAMILIES: Final = ("schemas/*/*.json", "examples/*/*.json")
"""The files of the events: a file without an event is stale, too."""

_HEADING: Final = "# Written by `make contract`. Do not edit: change the events, then run it again.\n"


def write_documents(root: Path) -> Iterator[str]:
    """Write every stale file, remove files without an event, and yield their names."""
    documents = contract_documents(root)
    for name in stale_documents(root, documents):
        path = root / name
        if name in documents:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(documents[name], encoding="utf-8")
        else:
            path.unlink()
        yield name


def stale_documents(root: Path, documents: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of the stale files: missing, different, or without an event."""
    for name, text in documents.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield name
    existing = {path.relative_to(root).as_posix() for family in FAMILIES for path in (root / "docs").glob(family)}
    yield from sorted(existing - documents.keys())


def contract_documents(root: Path) -> dict[str, str]:
    """Return the content of every file by its path."""
    examples = example_messages()
    made = asyncapi.document(published(), examples, _version(root))
    return {
        "docs/asyncapi.yaml": _yaml(made),
        "docs/openapi-intake.yaml": _yaml(openapi.document()),
        "docs/openapi-partner.yaml": _yaml(partner_openapi.document()),
        agreement_schema.SCHEMA_FILE: _json(agreement_schema.agreement_schema()),
        **{f"docs/schemas/{name}.json": _json(schema) for name, schema in event_schemas().items()},
        **{f"docs/examples/{name}.json": _json(message) for name, message in examples.items()},
    }


def event_schemas() -> dict[str, Any]:
    """Return the schema of each event by the event's name."""
    return {contract.name: schema_of(contract) for contract in published()}


def _version(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: Any) -> str:
    return _HEADING + write_yaml(document)
