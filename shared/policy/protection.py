"""The field groups that protect a report as a whole, by its service and by its needs.

The service list of a city names for some services the group whose strict rules hold for every
report of theirs. A need protects by itself when only such services name it: a report that mentions
it is protected as well, whatever its service. All services of Handoff ask `ProtectionRules`, so
that they agree.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.plan import CONSENT_ONLY

UNKNOWN_SERVICE: Final = FieldGroup.VICTIM_SERVICES
"""Protects the reports of a service that the service list does not have, or no longer has."""

STRICTEST_FIRST: Final[tuple[FieldGroup, ...]] = tuple(
    dict.fromkeys(
        (
            UNKNOWN_SERVICE,  # no one may know that the report exists
            *(group for group in FieldGroup if group in CONSENT_ONLY),
            *(group for group in FieldGroup if group in RESTRICTED),
            *FieldGroup,
        )
    )
)
"""All field groups, by how much they protect a report."""

_RANK: Final = {group: rank for rank, group in enumerate(STRICTEST_FIRST)}


class ListedService(Protocol):
    """One service of a city's service list, as far as protection depends on it."""

    @property
    def code(self) -> str:
        """The service code."""
        ...

    @property
    def needs(self) -> Collection[str]:
        """The codes of the needs that the service names."""
        ...

    @property
    def protects(self) -> FieldGroup | None:
        """The group that protects every report of the service, if any."""
        ...


@dataclass(frozen=True, slots=True)
class ProtectionRules:
    """What protects reports in one city."""

    services: Mapping[str, FieldGroup | None]
    """Each service of the service list, with the group that protects its reports, if any."""

    needs: Mapping[str, frozenset[FieldGroup]] = field(default_factory=dict)
    """The needs that only protected services name, with the groups of all these services."""

    def protections_of(self, service: str | None, needs: Iterable[str]) -> tuple[FieldGroup, ...]:
        """Return the groups that protect a report of a service with these needs, the strictest first.

        The strict rules of all of them hold. A service that is not on the list counts as
        `victim_services`, and so does None, a service that is not known yet.
        """
        own = UNKNOWN_SERVICE if service is None else self.services.get(service, UNKNOWN_SERVICE)
        by_needs = self.protections_of_needs(needs)
        return by_needs if own is None else _in_order({own, *by_needs})

    def protections_of_needs(self, needs: Iterable[str]) -> tuple[FieldGroup, ...]:
        """Return the groups that protect a report by its needs alone, the strictest first."""
        found = {group for need in needs for group in self.needs.get(need, ())}
        return _in_order(found) if found else ()


def protection_rules(services: Iterable[ListedService]) -> ProtectionRules:
    """Return what a service list protects."""
    groups: dict[str, FieldGroup | None] = {}
    naming: dict[str, set[FieldGroup | None]] = {}
    for service in services:
        groups[service.code] = service.protects
        for need in service.needs:
            naming.setdefault(need, set()).add(service.protects)
    # A need that an open service names as well says nothing strict about a report.
    return ProtectionRules(
        groups,
        {need: frozenset(filter(None, found)) for need, found in naming.items() if None not in found},
    )


def strictest(protections: Iterable[FieldGroup | None]) -> FieldGroup | None:
    """Return the group that protects most; None when nothing protects."""
    return min(filter(None, protections), key=_RANK.__getitem__, default=None)


def _in_order(groups: Iterable[FieldGroup]) -> tuple[FieldGroup, ...]:
    return tuple(sorted(groups, key=_RANK.__getitem__))
