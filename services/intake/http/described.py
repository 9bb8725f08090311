"""The shapes of what intake's API takes and answers, as JSON Schemas."""

from collections.abc import Mapping
from typing import Any, get_args

from services.intake.domain.import_record import ImportRecord
from services.intake.domain.personal_data import LATITUDES, LONGITUDES
from services.intake.http.api.imports import MOST_RECORDS
from shared.city.service_list import Datatype

Part = dict[str, Any]

TEXT: Part = {"type": "string"}
MAYBE: Part = {"type": ["string", "null"]}
FLAG: Part = {"type": "boolean"}
MOMENT: Part = {"type": "string", "format": "date-time"}
NUMBER: Part = {"type": ["number", "null"]}


def shape(required: Mapping[str, Part], optional: Mapping[str, Part] | None = None) -> Part:
    """Describe an object: all of these, and perhaps those."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def many(items: Part) -> Part:
    """Describe a list."""
    return {"type": "array", "items": items}


ERRORS = many(shape({"code": {"type": "integer"}, "description": TEXT}))

ENDPOINT = shape(
    {
        "specification": TEXT,
        "url": TEXT,
        "changeset": TEXT,
        "type": {"enum": ["production", "test"]},
        "formats": many(TEXT),
    }
)
DISCOVERY = shape({"changeset": TEXT, "contact": TEXT, "key_service": TEXT, "endpoints": many(ENDPOINT)})

SERVICES = many(
    shape(
        {
            "service_code": TEXT,
            "service_name": TEXT,
            "description": TEXT,
            "metadata": FLAG,
            "type": {"enum": ["realtime"]},
            "keywords": TEXT,
            "group": TEXT,
        }
    )
)

QUESTION = shape(
    {
        "variable": FLAG,
        "code": TEXT,
        "datatype": {"enum": list(get_args(Datatype))},
        "required": FLAG,
        "datatype_description": MAYBE,
        "order": {"type": "integer"},
        "description": TEXT,
    },
    {"values": many(shape({"key": TEXT, "name": TEXT}))},
)
SERVICE_DEFINITION = shape({"service_code": TEXT, "attributes": many(QUESTION)})

FILED = many(shape({"service_request_id": TEXT, "token": TEXT, "service_notice": TEXT, "account_id": MAYBE}))
TOKENS = many(shape({"service_request_id": TEXT, "token": TEXT}))

FOLLOW_ON = shape({"service_request_id": TEXT, "service_name": TEXT, "agency_responsible": TEXT})
NOTE_TYPE: Part = {"enum": ["opened", "activity", "follow_on_created", "follow_on_closed", "closed"]}
NOTE = shape({"datetime": MOMENT, "summary": TEXT, "type": NOTE_TYPE}, {"extended_attributes": FOLLOW_ON})
REQUESTS = many(
    shape(
        {
            "service_request_id": TEXT,
            "status": {"enum": ["open", "closed"]},
            "status_notes": MAYBE,
            "service_name": TEXT,
            "service_code": TEXT,
            "description": MAYBE,
            "agency_responsible": MAYBE,
            "service_notice": MAYBE,
            "requested_datetime": MOMENT,
            "updated_datetime": MOMENT,
            "expected_datetime": MAYBE,
            "address": MAYBE,
            "address_id": MAYBE,
            "zipcode": MAYBE,
            "lat": NUMBER,
            "long": NUMBER,
            "media_url": MAYBE,
        },
        {"extended_attributes": shape({"channel": TEXT, "district": MAYBE}), "notes": many(NOTE)},
    )
)

OUTCOME = shape(
    {
        "external_id": TEXT,
        "outcome": {"enum": ["created", "duplicate", "refused"]},
        "reason": MAYBE,
        "remarks": many(TEXT),
    }
)
RESULTS = shape({"results": many(OUTCOME)})


def form_schema(longest: Mapping[str, int], further: Mapping[str, Part]) -> Part:
    """Describe a report; `longest` says how many characters each text may have."""
    texts = {name: {"type": "string", "maxLength": length} for name, length in longest.items()}
    properties = {
        "service_code": TEXT | {"description": "what is asked for, from the list of services"},
        "jurisdiction_id": TEXT,
        "api_key": TEXT | {"description": "instead of Authorization: Bearer"},
        "lat": {"type": "number", "minimum": -LATITUDES, "maximum": LATITUDES},
        "long": {"type": "number", "minimum": -LONGITUDES, "maximum": LONGITUDES},
        **texts,
        "need": TEXT | {"description": "further needs, with commas"},
        "language": TEXT | {"description": "the language that the reporter prefers"},
        **further,
    }
    places = [{"required": ["lat", "long"]}, {"required": ["address_string"]}, {"required": ["address_id"]}]
    return {
        "type": "object",
        "required": ["service_code"],
        "properties": properties,
        "patternProperties": {r"^attribute\[[^\]]*\](\[\])?$": {}},
        "anyOf": places,
    }


def import_schema() -> Part:
    """Describe a list of records; the parts of a record stand inside it, so that it can be read by itself."""
    record = ImportRecord.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    parts = record.pop("$defs", {})
    inner = _within(record, parts)
    return shape({"records": many(inner) | {"maxItems": MOST_RECORDS}}) | {"additionalProperties": True}


def _within(schema: Any, parts: Mapping[str, Any]) -> Any:
    """Put each part where it is referred to."""
    if isinstance(schema, list):
        return [_within(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _within(parts[schema["$ref"].rsplit("/", 1)[1]], parts)
    return {key: _within(value, parts) for key, value in schema.items()}
