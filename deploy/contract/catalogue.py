"""Every published event: its topic, the name of its schema, and the names of its files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from shared.events.event import Event
from shared.events.topics import TOPIC_SPECS, TopicSpec
from shared.events.wire import schema_uri


@dataclass(frozen=True, slots=True)
class EventContract:
    """One published event; `event_type` is its name on the wire, such as `case.submitted.v1`."""

    language: TopicSpec
    event_type: str
    model: type[Event]

    @property
    def uri(self) -> str:
        """The name of its schema, as in the header `ce_dataschema`."""
        return schema_uri(self.language.topic, self.event_type)

    @property
    def family(self) -> str:
        """The topic without its version, or the family of topics, such as `agency.inbox`: the folder of its files."""
        return self.uri.split(":")[3]

    @property
    def name(self) -> str:
        """Family and type: the path of its files, without the top folder and the suffix."""
        return f"{self.family}/{self.event_type}"


def published() -> Iterator[EventContract]:
    """Yield every event of every topic."""
    for language in TOPIC_SPECS:
        union = cast("Mapping[str, Mapping[str, Any]]", language.events.core_schema["choices"])
        for event_type, choice in union.items():
            yield EventContract(language, event_type, choice["cls"])
