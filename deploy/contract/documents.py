"""The files of the published contract: what each should hold, and which are stale."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from deploy.contract import agreement, asyncapi
from deploy.contract.catalogue import published
from deploy.contract.messages import example_messages
from deploy.contract.schemas import schema_of
from services.intake.http import openapi
from services.routing.http import openapi as partner_openapi
from shared.kit.http.openapi import write_yaml

FAMILIES: Final = ("schemas/*/*.json", "examples/*/*.json")
"""Which files belong to the events: one that no event has any more is stale, too."""

_MADE: Final = "# Written by `make contract`. Do not edit: change the events, then write it anew.\n"


def write_documents(root: Path) -> Iterator[str]:
    """Write every file that is stale, remove what belongs to no event, and name them."""
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
    """Name the files that are not as they should be: missing, different, or of no event."""
    for name, text in documents.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield name
    there = {path.relative_to(root).as_posix() for family in FAMILIES for path in (root / "docs").glob(family)}
    yield from sorted(there - documents.keys())


def contract_documents(root: Path) -> dict[str, str]:
    """Return the text of every file, by its name below the project's folder."""
    examples = example_messages()
    made = asyncapi.document(published(), examples, _version(root))
    return {
        "docs/asyncapi.yaml": _yaml(made),
        "docs/openapi-intake.yaml": _yaml(openapi.document()),
        "docs/openapi-partner.yaml": _yaml(partner_openapi.document()),
        agreement.NAME: _json(agreement.agreement_schema()),
        **{f"docs/schemas/{name}.json": _json(schema) for name, schema in event_schemas().items()},
        **{f"docs/examples/{name}.json": _json(message) for name, message in examples.items()},
    }


def event_schemas() -> dict[str, Any]:
    """Return the schema of each event as the code has it, by the event's name."""
    return {said.name: schema_of(said) for said in published()}


def _version(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: Any) -> str:
    return _MADE + write_yaml(document)
