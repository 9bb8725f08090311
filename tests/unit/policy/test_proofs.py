"""Proofs about the ledger hold for what is true, and for nothing else."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.policy.merkle import EMPTY_ROOT, hash_leaf
from shared.policy.proofs import TreeHead, is_included
from tests.merkle_proofs import is_extended
from tests.unit.policy.trees import naive_extension, naive_path, naive_root

SIZES = st.integers(1, 40)


def leaves_of(size: int) -> list[bytes]:
    """So many leaves, each different from the others."""
    return [str(place).encode() for place in range(size)]


def tree_of(size: int) -> TreeHead:
    """Make the tree over these leaves."""
    return TreeHead(size, naive_root(leaves_of(size)))


@given(SIZES, st.data())
def test_a_leaf_is_proven_at_its_place_and_at_no_other(size: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))
    leaves, tree = leaves_of(size), tree_of(size)
    leaf, path = hash_leaf(leaves[place]), naive_path(place, leaves)
    assert is_included(leaf, place, tree, path)
    assert [other for other in range(-2, size + 2) if is_included(leaf, other, tree, path)] == [place]


@given(SIZES, st.data())
def test_a_proof_of_inclusion_that_was_altered_proves_nothing(size: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))
    leaves, tree = leaves_of(size), tree_of(size)
    leaf, path = hash_leaf(leaves[place]), naive_path(place, leaves)
    assert not is_included(hash_leaf(b"another"), place, tree, path)
    assert not is_included(leaf, place, replace(tree, root=EMPTY_ROOT), path)
    assert not is_included(leaf, place, tree, [*path, leaf])
    for left_out in range(len(path)):
        assert not is_included(leaf, place, tree, path[:left_out] + path[left_out + 1 :])
        assert not is_included(leaf, place, tree, [*path[:left_out], EMPTY_ROOT, *path[left_out + 1 :]])


@given(SIZES, SIZES)
def test_a_tree_that_has_grown_is_proven_to_extend_the_old_one(one: int, other: int) -> None:
    old, new = tree_of(min(one, other)), tree_of(max(one, other))
    path = naive_extension(old.size, leaves_of(new.size))
    assert is_extended(old, new, path)
    assert not is_extended(replace(old, root=EMPTY_ROOT), new, path)
    assert not is_extended(old, replace(new, root=EMPTY_ROOT), path)
    assert not is_extended(old, new, [*path, EMPTY_ROOT])
    assert one == other or not is_extended(new, old, path)
    for altered in range(len(path)):
        assert not is_extended(old, new, [*path[:altered], EMPTY_ROOT, *path[altered + 1 :]])
        assert not is_extended(old, new, path[:altered] + path[altered + 1 :])


@given(SIZES, st.data())
def test_no_proof_extends_a_tree_whose_past_was_changed(size: int, data: st.DataObject) -> None:
    old = tree_of(data.draw(st.integers(1, size)))
    changed = leaves_of(size)
    changed[data.draw(st.integers(0, old.size - 1))] = b"changed"
    new = TreeHead(size, naive_root(changed))
    assert not is_extended(old, new, naive_extension(old.size, changed))


def test_every_tree_extends_the_empty_one() -> None:
    assert is_extended(TreeHead(0, EMPTY_ROOT), tree_of(7), [])
    assert not is_extended(TreeHead(0, tree_of(7).root), tree_of(7), [])
    assert not is_included(EMPTY_ROOT, 0, TreeHead(0, EMPTY_ROOT), [])
