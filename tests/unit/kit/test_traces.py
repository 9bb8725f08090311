"""Traceparents, sampling, and log lines without personal data."""

import json
import logging
import sys

import pytest
from opentelemetry.sdk.trace.sampling import Decision

from shared.kit.observability.logs import JsonFormatter
from shared.kit.observability.traces import RateLimitedSampler, context_of, is_sampled, new_traceparent


def test_a_traceparent_is_read_as_it_is_written() -> None:
    context = context_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert context is not None
    assert (f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags)) == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        1,
    )


@pytest.mark.parametrize(
    "wrong", [None, "", "00-1-2", "00-zz-b7ad6b7169203331-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
def test_an_invalid_traceparent_is_no_context(wrong: str | None) -> None:
    assert context_of(wrong) is None


def test_a_trace_that_is_not_sampled_has_an_id() -> None:
    made = new_traceparent()
    assert context_of(made) is not None
    assert not is_sampled(made)


@pytest.mark.parametrize(("flags", "recorded"), [("00", False), ("01", True), ("02", False), ("03", True)])
def test_the_lowest_flag_alone_decides_if_a_trace_is_sampled(flags: str, recorded: bool) -> None:  # noqa: FBT001
    assert is_sampled(f"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}") is recorded


def test_new_traces_are_sampled_up_to_the_rate() -> None:
    sampler = RateLimitedSampler(5)
    kept = [sampler.should_sample(None, n, "case").decision is Decision.RECORD_AND_SAMPLE for n in range(50)]
    assert kept[:5] == [True] * 5
    assert sum(kept) < 10


def test_a_log_line_gives_an_error_by_class_and_place_and_never_quotes_it() -> None:
    try:
        int("ann@example.org")
    except ValueError:
        record = logging.LogRecord("handoff", logging.ERROR, "x.py", 1, "case %s failed", ("c1",), sys.exc_info())
    line = json.loads(JsonFormatter("intake").format(record))
    assert line["message"] == "case c1 failed"
    assert line["error"] == "builtins.ValueError"
    assert "ann@example.org" not in json.dumps(line)
    assert "test_traces.py" in line["at"]
