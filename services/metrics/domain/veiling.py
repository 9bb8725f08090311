"""Veiling: the journey and the traces of a protected report, as operators may see them.

What happens and when stays; which service, need, program and agency it is about does not.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.metrics.domain.journey import JourneyEntry
from services.metrics.domain.spans import Span
from shared.events.agency_inbox import UNDISCLOSED

TELLING = ("service_code", "need", "needs", "program", "to_program", "agency", "to_agency", "routed")
"""The fields of a journey that tell what a report is about; an agency may help with one thing only."""

_AGENCY = re.compile(r"(?<=agency[./-])[a-z0-9]+(?:-[a-z0-9]+)*|(?<=agencies/)[a-z0-9-]+")


def veil_entry(entry: JourneyEntry) -> JourneyEntry:
    """Return an entry that does not tell what the report is about."""
    summary = {name: UNDISCLOSED if name in TELLING else value for name, value in entry.summary.items()}
    return replace(entry, summary=summary, topic=veil_text(entry.topic), source=veil_text(entry.source))


def veil_span(span: Span) -> Span:
    """Return a span that names no agency."""
    return replace(span, name=veil_text(span.name), attributes=_veil_attributes(span.attributes))


def veil_text(text: str) -> str:
    """Take the agency out of the name of a topic or of a source."""
    return _AGENCY.sub(UNDISCLOSED, text)


def _veil_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _veil_value(name, value) for name, value in attributes.items()}


def _veil_value(name: str, value: Any) -> Any:
    if name.rpartition(".")[2] in TELLING:
        return UNDISCLOSED
    return veil_text(value) if isinstance(value, str) else value
