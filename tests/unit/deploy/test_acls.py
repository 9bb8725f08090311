"""The access rules that follow from the declared topics, and the report of a difference."""

import stat
from pathlib import Path

from deploy.kafka.acls import ADMIN, Acl, account_of, accounts_of, declared_acls, difference
from deploy.kafka.preparation import service_passwords, write_account_files
from deploy.kafka.topic_declarations import agencies_of, declared_topics
from deploy.local.agencies.credentials import connection_of, read_account
from deploy.postgres.services import SERVICES
from shared.events.topics import AGENCY_UPDATES, dead_letter_topic, inbox_topic
from shared.kit.kafka.access import KafkaAccess

SAMPLE_CITY = Path("deploy/jurisdictions/sample-city")
TOPICS = declared_topics(["hpd", "nypd"])
RULES = declared_acls(TOPICS)


def rules_of(account: str) -> set[str]:
    return {str(rule).removeprefix(f"{account}: allow ") for rule in RULES if rule.user == account}


def test_an_agency_reads_its_inbox_writes_its_updates_and_that_is_all() -> None:
    assert rules_of("agency.hpd") == {
        f"read of topic {inbox_topic('hpd')}",
        f"write of topic {AGENCY_UPDATES.topic.format(agency='hpd')}",
        "read of group agency.hpd",
        "read of group agency.hpd.*",
    }


def test_a_service_reads_in_groups_of_its_own_name() -> None:
    for service in SERVICES:
        groups = {rule for rule in rules_of(service) if "group" in rule}
        assert groups == {f"read of group {service}", f"read of group {service}-*"}


def test_every_rule_allows_one_thing_to_one_account_and_patterns_are_for_groups_alone() -> None:
    for rule in RULES - {rule for rule in RULES if rule.user == ADMIN}:
        assert (rule.permission, rule.host) == ("allow", "*")
        assert rule.operation in {"read", "write"}
        assert rule.resource in {"topic", "group"}
        assert rule.pattern == "literal" or rule.resource == "group"
        assert "*" not in (rule.user, rule.name)


def test_what_a_service_sets_aside_is_read_by_the_administrator_alone() -> None:
    for service in SERVICES:
        touching = {rule for rule in RULES if rule.name == dead_letter_topic(service)}
        assert touching == {Acl(service, "allow", "write", "topic", dead_letter_topic(service))}


def test_groups_of_agencies_whose_names_begin_alike_do_not_mix() -> None:
    rules = declared_acls(declared_topics(["fire", "fire-marine"]))
    prefixes = {rule.name for rule in rules if rule.pattern == "prefixed" and rule.user == account_of("fire")}
    assert not [prefix for prefix in prefixes if account_of("fire-marine").startswith(prefix)]


def test_no_agency_is_called_like_a_service() -> None:
    accounts = accounts_of(declared_topics(agencies_of(SAMPLE_CITY)))
    assert len(set(accounts.values())) == len(accounts) == len(SERVICES) + len(agencies_of(SAMPLE_CITY))


def test_a_broker_that_has_what_is_declared_does_not_differ() -> None:
    assert not difference(RULES, RULES, TOPICS)


def test_rules_of_an_agency_that_is_gone_are_surplus() -> None:
    left = difference(declared_acls(declared_topics(["hpd"])), RULES, declared_topics(["hpd"]))
    assert not left.missing
    assert {rule.user for rule in left.surplus} >= {"agency.nypd"}
    assert all("nypd" in str(rule) for rule in left.surplus)


def test_each_service_brings_its_own_password_and_those_not_given_stay() -> None:
    told = {"HANDOFF_KAFKA_PASSWORD_INTAKE": "one", "HANDOFF_KAFKA_PASSWORD_METRICS": ""}
    assert service_passwords(told) == {"intake": "one"}


def test_an_agencys_file_is_for_its_owner_and_its_password_stays_when_the_address_moves(tmp_path: Path) -> None:
    first = write_account_files(tmp_path, ["hpd", "nypd"], KafkaAccess("one:9092", "admin", "top-secret"))
    again = write_account_files(tmp_path, ["hpd"], KafkaAccess("two:9092", "admin", "top-secret"))
    assert again == {"agency.hpd": first["agency.hpd"]}
    assert first["agency.hpd"] != first["agency.nypd"]
    file = tmp_path / "hpd.properties"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "top-secret" not in file.read_text()
    assert read_account(file) == KafkaAccess("two:9092", "agency.hpd", first["agency.hpd"]).client() | {
        "bootstrap_servers": "two:9092"
    }


def test_an_agency_is_handed_the_authoritys_certificate_with_its_file(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("certificate")
    write_account_files(tmp_path / "accounts", ["hpd"], KafkaAccess("one:9092", "admin", "x", authority, "PLAIN"))
    assert "sasl.mechanism=SCRAM-SHA-512\n" in (tmp_path / "accounts" / "hpd.properties").read_text()
    assert "ssl.ca.location=ca.pem\n" in (tmp_path / "accounts" / "hpd.properties").read_text()
    assert (tmp_path / "accounts" / "ca.pem").read_text() == "certificate"


def test_a_sample_agency_without_a_file_takes_a_broker_without_accounts() -> None:
    assert connection_of("hpd", {"HANDOFF_KAFKA_BOOTSTRAP": "one:9092"}) == {"bootstrap_servers": "one:9092"}
