"""What a report says of a person, in the field groups that are sealed, shared or withheld as one."""

import re
from collections.abc import Mapping

import orjson

from services.intake.domain.answers import Answers
from services.intake.domain.fields import Fields, text_of
from services.intake.domain.position import Position
from services.intake.domain.problems import Problem, bad
from shared.events.fields import FieldGroup

Personal = Mapping[FieldGroup, bytes]
"""For each group that was given: the JSON of the model of the same name in `shared.events.fields.Released`."""

LONGEST = {
    "address_string": 500,
    "address_id": 100,
    "postal_code": 12,
    "email": 254,
    "phone": 50,
    "first_name": 100,
    "last_name": 100,
    "device_id": 200,
    "account_id": 200,
    "description": 4000,
    "media_url": 2000,
}
"""Characters at most; 4,000 for the description is Open311's limit."""

FORMS = {
    "email": (re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"()]+"), "must be an e-mail address"),
    "phone": (re.compile(r"[0-9+() ./x-]{3,50}"), "must be a telephone number"),
    "media_url": (re.compile(r"https?://[^\s<>\"]+"), "must be a http or https address"),
}
MULTILINE = frozenset({"description"})


def read_personal(fields: Fields, position: Position, answers: Answers) -> tuple[Personal, list[Problem]]:
    """Put what was given into its groups; a group of which nothing was given is absent."""
    problems: list[Problem] = []
    given = {name: _read(fields, name, problems) for name in LONGEST if name in fields}
    groups: dict[FieldGroup, dict[str, object]] = {
        FieldGroup.ADDRESS: {
            "address": given.get("address_string"),
            "address_id": given.get("address_id"),
            "postal_code": given.get("postal_code"),
            "lat": position.lat,
            "long": position.long,
        },
        FieldGroup.IDENTITY: {n: given.get(n) for n in ("first_name", "last_name", "device_id", "account_id")},
        FieldGroup.CONTACT: {n: given.get(n) for n in ("email", "phone")},
        FieldGroup.NARRATIVE: {"description": given.get("description"), "attributes": answers or None},
        FieldGroup.ATTACHMENTS: {"media_url": given.get("media_url")},
    }
    return pack(groups), problems


def pack(groups: Mapping[FieldGroup, Mapping[str, object]]) -> Personal:
    """Write each group as JSON, without what is not known."""
    known = {
        group: {name: value for name, value in said.items() if value is not None} for group, said in groups.items()
    }
    return {group: orjson.dumps(said) for group, said in known.items() if said}


def _read(fields: Fields, name: str, problems: list[Problem]) -> str | None:
    value = text_of(fields, name)
    if value is None:
        return None
    if len(value) > LONGEST[name]:
        problems.append(bad(f"{name} is longer than {LONGEST[name]} characters", name, "long"))
    elif name in FORMS and not FORMS[name][0].fullmatch(value):
        problems.append(bad(f"{name} {FORMS[name][1]}", name))
    elif name not in MULTILINE and ("\n" in value or "\r" in value):
        problems.append(bad(f"{name} must be one line", name))
    return value
