"""The JSON Schema of an agreement's file, for completion and checks in editors."""

from collections.abc import Iterable
from typing import Any, Final

from deploy.contract.schemas import DIALECT, Schema
from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Agreement
from shared.policy.plan import CONSENT_ONLY

SCHEMA_FILE: Final = "docs/schemas/agreement.schema.json"
"""The file of the schema; the first line of each agreement names it."""

_MEANINGS: Final = {
    "id": "Short name. Receipts and terms name a share as 'agreement/share'.",
    "version": "Grows by one with each change that the parties sign. Another text with the same version is refused.",
    "title": "The name that people know it by.",
    "purpose": "What the data may be used for. A consent is valid only under agreements with the same purpose.",
    "legal_basis": "The laws that allow it, cited so that a reader finds them.",
    "status": "Only an active agreement allows a disclosure.",
    "starts": "The first day (UTC).",
    "ends": "The last day (UTC).",
    "review": "The day by which the parties review it.",
    "onward": "Whether a recipient may pass the data on.",
    "retain_days": "For how many days a recipient may keep the data.",
    "contacts": "A contact at each party.",
    "parties": "The signatories: 'front-door', and agencies by their ids in agencies.toml.",
    "share": "The data that may be shared, with their sources and recipients.",
    "party": "One of the parties.",
    "name": "A person or an office.",
    "email": "Its address.",
    "from": "The sources: 'front-door', or agencies that have or had a referral in the same case.",
    "to": "The recipients.",
    "groups": "The field groups.",
    "form": "full: readable in the message. sealed: encrypted to the agency's key. thin: read through the partner API.",
    "needs": "Only for these needs (needs.toml).",
    "services": "Only for reports on these services (services.toml).",
    "districts": "Only in these districts (districts.toml).",
    "urgency": "Only for reports of this urgency.",
    "consent": "Whether the person's consent is required, too.",
    "delay_days": "For how many days the law allows an embargo before the person sees the disclosure.",
    "why": "One sentence with the reason, for the person and for lawyers.",
}


def agreement_schema() -> Schema:
    """Return the schema. It covers the checks of `handoff agreements check` that need one file only."""
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
    """Remove titles and null, which TOML does not have, and add the meaning of each key."""
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
