"""The declared topics, compared with the topics of the events."""

from pathlib import Path

from deploy.kafka.topic_declarations import agencies_of, declared_topics
from deploy.postgres.services import SERVICES
from shared.events.topics import TOPIC_SPECS, dead_letter_topic

SAMPLE_CITY = Path("deploy/jurisdictions/sample-city")


def test_each_agency_has_an_inbox_and_a_place_for_its_updates() -> None:
    topics = {topic.name: topic for topic in declared_topics(["hpd", "nypd"])}
    assert topics["agency.hpd.inbox.v1"].readers == ("hpd",)
    assert topics["agency.nypd.updates.v1"].owner == "nypd"


def test_every_topic_of_the_published_contract_is_declared() -> None:
    declared = {topic.name for topic in declared_topics(["{agency}"])}
    assert {language.topic for language in TOPIC_SPECS} <= declared


def test_every_service_has_a_topic_for_what_it_sets_aside() -> None:
    owners = {topic.name: topic.owner for topic in declared_topics([])}
    assert all(owners[dead_letter_topic(service)] == service for service in SERVICES)


def test_a_topic_has_one_owner_who_is_not_among_its_readers() -> None:
    assert all(topic.owner not in topic.readers for topic in declared_topics(agencies_of(SAMPLE_CITY)))
