"""Cells that are too small are not published, nor can they be worked out."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.cells import ALL_TIME, Cell, veil

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def cell(key: str, n: int, waiting: int = 0) -> Cell:
    return Cell(
        by="agency", key=key, week=ALL_TIME, clock="response", n=n, bad=0, waiting=waiting, p50=1.0, p90=2.0, p95=3.0,
        hold=0.0, as_of=NOW,
    )  # fmt: skip


def hidden(*sizes: int) -> list[int]:
    cells = [cell(f"{number:03}", n) for number, n in enumerate(sizes)]
    return [n for n, shown in zip(sizes, veil(cells, 11), strict=True) if shown.veiled]


def test_a_small_cell_is_hidden_with_another_so_that_the_total_does_not_give_it_away() -> None:
    assert hidden(50, 10, 20, 30) == [10, 20]


def test_small_cells_that_hide_one_another_are_enough() -> None:
    assert hidden(50, 6, 7, 30) == [6, 7]


def test_cells_that_are_large_enough_are_all_shown() -> None:
    assert hidden(11, 12, 500) == []


def test_percentiles_of_few_times_are_left_out_of_a_large_cell() -> None:
    [shown] = veil([cell("hpd", n=3, waiting=40)], 11)
    assert (shown.veiled, shown.waiting, shown.p50) == (False, 40, None)


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=12))
def test_what_is_hidden_is_never_a_single_cell_beside_others_nor_few_together(sizes: list[int]) -> None:
    gone = hidden(*sizes)
    filled = [n for n in sizes if n]
    assert all(n in gone for n in filled if n < 11)
    if gone and len(filled) > len(gone):
        assert len(gone) > 1
        assert sum(gone) >= 11
