"""What a person can consent to: the clauses of the jurisdiction's agreements that ask for a consent."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Clause
from shared.policy.plan import CONSENT_ONLY


@dataclass(frozen=True, slots=True)
class ConsentOption:
    """What one agency may be given for one purpose, once the person consents; `why` is for the person.

    `main` are the groups that a form offers: all of them or, of a report that is protected as a whole, those without
    which nothing of it is given; they then stand for the rest.
    """

    recipient: str
    purpose: str
    groups: frozenset[FieldGroup]
    main: frozenset[FieldGroup]
    why: tuple[str, ...]


class ConsentCatalogue:
    """The agreements, as far as a person is concerned."""

    def __init__(self, agreements: Iterable[Agreement] = ()) -> None:
        self._agreements = tuple(agreements)
        self._why = {
            agreement.ground(clause): clause.why for agreement in self._agreements for clause in agreement.share
        }

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences that tell why something is given."""
        return tuple(dict.fromkeys(self._why.values()))

    def why(self, ground: str) -> str | None:
        """Return the sentence that tells why a clause gives something; None for a clause that is there no more."""
        return self._why.get(ground)

    def offers(
        self, asked: tuple[str, Sequence[str]], protections: Collection[FieldGroup], at: datetime
    ) -> tuple[ConsentOption, ...]:
        """Return what can be consented to for a report on this service with these needs, by agency and purpose."""
        found: dict[tuple[str, str], list[Clause]] = {}
        for agreement in self._agreements:
            for clause in agreement.share if agreement.holds(at) else ():
                for recipient in clause.recipients if _applies(clause, *asked) else ():
                    found.setdefault((recipient, agreement.purpose), []).append(clause)
        return tuple(_offer(names, clauses, protections) for names, clauses in found.items())


def _applies(clause: Clause, service: str, needs: Sequence[str]) -> bool:
    """Tell whether a clause asks for the consent of whoever files such a report, wherever that is."""
    fits = clause.needs is None or not set(clause.needs).isdisjoint(needs)
    return clause.consent and fits and (clause.services is None or service in clause.services)


def _offer(names: tuple[str, str], clauses: Sequence[Clause], protections: Collection[FieldGroup]) -> ConsentOption:
    groups = frozenset(group for clause in clauses for group in clause.groups)
    main = groups
    if protections:
        # Every protection needs a consent that names its group: without one of them nothing is released.
        groups |= frozenset(protections)
        main = (groups & CONSENT_ONLY) | frozenset(protections)
    return ConsentOption(*names, groups, main, tuple(dict.fromkeys(clause.why for clause in clauses)))
