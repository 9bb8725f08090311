"""The AsyncAPI 3 document: channels, messages, and who sends and receives them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from deploy.contract.catalogue import Published
from deploy.contract.headers import headers_expected, headers_of, headers_written
from deploy.kafka.declared import Topic, declared_topics
from shared.events.topics import dead_letter_topic

Document = dict[str, Any]

AGENCY: Final = "agency"
_PLACE: Final = "{agency}"

_ABOUT = """\
What Handoff's services and the agencies say to each other over Apache Kafka. An operation's tag says whose it is: \
an agency needs the two of `agency` only.

Every message is a CloudEvent in binary mode: the envelope in the headers, the event as JSON in the value, the case's \
id as the key. Within `v1` only optional fields are added: ignore fields that you do not know."""

_LETTER = """\
A message that could not succeed, as it came: its key, its headers and its value may be anything. The headers that are \
described here were added."""

_SERVER = {
    "host": "kafka.example.org:9092",
    "protocol": "kafka-secure",
    "description": "A city's Kafka.",
    "security": [{"$ref": "#/components/securitySchemes/account"}],
}
_ACCOUNT = {
    "type": "scramSha512",
    "description": "An account for each agency, which reads its own inbox, writes its own updates, and nothing else.",
}


def document(events: Iterable[Published], examples: Mapping[str, Document], version: str) -> Document:
    """Write the document; `examples` are by the event's name."""
    families = {family: list(members) for family, members in groupby(events, lambda said: said.family)}
    topics = {topic.name: topic for topic in declared_topics([_PLACE])}
    return {
        "asyncapi": "3.0.0",
        "info": _info(version),
        "defaultContentType": "application/json",
        "servers": {"kafka": _SERVER},
        "channels": {
            **{family: _channel(members, topics) for family, members in families.items()},
            "dead-letters": _dead_letters(topics),
        },
        "operations": dict(_operations(families, topics)),
        "components": {
            "messages": {
                **{
                    _key(said): _message(said, examples[said.name]) for members in families.values() for said in members
                },
                "dead-letter": {"summary": _LETTER, "headers": _letter_headers(), "payload": {}},
            },
            "schemas": {"event-headers": headers_written(), "update-headers": headers_expected()},
            "securitySchemes": {"account": _ACCOUNT},
        },
    }


def _info(version: str) -> Document:
    return {
        "title": "Handoff events",
        "version": version,
        "description": _ABOUT,
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _channel(members: list[Published], topics: Mapping[str, Topic]) -> Document:
    language = members[0].language
    channel: Document = {
        "address": language.topic,
        "description": f"Only `{language.source}` is a source that counts here.",
        "messages": {said.event_type: {"$ref": f"#/components/messages/{_key(said)}"} for said in members},
        "bindings": _bindings(topics[language.topic]),
    }
    if _PLACE in language.topic:
        channel["parameters"] = {"agency": {"description": "The agency's id."}}
    return channel


def _bindings(topic: Topic) -> Document:
    settings = {"retention.ms": int(topic.settings["retention.ms"])}
    return {"kafka": {"partitions": topic.partitions, "topicConfiguration": settings, "bindingVersion": "0.5.0"}}


def _dead_letters(topics: Mapping[str, Topic]) -> Document:
    services = sorted(name.partition(".")[0] for name in topics if name.endswith(dead_letter_topic("")))
    return {
        "address": dead_letter_topic("{service}"),
        "description": "Messages that a service has set aside, for operators to look at, mend and send again.",
        "parameters": {"service": {"description": "Who has set them aside.", "enum": services}},
        "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
    }


def _letter_headers() -> Document:
    about = {
        "dl-reason": "Why it was set aside, without any of its values.",
        "dl-consumer": "Which consumer group did so.",
        "dl-tries": "How often it was tried.",
        "dl-topic": "The topic that it was read from,",
        "dl-partition": "the partition,",
        "dl-offset": "and the offset in it.",
    }
    properties = {name: {"type": "string", "description": description} for name, description in about.items()}
    return {"type": "object", "required": list(about), "properties": properties}


def _message(said: Published, example: Document) -> Document:
    base = "update-headers" if _PLACE in said.language.source else "event-headers"
    return {
        "name": said.event_type,
        "title": said.model.__name__,
        "summary": (said.model.__doc__ or "").partition("\n")[0],
        "headers": headers_of(said, f"#/components/schemas/{base}"),
        "payload": {"$ref": f"./schemas/{said.name}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _operations(families: Mapping[str, list[Published]], topics: Mapping[str, Topic]) -> Iterator[tuple[str, Document]]:
    for family, members in families.items():
        topic = topics[members[0].language.topic]
        yield f"{_party(topic.owner)}-says-{family}", _operation("send", family, topic.owner)
        for reader in topic.readers:
            yield f"{_party(reader)}-hears-{family}", _operation("receive", family, reader)
    yield "service-sets-aside", _operation("send", "dead-letters", "service")


def _operation(action: str, channel: str, party: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "tags": [{"name": _party(party)}]}


def _party(party: str) -> str:
    return AGENCY if party == _PLACE else party


def _key(said: Published) -> str:
    return f"{said.family}.{said.event_type}"
