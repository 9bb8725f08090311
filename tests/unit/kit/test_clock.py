"""Pauses between retries, and work that goes on for a grace period after its caller is cancelled."""

import asyncio
import gc
import logging
from time import monotonic

import pytest

from shared.kit.clock import ExponentialBackoff, shield_with_grace


async def test_what_work_returns_and_raises_is_heard() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ArithmeticError("seven")

    assert await shield_with_grace(answer(), 1) == 42
    with pytest.raises(ArithmeticError, match="seven"):
        await shield_with_grace(fail(), 1)


async def cancelled(work: "asyncio.Task[object]") -> None:
    """Cancel work that has begun."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_work_that_is_under_way_is_finished_first() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("all of it")

    await cancelled(asyncio.create_task(shield_with_grace(work(), 30)))
    assert done == ["all of it"]


async def test_work_that_takes_too_long_is_given_up() -> None:
    given_up = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            given_up.set()

    await cancelled(asyncio.create_task(shield_with_grace(work(), 0.01)))
    await asyncio.wait_for(given_up.wait(), 30)


async def test_an_error_that_no_task_waits_for_any_more_is_not_reported_as_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        await asyncio.sleep(0.02)
        raise ArithmeticError

    with caplog.at_level(logging.ERROR, "asyncio"):
        await cancelled(asyncio.create_task(shield_with_grace(work(), 30)))
        gc.collect()
    assert caplog.records == []


async def test_pauses_double_up_to_the_longest_and_start_again_after_a_success() -> None:
    backoff = ExponentialBackoff(first=0.03, longest=0.09)

    async def pause() -> float:
        began = monotonic()
        await backoff.pause()
        return monotonic() - began

    taken = [await pause() for _ in range(3)]
    backoff.reset()
    assert [taken[0] >= 0.03, taken[1] >= 0.06, taken[2] >= 0.09] == [True] * 3
    assert await pause() < taken[2]
