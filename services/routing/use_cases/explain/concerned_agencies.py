"""Which agencies come into a case, and how: asked, barred, named."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from uuid import UUID

from services.routing.domain.city import RoutingCity
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import Evidence


class Involvement(StrEnum):
    """How an agency comes into a case."""

    REFERRAL = "has or had a referral"
    REFUSED = "was not asked because it may not know"
    GIVEN = "was given something"
    BOOK = "is named by the routing book"
    CONSENT = "is named in a consent"
    QUESTION = "was asked about"


def concerned_agencies(
    past: PastCase, evidence: Evidence, city: RoutingCity, only: str | None
) -> Mapping[str, Mapping[Involvement, Collection[UUID]]]:
    """Return each agency that comes into a case, how, and for which needs: without any, for all."""
    found: dict[str, dict[Involvement, set[UUID]]] = {}
    for agency, because, need_id in _mentions(past, evidence, city):
        if only in {None, agency}:
            needs = found.setdefault(agency, {}).setdefault(because, set())
            needs |= {need_id} if need_id else set()
    if only is not None and only not in found:
        found[only] = {Involvement.QUESTION: set()}
    return found


def _mentions(past: PastCase, evidence: Evidence, city: RoutingCity) -> Iterator[tuple[str, Involvement, UUID | None]]:
    for referral in past.case.referrals.values():
        yield referral.agency, Involvement.REFERRAL, referral.need_id
    for refusal in evidence.refusals:
        yield refusal.agency, Involvement.REFUSED, refusal.need_id
    for receipt in evidence.receipts:
        yield receipt.agency, Involvement.GIVEN, None
    yield from _named_by_book(past, city)
    for consent in past.consents:
        for agency in sorted(consent.recipients):
            yield agency, Involvement.CONSENT, None


def _named_by_book(past: PastCase, city: RoutingCity) -> Iterator[tuple[str, Involvement, UUID | None]]:
    report = past.case.report
    for need in report.needs:
        rule = city.rules.find(report.service_code, need.need, report.place.district)
        for name in (*rule.candidates, *filter(None, [rule.fallback])) if rule else ():
            yield city.programs[name].agency, Involvement.BOOK, need.need_id
