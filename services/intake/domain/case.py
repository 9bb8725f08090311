"""A case as it is shown: its public data, and its history since it was opened."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Note:
    """One entry in the history of a case, as codes; `kind` is a key under `[note]` in the locales."""

    happened_at: datetime
    kind: str
    referral_id: UUID | None = None
    need: str | None = None
    agency: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case without personal data."""

    case_id: UUID
    service_request_id: str
    service_code: str
    needs: tuple[str, ...]
    channel: str
    cell: str | None
    district: str | None
    status: str
    resolution: str | None
    agencies: tuple[str, ...]
    submitted_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def last_change(self) -> datetime:
        """When the case last changed: for a closed case when it was closed, as Open311 requires."""
        return self.closed_at if self.status == "closed" and self.closed_at else self.updated_at


def hide_agencies(case: CaseSummary, agencies: AbstractSet[str]) -> CaseSummary:
    """Return the case without these agencies, whose part in it is under embargo."""
    return replace(case, agencies=tuple(agency for agency in case.agencies if agency not in agencies))
