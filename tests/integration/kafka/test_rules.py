"""The job and the command make a broker's access rules equal to the declared ones; a wrong account is rejected."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.errors import NotReadyError
from deploy.kafka.acls import Acl, AclDifference, account_of
from deploy.kafka.broker_admin import BrokerAdmin
from deploy.kafka.preparation import RulesError, apply_rules, compare_rules, prepare_broker
from deploy.kafka.topic_declarations import agencies_of, declared_topics
from deploy.readiness import wait_for_kafka
from shared.kit.kafka.access import KafkaAccess
from shared.kit.service.settings import SAMPLE_CITY
from tests.own_topics import OwnTopics

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

TOPICS = declared_topics(agencies_of(SAMPLE_CITY))

AGENCY = """
[[agency]]
id = "{id}"
name = "An agency"
[[agency.program]]
id = "desk"
name = "Desk"
needs = ["noise"]
answer_within = "P1D"
resolve_within = "P2D"
"""
NEEDED = Acl("intake", "allow", "write", "topic", "intake.cases.v1")
SURPLUS = {
    Acl("agency.hpd", "allow", "read", "topic", "intake.cases.v1"),
    Acl("metrics", "allow", "write", "topic", "agency.", "prefixed"),
    Acl("metrics", "deny", "read", "topic", "routing.referrals.v1"),
    Acl("stranger", "allow", "read", "topic", "*"),
    Acl("stranger", "allow", "read", "group", "rout", "prefixed", "10.0.0.7"),
    Acl("*", "allow", "alter", "broker", "kafka-cluster"),
}
OTHER = Acl("stranger", "allow", "read", "topic", "weather")


@pytest.fixture
def admin(kafka: KafkaAccess) -> Iterator[KafkaAccess]:
    """The shared Kafka with the rules of the sample city, which are restored afterwards."""
    if not kafka.user:
        pytest.skip("this Kafka has no accounts")
    apply_rules(kafka, {}, TOPICS)
    yield kafka
    BrokerAdmin(kafka).remove([OTHER])
    apply_rules(kafka, {}, TOPICS)


def spoil(admin: KafkaAccess) -> None:
    """Remove a declared rule, and add some that are not declared; return when the broker has applied it."""
    broker = BrokerAdmin(admin)
    broker.remove([NEEDED])
    broker.add([*SURPLUS, OTHER])
    while not (OTHER in (found := broker.list_acls()) and NEEDED not in found):
        pass


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `handoff kafka`."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "deploy.cli.main", "kafka", *words],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_missing_and_surplus_rules_are_found_and_those_of_other_systems_stay(admin: KafkaAccess) -> None:
    assert not compare_rules(admin, TOPICS)
    spoil(admin)
    assert compare_rules(admin, TOPICS) == AclDifference((NEEDED,), tuple(sorted(SURPLUS)))
    assert apply_rules(admin, {}, TOPICS) == AclDifference((NEEDED,), tuple(sorted(SURPLUS)))
    assert not compare_rules(admin, TOPICS)
    assert OTHER in BrokerAdmin(admin).list_acls()


def test_the_command_prints_the_difference_and_with_check_changes_nothing(admin: KafkaAccess) -> None:
    told = admin.environment()
    spoil(admin)
    seen = command("acls", "--check", **told)
    assert seen.returncode == 1
    assert "+ intake: allow write of topic intake.cases.v1\n" in seen.stdout
    assert "- metrics: allow write of topic agency.*\n" in seen.stdout
    assert "- stranger: allow read of group rout* from 10.0.0.7\n" in seen.stdout
    assert command("acls", **told).stdout == seen.stdout
    again = command("acls", "--check", **told)
    assert (again.returncode, again.stdout) == (0, "The rules are as declared.\n")


def test_a_wrong_password_is_named_as_the_reason_and_not_printed(admin: KafkaAccess) -> None:
    wrong = replace(admin, password="not-the-password")
    refused = command("acls", "--check", **wrong.environment())
    assert refused.returncode == 2
    assert "rejects the account admin with this password" in refused.stderr
    assert "not-the-password" not in refused.stdout + refused.stderr


async def test_waiting_for_the_broker_with_a_wrong_password_fails_soon(admin: KafkaAccess) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(NotReadyError, match="this password"):
            await wait_for_kafka(replace(admin, password="not-the-password"))


def test_an_account_that_is_not_an_administrator_reads_and_changes_no_rules(admin: KafkaAccess) -> None:
    apply_rules(admin, {"intake": "a-password"}, TOPICS)
    intake = replace(admin, user="intake", password="a-password")
    with pytest.raises(RulesError, match="intake is not an administrator"):
        compare_rules(intake, TOPICS)
    with pytest.raises(RulesError):
        apply_rules(intake, {}, TOPICS)
    assert not compare_rules(admin, TOPICS)


async def test_the_job_gives_each_agency_a_file_that_opens_its_account(
    admin: KafkaAccess, topics: OwnTopics, tmp_path: Path
) -> None:
    agency = topics.prefix
    (tmp_path / "agencies.toml").write_text(AGENCY.format(id=agency))
    told = {"HANDOFF_JURISDICTION": str(tmp_path), "HANDOFF_AGENCY_ACCOUNTS": str(tmp_path / "accounts")}
    await prepare_broker(admin.environment() | told)
    handed_out = (tmp_path / "accounts" / f"{agency}.properties").read_text()
    await prepare_broker(admin.environment() | told)
    assert (tmp_path / "accounts" / f"{agency}.properties").read_text() == handed_out, "the password stays"
    settings = dict(line.split("=", 1) for line in handed_out.splitlines())
    assert settings["sasl.username"] == account_of(agency)
    await wait_for_kafka(
        KafkaAccess(settings["bootstrap.servers"], settings["sasl.username"], settings["sasl.password"]), 5
    )
