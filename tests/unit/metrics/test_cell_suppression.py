"""Small counts are not published, and cannot be derived from a total, or from two tables together."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.cell_suppression import CountName, SumRelation, SuppressionProblem, choose_published

MINIMUM = 11
TOTAL: CountName = ("total",)


def offer(sizes: list[int], *, minimum: int = MINIMUM) -> SuppressionProblem:
    """Return the problem of rows and their total."""
    rows: list[CountName] = [(f"{number:03}",) for number in range(len(sizes))]
    counts = dict(zip(rows, sizes, strict=True)) | {TOTAL: sum(sizes)}
    return SuppressionProblem(counts, {TOTAL: 0, **dict.fromkeys(rows, 1)}, [SumRelation(TOTAL, tuple(rows))], minimum)


def hidden(*sizes: int) -> list[int]:
    offered = offer(list(sizes))
    return [offered.counts[name] for name in offered.counts if name not in choose_published(offered)]


def test_a_small_count_is_suppressed_with_another_so_that_the_total_does_not_reveal_it() -> None:
    assert hidden(50, 10, 20, 30) == [10, 20]


def test_small_counts_that_hide_one_another_are_enough() -> None:
    assert hidden(50, 6, 7, 30) == [6, 7]


def test_few_among_several_small_counts_are_too_few() -> None:
    assert hidden(50, 3, 4, 30) == [3, 4, 30]


def test_counts_that_are_large_enough_are_all_published_and_so_is_zero() -> None:
    assert hidden(11, 12, 500, 0) == []


def test_a_total_that_differs_little_from_its_only_large_part_is_published_and_the_part_is_not() -> None:
    assert hidden(495, 5) == [495, 5]


def test_what_one_table_suppresses_another_does_not_reveal() -> None:
    """Both tables have the same sum, which is never published."""
    counts: dict[CountName, int] = {
        ("all",): 100, ("need", "noise"): 100, ("agency", "hpd"): 60, ("agency", "nypd"): 35, ("agency", "parks"): 5,
    }  # fmt: skip
    sums = [
        SumRelation(("all",), (("need", "noise"),)),
        SumRelation(("all",), tuple(name for name in counts if name[0] == "agency")),
    ]
    ranks: dict[CountName, int] = {name: int(name[0] == "agency") for name in counts if name != ("all",)}
    shown = choose_published(SuppressionProblem(counts, ranks, sums, MINIMUM))
    assert shown == {("need", "noise"), ("agency", "hpd")}


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=12), st.integers(min_value=2, max_value=20))
def test_what_is_suppressed_is_never_a_single_count_nor_few_together(sizes: list[int], minimum: int) -> None:
    offered = offer(sizes, minimum=minimum)
    shown = choose_published(offered)
    gone = [offered.counts[name] for name in offered.counts if name not in shown and name != TOTAL]
    assert not [name for name in shown if offered.is_small(offered.counts[name])]
    if TOTAL in shown:
        assert sum(gone) == 0 or (len(gone) > 1 and sum(gone) >= minimum)


@st.composite
def systems(draw: st.DrawFn) -> SuppressionProblem:
    """Build a table of two dimensions, of which the margins and some cells are published."""
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells: dict[CountName, int] = {
        (str(row), str(column)): draw(st.integers(0, 25)) for row in range(rows) for column in range(columns)
    }
    across: dict[CountName, list[CountName]] = {}
    for row, column in cells:
        across.setdefault(("row", row), []).append((row, column))
        across.setdefault(("column", column), []).append((row, column))
    margins = {name: sum(cells[part] for part in parts) for name, parts in across.items()}
    sums = [SumRelation(name, tuple(parts)) for name, parts in across.items()]
    counts: dict[CountName, int] = cells | margins | {TOTAL: sum(cells.values())}
    sums += [SumRelation(TOTAL, tuple(name for name in margins if name[0] == kind)) for kind in ("row", "column")]
    published = [name for name in counts if name in margins or draw(st.booleans())]
    return SuppressionProblem(counts, {name: draw(st.integers(0, 2)) for name in published}, sums, MINIMUM)


@given(systems())
def test_no_pair_of_published_counts_reveals_a_small_one(offered: SuppressionProblem) -> None:
    shown = choose_published(offered)
    for one in offered.sums:
        for part in set(one.parts) & shown:
            if one.whole in shown and len(one.parts) == 2:
                assert not offered.is_small(offered.counts[one.whole] - offered.counts[part])


@given(systems())
def test_no_sum_less_its_published_parts_reveals_a_small_count(offered: SuppressionProblem) -> None:
    shown = choose_published(offered)
    for one in offered.sums:
        rest = sum(offered.counts[part] for part in one.parts if part not in shown)
        if one.whole in shown:
            assert not offered.is_small(rest)


@given(systems())
def test_without_small_counts_everything_is_published(offered: SuppressionProblem) -> None:
    large = {name: count for name, count in offered.counts.items() if not offered.is_small(count)}
    if len(large) == len(offered.counts):
        assert choose_published(offered) == offered.ranks.keys()


def solve(rows: list[list[Fraction]], width: int) -> list[list[Fraction]]:
    """Bring equations into reduced row echelon form."""
    done = 0
    for column in range(width):
        pivot = next((row for row in range(done, len(rows)) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for row in range(len(rows)):
            if row != done and (factor := rows[row][column]):
                rows[row] = [one - factor * other for one, other in zip(rows[row], rows[done], strict=True)]
        done += 1
    return rows


@pytest.mark.parametrize("seed_sizes", [[50, 10, 20, 30], [3, 4, 60], [11, 1], [12, 9, 9, 9]])
def test_algebra_does_not_find_a_small_count_either(seed_sizes: list[int]) -> None:
    offered = offer(seed_sizes)
    shown = choose_published(offered)
    names = list(offered.counts)
    sums = [[Fraction((n == s.whole) - (n in s.parts)) for n in names] + [Fraction(0)] for s in offered.sums]
    published = [[Fraction(n == name) for n in names] + [Fraction(offered.counts[name])] for name in shown]
    for row in solve(sums + published, len(names)):
        found = [place for place, value in enumerate(row[:-1]) if value]
        if len(found) == 1:
            assert not offered.is_small(int(row[-1]))
