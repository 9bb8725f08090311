"""Agreements of the small town, as their files would have them."""

import json
from typing import Any

from shared.policy.agreements import Agreement

DATES = {"starts", "ends", "review"}


def text_of(agreement: Agreement) -> str:
    """Write an agreement as TOML."""
    said = agreement.model_dump(mode="json", by_alias=True, exclude_none=True)
    shares, contacts = said.pop("share"), said.pop("contacts")
    lines = [f"{key} = {value if key in DATES else json.dumps(value)}" for key, value in said.items()]
    return "\n".join([*lines, *_tables("contacts", contacts), *_tables("share", shares), ""])


def _tables(name: str, tables: list[dict[str, Any]]) -> list[str]:
    return [line for table in tables for line in (f"[[{name}]]", *(f"{k} = {json.dumps(v)}" for k, v in table.items()))]
