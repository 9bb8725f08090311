"""The clauses of all agreements, found by who asks, who holds the case, and what is needed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from shared.policy.agreements import Agreement, Clause
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleaseGround
from shared.policy.policies import PolicyError

K = TypeVar("K")


class IndexedClause(NamedTuple):
    """One clause, with the agreement that it stands in."""

    number: int
    agreement: Agreement
    clause: Clause

    @property
    def ground(self) -> ReleaseGround:
        """The name under which a disclosure stands on it."""
        return ReleaseGround("agreement", self.agreement.ground(self.clause), self.agreement.version)


class ClauseIndex:
    """What agencies are offered; nobody goes through all of it for one decision."""

    def __init__(self, agreements: Sequence[Agreement]) -> None:
        if len({agreement.id for agreement in agreements}) < len(agreements):
            raise PolicyError("an agreement is there twice: only one version of it can hold")
        pairs = [(agreement, clause) for agreement in agreements for clause in agreement.share]
        self.all = tuple(IndexedClause(number, *pair) for number, pair in enumerate(pairs))
        self._to = _indexed((to, each) for each in self.all for to in each.clause.recipients)
        self._from = _indexed(
            ((to, source, need), each)
            for each in self.all
            for to in each.clause.recipients
            for source in each.clause.sources
            for need in each.clause.needs or (None,)
        )

    def to(self, agency: str) -> tuple[IndexedClause, ...]:
        """Return every clause that names the agency as a recipient."""
        return self._to.get(agency, ())

    def for_query(self, query: DisclosureQuery) -> tuple[IndexedClause, ...]:
        """Return, in order, the clauses to the agency from whoever holds the case, that do not ask for another need."""
        agency, sources, need = query[:3]
        found = {
            indexed.number: indexed
            for source in sources
            for key in ((agency, source, need), (agency, source, None))
            for indexed in self._from.get(key, ())
        }
        return tuple(found[number] for number in sorted(found))


def _indexed(pairs: Iterable[tuple[K, IndexedClause]]) -> Mapping[K, tuple[IndexedClause, ...]]:
    index: dict[K, dict[int, IndexedClause]] = {}
    for key, indexed in pairs:
        index.setdefault(key, {})[indexed.number] = indexed
    return {key: tuple(clauses.values()) for key, clauses in index.items()}
