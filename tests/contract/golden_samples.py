"""The golden samples: published messages that must stay readable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.topics import TOPIC_SPECS, TopicSpec

FOLDER = Path(__file__).with_name("golden")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, named by its file."""

    name: str
    topic: str
    key: str
    headers: list[tuple[str, bytes]]
    value: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> TopicSpec:
        return next(spec for spec in TOPIC_SPECS if spec.source_of(self.topic))


def golden_samples() -> Iterator[Sample]:
    """Yield every sample, ordered by name."""
    for path in sorted(FOLDER.rglob("*.json")):
        message = json.loads(path.read_bytes())
        headers = [(name, text.encode()) for name, text in message["headers"].items()]
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
        yield Sample(name, message["topic"], message["key"], headers, message["value"])
