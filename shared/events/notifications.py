"""What notifications says, on `notifications.deliveries.v1`: that somebody was told, never what or where."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Event, Instant, Slug


class NotificationEvent(Event):
    """What became of one message to one person."""

    delivery_id: UUID
    template: Slug
    channel: Literal["email"] = "email"
    occurred_at: Instant

    @property
    def identity_key(self) -> str:
        """The delivery's id."""
        return str(self.delivery_id)

    @property
    def happened_at(self) -> datetime:
        """When it was sent, failed or was suppressed."""
        return self.occurred_at


class NotificationSent(NotificationEvent):
    """The mail server has taken the message."""

    type: Literal["notification.sent.v1"] = "notification.sent.v1"


class NotificationFailed(NotificationEvent):
    """The message was refused for good, or nobody knows whether it was taken (`uncertain`)."""

    type: Literal["notification.failed.v1"] = "notification.failed.v1"
    failure: Literal["refused", "uncertain"]


class NotificationSuppressed(NotificationEvent):
    """Nobody was told, on purpose: no address, not wanted, or the person has been erased."""

    type: Literal["notification.suppressed.v1"] = "notification.suppressed.v1"
    why: Literal["no-address", "not-wanted", "erased"]


DeliveryEvent = Annotated[
    NotificationSent | NotificationFailed | NotificationSuppressed,
    Field(discriminator="type"),
]
"""Everything that notifications says."""
