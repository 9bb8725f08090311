"""A case as it was at an earlier moment: who had been asked by then, and which consents stood."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.routing.domain.case import Case
from services.routing.domain.placing import Asking, City, Standing
from shared.events.intake import Need
from shared.policy.consent import Consent


@dataclass(frozen=True, slots=True)
class Past:
    """A case, when it was routed, and every consent that was ever given in it."""

    case: Case
    routed_at: datetime
    consents: tuple[Consent, ...] = ()

    def asking(self, city: City, need: Need, at: datetime, holders: Iterable[str]) -> Asking:
        """Return what the routing book and the policy were asked about a need at a moment before."""
        return self._ask(city, need, at, holders, consents_as_known(self.consents, at))

    def asking_now(self, city: City, need: Need, now: datetime) -> Asking:
        """Return what they are asked at present."""
        return self._ask(city, need, now, self.holders(now), self.consents)

    def holders(self, at: datetime) -> frozenset[str]:
        """Return the agencies that had been asked for help by a moment."""
        return frozenset(each.agency for each in self.case.referrals.values() if each.asked_at <= at)

    def _ask(self, city: City, need: Need, at: datetime, holders: Iterable[str], consents: Sequence[Consent]) -> Asking:
        return city.asking(self.case.report, need.need, Standing(at, tuple(consents), frozenset(holders)))


def consents_as_known(consents: Iterable[Consent], at: datetime) -> tuple[Consent, ...]:
    """Return the consents as they stood at a moment: one that was withdrawn later counted then."""
    return tuple(replace(each, withdrawn_at=None) if _fell_later(each, at) else each for each in consents)


def _fell_later(consent: Consent, at: datetime) -> bool:
    return consent.withdrawn_at is not None and consent.withdrawn_at > at
