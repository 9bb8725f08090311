"""The Cedar policies and their schema, read and checked once."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cedarpy import PolicySet, Schema, policies_to_json_str, validate_policies


class PolicyError(Exception):
    """Policies or agreements cannot be decided with; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies that fit their schema; each is known by its `@id`."""

    text: str
    schema_text: str
    policy_set: PolicySet
    schema: Schema


def read_policies(text: str, schema_text: str) -> Policies:
    """Check policies against a schema.

    Raises:
        PolicyError: one of the two is not Cedar, they do not fit, or a policy has no `@id` of its own.
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
    """Return the policies that stand beside this module."""
    folder = files("shared.policy")
    return read_policies(*((folder / name).read_text("utf-8") for name in ("policies.cedar", "policies.cedarschema")))


def _by_their_ids(policies: dict[str, Any]) -> dict[str, Any]:
    """Name each policy by its annotation: Cedar numbers them, and a number explains nothing."""
    written = policies["staticPolicies"].values()
    named = {policy.get("annotations", {}).get("id"): policy for policy in written}
    if None in named or len(named) < len(written) or policies["templates"]:
        raise PolicyError("each policy needs an @id of its own, and none may be a template")
    return {**policies, "staticPolicies": named}
