"""What reporters do, one event at a time: they file and withdraw cases, give and take back consents, are erased."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.circumstances import Circumstances
from services.routing.domain.consenting import Fallen, Granted, Use, erase, recall, widen
from services.routing.domain.filing import route, withdraw
from services.routing.domain.turn import Given, Prompt, Turn
from shared.events.event import Event
from shared.events.intake import CaseSubmitted, CaseWithdrawn, ConsentGranted, ConsentWithdrawn, PersonErased


class UnknownCaseError(Exception):
    """Something is said of a case that was never submitted."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What has been shared so far, as far as the events of one batch ask for it.

    `uses` are by consent, `recipients` (referral and agency) by case.
    """

    uses: Mapping[UUID, tuple[Use, ...]]
    recipients: Mapping[UUID, Iterable[tuple[UUID, str]]]
    noted: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def note(self, given: Iterable[Given]) -> None:
        """Note what an earlier event of the batch has led to."""
        for each in given:
            for consent_id in each.consents:
                if each.receipt.referral_id is not None:
                    self.noted[consent_id].add(each.receipt.referral_id)

    def used_for(self, consent_id: UUID) -> frozenset[UUID]:
        """Return the referrals for which a consent has been counted on."""
        before = {use.referral_id for use in self.uses.get(consent_id, ())}
        return frozenset(before | self.noted[consent_id])


def decide(case: Case | None, event: Event, prompt: Prompt, around: Circumstances, shared: Shared) -> Turn | None:
    """Decide what follows from one event; None for one that changes nothing.

    Raises:
        UnknownCaseError: the event needs a case that was never submitted.
    """
    if isinstance(event, CaseSubmitted):
        return route(event, prompt, around) if case is None else None
    if case is None:
        raise UnknownCaseError(f"case {event.case_id} was never submitted: {event.type}")
    match event:
        case CaseWithdrawn():
            return withdraw(case, event, prompt, around)
        case ConsentGranted(consent_id=consent_id):
            return widen(case, Granted(consent_id, shared.used_for(consent_id)), prompt, around)
        case ConsentWithdrawn(consent_id=consent_id):
            fallen = Fallen(consent_id, "consent-withdrawn", shared.uses.get(consent_id, ()))
            return recall(case, fallen, prompt, around)
        case PersonErased():
            return erase(case, tuple(shared.recipients.get(event.case_id, ())), prompt, around)
        case _:
            return None
