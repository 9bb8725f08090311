"""A person's consent: a time-limited permission that names recipients, groups and a purpose."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.events.fields import FieldGroup

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""Clock tolerance: a stored consent counts even if this machine's clock is behind by this much."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One written consent.

    A consent is a condition in addition to an agreement, never a ground alone. It counts only for the recipients that
    it names and under agreements of the same `purpose`. It covers the groups that it names. A consent that names the
    protection of a report (for example `victim_services`) covers all groups of that report, except another group that
    the law requires to be named.
    """

    consent_id: UUID
    case_id: UUID
    recipients: frozenset[str]
    purpose: str
    groups: frozenset[FieldGroup]
    granted_at: datetime
    ends_at: datetime
    """The first moment at which it is no longer valid."""
    withdrawn_at: datetime | None = None

    def live(self, at: datetime) -> bool:
        """Whether the consent is valid at a moment.

        A withdrawn consent is valid at no moment, not even before the withdrawal: clocks of two machines differ, and
        nothing may be disclosed after the withdrawal.
        """
        return self.withdrawn_at is None and self.granted_at - CLOCKS_DIFFER <= at < self.ends_at
