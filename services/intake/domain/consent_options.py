"""What a person can consent to: the clauses of the jurisdiction's agreements that require a consent."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Clause
from shared.policy.plan import CONSENT_ONLY


@dataclass(frozen=True, slots=True)
class ConsentOption:
    """What one agency may receive for one purpose, once the person consents; `why` are reasons written for the person.

    `main` are the groups that a form offers. For a report that is not protected these are all of them. For a protected
    report they are the groups without which nothing is released; choosing them stands for choosing the rest.
    """

    recipient: str
    purpose: str
    groups: frozenset[FieldGroup]
    main: frozenset[FieldGroup]
    why: tuple[str, ...]


class ConsentCatalogue:
    """Finds the consent options of a report, and the reasons that agreements give."""

    def __init__(self, agreements: Iterable[Agreement] = ()) -> None:
        self._agreements = tuple(agreements)
        self._why = {
            agreement.ground(clause): clause.why for agreement in self._agreements for clause in agreement.share
        }

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason that a clause gives, each once."""
        return tuple(dict.fromkeys(self._why.values()))

    def why(self, ground: str) -> str | None:
        """Return the reason that a clause gives; None for a clause that no agreement has any more."""
        return self._why.get(ground)

    def options(
        self, service_code: str, needs: Sequence[str], protections: Collection[FieldGroup], at: datetime
    ) -> tuple[ConsentOption, ...]:
        """Return the options for a report on this service with these needs, by agency and purpose."""
        found: dict[tuple[str, str], list[Clause]] = {}
        for agreement in self._agreements:
            for clause in agreement.share if agreement.holds(at) else ():
                for recipient in clause.recipients if _applies(clause, service_code, needs) else ():
                    found.setdefault((recipient, agreement.purpose), []).append(clause)
        return tuple(
            _option(recipient, purpose, clauses, protections) for (recipient, purpose), clauses in found.items()
        )


def _applies(clause: Clause, service_code: str, needs: Sequence[str]) -> bool:
    """Tell whether a clause requires a consent for such a report, in whichever district it lies."""
    fits = clause.needs is None or not set(clause.needs).isdisjoint(needs)
    return clause.consent and fits and (clause.services is None or service_code in clause.services)


def _option(
    recipient: str, purpose: str, clauses: Sequence[Clause], protections: Collection[FieldGroup]
) -> ConsentOption:
    groups = frozenset(group for clause in clauses for group in clause.groups)
    main = groups
    if protections:
        # Every protection needs a consent that names its group: without one of them nothing is released.
        groups |= frozenset(protections)
        main = (groups & CONSENT_ONLY) | frozenset(protections)
    return ConsentOption(recipient, purpose, groups, main, tuple(dict.fromkeys(clause.why for clause in clauses)))
