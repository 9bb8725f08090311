"""Telemetry on against off: routing on the same events, one in ten of them traced."""

from dataclasses import replace

from bench.cases import make_cases, publish
from bench.figures import Figure, in_turns
from bench.processes import script
from bench.reading import as_a_service
from bench.routing import EVENTS, prepared, route, routing_database
from bench.servers import Servers, make_topic
from shared.events.topics import CASES, TopicSpec
from shared.kit.observability.traces import export_to_metrics_service, start_traces

ONE_IN = 10
"""An intake that files a thousand cases a second keeps a hundred traces of them, by default: one in ten."""

TRACED = replace(CASES, topic="bench.traced")
UNTRACED = replace(CASES, topic="bench.untraced")


async def on_and_off(servers: Servers) -> list[Figure]:
    """Measure routing with spans sent to a collector in another process, and without a recorded trace."""
    cases = make_cases(EVENTS, seed=11)
    await make_topic(servers.kafka, TRACED.topic)
    await publish(servers.kafka, TRACED.topic, cases, lambda number: number % ONE_IN == 0)
    await make_topic(servers.kafka, UNTRACED.topic)
    await publish(servers.kafka, UNTRACED.topic, cases, lambda _: False)
    template = prepared(servers, cases)

    async def rate(language: TopicSpec) -> float:
        async with routing_database(servers, template) as database:
            return await as_a_service(servers.kafka, route(language), database, EVENTS)

    with script("bench.span_sink") as port:
        telemetry = start_traces("bench", export_to_metrics_service(f"http://127.0.0.1:{port}", "bench"), 100.0)
        on, off = await in_turns(lambda: rate(TRACED), lambda: rate(UNTRACED))
        telemetry.shutdown()
    return [Figure("routing with telemetry on / off", on, off, "msg/s", 0.80, "at least")]
