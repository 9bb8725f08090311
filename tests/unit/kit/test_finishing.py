"""Work comes to its end although whoever waits for it is told to stop, if it does not take too long."""

import asyncio
import gc
import logging

import pytest

from shared.kit.clock import shield_with_grace


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


async def test_an_error_that_nobody_waits_for_any_more_is_not_reported_as_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        await asyncio.sleep(0.02)
        raise ArithmeticError

    with caplog.at_level(logging.ERROR, "asyncio"):
        await cancelled(asyncio.create_task(shield_with_grace(work(), 30)))
        gc.collect()
    assert caplog.records == []
