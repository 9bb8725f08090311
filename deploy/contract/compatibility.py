"""The compatibility rule: compared with the last release, a schema may add optional fields and change nothing else.

Messages stay in topics for a long time, and readers of different versions read them. So a message that was valid must
stay valid, and a reader that knows only the released schema, and ignores new fields, must understand a new message.

`docs/schemas/released` holds the schemas of each release, beside the current ones; a released schema never changes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any, Final

from deploy.contract.documents import event_schemas

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
"""Keywords that only people read, or that `_target` resolves."""

NESTED = ("anyOf", "oneOf", "allOf")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class SchemaPair:
    """The same place in the released and in the new schema; `where` is its path for messages."""

    where: str
    old: Schema
    new: Schema
    old_definitions: Schema
    new_definitions: Schema

    def at(self, where: str, old: Schema, new: Schema) -> "SchemaPair":
        """Return a place within this one, with its references resolved."""
        return SchemaPair(
            where,
            _target(old, self.old_definitions),
            _target(new, self.new_definitions),
            self.old_definitions,
            self.new_definitions,
        )


def breaking_changes(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> Iterator[str]:
    """Yield each incompatible change with the name of its schema; new schemas are compatible."""
    for name, old in sorted(released.items()):
        if name not in current:
            yield f"{name}: the event has been removed"
            continue
        new = current[name]
        whole = SchemaPair("", old, new, old.get("$defs", {}), new.get("$defs", {}))
        yield from (f"{name}: {change}" for change in _compare(whole))


def _compare(pair: SchemaPair) -> Iterator[str]:
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


def _compare_fields(pair: SchemaPair) -> Iterator[str]:
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
    """Yield changed values: old messages may have a removed one, and readers of the release do not know a new one."""
    yield from (f"{where}: the value {value!r} has been removed" for value in old if value not in new)
    yield from (f"{where}: the value {value!r} is new" for value in new if value not in old)


def _target(schema: Schema, definitions: Schema) -> Schema:
    """Resolve a reference; keywords beside it stay."""
    if "$ref" not in schema:
        return schema
    beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    return {**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else repr(value)


RELEASED: Final = "docs/schemas/released"


class ReleaseError(Exception):
    """The version cannot be released."""


def incompatible_changes(root: Path) -> Iterator[str]:
    """Yield the changes of the current schemas that are incompatible with the last release."""
    versions = _versions(root)
    if versions:
        yield from breaking_changes(_load(root / RELEASED / versions[-1]), event_schemas())


def release(root: Path, version: str) -> None:
    """Store the current schemas as those of a version.

    Raises:
        ReleaseError: the version exists, or is incompatible with the last release.
    """
    folder = root / RELEASED / version
    if folder.exists():
        raise ReleaseError(f"{version} has been released already")
    if broken := list(incompatible_changes(root)):
        raise ReleaseError("\n".join(broken))
    for name in event_schemas():
        target = folder / f"{name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(root / "docs/schemas" / f"{name}.json", target)


def _versions(root: Path) -> list[str]:
    """Return the released versions, oldest first."""
    folders = [folder.name for folder in (root / RELEASED).glob("*") if folder.is_dir()]
    return sorted(folders, key=lambda version: [int(part) for part in version.split(".")])


def _load(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).with_suffix("").as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("*/*.json")
    }
