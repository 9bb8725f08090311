"""The reports that an agreement can ever meet in a city, and warnings about clauses that add nothing to them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from shared.city.agreement_files import AgreementFile
from shared.city.city import City
from shared.city.routing_rules import Rule
from shared.city.service_list import ServiceKind
from shared.city.toml_files import Finding
from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Clause, Form
from shared.policy.plan import CONSENT_ONLY

_NAMED: Final = (("needs", "need"), ("services", "service"), ("districts", "district"))
_CONDITIONS: Final = ("needs", "services", "districts", "urgency")


class ReportKind(NamedTuple):
    """One kind of report that the routing rules are asked about, and the agencies that they may name for it.

    `urgency` is None when the person who reports may state any.
    """

    service: str
    need: str
    district: str | None
    urgency: frozenset[str] | None
    protections: tuple[FieldGroup, ...]
    agencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What agreements are checked against: the city, and every kind of report in it.

    `keys` are the agencies with a public key, None where that is not known. `referred` has for each
    service every agency that a case of it may be referred to.
    """

    city: City
    reports: tuple[ReportKind, ...]
    referred: Mapping[str, frozenset[str]]
    keys: frozenset[str] | None = None

    @property
    def parties(self) -> frozenset[str]:
        """Who may be a party to an agreement."""
        return frozenset(self.city.agencies) | {FRONT_DOOR}


def surroundings_of(city: City, keys: Collection[str] | None = None) -> Surroundings:
    """Return what the agreements of a city are checked against."""
    reports = tuple(_report_kinds(city))
    referred: dict[str, frozenset[str]] = {}
    for report in reports:
        referred[report.service] = referred.get(report.service, frozenset()) | report.agencies
    return Surroundings(city, reports, referred, None if keys is None else frozenset(keys))


def reached(clause: Clause, recipient: str, surroundings: Surroundings) -> Iterator[ReportKind]:
    """Yield the reports under which a clause gives something to a recipient."""
    for report in surroundings.reports:
        if recipient in report.agencies and _meets(report, clause) and _may_carry(clause, report):
            sources = surroundings.referred[report.service] - {recipient} | {FRONT_DOOR}
            if not sources.isdisjoint(clause.sources):
                yield report


def unreachable(file: AgreementFile, surroundings: Surroundings) -> Iterator[Finding]:
    """Warn about clauses, and about needs, services and districts that they name, that no report can meet."""
    for number, clause in enumerate(file.content.share):
        met = {recipient: list(reached(clause, recipient, surroundings)) for recipient in clause.recipients}
        for place, recipient in enumerate(clause.recipients):
            if not met[recipient]:
                reason = f"can never apply to {recipient}: {_reason(clause, recipient, surroundings)}"
                yield file.warning(reason, "share", number, "to", place)
        if any(met.values()):
            yield from _idle_conditions(file, number, [report for reports in met.values() for report in reports])


def overlaps(files: Iterable[AgreementFile], surroundings: Surroundings) -> Iterator[Finding]:
    """Warn about clauses that add nothing to another for a recipient and groups; of two alike, about the later."""
    for recipient, placed in _by_recipient(files).items():
        for later, one in enumerate(placed):
            for earlier, other in enumerate(placed):
                alike = _covers(one, other, recipient, surroundings)
                if (
                    one is not other
                    and _covers(other, one, recipient, surroundings)
                    and not (alike and later < earlier)
                ):
                    yield from _overlap(one, other, recipient)


def _report_kinds(city: City) -> Iterator[ReportKind]:
    places = [None, *city.districts]
    for service in city.services.values():
        protections = city.protection.protections_of(service.code, service.needs)
        for need, place in product(service.needs, places):
            agencies = frozenset(_asked(city, city.rules.find(service.code, need, place), place))
            yield ReportKind(service.code, need, place, _urgency(service), protections, agencies)


def _urgency(service: ServiceKind) -> frozenset[str] | None:
    asks = any(question.code == "urgency" for question in service.attribute)
    return None if asks else frozenset({service.urgency})


def _asked(city: City, rule: Rule | None, place: str | None) -> Iterator[str]:
    """Yield the agencies of the programs that a rule names and that serve the place."""
    for name in () if rule is None else rule.programs:
        program = city.programs.get(name)
        if program is not None and program.serves(place):
            yield program.agency


def _meets(report: ReportKind, clause: Clause) -> bool:
    return (
        (clause.needs is None or report.need in clause.needs)
        and (clause.services is None or report.service in clause.services)
        and (clause.districts is None or report.district in clause.districts)
        and (clause.urgency is None or report.urgency is None or not report.urgency.isdisjoint(clause.urgency))
    )


def _may_carry(clause: Clause, report: ReportKind) -> bool:
    """Tell whether the policies let anything of such a report go under the clause."""
    if not report.protections:
        return True
    return clause.form is not Form.FULL and (clause.consent or CONSENT_ONLY.isdisjoint(report.protections))


def _reason(clause: Clause, recipient: str, surroundings: Surroundings) -> str:
    """Return the first condition that no report meets, in the order in which they are checked."""
    asked = [report for report in surroundings.reports if recipient in report.agencies]
    if not asked:
        return f"no routing rule asks {recipient} for help"
    fitting = [report for report in asked if _meets(report, clause)]
    if not fitting:
        return f"the routing rules ask {recipient} for help with nothing that meets its conditions"
    if not any(_may_carry(clause, report) for report in fitting):
        return "the reports that meet its conditions are protected, and need a consent and a form that is not full"
    return f"no such report is also referred to {', '.join(clause.sources)}"


def _idle_conditions(file: AgreementFile, number: int, met: list[ReportKind]) -> Iterator[Finding]:
    clause = file.content.share[number]
    to = ", ".join(clause.recipients)
    for key, kind in _NAMED:
        useful = {getattr(report, kind) for report in met}
        for place, name in enumerate(getattr(clause, key) or ()):
            if name not in useful:
                yield file.warning(f"{kind} {name} never leads to {to} here", "share", number, key, place)


@dataclass(frozen=True, slots=True)
class _PlacedClause:
    """A clause, and its place in its file."""

    file: AgreementFile
    number: int
    clause: Clause

    @property
    def name(self) -> str:
        return self.file.content.ground(self.clause)


def _by_recipient(files: Iterable[AgreementFile]) -> Mapping[str, list[_PlacedClause]]:
    placed: dict[str, list[_PlacedClause]] = {}
    for file in files:
        for number, clause in enumerate(file.content.share):
            for recipient in dict.fromkeys(clause.recipients):
                placed.setdefault(recipient, []).append(_PlacedClause(file, number, clause))
    return placed


def _overlap(one: _PlacedClause, other: _PlacedClause, recipient: str) -> Iterator[Finding]:
    twice = [group for group in one.clause.groups if group in other.clause.groups]
    if twice:
        reason = f"gives {recipient} nothing by {', '.join(twice)} that {other.name} does not give already"
        yield one.file.warning(reason, "share", one.number, "groups")


def _covers(wide: _PlacedClause, narrow: _PlacedClause, recipient: str, surroundings: Surroundings) -> bool:
    """Tell whether the one clause applies whenever the other does, and gives in the same form."""
    one, other = wide.clause, narrow.clause
    if one.form is not other.form or not _sources_cover(one, other) or not _consent_covers(wide, narrow):
        return False
    for condition in _CONDITIONS:
        within, asked = getattr(one, condition), getattr(other, condition)
        if within is not None and (asked is None or not set(asked) <= set(within)):
            return False
    return one.consent or not other.consent or not _reaches_consent_only(other, recipient, surroundings)


def _sources_cover(one: Clause, other: Clause) -> bool:
    return FRONT_DOOR in one.sources or set(other.sources) <= set(one.sources)


def _consent_covers(wide: _PlacedClause, narrow: _PlacedClause) -> bool:
    """A consent counts for one purpose: two clauses that need one are alike only when they serve the same."""
    if not wide.clause.consent:
        return True
    return narrow.clause.consent and wide.file.content.purpose == narrow.file.content.purpose


def _reaches_consent_only(clause: Clause, recipient: str, surroundings: Surroundings) -> bool:
    return any(not CONSENT_ONLY.isdisjoint(report.protections) for report in reached(clause, recipient, surroundings))
