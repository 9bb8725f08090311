"""Invents reports for the sample city, as forms for Open311's `POST requests`; the same seed gives the same reports.

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
REPEATED, WITHOUT_POINT, ANONYMOUS, WITH_PHONE, WITH_PHOTO, ANSWERED = 0.08, 0.07, 0.15, 0.6, 0.05, 0.5

CONSENT_PERIOD = timedelta(days=90)
RECENT = 200
"""A repeat report repeats one of this many latest reports."""


@dataclass(frozen=True)
class SampleData:
    """The input of the generator: the city, its agreements, and the content of `made_up.toml`."""

    city: City
    agreements: tuple[Agreement, ...]
    made_up: dict[str, Any]

    @cached_property
    def weights(self) -> list[int]:
        """The weight of each service among the reports, in the order of the service list."""
        listed: Mapping[str, int] = self.made_up["weights"]
        return [listed.get(code, 2) for code in self.city.services]

    @cached_property
    def cells(self) -> dict[str, list[str]]:
        """The H3 cells of each district, in the same order in every run."""
        return {name: sorted(district.cells) for name, district in self.city.districts.items()}


def read_sample_data(folder: Path = SAMPLE_CITY) -> SampleData:
    """Read the city's folder and `made_up.toml`.

    Raises:
        CityError: a file of the folder has errors.
    """
    city = read_city(folder)
    agreements = tuple(file.content for file in load_agreements(folder, city))
    return SampleData(city, agreements, tomllib.loads(MADE_UP.read_text(encoding="utf-8")))


def generate_reports(data: SampleData, seed: int) -> Iterator[Form]:
    """Yield reports without end; some of them repeat an earlier report in other words."""
    rng = Random(seed)  # noqa: S311 - invented reports are not secret
    services = data.city.services
    latest: list[Form] = []
    while True:
        if latest and rng.random() < REPEATED:
            before = rng.choice(latest)
            form = _report(data, services[str(before["service_code"])], _close_by(before, rng), rng)
        else:
            service = rng.choices(list(services.values()), data.weights)[0]
            form = _report(data, service, _place(data, rng), rng)
        latest = [*latest[-RECENT:], form]
        yield form


def _report(data: SampleData, service: ServiceKind, place: Form, rng: Random) -> Form:
    _, _, street = str(place["address_string"]).partition(",")[0].partition(" ")
    return {
        "jurisdiction_id": data.city.profile.jurisdiction_id,
        "service_code": service.code,
        **place,
        **_person(data, service, street, rng),
        **_answers(service, rng),
        **_consent(data, service),
    }


def _consent(data: SampleData, service: ServiceKind) -> Form:
    """Return a consent for every agency that may receive a protected report: without a consent none may."""
    protections = data.city.protection.protections_of(service.code, service.needs)
    named = {
        agency
        for agreement in data.agreements
        for clause in agreement.share
        if clause.consent and FRONT_DOOR in clause.sources and _concerns(clause, service)
        for agency in clause.recipients
    }
    if not protections or not named:
        return {}
    last_day = (datetime.now(UTC) + CONSENT_PERIOD).date().isoformat()
    return {
        "consent[recipients]": sorted(named),
        "consent[groups]": [*protections],
        "consent[ends_at]": last_day,
    }


def _concerns(clause: Clause, service: ServiceKind) -> bool:
    by_service = clause.services is None or service.code in clause.services
    return by_service and (clause.needs is None or not set(clause.needs).isdisjoint(service.needs))


def _close_by(before: Form, rng: Random) -> Form:
    """Return the place of an earlier report, moved by up to 20 metres."""
    place: Form = {"address_string": before["address_string"]}
    for name in ("lat", "long"):
        if name in before:
            place[name] = f"{float(str(before[name])) + rng.uniform(-0.0002, 0.0002):.6f}"
    return place


def _place(data: SampleData, rng: Random) -> Form:
    weights: dict[str, int] = data.made_up["districts"]
    district = data.city.districts[rng.choices(list(weights), list(weights.values()))[0]]
    lat, long = h3.cell_to_latlng(rng.choice(data.cells[district.id]))
    streets = data.made_up["streets"]
    street = f"{rng.choice(streets['names'])} {rng.choice(streets['kinds'])}"
    address = f"{rng.randint(1, 399)} {street}, {district.name}"
    if rng.random() < WITHOUT_POINT:
        return {"address_string": address}
    # A cell is about a kilometre wide, so this point stays inside it.
    lat, long = lat + rng.uniform(-0.003, 0.003), long + rng.uniform(-0.004, 0.004)
    return {"lat": f"{lat:.6f}", "long": f"{long:.6f}", "address_string": address}


def _person(data: SampleData, service: ServiceKind, street: str, rng: Random) -> Form:
    spoken: dict[str, int] = data.made_up["languages"]
    language = rng.choices(list(spoken), list(spoken.values()))[0]
    words = data.made_up["words"][language]
    said = rng.choice(words.get(service.group, words["any"]))
    form: Form = {
        "language": language,
        "description": said.format(what=service.name, days=rng.randint(2, 30), street=street),
    }
    if rng.random() < WITH_PHOTO:
        form["media_url"] = f"https://photos.example.org/{rng.getrandbits(48):012x}.jpg"
    return form if rng.random() < ANONYMOUS else form | _name(data.made_up["people"][language], rng)


def _name(people: dict[str, list[str]], rng: Random) -> Form:
    first, last = rng.choice(people["first"]), rng.choice(people["last"])
    form: Form = {"first_name": first, "last_name": last, "email": f"resident.{rng.getrandbits(32):08x}@example.org"}
    if rng.random() < WITH_PHONE:
        form["phone"] = f"+1-212-555-01{rng.randint(0, 99):02d}"
    return form


def _answers(service: ServiceKind, rng: Random) -> Form:
    form: Form = {}
    for question in service.attribute:
        if question.required or rng.random() < ANSWERED:
            several = question.datatype == "multivaluelist"
            answer = _answer(question, rng)
            form[f"attribute[{question.code}]" + ("[]" if several else "")] = [answer] if several else answer
    return form


def _answer(question: Attribute, rng: Random) -> str:
    match question.datatype:
        case "number":
            return str(rng.randint(1, 6))
        case "datetime":
            moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randint(0, 24 * 90))
            return moment.isoformat()
        case "singlevaluelist" | "multivaluelist":
            return rng.choice(question.values).key
        case _:
            return f"EX{rng.randint(100, 999)}"


def main() -> None:
    """Print reports as JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.generate", description=__doc__)
    parser.add_argument("--cases", type=int, default=10, help="how many reports to print (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same reports (default: 1)")
    options = parser.parse_args()
    for form in islice(generate_reports(read_sample_data(), options.seed), options.cases):
        print(json.dumps(form, ensure_ascii=False))  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
