"""The JSON Schema of an agreement's file, by which editors help whoever writes one."""

from collections.abc import Iterable
from typing import Any, Final

from deploy.contract.schemas import DIALECT, Schema
from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Agreement
from shared.policy.plan import CONSENT_ONLY

NAME: Final = "docs/schemas/agreement.schema.json"
"""Where it is published; the head of each agreement names it."""

_MEANINGS: Final = {
    "id": "Short name. A share is named 'agreement/share' wherever something is given under it.",
    "version": "Grows by one with each change that the parties sign. Another text under the same version is refused.",
    "title": "What people call it.",
    "purpose": "What the data may be used for. A consent counts only under agreements of the same purpose.",
    "legal_basis": "The laws that allow it, cited so that they can be looked up.",
    "status": "Only under an active agreement anything is given.",
    "starts": "The first day (UTC).",
    "ends": "The last day (UTC).",
    "review": "The day by which the parties look at it again.",
    "onward": "Whether a recipient may hand on what it was given.",
    "retain_days": "For how many days a recipient may keep what it was given.",
    "contacts": "Whom to ask at each party.",
    "parties": "Who has signed: 'front-door', and agencies as agencies.toml names them.",
    "share": "What may go from whom to whom.",
    "party": "One of the parties.",
    "name": "A person or an office.",
    "email": "Its address.",
    "from": "Who gives: 'front-door', or an agency that has or had a referral in the same case.",
    "to": "Who is given it.",
    "groups": "What is given.",
    "form": "full: readable in the message. sealed: encrypted to the agency's key. thin: read through the partner API.",
    "needs": "Only for these needs (needs.toml).",
    "services": "Only for reports on these services (services.toml).",
    "districts": "Only in these districts (districts.toml).",
    "urgency": "Only for reports of this urgency.",
    "consent": "Whether the person must have consented as well.",
    "delay_days": "For how many days the law lets the person's own view be silent about it.",
    "why": "One sentence, for the person whom it is about and for lawyers.",
}


def agreement_schema() -> Schema:
    """Return the schema; it says what the reader of agreements says of one file taken by itself."""
    schema = _plain(Agreement.model_json_schema(by_alias=True))
    definitions = schema.pop("$defs")
    definitions["Clause"]["allOf"] = _hard_rules()
    return {
        "$schema": DIALECT,
        "$id": "urn:handoff:agreement",
        "title": "Data-sharing agreement",
        **schema,
        "$defs": definitions,
    }


def _plain(part: Any) -> Any:
    """Leave out titles and null, which TOML does not have, and say what each key means."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _plain(value) for key, value in part.items() if key not in {"title", "anyOf", "properties"}}
    if "anyOf" in part:
        kept = {key: value for key, value in kept.items() if key != "default"}
        for choice in part["anyOf"]:
            kept |= {} if choice == {"type": "null"} else _plain(choice)
    if "properties" in part:
        kept["properties"] = {
            key: {"description": _MEANINGS[key]} | _plain(value) for key, value in part["properties"].items()
        }
    return kept


def _hard_rules() -> list[Schema]:
    return [
        {
            "if": _names_any(RESTRICTED),
            "then": {"properties": {"form": {"not": {"const": "full"}}}},
        },
        {
            "if": _names_any(CONSENT_ONLY),
            "then": {"properties": {"consent": {"const": True}}, "required": ["consent"]},
        },
    ]


def _names_any(groups: Iterable[FieldGroup]) -> Schema:
    return {"properties": {"groups": {"contains": {"enum": sorted(groups)}}}}
