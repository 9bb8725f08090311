"""Personal values that stand nowhere else in the world, planted in cases to be looked for where they must not be."""

from dataclasses import dataclass
from uuid import uuid4

from tests.city import RunningCity

SERVICES: tuple[tuple[str, dict[str, str | list[str]]], ...] = (
    ("heat-hot-water", {"attribute[scope]": "apartment", "attribute[missing][]": ["heat"]}),
    ("noise-from-neighbors", {}),
    ("rats-or-mice", {}),
    ("illegal-parking", {}),
    ("pothole-or-street", {}),
)


@dataclass(frozen=True)
class Canary:
    """What was put into a case, all of it findable: each value stands nowhere else in the world."""

    mark: str

    @property
    def phone(self) -> str:
        """Twelve digits that stand nowhere else."""
        return str(int(self.mark, 16))[-12:]

    @property
    def word(self) -> str:
        """A word without digits, which nothing takes for a number or a plate."""
        return self.mark.translate(str.maketrans("0123456789", "ghijklmnop"))

    def is_in(self, text: str | bytes) -> bool:
        """Tell whether one of its values is in a text."""
        found = text.decode(errors="replace") if isinstance(text, bytes) else text
        return self.mark in found or self.word in found or self.phone in found

    def fields(self) -> dict[str, str | list[str]]:
        """Return the fields of the report that are personal."""
        return {
            "first_name": f"First{self.mark}",
            "last_name": f"Last{self.mark}",
            "email": f"mail{self.mark}@example.org",
            "phone": self.phone,
            "description": f"Words{self.word} about it",
            "address_string": f"1 Street{self.mark}",
            "device_id": f"device{self.mark}",
            "media_url": f"https://example.org/{self.mark}.jpg",
        }


def file_canaries(city: RunningCity, count: int) -> list[Canary]:
    """File so many reports with planted values; wait until each has been routed and closed."""
    marks = []
    before = city.ask("metrics", "/reconciliation").json()["accepted"]
    for number in range(count):
        mark = Canary(uuid4().hex)
        service, answers = SERVICES[number % len(SERVICES)]
        place = {"lat": f"{40.83 + number / 10_000:.6f}", "long": "-73.9137"}
        answer = city.file(None, service_code=service, **answers, **place, **mark.fields())
        assert answer.status_code == 201, answer.text
        marks.append(mark)
    city.reconciled(before + count)
    return marks
