"""The settings of Kafka clients, from the environment of a process."""

from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from shared.kit.kafka.access import KafkaAccess, KafkaAccessError, read_kafka_access
from shared.kit.service.settings import ServiceSettings

BROKER = {"HANDOFF_KAFKA_BOOTSTRAP": "one:9092,two:9092"}
ACCOUNT = {"HANDOFF_KAFKA_USER": "intake", "HANDOFF_KAFKA_PASSWORD": "guess-me-not"}
CA = {"HANDOFF_KAFKA_CA": "/etc/ca.pem"}


def test_without_a_user_the_broker_has_no_accounts() -> None:
    assert read_kafka_access(BROKER).client() == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "security_protocol": "PLAINTEXT",
    }


def test_with_a_user_the_client_proves_its_password_without_sending_it() -> None:
    told = read_kafka_access(BROKER | ACCOUNT).client()
    assert (told["security_protocol"], told["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (told["sasl_plain_username"], told["sasl_plain_password"]) == ("intake", "guess-me-not")


@pytest.mark.parametrize(("account", "protocol"), [(ACCOUNT, "SASL_SSL"), ({}, "SSL")])
def test_with_a_ca_the_connection_uses_tls(account: dict[str, str], protocol: str) -> None:
    access = read_kafka_access(BROKER | CA | account)
    assert access.protocol == protocol
    assert access.properties()["ssl.ca.location"] == "/etc/ca.pem"


def test_a_process_with_the_exported_environment_has_the_same_access() -> None:
    plain = {"HANDOFF_KAFKA_MECHANISM": "PLAIN"}
    for told in (BROKER, BROKER | ACCOUNT, BROKER | ACCOUNT | CA, BROKER | ACCOUNT | CA | plain):
        assert read_kafka_access(read_kafka_access(told).environment()) == read_kafka_access(told)


def test_a_service_reads_the_same_from_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    told = read_kafka_access(BROKER | ACCOUNT).environment()
    for name, value in {"HANDOFF_DATABASE_URL": "postgresql://x", "HANDOFF_STAFF_KEY": "k", **told}.items():
        monkeypatch.setenv(name, value)
    assert ServiceSettings().kafka == read_kafka_access(told)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(KafkaAccessError, match="HANDOFF_KAFKA_BOOTSTRAP"):
        read_kafka_access({})
    with pytest.raises(KafkaAccessError, match="HANDOFF_KAFKA_PASSWORD"):
        read_kafka_access(BROKER | {"HANDOFF_KAFKA_USER": "intake"})


def test_the_password_is_not_in_the_repr() -> None:
    assert "guess-me-not" not in repr(KafkaAccess("one:9092", "intake", "guess-me-not", Path("ca.pem")))


def test_the_text_for_a_failed_connection_names_the_password() -> None:
    error = KafkaConnectionError("Unable to bootstrap")
    assert "password of intake" in read_kafka_access(BROKER | ACCOUNT).explain(error)
    assert "password" not in read_kafka_access(BROKER).explain(error)
    assert (
        read_kafka_access(BROKER | ACCOUNT).explain(TopicAuthorizationFailedError()) == "TopicAuthorizationFailedError"
    )
