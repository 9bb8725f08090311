"""Makes up reports for the sample city, as forms that Open311's `POST requests` takes; the same seed, the same reports.

`python -m deploy.local.generate --cases 10 --seed 1` prints them as JSON lines.
"""

import argparse
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import h3

from shared.city.city import City
from shared.city.reader import load_agreements, read_city
from shared.city.service_list import Attribute, ServiceKind
from shared.policy.agreements import FRONT_DOOR, Agreement, Clause

Form = dict[str, str | list[str]]
"""The fields of one report; a field with several values has a list."""

SAMPLE_CITY = Path(__file__).parents[1] / "jurisdictions" / "sample-city"
MADE_UP = Path(__file__).with_name("made_up.toml")

# Shares of all reports, from 0 to 1.
REPEATED, WITHOUT_POINT, NAMELESS, WITH_PHONE, WITH_PHOTO, ANSWERED = 0.08, 0.07, 0.15, 0.6, 0.05, 0.5

CONSENTED = timedelta(days=90)
REMEMBERED = 200
"""From how many of the latest reports one is taken to be reported again."""


@dataclass(frozen=True)
class Material:
    """What reports are made of: the city, its agreements, and the made-up words."""

    city: City
    agreements: tuple[Agreement, ...]
    made_up: dict[str, Any]

    @cached_property
    def weights(self) -> list[int]:
        """How often each service is asked for, in the order of the service list."""
        listed: Mapping[str, int] = self.made_up["weights"]
        return [listed.get(code, 2) for code in self.city.services]

    @cached_property
    def cells(self) -> dict[str, list[str]]:
        """The H3 cells of each district, in an order that is the same in every run."""
        return {name: sorted(district.cells) for name, district in self.city.districts.items()}


def read_material(folder: Path = SAMPLE_CITY) -> Material:
    """Read the city's folder and the made-up words.

    Raises:
        CityError: a file of the folder cannot be used.
    """
    city = read_city(folder)
    agreements = tuple(file.content for file in load_agreements(folder, city))
    return Material(city, agreements, tomllib.loads(MADE_UP.read_text(encoding="utf-8")))


def reports(material: Material, seed: int) -> Iterator[Form]:
    """Make up reports without end; some of them report again, in other words, what was reported before."""
    chance = Random(seed)  # noqa: S311 - made-up reports are no secret
    services = material.city.services
    latest: list[Form] = []
    while True:
        if latest and chance.random() < REPEATED:
            before = chance.choice(latest)
            form = _report(material, services[str(before["service_code"])], _close_by(before, chance), chance)
        else:
            service = chance.choices(list(services.values()), material.weights)[0]
            form = _report(material, service, _place(material, chance), chance)
        latest = [*latest[-REMEMBERED:], form]
        yield form


def _report(material: Material, service: ServiceKind, place: Form, chance: Random) -> Form:
    _, _, street = str(place["address_string"]).partition(",")[0].partition(" ")
    return {
        "jurisdiction_id": material.city.profile.jurisdiction_id,
        "service_code": service.code,
        **place,
        **_person(material, service, street, chance),
        **_answers(service, chance),
        **_consent(material, service),
    }


def _consent(material: Material, service: ServiceKind) -> Form:
    """Consent to every agency that may receive a protected report: without a consent none does."""
    protections = material.city.protection.protections_of(service.code, service.needs)
    named = {
        agency
        for agreement in material.agreements
        for clause in agreement.share
        if clause.consent and FRONT_DOOR in clause.sources and _concerns(clause, service)
        for agency in clause.recipients
    }
    if not protections or not named:
        return {}
    last_day = (datetime.now(UTC) + CONSENTED).date().isoformat()
    return {
        "consent[recipients]": sorted(named),
        "consent[groups]": [*protections],
        "consent[ends_at]": last_day,
    }


def _concerns(clause: Clause, service: ServiceKind) -> bool:
    by_service = clause.services is None or service.code in clause.services
    return by_service and (clause.needs is None or not set(clause.needs).isdisjoint(service.needs))


def _close_by(before: Form, chance: Random) -> Form:
    """Return the place of an earlier report, but for a few steps."""
    place: Form = {"address_string": before["address_string"]}
    for name in ("lat", "long"):
        if name in before:
            place[name] = f"{float(str(before[name])) + chance.uniform(-0.0002, 0.0002):.6f}"
    return place


def _place(material: Material, chance: Random) -> Form:
    weights: dict[str, int] = material.made_up["districts"]
    district = material.city.districts[chance.choices(list(weights), list(weights.values()))[0]]
    lat, long = h3.cell_to_latlng(chance.choice(material.cells[district.id]))
    streets = material.made_up["streets"]
    street = f"{chance.choice(streets['names'])} {chance.choice(streets['kinds'])}"
    address = f"{chance.randint(1, 399)} {street}, {district.name}"
    if chance.random() < WITHOUT_POINT:
        return {"address_string": address}
    # A cell is about a kilometre wide; this stays inside it.
    lat, long = lat + chance.uniform(-0.003, 0.003), long + chance.uniform(-0.004, 0.004)
    return {"lat": f"{lat:.6f}", "long": f"{long:.6f}", "address_string": address}


def _person(material: Material, service: ServiceKind, street: str, chance: Random) -> Form:
    spoken: dict[str, int] = material.made_up["languages"]
    language = chance.choices(list(spoken), list(spoken.values()))[0]
    words = material.made_up["words"][language]
    said = chance.choice(words.get(service.group, words["any"]))
    form: Form = {
        "language": language,
        "description": said.format(what=service.name, days=chance.randint(2, 30), street=street),
    }
    if chance.random() < WITH_PHOTO:
        form["media_url"] = f"https://photos.example.org/{chance.getrandbits(48):012x}.jpg"
    return form if chance.random() < NAMELESS else form | _name(material.made_up["people"][language], chance)


def _name(people: dict[str, list[str]], chance: Random) -> Form:
    first, last = chance.choice(people["first"]), chance.choice(people["last"])
    form: Form = {"first_name": first, "last_name": last, "email": f"resident.{chance.getrandbits(32):08x}@example.org"}
    if chance.random() < WITH_PHONE:
        form["phone"] = f"+1-212-555-01{chance.randint(0, 99):02d}"
    return form


def _answers(service: ServiceKind, chance: Random) -> Form:
    form: Form = {}
    for question in service.attribute:
        if question.required or chance.random() < ANSWERED:
            several = question.datatype == "multivaluelist"
            answer = _answer(question, chance)
            form[f"attribute[{question.code}]" + ("[]" if several else "")] = [answer] if several else answer
    return form


def _answer(question: Attribute, chance: Random) -> str:
    match question.datatype:
        case "number":
            return str(chance.randint(1, 6))
        case "datetime":
            moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randint(0, 24 * 90))
            return moment.isoformat()
        case "singlevaluelist" | "multivaluelist":
            return chance.choice(question.values).key
        case _:
            return f"EX{chance.randint(100, 999)}"


def main() -> None:
    """Print reports as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.generate", description=__doc__)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for form in islice(reports(read_material(), asked.seed), asked.cases):
        print(json.dumps(form, ensure_ascii=False))  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()
