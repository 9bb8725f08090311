"""A person's consent: a time-limited permission that names recipients, groups and a purpose."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.events.fields import FieldGroup

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A consent that can be read has been granted: it counts although this machine's clock is so much behind."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent, as it is kept in writing.

    It is a condition on top of an agreement, never a ground alone, and counts only for a recipient that it names, and
    under agreements of the same `purpose`. It covers the groups that it names; one that names the group which protects
    a whole report (such as `victim_services`) covers all groups of such a report, except for another group that the
    law lets nobody have without being named.
    """

    consent_id: UUID
    case_id: UUID
    recipients: frozenset[str]
    purpose: str
    groups: frozenset[FieldGroup]
    granted_at: datetime
    ends_at: datetime
    """The first moment at which it counts no more."""
    withdrawn_at: datetime | None = None

    def live(self, at: datetime) -> bool:
        """Tell whether it stands at a moment.

        One that was withdrawn does not stand at any moment, not even before: clocks of two machines differ, and nothing
        may leave after the withdrawal.
        """
        return self.withdrawn_at is None and self.granted_at - CLOCKS_DIFFER <= at < self.ends_at
