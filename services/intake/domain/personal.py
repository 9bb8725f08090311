"""What a report says of a person, in the field groups that are sealed, shared or withheld as one."""

import re
from collections.abc import Mapping
from typing import get_args

import orjson

from services.intake.domain.answers import Answers
from services.intake.domain.catalogue import AnswerGroup, ServiceKind
from services.intake.domain.fields import Fields, text_of
from services.intake.domain.position import ReportedLocation
from services.intake.domain.problems import Problem, bad
from shared.events.fields import FieldGroup

Personal = Mapping[FieldGroup, bytes]
"""For each group that was given: the JSON of the model of the same name in `shared.events.fields.Released`."""

Parts = tuple[tuple[str, str], ...]
"""The parts of one field group, and under which names they are given."""

NARRATED = "attributes"

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

GROUPS: Mapping[FieldGroup, Parts] = {
    FieldGroup.ADDRESS: (
        ("address", "address_string"),
        ("address_id", "address_id"),
        ("postal_code", "postal_code"),
        ("lat", "lat"),
        ("long", "long"),
    ),
    FieldGroup.IDENTITY: tuple((name, name) for name in ("first_name", "last_name", "device_id", "account_id")),
    FieldGroup.CONTACT: (("email", "email"), ("phone", "phone")),
    FieldGroup.NARRATIVE: (("description", "description"), ("attributes", NARRATED)),
    FieldGroup.ATTACHMENTS: (("media_url", "media_url"),),
    **{group: (("answers", group.value),) for group in get_args(AnswerGroup)},
}
"""The parts of each field group, and the fields that they are read from."""

FORMS = {
    "email": (re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"()]+"), "must be an e-mail address"),
    "phone": (re.compile(r"[0-9+() ./x-]{3,50}"), "must be a telephone number"),
    "media_url": (re.compile(r"https?://[^\s<>\"]+"), "must be a http or https address"),
}
MULTILINE = frozenset({"description"})


def read_personal(
    fields: Fields, position: ReportedLocation, answers: Mapping[str, Answers]
) -> tuple[Personal, list[Problem]]:
    """Put what was given into its groups; a group of which nothing was given is absent."""
    problems: list[Problem] = []
    given: dict[str, object] = {name: _read(fields, name, problems) for name in LONGEST if name in fields}
    given |= {"lat": position.lat, "long": position.long, **answers}
    return pack(given), problems


def sort_answers(answers: Answers, service: ServiceKind) -> Mapping[str, Answers]:
    """Put each answer to the group that its question belongs to: the narrative, or a stricter one."""
    sorted_: dict[str, dict[str, tuple[str, ...]]] = {}
    for code, values in answers.items():
        question = service.asked.get(code)
        sorted_.setdefault((question and question.group) or NARRATED, {})[code] = values
    return sorted_


def pack(given: Mapping[str, object]) -> Personal:
    """Write each group as JSON, without what is not given; a group of which nothing is given is left out."""
    return {
        group: orjson.dumps(said)
        for group, parts in GROUPS.items()
        if (said := {part: value for part, name in parts if (value := given.get(name)) is not None})
    }


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
