"""Bodies that intake reads field by field, as JSON Schemas.

They come as forms or as JSON, and an answer names every problem in them at once (domain/validation), so that no model
validates them: these schemas are written by hand.
"""

from typing import Final

from services.intake.domain.consents import MAX_RECORD_LENGTH, METHODS
from services.intake.domain.import_record import ImportRecord
from services.intake.domain.personal_data import LATITUDES, LONGITUDES, MAX_LENGTHS
from services.intake.http.api.imports import MAX_RECORDS
from shared.events.fields import FieldGroup
from shared.kit.http.openapi import Part, expanded_schema, inline_schema

_TEXT: Final[Part] = {"type": "string"}


def _object(required: Part, optional: Part | None = None) -> Part:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


REPORT: Final[Part] = {
    "type": "object",
    "required": ["service_code"],
    "properties": {
        "service_code": _TEXT | {"description": "a code from the list of services"},
        "jurisdiction_id": _TEXT,
        "api_key": _TEXT | {"description": "alternative to Authorization: Bearer"},
        "lat": {"type": "number", "minimum": -LATITUDES, "maximum": LATITUDES},
        "long": {"type": "number", "minimum": -LONGITUDES, "maximum": LONGITUDES},
        **{name: _TEXT | {"maxLength": length} for name, length in MAX_LENGTHS.items()},
        "need": _TEXT | {"description": "further needs, separated by commas"},
        "language": _TEXT | {"description": "the language that the reporter prefers"},
        "consent[recipients]": _TEXT | {"description": "agencies that may receive it, separated by commas"},
        "consent[groups]": _TEXT | {"description": "field groups that they may receive, separated by commas"},
        "consent[purpose]": _TEXT | {"description": "optional if only one purpose is possible"},
        "consent[ends_at]": _TEXT | {"description": "the last day, or a time; at most a year from now"},
    },
    "patternProperties": {r"^attribute\[[^\]]*\](\[\])?$": {}},
    "anyOf": [{"required": ["lat", "long"]}, {"required": ["address_string"]}, {"required": ["address_id"]}],
}

GRANT: Final = _object(
    {
        "consent": _object(
            {
                "recipients": inline_schema(list[str]) | {"minItems": 1, "description": "agencies"},
                "groups": inline_schema(list[FieldGroup]) | {"minItems": 1},
                "ends_at": _TEXT | {"description": "the last day, or a time with its offset; at most a year from now"},
            },
            {"purpose": _TEXT | {"description": "optional if the agencies have only one purpose"}},
        ),
        "record": _object(
            {
                "signed_by": _TEXT | {"maxLength": MAX_RECORD_LENGTH},
                "signed_at": _TEXT | {"description": "the day, or a time"},
                "method": {"enum": list(METHODS)},
            }
        ),
    }
)

# Each record is validated by itself, so that one that cannot be read does not stop the others.
RECORDS: Final = _object(
    {"records": {"type": "array", "items": expanded_schema(ImportRecord), "maxItems": MAX_RECORDS}}
) | {"additionalProperties": True}

ERASURE: Final = _object({"confirm": _TEXT | {"description": "repeats the case in the path"}})
