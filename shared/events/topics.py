"""The topics: their names, their only writers, and the events that each may carry."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from pydantic import TypeAdapter

from shared.events.agency_inbox import InboxMessage
from shared.events.agency_updates import UpdateMessage
from shared.events.intake import CaseEvent
from shared.events.notifications import DeliveryEvent
from shared.events.routing import RoutingEvent


@dataclass(frozen=True)
class TopicSpec:
    """One topic or family of topics: its name, its only writer, and every event that it may carry.

    `{agency}` in `topic` and `source` stands for an agency id.
    """

    topic: str
    source: str
    events: TypeAdapter[Any]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the topic and captures the agency id, if the topic has one."""
        return re.compile("^" + re.escape(self.topic).replace(r"\{agency\}", "(?P<agency>[a-z0-9-]+)") + "$")

    def source_of(self, topic: str) -> str | None:
        """Return the only `ce_source` that may write to this topic; None for a topic of another family."""
        if topic == self.topic:
            return self.source
        match = self.pattern.match(topic)
        return self.source.format(**match.groupdict()) if match else None


CASES = TopicSpec("intake.cases.v1", "/services/intake", TypeAdapter(CaseEvent))
REFERRALS = TopicSpec("routing.referrals.v1", "/services/routing", TypeAdapter(RoutingEvent))
DELIVERIES = TopicSpec("notifications.deliveries.v1", "/services/notifications", TypeAdapter(DeliveryEvent))
AGENCY_INBOX = TopicSpec("agency.{agency}.inbox.v1", "/services/routing", TypeAdapter(InboxMessage))
AGENCY_UPDATES = TopicSpec("agency.{agency}.updates.v1", "/agencies/{agency}", TypeAdapter(UpdateMessage))

TOPIC_SPECS = (CASES, REFERRALS, DELIVERIES, AGENCY_INBOX, AGENCY_UPDATES)


def inbox_topic(agency: str) -> str:
    """Return the topic that only this agency reads."""
    return AGENCY_INBOX.topic.format(agency=agency)


@lru_cache(maxsize=1024)
def family_of(topic: str) -> str:
    """Return the family name of a topic, for example `agency.{agency}.inbox.v1`; for other topics their own name."""
    families = (spec.topic for spec in TOPIC_SPECS if spec.pattern.match(topic))
    return next(families, topic)


def dead_letter_topic(service: str) -> str:
    """Return the topic to which this service publishes its dead letters."""
    return f"{service}.dead-letters.v1"
