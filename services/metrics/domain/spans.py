"""Spans: the steps of a trace, and how they hang together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

CASE_ID = "handoff.case_id"
"""The attribute that names the case on the spans that are about one case only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step; times in nanoseconds since 1970. Each link is `{"trace_id": ..., "span_id": ...}`."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str
    service: str
    kind: str = "internal"
    started_ns: int
    ended_ns: int
    status: str = "unset"
    attributes: dict[str, Any] = field(default_factory=dict)
    links: list[dict[str, str]] = field(default_factory=list)

    @property
    def case_id(self) -> UUID | None:
        """The case that the step is about, where it is about one."""
        try:
            return UUID(str(self.attributes[CASE_ID]))
        except (KeyError, ValueError):
            return None

    @property
    def seconds(self) -> float:
        """How long the step took."""
        return (self.ended_ns - self.started_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Branch:
    """A span and what came of it, in order of time."""

    span: Span
    branches: tuple["Branch", ...]


def grow(spans: Iterable[Span]) -> list[Branch]:
    """Return the trees of these spans, each root first; a span whose parent is not here is a root."""
    ordered = sorted(spans, key=lambda span: (span.started_ns, span.span_id))
    here = {(span.trace_id, span.span_id) for span in ordered}
    below: dict[tuple[str, str | None], list[Span]] = {}
    for span in ordered:
        parent = span.parent_id if (span.trace_id, span.parent_id) in here else None
        below.setdefault((span.trace_id, parent), []).append(span)
    roots = [span for (_, parent), children in below.items() if parent is None for span in children]
    return [_branch(root, below, frozenset()) for root in sorted(roots, key=lambda span: span.started_ns)]


def _branch(span: Span, below: dict[tuple[str, str | None], list[Span]], above: frozenset[str]) -> Branch:
    """Grow one branch; a span that is its own ancestor (which only a broken sender makes) is not followed."""
    here = above | {span.span_id}
    children = [child for child in below.get((span.trace_id, span.span_id), ()) if child.span_id not in here]
    return Branch(span, tuple(_branch(child, below, here) for child in children))


def walk(branches: Sequence[Branch]) -> Iterator[Span]:
    """Go through all spans, parents before children."""
    for branch in branches:
        yield branch.span
        yield from walk(branch.branches)
