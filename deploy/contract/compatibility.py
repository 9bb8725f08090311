"""What a new version of a schema may change: it may add optional fields, and nothing else.

Messages stay in topics for a long time, and readers of every age read them. So whatever was valid must stay valid, and
whatever is written must be understood by a reader that knows the released schema only (it ignores fields that are new).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
"""Keywords that only speak to people, or are looked through."""

NESTED = ("anyOf", "oneOf", "allOf")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Pair:
    """The same place in the released and in the new schema; `where` is how people write it."""

    where: str
    old: Schema
    new: Schema
    old_definitions: Schema
    new_definitions: Schema

    def at(self, where: str, old: Schema, new: Schema) -> "Pair":
        """Return a place within this one, with references looked through."""
        return Pair(
            where,
            _target(old, self.old_definitions),
            _target(new, self.new_definitions),
            self.old_definitions,
            self.new_definitions,
        )


def breaking_changes(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> Iterator[str]:
    """Say what is no longer as it was released, by the name of the schema; new schemas are welcome."""
    for name, old in sorted(released.items()):
        if name not in current:
            yield f"{name}: the event has been removed"
            continue
        new = current[name]
        whole = Pair("", old, new, old.get("$defs", {}), new.get("$defs", {}))
        yield from (f"{name}: {change}" for change in _compare(whole))


def _compare(pair: Pair) -> Iterator[str]:
    yield from _compare_fields(pair)
    for keyword in sorted((pair.old.keys() | pair.new.keys()) - ANNOTATIONS - {"properties", "required"}):
        old, new = pair.old.get(keyword, _ABSENT), pair.new.get(keyword, _ABSENT)
        if keyword == "enum" and isinstance(old, list) and isinstance(new, list):
            yield from _compare_values(pair.where, old, new)
        elif isinstance(old, Mapping) and isinstance(new, Mapping) and keyword != "default":
            yield from _compare(pair.at(f"{pair.where}[]", old, new))
        elif keyword in NESTED and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                yield from _compare(pair.at(pair.where, before, after))
        elif old != new:
            yield f"{pair.where or 'the event'}: its {keyword} was {_shown(old)} and is {_shown(new)}"


def _compare_fields(pair: Pair) -> Iterator[str]:
    old, new = pair.old.get("properties", {}), pair.new.get("properties", {})
    old_required, new_required = pair.old.get("required", ()), pair.new.get("required", ())
    for field in old:
        where = f"{pair.where}.{field}".lstrip(".")
        if field not in new:
            yield f"{where}: the field has been removed"
            continue
        if (field in old_required) != (field in new_required):
            yield f"{where}: the field has become {'required' if field in new_required else 'optional'}"
        yield from _compare(pair.at(where, old[field], new[field]))
    for field in new_required:
        if field not in old:
            yield f"{pair.where}.{field}: the field is new and required".lstrip(".")


def _compare_values(where: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    """A value that goes makes old messages invalid; one that comes is unknown to readers of the released schema."""
    yield from (f"{where}: the value {value!r} has been removed" for value in old if value not in new)
    yield from (f"{where}: the value {value!r} is new" for value in new if value not in old)


def _target(schema: Schema, definitions: Schema) -> Schema:
    """Look through a reference; what stands beside it stays."""
    if "$ref" not in schema:
        return schema
    beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    return {**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else repr(value)
