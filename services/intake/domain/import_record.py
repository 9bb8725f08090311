"""What an imported 311 record says, in one form for every source."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL keeps no text with a NUL in it.
_WITHOUT_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=_WITHOUT_NUL)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_WITHOUT_NUL)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Remark(StrEnum):
    """What is doubtful about a record that is taken in all the same."""

    CLOSED_BEFORE_OPENED = "closed before it was opened"
    CLOSED_WITHOUT_DATE = "closed without a date"
    DATE_THOUGH_OPEN = "has a closing date, and a status other than closed"
    NO_ADDRESS = "no address"
    NO_COORDINATES = "no coordinates"
    BAD_COORDINATES = "coordinates cannot be read"
    BAD_CLOSING_DATE = "closing date cannot be read"
    NOT_IN_MAP = "nothing in the import map fits"
    BAD_NOTE = "a note cannot be read"
    FOLLOW_ON_WITHOUT_START = "a follow-on has no start"
    FOLLOW_ON_CLOSED_BEFORE_OPENED = "a follow-on was closed before it was opened"


class _Part(BaseModel):
    """A frozen part of a record; a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportNote(_Part):
    """One line of the history that the source kept."""

    at: AwareDatetime
    kind: Name
    summary: Text
    description: Text | None = None


class FollowOn(_Part):
    """Work that the source handed on to another of its agencies."""

    external_id: Name
    service_code: Code
    description: Text
    source_agency: Name
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None


class ImportRecord(_Part):
    """One service request as another system knows it, with that system's own times.

    `district` is a name or alias of a district, `source_agency` and `channel` are the source's own words.
    """

    external_id: Name
    service_code: Code
    description: Text
    address: Text | None = None
    lat: Latitude | None = None
    long: Longitude | None = None
    district: Name | None = None
    postal_code: Annotated[str, StringConstraints(max_length=10)] | None = None
    requested_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    status: Literal["open", "closed"]
    status_notes: Text = ""
    source_agency: Name
    channel: Name
    attributes: dict[Name, Text] = {}
    first_answered_at: AwareDatetime | None = None
    follow_ons: tuple[FollowOn, ...] = ()
    notes: tuple[ImportNote, ...] = ()


def remarks_on(record: ImportRecord) -> tuple[Remark, ...]:
    """Say what is doubtful about a record, as far as the record itself shows it."""
    no_place = record.lat is None or record.long is None
    undated = record.status == "closed" and record.closed_at is None
    backwards = record.closed_at is not None and record.closed_at < record.requested_at
    follow_on = any(f.closed_at is not None and f.closed_at < f.opened_at for f in record.follow_ons)
    found = (
        (Remark.CLOSED_BEFORE_OPENED, backwards),
        (Remark.CLOSED_WITHOUT_DATE, undated),
        (Remark.DATE_THOUGH_OPEN, record.status == "open" and record.closed_at is not None),
        (Remark.NO_ADDRESS, not record.address),
        (Remark.NO_COORDINATES, no_place),
        (Remark.FOLLOW_ON_CLOSED_BEFORE_OPENED, follow_on),
    )
    return tuple(remark for remark, holds in found if holds)
