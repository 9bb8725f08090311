"""Cases for measurements: of realistic size, with sealed groups, for the services of the sample city."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer

from services.routing.domain.city import PlacementQuery, RoutingCity, routing_city
from services.routing.domain.placement import Placed, place
from shared.city.reader import load_agreements, read_city
from shared.city.service_list import ServiceKind
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
class BenchCase:
    """One case as intake publishes it, and the wrapped key of its person."""

    event: CaseSubmitted
    event_id: UUID
    wrapped_key: bytes


def sample_city() -> RoutingCity:
    """Return the sample city as routing decides by it."""
    city = read_city(SAMPLE_CITY)
    return routing_city(city, [file.content for file in load_agreements(SAMPLE_CITY, city)])


def make_cases(count: int, seed: int = 7) -> list[BenchCase]:
    """Return that many cases; the same seed gives the same cases, but for their keys."""
    rng = random.Random(seed)
    vault = Vault(MASTER_KEY)
    city = sample_city()
    services = [service for service in read_city(SAMPLE_CITY).services.values() if _is_placed(service, city)]
    return [_make_case(number, vault, rng, rng.choice(services)) for number in range(count)]


def _is_placed(service: ServiceKind, city: RoutingCity) -> bool:
    """Return whether routing finds a program for every need of a service: the loop written by hand has no triage."""
    queries = [
        PlacementQuery(n, service.code, "bronx", "routine", city.protection.protections_of(service.code, [n]), NOW)
        for n in service.needs
    ]
    return all(isinstance(place(each, city), Placed) for each in queries)


def _make_case(number: int, vault: Vault, rng: random.Random, service: ServiceKind) -> BenchCase:
    case_id = UUID(int=rng.getrandbits(128), version=4)
    person = vault.new_person(UUID(int=rng.getrandbits(128), version=4))
    event = CaseSubmitted(
        case_id=case_id,
        service_request_id=f"26-{number:08d}",
        service_code=service.code,
        needs=tuple(Need(need_id=UUID(int=rng.getrandbits(128)), need=need) for need in service.needs),
        place=Place(cell="882a1072c7fffff", district=rng.choice(["manhattan", "bronx", "brooklyn", "queens"])),
        origin=Origin(channel="api"),
        submitted_at=NOW,
        person_id=person.id,
        sealed={group: _seal(vault, person, group) for group in _SECRETS},
    )
    return BenchCase(event, UUID(int=rng.getrandbits(128), version=4), vault.wrap(person))


def _seal(vault: Vault, person: Person, group: FieldGroup) -> str:
    return vault.seal(person, group, json.dumps(_SECRETS[group]).encode())


def headers(case: BenchCase, *, sampled: bool) -> list[tuple[str, bytes]]:
    """Return the headers that intake's relay would send."""
    found = {
        "ce_specversion": "1.0",
        "ce_id": str(case.event_id),
        "ce_type": case.event.type,
        "ce_source": CASES.source,
        "ce_subject": str(case.event.case_id),
        "ce_time": write_time(NOW),
        "ce_dataschema": schema_uri(CASES.topic, case.event.type),
        "ce_dataclassification": "internal",
        "ce_causationid": str(case.event_id),
        "ce_sequence": "1",
        "content-type": "application/json",
        "traceparent": TRACE.format(sampled=int(sampled)),
    }
    return [(name, text.encode()) for name, text in found.items()]


async def publish(kafka: KafkaAccess, topic: str, cases: Sequence[BenchCase], sampled: Callable[[int], bool]) -> None:
    """Publish the cases on a topic; `sampled` returns for the number of a case whether its trace is recorded."""
    producer = AIOKafkaProducer(**kafka.client(), acks="all", linger_ms=5)
    await producer.start()
    try:
        for number, case in enumerate(cases):
            await producer.send(
                topic,
                case.event.model_dump_json().encode(),
                str(case.event.case_id).encode(),
                headers=headers(case, sampled=sampled(number)),
            )
    finally:
        await producer.stop()
