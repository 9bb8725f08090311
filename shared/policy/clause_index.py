"""An index of the clauses of all agreements by recipient, source and need."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from shared.policy.agreements import Agreement, Clause
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleaseGround
from shared.policy.policies import PolicyError

K = TypeVar("K")


class IndexedClause(NamedTuple):
    """One clause with its agreement; `number` is its position among all clauses."""

    number: int
    agreement: Agreement
    clause: Clause

    @property
    def ground(self) -> ReleaseGround:
        """The ground of a disclosure under this clause."""
        return ReleaseGround("agreement", self.agreement.ground(self.clause), self.agreement.version)


class ClauseIndex:
    """Finds the clauses for a query without scanning all agreements."""

    def __init__(self, agreements: Sequence[Agreement]) -> None:
        if len({agreement.id for agreement in agreements}) < len(agreements):
            raise PolicyError("an agreement is given twice: only one version can be in force")
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
        """Return, in order, the clauses from the case's sources to the agency whose need condition is met or absent."""
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
