"""The Cedar policies and their schema, read and checked once."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cedarpy import PolicySet, Schema, policies_to_json_str, validate_policies


class PolicyError(Exception):
    """Policies or agreements are invalid; the text says why."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies that passed validation against their schema; each has its `@id`."""

    text: str
    schema_text: str
    policy_set: PolicySet
    schema: Schema


def read_policies(text: str, schema_text: str) -> Policies:
    """Parse policies and validate them against a schema.

    Raises:
        PolicyError: a syntax error, a validation error, or a policy without an `@id` of its own.
    """
    try:
        schema = Schema.from_str(schema_text)
        named = _by_their_ids(json.loads(policies_to_json_str(text)))
        policy_set = PolicySet.from_json_str(json.dumps(named))
    except ValueError as error:
        raise PolicyError(f"the policies cannot be read: {error}") from None
    found = validate_policies(text, schema)
    if not found.validation_passed:
        raise PolicyError(f"the policies do not fit their schema: {'; '.join(map(str, found.errors))}")
    return Policies(text, schema_text, policy_set, schema)


@cache
def our_policies() -> Policies:
    """Return the policies in this package's files."""
    folder = files("shared.policy")
    return read_policies(*((folder / name).read_text("utf-8") for name in ("policies.cedar", "policies.cedarschema")))


def _by_their_ids(policies: dict[str, Any]) -> dict[str, Any]:
    """Key each policy by its `@id`: Cedar numbers policies, and a number explains nothing in a denial."""
    written = policies["staticPolicies"].values()
    named = {policy.get("annotations", {}).get("id"): policy for policy in written}
    if None in named or len(named) < len(written) or policies["templates"]:
        raise PolicyError("each policy needs an @id of its own, and none may be a template")
    return {**policies, "staticPolicies": named}
