"""Spans: the steps of a trace, and the tree that they form."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

CASE_ID: Final = "handoff.case_id"
"""The attribute with the case's id, on spans that are about one case only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step of a trace; the class declares the table `spans`, too."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str
    service: str
    kind: str = "internal"

    started_ns: int
    """Nanoseconds since 1970."""

    ended_ns: int
    """Nanoseconds since 1970."""

    status: str = "unset"
    attributes: dict[str, Any] = field(default_factory=dict)

    links: list[dict[str, str]] = field(default_factory=list)
    """Spans of any trace that caused this one, each as `{"trace_id": ..., "span_id": ...}`."""

    @property
    def case_id(self) -> UUID | None:
        """The case that the step is about, if it is about one only."""
        try:
            return UUID(str(self.attributes[CASE_ID]))
        except (KeyError, ValueError):
            return None

    @property
    def seconds(self) -> float:
        """How long the step took."""
        return (self.ended_ns - self.started_ns) / 1e9


@dataclass(frozen=True, slots=True)
class SpanTree:
    """A span with its children, in order of time."""

    span: Span
    children: tuple["SpanTree", ...]


def build_trees(spans: Iterable[Span]) -> list[SpanTree]:
    """Return the trees of these spans, in order of time; a span whose parent is not among them is a root."""
    ordered = sorted(spans, key=lambda span: (span.started_ns, span.span_id))
    present = {(span.trace_id, span.span_id) for span in ordered}
    children: dict[tuple[str, str | None], list[Span]] = {}
    for span in ordered:
        parent = span.parent_id if (span.trace_id, span.parent_id) in present else None
        children.setdefault((span.trace_id, parent), []).append(span)
    roots = [span for (_, parent), found in children.items() if parent is None for span in found]
    return [_tree(root, children, frozenset()) for root in sorted(roots, key=lambda span: span.started_ns)]


def _tree(span: Span, children: dict[tuple[str, str | None], list[Span]], ancestors: frozenset[str]) -> SpanTree:
    """Build the tree below one span; a cycle, which only a faulty sender makes, ends where it closes."""
    path = ancestors | {span.span_id}
    below = [child for child in children.get((span.trace_id, span.span_id), ()) if child.span_id not in path]
    return SpanTree(span, tuple(_tree(child, children, path) for child in below))


def walk(trees: Sequence[SpanTree]) -> Iterator[Span]:
    """Yield all spans, parents before children."""
    for tree in trees:
        yield tree.span
        yield from walk(tree.children)
