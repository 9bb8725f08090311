"""Cases to measure with: realistic in size, with sealed groups, for every service of the sample city."""

import json
import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer

from services.routing.domain.placement import Placed, PlacementQuery, place
from services.routing.jurisdiction import load_city
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin, Place
from shared.events.topics import CASES
from shared.events.wire import schema_uri, write_time
from shared.kit.kafka.access import KafkaAccess
from shared.kit.service.settings import SAMPLE_CITY
from shared.kit.vault.vault import Person, Vault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MASTER_KEY = bytes(range(32))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0{sampled}"

_SECRETS: dict[FieldGroup, dict[str, object]] = {
    FieldGroup.ADDRESS: {"address": "118 Alder Street, Apt 4", "postal_code": "10456", "lat": 40.83, "long": -73.91},
    FieldGroup.IDENTITY: {"first_name": "Rosa", "last_name": "Quill"},
    FieldGroup.CONTACT: {"email": "rosa.quill@example.org", "phone": "555-0137"},
    FieldGroup.NARRATIVE: {
        "description": "No heat since Tuesday, and the boiler makes a noise. " * 3,
        "attributes": {},
    },
}


@dataclass(frozen=True, slots=True)
class Filed:
    """One case as intake has said it, and the wrapped key of its person."""

    event: CaseSubmitted
    event_id: UUID
    wrapped_key: bytes


def make_cases(count: int, seed: int = 7) -> list[Filed]:
    """Make so many cases, the same each time but for the keys."""
    chance = random.Random(seed)
    vault = Vault(MASTER_KEY)
    services = tomllib.loads((SAMPLE_CITY / "services.toml").read_text())["service"]
    services = [service for service in services if _is_placed(service)]
    return [_make_case(number, vault, chance, chance.choice(services)) for number in range(count)]


def _is_placed(service: dict[str, list[str]]) -> bool:
    """Tell whether every need of a service leads to an agency: the loop written by hand knows no triage desk."""
    city, code = load_city(SAMPLE_CITY), str(service["code"])
    asked = [
        PlacementQuery(n, code, "bronx", "routine", city.protection.protections_of(code, [n]), NOW)
        for n in service["needs"]
    ]
    return all(isinstance(place(each, city), Placed) for each in asked)


def _make_case(number: int, vault: Vault, chance: random.Random, service: dict[str, list[str]]) -> Filed:
    case_id = UUID(int=chance.getrandbits(128), version=4)
    person = vault.new_person(UUID(int=chance.getrandbits(128), version=4))
    event = CaseSubmitted(
        case_id=case_id,
        service_request_id=f"26-{number:08d}",
        service_code=str(service["code"]),
        needs=tuple(Need(need_id=UUID(int=chance.getrandbits(128)), need=need) for need in service["needs"]),
        place=Place(cell="882a1072c7fffff", district=chance.choice(["manhattan", "bronx", "brooklyn", "queens"])),
        origin=Origin(channel="api"),
        submitted_at=NOW,
        person_id=person.id,
        sealed={group: _seal(vault, person, group) for group in _SECRETS},
    )
    return Filed(event, UUID(int=chance.getrandbits(128), version=4), vault.wrap(person))


def _seal(vault: Vault, person: Person, group: FieldGroup) -> str:
    return vault.seal(person, group, json.dumps(_SECRETS[group]).encode())


def headers(filed: Filed, *, sampled: bool) -> list[tuple[str, bytes]]:
    """Return the headers with which intake's relay would send it."""
    found = {
        "ce_specversion": "1.0",
        "ce_id": str(filed.event_id),
        "ce_type": filed.event.type,
        "ce_source": CASES.source,
        "ce_subject": str(filed.event.case_id),
        "ce_time": write_time(NOW),
        "ce_dataschema": schema_uri(CASES.topic, filed.event.type),
        "ce_dataclassification": "internal",
        "ce_causationid": str(filed.event_id),
        "ce_sequence": "1",
        "content-type": "application/json",
        "traceparent": TRACE.format(sampled=int(sampled)),
    }
    return [(name, text.encode()) for name, text in found.items()]


async def publish(kafka: KafkaAccess, topic: str, cases: Sequence[Filed], sampled: Callable[[int], bool]) -> None:
    """Put the cases on a topic; `sampled` says of each, by its number, whether its trace is recorded."""
    producer = AIOKafkaProducer(**kafka.client(), acks="all", linger_ms=5)
    await producer.start()
    try:
        for number, filed in enumerate(cases):
            await producer.send(
                topic,
                filed.event.model_dump_json().encode(),
                str(filed.event.case_id).encode(),
                headers=headers(filed, sampled=sampled(number)),
            )
    finally:
        await producer.stop()
