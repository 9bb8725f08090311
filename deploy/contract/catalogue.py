"""Every event that is published: its topic, its schema's name, and where its files are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from shared.events.event import Event
from shared.events.topics import TOPIC_SPECS, TopicSpec
from shared.events.wire import schema_uri


@dataclass(frozen=True, slots=True)
class Published:
    """One event as it is published; `event_type` is its name on the wire, such as `case.submitted.v1`."""

    language: TopicSpec
    event_type: str
    model: type[Event]

    @property
    def uri(self) -> str:
        """The name of its schema, as `ce_dataschema` has it."""
        return schema_uri(self.language.topic, self.event_type)

    @property
    def family(self) -> str:
        """The topic or family of topics, as files are grouped by it, such as `agency.inbox`."""
        return self.uri.split(":")[3]

    @property
    def name(self) -> str:
        """Family and type: where its files are, without the folder and the ending."""
        return f"{self.family}/{self.event_type}"


def published() -> Iterator[Published]:
    """List every event of every language."""
    for language in TOPIC_SPECS:
        union = cast("Mapping[str, Mapping[str, Any]]", language.events.core_schema["choices"])
        for event_type, choice in union.items():
            yield Published(language, event_type, choice["cls"])
