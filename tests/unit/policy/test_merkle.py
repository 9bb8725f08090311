"""The ledger's tree: the reference vectors of certificate transparency, the definition in RFC 6962, and laws."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.merkle import (
    EMPTY_ROOT,
    LeafRange,
    Node,
    append,
    consistency_spans,
    hash_leaf,
    hash_span,
    inclusion_spans,
    nodes_under,
    peaks_of,
    root_of,
)
from tests.unit.policy.trees import naive_extension, naive_path, naive_root

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a3091",
        "5f083f0a1a33ca076a95279832580db3",
        "6b47aaf29ee3c2af9af889bc1fb9254d",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f7",
        "ca854ea128ed050b41b35ffc1b87b8eb",
        "d37ee418976dd95753c1c73862b9398f",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9d"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c",
        "5f083f0a1a33ca076a95279832580db3",
        "bc1a0643b12e4d2d7c77918f44e0f4f7",
    ],
}
"""Inclusion proofs by place and size; the first half of each hash."""

EXTENSIONS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a3091",
        "5f083f0a1a33ca076a95279832580db3",
        "6b47aaf29ee3c2af9af889bc1fb9254d",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e",
        "ca854ea128ed050b41b35ffc1b87b8eb",
        "d37ee418976dd95753c1c73862b9398f",
    ],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3", "bc1a0643b12e4d2d7c77918f44e0f4f7"],
}
"""Consistency proofs by old and new size; the first half of each hash."""

leaves = st.lists(st.binary(max_size=4), max_size=70)


def grow(data: Sequence[bytes]) -> dict[Node, bytes]:
    """Make the tree over these leaves at once."""
    return append(0, {}, [hash_leaf(each) for each in data])


def hashes(spans: Sequence[LeafRange], nodes: dict[Node, bytes]) -> list[bytes]:
    """Compute a proof."""
    return [hash_span(span, nodes) for span in spans]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert root_of(size, grow(LEAVES[:size])).hex() == ROOTS[size] == naive_root(LEAVES[:size]).hex()


@pytest.mark.parametrize("place_and_size", PATHS)
def test_inclusion_proofs_are_those_of_the_reference(place_and_size: tuple[int, int]) -> None:
    place, size = place_and_size
    path = hashes(inclusion_spans(place, size), grow(LEAVES[:size]))
    assert [each.hex()[:32] for each in path] == PATHS[place_and_size]
    assert path == naive_path(place, LEAVES[:size])


@pytest.mark.parametrize("sizes", EXTENSIONS)
def test_consistency_proofs_are_those_of_the_reference(sizes: tuple[int, int]) -> None:
    path = hashes(consistency_spans(*sizes), grow(LEAVES[: sizes[1]]))
    assert [each.hex()[:32] for each in path] == EXTENSIONS[sizes]


@given(leaves, st.lists(st.integers(0, 70), max_size=5))
def test_however_a_tree_grows_it_is_the_same(data: list[bytes], cuts: list[int]) -> None:
    nodes: dict[Node, bytes] = {}
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(bounds):
        peaks = {node: nodes[node] for node in peaks_of(start)}
        grown = append(start, peaks, [hash_leaf(each) for each in data[start:end]])
        assert nodes.keys().isdisjoint(grown), "no node is written twice"
        nodes |= grown
    assert nodes == grow(data)
    assert root_of(len(data), nodes) == naive_root(data)


@given(leaves)
def test_exactly_the_complete_subtrees_are_kept(data: list[bytes]) -> None:
    nodes = grow(data)
    assert nodes.keys() == {
        Node(level, number) for level in range(8) for number in range(len(data) >> level) if len(data) >> level
    }
    for node, found in nodes.items():
        assert found == naive_root(data[node.first : node.last + 1])


@given(leaves, st.data())
def test_what_was_true_of_a_smaller_tree_can_be_told_from_the_larger_one(
    data: list[bytes], draw: st.DataObject
) -> None:
    nodes = grow(data)
    old = draw.draw(st.integers(0, len(data)))
    assert root_of(old, nodes) == naive_root(data[:old])
    if old:
        place = draw.draw(st.integers(0, old - 1))
        assert hashes(inclusion_spans(place, old), nodes) == naive_path(place, data[:old])
        assert hashes(consistency_spans(old, len(data)), nodes) == naive_extension(old, data)


@given(st.integers(0, 10**6))
def test_a_tree_is_made_of_few_complete_subtrees_without_a_gap(size: int) -> None:
    peaks = peaks_of(size)
    assert [place for peak in peaks for place in (peak.first, peak.last + 1)][1:-1:2] == [
        peak.first for peak in peaks[1:]
    ]
    assert len(peaks) == size.bit_count()
    assert not peaks or (peaks[0].first, peaks[-1].last) == (0, size - 1)


def test_an_empty_tree_has_a_hash_and_no_nodes() -> None:
    assert (grow([]), peaks_of(0), root_of(0, {})) == ({}, [], EMPTY_ROOT)
    assert nodes_under(LeafRange(4, 7)) == [Node(1, 2), Node(0, 6)]
