"""The golden samples: messages as they were once published, which must be read for ever."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.topics import TOPIC_SPECS, TopicSpec

FOLDER = Path(__file__).with_name("golden")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, by the name of its file."""

    name: str
    topic: str
    key: str
    headers: list[tuple[str, bytes]]
    value: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def language(self) -> TopicSpec:
        return next(language for language in TOPIC_SPECS if language.source_of(self.topic))


def golden_samples() -> Iterator[Sample]:
    """Read every sample, in the order of their names."""
    for path in sorted(FOLDER.rglob("*.json")):
        message = json.loads(path.read_bytes())
        headers = [(name, text.encode()) for name, text in message["headers"].items()]
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
        yield Sample(name, message["topic"], message["key"], headers, message["value"])
