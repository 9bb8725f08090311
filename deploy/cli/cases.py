"""`handoff case`: the events of one case in order, and its traces."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.options import AsJson, DataDir
from deploy.cli.services import ServiceError, find_services
from deploy.errors import PlatformError
from services.metrics.domain.spans import Span, SpanTree, build_trees

MILLISECOND, SECOND, MINUTE, HOUR, DAY = 0.001, 1.0, 60.0, 3600.0, 86400.0
SHORT_ID = 8

Answer = dict[str, Any]
"""An answer of metrics, or a part of it, as JSON."""

case_app = typer.Typer(
    help="Show the events and traces of one case.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Case = Annotated[str, typer.Argument(help="The case id, or the service request id.")]


@case_app.command()
def show(case: Case, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print the events of a case in order: when each occurred, which service or agency sent it, and its details."""
    _run(data_dir, f"/cases/{quote(case, safe='')}/journey", print_journey, as_json=as_json)


@case_app.command()
def trace(case: Case, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print the traces of a case as trees: each step, its service, when it began, and how long it took."""
    _run(data_dir, f"/cases/{quote(case, safe='')}/traces", print_traces, as_json=as_json)


def _run(data_dir: Path | None, path: str, view: Callable[[Answer, Console], None], *, as_json: bool) -> None:
    try:
        answer = find_services(data_dir, ["metrics"]).request("metrics", "GET", path)
    except (PlatformError, ServiceError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        Console().print_json(data=answer)
    else:
        view(answer, Console())


def print_journey(answer: Answer, console: Console) -> None:
    """Print the events of a case in order."""
    console.print(_title(answer), highlight=False)
    if not answer["entries"]:
        console.print("Metrics has no event of this case.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("when", "after", "who", "what", ""):
        table.add_column(heading, justify="right" if heading == "after" else "left", overflow="fold")
    first = _occurred_at(answer["entries"][0])
    for entry in answer["entries"]:
        when = _occurred_at(entry)
        after = (when - first).total_seconds()
        table.add_row(
            f"{when.astimezone():%Y-%m-%d %H:%M:%S}",
            _duration(after) if after >= 0 else "[red]before[/]",
            escape(_who(entry["source"])),
            escape(entry["type"].removesuffix(".v1")),
            escape(_details(entry["summary"])),
        )
    console.print(table, highlight=False)


def print_traces(answer: Answer, console: Console) -> None:
    """Print the traces of a case as trees; of a trace that metrics lacks, print the reason."""
    console.print(_title(answer), highlight=False)
    spans = [Span(**span) for span in answer["spans"]]
    stored = {span.trace_id for span in spans}
    # Spans of other traces that a span links to: they give the links a name.
    names = {(span.trace_id, span.span_id): span for span in (*spans, *(Span(**span) for span in answer["linked"]))}
    for trace_id in sorted(stored, key=lambda trace: min(s.started_ns for s in spans if s.trace_id == trace)):
        console.print(f"\n[bold]Trace[/] {trace_id}", highlight=False)
        console.print(_tree(build_trees(span for span in spans if span.trace_id == trace_id), names), highlight=False)
    for trace in answer["traces"]:
        if trace["trace_id"] not in stored:
            console.print(_why_missing(trace), highlight=False)
    if not answer["traces"] and not spans:
        console.print("No message of this case carried a trace.")


def _title(answer: Answer) -> str:
    parts = [f"[bold]Case[/] {answer['case_id']}"]
    if answer["service_request_id"]:
        parts.append(f"service request {escape(answer['service_request_id'])}")
    if answer["external_id"]:
        parts.append(f"{escape(answer['origin'] or 'elsewhere')} {escape(answer['external_id'])}")
    return " · ".join(parts)


def _why_missing(trace: Answer) -> str:
    if not trace["sampled"]:
        return (
            f"Trace {trace['trace_id']} was not sampled: more traces began in that second than are recorded "
            "(HANDOFF_TRACE_RATE)."
        )
    return (
        f"Trace {trace['trace_id']} was sampled, and no step of it is here. Steps arrive a second or two after they "
        "end. They do not arrive if the services send them to a collector of yours, and metrics deletes old ones."
    )


def _tree(trees: Sequence[SpanTree], names: dict[tuple[str, str], Span]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("begins", "takes", "service", "step"):
        table.add_column(heading, justify="right" if heading in {"begins", "takes"} else "left", overflow="fold")
    began = min(tree.span.started_ns for tree in trees)
    for tree in trees:
        for guide, below, span in _lines(tree, "", ""):
            failed = " [red]failed[/]" if span.status == "error" else ""
            begins = _duration((span.started_ns - began) / 1e9)
            step = guide + escape(span.name) + failed
            table.add_row(f"+{begins}", _duration(span.seconds), escape(span.service), step)
            for text in _links(span, names):
                table.add_row("", "", "", f"[dim]{below}{escape(text)}[/]")
    return table


def _lines(tree: SpanTree, guide: str, below: str) -> Iterator[tuple[str, str, Span]]:
    """Yield each span with the guide lines that lead to it, and those that lead past it."""
    stem = "│  " if tree.children else "   "
    yield guide, below + stem, tree.span
    for child in tree.children:
        is_last = child is tree.children[-1]
        yield from _lines(child, below + ("└─ " if is_last else "├─ "), below + ("   " if is_last else "│  "))


def _links(span: Span, names: dict[tuple[str, str], Span]) -> Iterator[str]:
    for link in span.links:
        there = names.get((link["trace_id"], link["span_id"]))
        what = _named(there, span.service) if there else "a step that is not here"
        elsewhere = f" (trace {link['trace_id'][:SHORT_ID]}…)" if link["trace_id"] != span.trace_id else ""
        yield f"linked to {what}{elsewhere}"


def _named(span: Span, service: str) -> str:
    return span.name if span.service == service else f"{span.service}: {span.name}"


def _occurred_at(entry: Answer) -> datetime:
    return datetime.fromisoformat(entry["occurred_at"])


def _who(source: str) -> str:
    return source.removeprefix("/services/").removeprefix("/agencies/")


def _details(summary: Answer) -> str:
    """Return the fields of an event as text; fields whose value is clear by itself come first, without their name."""
    rest = dict(summary)
    texts = [f"{rest.pop('agency')}/{rest.pop('program')}"] if {"agency", "program"} <= rest.keys() else []
    texts += [", ".join(rest.pop(name)) for name in ("routed", "needs") if rest.get(name)]
    texts += [str(rest.pop(name)) for name in ("need", "service_code", "template", "resolution") if name in rest]
    rest.pop("service_request_id", None)
    if rest.pop("agency_controls", None) is False:
        rest["outside the agency's control"] = True
    rest = {name: value for name, value in rest.items() if value not in ([], 0, False)}
    return " · ".join(
        texts + [f"{name.replace('_', ' ')} {value}".replace(" True", "") for name, value in rest.items()]
    )


def _duration(seconds: float) -> str:
    """Return a duration in the unit that shows its first digits."""
    if abs(seconds) < SECOND:
        return f"{seconds / MILLISECOND:.1f} ms"
    if abs(seconds) < MINUTE:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if abs(seconds) < HOUR:
        return f"{minutes} min {rest:02} s"
    if abs(seconds) < DAY:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{seconds / DAY:.1f} days"
