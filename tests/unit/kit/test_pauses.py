"""How long is paused after failures, and rested after work."""

from time import monotonic

import pytest

from shared.kit.pauses import Pauses, rest_after


@pytest.mark.parametrize(("took", "rest"), [(0.001, 0.01), (0.03, 0.03), (5.0, 0.1)])
def test_a_rest_is_as_long_as_the_work_within_limits(took: float, rest: float) -> None:
    assert rest_after(took, least=0.01, most=0.1) == rest


async def test_pauses_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    pauses = Pauses(first=0.01, longest=0.02)

    async def pause() -> float:
        began = monotonic()
        await pauses.take()
        return monotonic() - began

    taken = [await pause() for _ in range(3)]
    pauses.reset()
    assert [taken[0] >= 0.01, taken[1] >= 0.02, taken[2] >= 0.02] == [True] * 3
    assert await pause() < taken[1]
