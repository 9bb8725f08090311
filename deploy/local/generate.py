"""Makes up reports for the sample city, as forms that Open311's `POST requests` takes; the same seed, the same reports.

`python -m deploy.local.generate --cases 10 --seed 1` prints them as JSON lines.
"""

import argparse
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import h3

Form = dict[str, str | list[str]]
"""The fields of one report; a field with several values has a list."""

SAMPLE_CITY = Path(__file__).parents[1] / "jurisdictions" / "sample-city"
MADE_UP = Path(__file__).with_name("made_up.toml")

# Shares of all reports, from 0 to 1.
REPEATED, WITHOUT_POINT, NAMELESS, WITH_PHONE, WITH_PHOTO, ANSWERED = 0.08, 0.07, 0.15, 0.6, 0.05, 0.5

CONSENTED = timedelta(days=90)
REMEMBERED = 200
"""From how many of the latest reports one is taken to be reported again."""


@dataclass(frozen=True, slots=True)
class City:
    """What of the city reports are made of."""

    jurisdiction_id: str
    services: list[dict[str, Any]]
    districts: dict[str, dict[str, Any]]
    made_up: dict[str, Any]
    clauses: list[dict[str, Any]]

    def weights(self) -> list[int]:
        """Return how often each service is asked for."""
        listed: Mapping[str, int] = self.made_up["weights"]
        return [listed.get(service["code"], 2) for service in self.services]


def read_city(folder: Path = SAMPLE_CITY) -> City:
    """Read the city's folder and the made-up words."""
    city, services, districts = (
        tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("city", "services", "districts")
    )
    return City(
        jurisdiction_id=city["jurisdiction_id"],
        services=services["service"],
        districts={district["id"]: district for district in districts["district"]},
        made_up=tomllib.loads(MADE_UP.read_text(encoding="utf-8")),
        clauses=[
            clause
            for path in sorted((folder / "agreements").glob("*.toml"))
            for clause in tomllib.loads(path.read_text(encoding="utf-8"))["share"]
            if clause.get("consent") and "front-door" in clause["from"]
        ],
    )


def reports(city: City, seed: int) -> Iterator[Form]:
    """Make up reports without end; some of them report again, in other words, what was reported before."""
    chance = Random(seed)  # noqa: S311 - made-up reports are no secret
    services = {service["code"]: service for service in city.services}
    weights = city.weights()
    latest: list[Form] = []
    while True:
        if latest and chance.random() < REPEATED:
            before = chance.choice(latest)
            form = _report(city, services[str(before["service_code"])], _close_by(before, chance), chance)
        else:
            form = _report(city, chance.choices(city.services, weights)[0], _place(city, chance), chance)
        latest = [*latest[-REMEMBERED:], form]
        yield form


def _report(city: City, service: dict[str, Any], place: Form, chance: Random) -> Form:
    _, _, street = str(place["address_string"]).partition(",")[0].partition(" ")
    return {
        "jurisdiction_id": city.jurisdiction_id,
        "service_code": service["code"],
        **place,
        **_person(city, service, street, chance),
        **_answers(service, chance),
        **_consent(city, service),
    }


def _consent(city: City, service: dict[str, Any]) -> Form:
    """Let all agencies be told that may be, for without that nobody is told of a protected report."""
    code, needs = service["code"], set(service["needs"])
    named = {
        agency
        for clause in city.clauses
        if code in clause.get("services", [code]) and needs.intersection(clause.get("needs", needs))
        for agency in clause["to"]
    }
    if "protects" not in service or not named:
        return {}
    last_day = (datetime.now(UTC) + CONSENTED).date().isoformat()
    return {
        "consent[recipients]": sorted(named),
        "consent[groups]": service["protects"],
        "consent[ends_at]": last_day,
    }


def _close_by(before: Form, chance: Random) -> Form:
    """Return the place of an earlier report, but for a few steps."""
    place: Form = {"address_string": before["address_string"]}
    for name in ("lat", "long"):
        if name in before:
            place[name] = f"{float(str(before[name])) + chance.uniform(-0.0002, 0.0002):.6f}"
    return place


def _place(city: City, chance: Random) -> Form:
    weights: dict[str, int] = city.made_up["districts"]
    district = city.districts[chance.choices(list(weights), list(weights.values()))[0]]
    lat, long = h3.cell_to_latlng(chance.choice(district["cells"]))
    streets = city.made_up["streets"]
    street = f"{chance.choice(streets['names'])} {chance.choice(streets['kinds'])}"
    address = f"{chance.randint(1, 399)} {street}, {district['name']}"
    if chance.random() < WITHOUT_POINT:
        return {"address_string": address}
    # A cell is about a kilometre wide; this stays inside it.
    lat, long = lat + chance.uniform(-0.003, 0.003), long + chance.uniform(-0.004, 0.004)
    return {"lat": f"{lat:.6f}", "long": f"{long:.6f}", "address_string": address}


def _person(city: City, service: dict[str, Any], street: str, chance: Random) -> Form:
    spoken: dict[str, int] = city.made_up["languages"]
    language = chance.choices(list(spoken), list(spoken.values()))[0]
    words = city.made_up["words"][language]
    said = chance.choice(words.get(service["group"], words["any"]))
    form: Form = {
        "language": language,
        "description": said.format(what=service["name"], days=chance.randint(2, 30), street=street),
    }
    if chance.random() < WITH_PHOTO:
        form["media_url"] = f"https://photos.example.org/{chance.getrandbits(48):012x}.jpg"
    return form if chance.random() < NAMELESS else form | _name(city.made_up["people"][language], chance)


def _name(people: dict[str, list[str]], chance: Random) -> Form:
    first, last = chance.choice(people["first"]), chance.choice(people["last"])
    form: Form = {"first_name": first, "last_name": last, "email": f"resident.{chance.getrandbits(32):08x}@example.org"}
    if chance.random() < WITH_PHONE:
        form["phone"] = f"+1-212-555-01{chance.randint(0, 99):02d}"
    return form


def _answers(service: dict[str, Any], chance: Random) -> Form:
    form: Form = {}
    for question in service.get("attribute", []):
        if question["required"] or chance.random() < ANSWERED:
            several = question["datatype"] == "multivaluelist"
            answer = _answer(question, chance)
            form[f"attribute[{question['code']}]" + ("[]" if several else "")] = [answer] if several else answer
    return form


def _answer(question: dict[str, Any], chance: Random) -> str:
    match question["datatype"]:
        case "number":
            return str(chance.randint(1, 6))
        case "datetime":
            moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randint(0, 24 * 90))
            return moment.isoformat()
        case "singlevaluelist" | "multivaluelist":
            return str(chance.choice(question["values"])["key"])
        case _:
            return f"EX{chance.randint(100, 999)}"


def main() -> None:
    """Print reports as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.generate", description=__doc__)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for form in islice(reports(read_city(), asked.seed), asked.cases):
        print(json.dumps(form, ensure_ascii=False))  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()
