"""How long is paused after failures."""

from time import monotonic

from shared.kit.clock import ExponentialBackoff


async def test_pauses_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    pauses = ExponentialBackoff(first=0.01, longest=0.02)

    async def pause() -> float:
        began = monotonic()
        await pauses.take()
        return monotonic() - began

    taken = [await pause() for _ in range(3)]
    pauses.reset()
    assert [taken[0] >= 0.01, taken[1] >= 0.02, taken[2] >= 0.02] == [True] * 3
    assert await pause() < taken[1]
