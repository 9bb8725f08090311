"""Warnings: a clause, or a condition of one, that no report can ever meet."""

from collections.abc import Iterator

from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding
from services.routing.jurisdiction.agreements.surroundings import Report, Surroundings
from shared.policy.agreements import FRONT_DOOR, Clause, Form
from shared.policy.plan import CONSENT_ONLY

_CONDITIONS = (("needs", "need"), ("services", "service"), ("districts", "district"))


def unreachable(file: AgreementFile, city: Surroundings) -> Iterator[Finding]:
    """Say which clauses, and which needs, services and districts that they name, no report can ever meet."""
    for number, clause in enumerate(file.agreement.share):
        met = {recipient: list(reached(clause, recipient, city)) for recipient in clause.recipients}
        for place, recipient in enumerate(clause.recipients):
            if not met[recipient]:
                reason = f"can never apply to {recipient}: {_reason(clause, recipient, city)}"
                yield file.warning(reason, "share", number, "to", place)
        if any(met.values()):
            yield from _idle_conditions(file, number, [report for reports in met.values() for report in reports])


def reached(clause: Clause, recipient: str, city: Surroundings) -> Iterator[Report]:
    """Go through the reports under which a clause gives something to a recipient."""
    for report in city.reports:
        if recipient in report.agencies and _meets(report, clause) and _may_carry(clause, report):
            sources = city.asked_for[report.service] - {recipient} | {FRONT_DOOR}
            if not sources.isdisjoint(clause.sources):
                yield report


def _meets(report: Report, clause: Clause) -> bool:
    return (
        (clause.needs is None or report.need in clause.needs)
        and (clause.services is None or report.service in clause.services)
        and (clause.districts is None or report.district in clause.districts)
        and (clause.urgency is None or report.urgency is None or not report.urgency.isdisjoint(clause.urgency))
    )


def _may_carry(clause: Clause, report: Report) -> bool:
    """Tell whether the hard rules let anything of such a report go under the clause."""
    if not report.protections:
        return True
    return clause.form is not Form.FULL and (clause.consent or CONSENT_ONLY.isdisjoint(report.protections))


def _reason(clause: Clause, recipient: str, city: Surroundings) -> str:
    """Say which hurdle is too high for every report, in the order in which they are taken."""
    asked = [report for report in city.reports if recipient in report.agencies]
    if not asked:
        return f"the routing book never asks {recipient} for help"
    fitting = [report for report in asked if _meets(report, clause)]
    if not fitting:
        return f"the routing book asks {recipient} for help with nothing that meets its conditions"
    if not any(_may_carry(clause, report) for report in fitting):
        return "the reports that meet its conditions are protected, and need a consent and a form that is not full"
    return f"no such report is also referred to {', '.join(clause.sources)}"


def _idle_conditions(file: AgreementFile, number: int, met: list[Report]) -> Iterator[Finding]:
    clause = file.agreement.share[number]
    to = ", ".join(clause.recipients)
    for key, kind in _CONDITIONS:
        useful = {getattr(report, kind) for report in met}
        for place, name in enumerate(getattr(clause, key) or ()):
            if name not in useful:
                yield file.warning(f"{kind} {name} never leads to {to} here", "share", number, key, place)
