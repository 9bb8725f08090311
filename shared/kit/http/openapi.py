"""OpenAPI 3.1 documents: lists of operations by hand, the shapes from the models of answers and bodies.

A service's `http/openapi.py` puts its document together from these functions, and prints it as YAML:
`python -m services.<name>.http.openapi`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final

import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

Part = dict[str, Any]
"""Any part of a document, as JSON has it."""

JSON: Final = "application/json"
_COMPONENTS: Final = "#/components/schemas/{model}"


def document(title: str, description: str, paths: Part, components: Part, security: list[Part] | None = None) -> Part:
    """Return a whole document; `security` is what operations need that do not say so themselves."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version("handoff"),
            "description": description.strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        **({"security": security} if security else {}),
        "paths": paths,
        "components": components,
    }


def operation(name: str, summary: str, **parts: Any) -> Part:
    """Describe an operation; its further parts stand in the document in the order in which they are given."""
    return {"operationId": name, "summary": summary, **parts}


def path_parameter(name: str, description: str = "", **schema: Any) -> Part:
    """Describe a part of a path; a text, unless `schema` says otherwise."""
    words = {"description": description} if description else {}
    return {"name": name, "in": "path", "required": True, **words, "schema": {"type": "string"} | schema}


def query_parameter(name: str, description: str = "", schema: Part | None = None) -> Part:
    """Describe an argument of a query; a text, unless `schema` says otherwise."""
    words = {"description": description} if description else {}
    return {"name": name, "in": "query", **words, "schema": schema or {"type": "string"}}


def json_body(schema: Part) -> Part:
    """Describe a body that must be there, in JSON."""
    return {"required": True, "content": {JSON: {"schema": schema}}}


def reference(model: type[BaseModel]) -> Part:
    """Refer to the component of a model."""
    return {"$ref": _COMPONENTS.format(model=model.__name__)}


def component_schemas(models: Iterable[type[BaseModel]]) -> Part:
    """Describe models, and the models within them, as components that `reference` refers to, in alphabetical order."""
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_COMPONENTS)
    components: Part = schemas["$defs"]
    return components


def expanded_schema(kind: Any) -> Part:
    """Describe a type as pydantic does, with each definition where it is referred to."""
    schema = TypeAdapter(kind).json_schema()
    definitions = schema.pop("$defs", {})
    expanded: Part = _expand(schema, definitions)
    return expanded


def inline_schema(kind: Any) -> Part:
    """Describe a type in one piece and briefly: no titles, no references, descriptions of fields only.

    A field with a default is one that a `JsonAnswer` leaves out, so its schema does not allow null.
    """
    schema = TypeAdapter(kind).json_schema()
    definitions = {name: _without_description(each) for name, each in schema.pop("$defs", {}).items()}
    return _inline(_expand(_without_description(schema), definitions))


def _without_description(schema: Part) -> Part:
    return {keyword: value for keyword, value in schema.items() if keyword != "description"}


def _expand(schema: Any, definitions: Part) -> Any:
    if isinstance(schema, list):
        return [_expand(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        return _expand(definitions[schema["$ref"].rpartition("/")[2]], definitions) | beside
    return {keyword: _expand(value, definitions) for keyword, value in schema.items()}


_KEPT: Final[tuple[str, ...]] = ("type", "format", "items", "minItems", "maxItems", "maxLength")


def _inline(schema: Part) -> Part:
    words = {"description": schema["description"]} if "description" in schema else {}
    return _inline_type(schema) | words


def _inline_type(schema: Part) -> Part:
    if "anyOf" in schema:
        (inner,) = (_inline(each) for each in schema["anyOf"] if each != {"type": "null"})
        return inner if "default" in schema else inner | {"type": [inner["type"], "null"]}
    if "const" in schema or "enum" in schema:
        return {"enum": schema.get("enum") or [schema["const"]]}
    if "properties" in schema:
        return {
            "type": "object",
            "required": schema["required"],
            "properties": {name: _inline(each) for name, each in schema["properties"].items()},
            "additionalProperties": schema.get("additionalProperties", True),
        }
    kept = {keyword: schema[keyword] for keyword in _KEPT if keyword in schema}
    return kept | {"items": _inline(kept["items"])} if "items" in kept else kept


@dataclass(frozen=True, slots=True)
class Responses:
    """Describes the answers of an API's operations.

    Attributes:
        meanings: what each status means.
        error: the schema of an error's body.
        headers: what the headers of a status say, by name.
        media_types: the forms in which every answer can be had; only that of JSON is described.
        schema_of: describes a type: in place, or by reference to a component.
    """

    meanings: Mapping[int, str]
    error: Part
    headers: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    media_types: tuple[str, ...] = (JSON,)
    schema_of: Callable[[Any], Part] = inline_schema

    def describe(self, status: int, kind: Any, *errors: int) -> Part:
        """Describe the answer of success, a type or a schema made by hand, and the statuses of possible errors."""
        schema = kind if isinstance(kind, dict) else self.schema_of(kind)
        return {
            str(status): self._answer(status, schema),
            **{str(code): self._answer(code, self.error) for code in errors},
        }

    def _answer(self, status: int, schema: Part) -> Part:
        content = {each: {"schema": schema if each == JSON else {}} for each in self.media_types}
        answer: Part = {"description": self.meanings[status], "content": content}
        if headers := self.headers.get(status):
            answer["headers"] = {
                name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()
            }
        return answer


class _PlainDumper(yaml.SafeDumper):
    """Writes each part where it stands, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True


def write_yaml(content: Part) -> str:
    """Write a document in the order in which it was made."""
    plain = json.loads(json.dumps(content))
    return yaml.dump(plain, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=110)


def print_document(content: Part) -> None:
    """Print a document as YAML."""
    sys.stdout.write(write_yaml(content))
