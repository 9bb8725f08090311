"""Notifications' events, on `notifications.deliveries.v1`: the outcome of a message, never its text or address."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Event, Instant, Slug


class NotificationEvent(Event):
    """The outcome of one message to one person."""

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
    """The mail server accepted the message."""

    type: Literal["notification.sent.v1"] = "notification.sent.v1"


class NotificationFailed(NotificationEvent):
    """The mail server refused the message permanently, or its answer is unknown (`uncertain`)."""

    type: Literal["notification.failed.v1"] = "notification.failed.v1"
    failure: Literal["refused", "uncertain"]


class NotificationSuppressed(NotificationEvent):
    """The message was not sent on purpose: no address, not wanted, or the person was erased."""

    type: Literal["notification.suppressed.v1"] = "notification.suppressed.v1"
    why: Literal["no-address", "not-wanted", "erased"]


DeliveryEvent = Annotated[
    NotificationSent | NotificationFailed | NotificationSuppressed,
    Field(discriminator="type"),
]
"""Every event that notifications publishes."""
