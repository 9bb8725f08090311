"""docker-compose.yml, .env.example and the Dockerfile, read as files: no container engine is needed."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kafka.acls import ADMIN
from deploy.postgres.services import SERVICES, USERS_OF_THE_VAULT
from shared.kit.kafka.access import MECHANISM

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
SERVERS = {"kafka": "apache/kafka:4.3.0", "postgres": "postgres:18"}
JOBS = {"migrations", "certificates", "topics"}
OURS = set(COMPOSE) - set(SERVERS)


def holders_of(volume: str) -> set[str]:
    """Return the services that mount a volume."""
    return {name for name in COMPOSE if [v for v in COMPOSE[name].get("volumes", []) if v.startswith(f"{volume}:")]}


def test_the_servers_run_from_the_official_images() -> None:
    assert {name: COMPOSE[name]["image"] for name in SERVERS} == SERVERS


def test_what_the_servers_keep_is_in_volumes() -> None:
    assert "kafka:/var/lib/kafka/data" in COMPOSE["kafka"]["volumes"]
    assert COMPOSE["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"
    assert COMPOSE["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_clients_make_no_topics() -> None:
    assert COMPOSE["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_every_listener_of_kafka_is_encrypted_and_authenticates() -> None:
    settings = COMPOSE["kafka"]["environment"]
    ways = dict(each.split(":", 1) for each in settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert ways == {"INSIDE": "SASL_SSL", "OUTSIDE": "SASL_SSL", "CONTROLLER": "SASL_PLAINTEXT"}
    assert "CONTROLLER://localhost:" in settings["KAFKA_LISTENERS"], "it listens to its own container only"
    assert settings["KAFKA_SASL_ENABLED_MECHANISMS"] == MECHANISM, "for clients outside the network"
    assert settings["KAFKA_LISTENER_NAME_INSIDE_SASL_ENABLED_MECHANISMS"] == f"{MECHANISM},PLAIN"
    plain = re.findall(r"user_(\w+)=", settings["KAFKA_LISTENER_NAME_INSIDE_PLAIN_SASL_JAAS_CONFIG"])
    assert plain == [ADMIN], "no other account uses PLAIN"
    assert settings["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
    assert settings["KAFKA_SUPER_USERS"] == f"User:{ADMIN}"


def test_only_kafka_gets_the_key_of_its_certificate() -> None:
    assert holders_of("broker") == {"kafka", "certificates"}


def test_agencies_know_their_own_accounts_and_services_do_not() -> None:
    assert holders_of("accounts") == {"topics", "agencies"}
    assert "HANDOFF_KAFKA_PASSWORD" not in str(COMPOSE["agencies"]["environment"])


def test_only_routing_knows_public_keys_and_hashes_of_agencies() -> None:
    assert holders_of("partners") == {"topics", "routing"}
    assert COMPOSE["routing"]["environment"]["HANDOFF_PARTNERS_FILE"].startswith("/etc/handoff/partners/")


def test_every_port_is_published_on_loopback_only() -> None:
    ports = [port for service in COMPOSE.values() for port in service.get("ports", [])]
    assert len(ports) == len(SERVICES) + 2, "each service, the mailbox, and Kafka for agencies' systems"
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_long_running_container_has_a_health_check_and_restarts() -> None:
    running = set(COMPOSE) - JOBS
    from_image = {name for name in running if "healthcheck" not in COMPOSE[name]}
    assert from_image == {*SERVICES, "mailbox"}, "the image's own health check asks /health/ready"
    assert "HEALTHCHECK" in DOCKERFILE
    assert {COMPOSE[name]["restart"] for name in running} == {"unless-stopped"}


def test_services_start_when_topics_and_tables_are_there() -> None:
    done = {"condition": "service_completed_successfully"}
    assert [COMPOSE[name]["depends_on"] for name in SERVICES] == [{"topics": done, "migrations": done}] * len(SERVICES)
    assert COMPOSE["topics"]["depends_on"]["kafka"] == {"condition": "service_healthy"}
    assert COMPOSE["kafka"]["depends_on"] == {"certificates": done}
    assert COMPOSE["migrations"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_one_image_runs_every_service_with_its_own_role(name: str) -> None:
    service = COMPOSE[name]
    assert (service["image"], service["command"]) == ("handoff:local", ["python", "-m", f"services.{name}"])
    role = f"postgresql://handoff_{name}:${{HANDOFF_PASSWORD_{name.upper()}}}@"
    told = service["environment"]
    assert told["HANDOFF_DATABASE_URL"].startswith(role)
    assert (told["HANDOFF_KAFKA_USER"], told["HANDOFF_KAFKA_CA"]) == (name, "/etc/handoff/trust/ca.pem")
    assert told["HANDOFF_KAFKA_PASSWORD"] == f"${{HANDOFF_KAFKA_PASSWORD_{name.upper()}}}"
    assert "trust:/etc/handoff/trust:ro" in service["volumes"]


def test_only_those_who_open_sealed_data_get_the_master_key() -> None:
    holders = {name for name in COMPOSE if "HANDOFF_MASTER_KEY" in COMPOSE[name].get("environment", {})}
    assert holders == set(USERS_OF_THE_VAULT)


def test_routing_alone_signs_the_ledger() -> None:
    assert [name for name in COMPOSE if "HANDOFF_LEDGER_KEY" in COMPOSE[name].get("environment", {})] == ["routing"]
    assert len(base64.b64decode(EXAMPLE["HANDOFF_LEDGER_KEY"], validate=True)) == 32


def test_our_containers_cannot_gain_privileges_and_write_only_to_their_volumes() -> None:
    for name in OURS:
        service = COMPOSE[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "user" not in service, "the image's user is the right one"


def test_the_image_runs_under_a_fixed_user_that_is_not_root() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert stages[-1].startswith("ground AS run\n"), "the last stage is what is built unless another is asked for"
    assert "pip" not in stages[-1]


def test_every_package_in_the_image_is_checked_against_its_digest() -> None:
    installs = re.findall(r"^RUN pip .*$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)


def test_no_secret_stands_in_the_compose_file_and_a_missing_one_is_named() -> None:
    secret = re.compile(r"^\s+\w*(?:PASSWORD|_KEY(?!STORE)|DATABASE_URL)\w*:(.*)$", re.MULTILINE)
    stated = [value for value in secret.findall(TEXT) if value.strip()]
    assert stated
    assert [value for value in stated if "${" not in value] == []
    needed = set(re.findall(r"\$\{(\w+):\?copy \.env\.example to \.env", TEXT))
    assert needed >= {"HANDOFF_ADMIN_PASSWORD", "HANDOFF_MASTER_KEY", "HANDOFF_STAFF_KEY", "HANDOFF_API_KEY"}
    assert needed >= {"HANDOFF_KAFKA_ADMIN_PASSWORD", *(f"HANDOFF_KAFKA_PASSWORD_{name.upper()}" for name in SERVICES)}
    assert needed <= set(EXAMPLE)


def test_every_variable_without_a_default_is_asked_for_once() -> None:
    bare = set(re.findall(r"\$\{(\w+)\}", TEXT))
    assert bare <= set(re.findall(r"\$\{(\w+):\?", TEXT))


def test_the_master_key_of_the_example_has_the_right_length() -> None:
    assert len(base64.b64decode(EXAMPLE["HANDOFF_MASTER_KEY"], validate=True)) == 32


def test_the_example_brings_a_mailbox_so_that_no_mail_leaves_the_machine() -> None:
    assert EXAMPLE["COMPOSE_PROFILES"] == "sample"
    assert {name for name in COMPOSE if COMPOSE[name].get("profiles") == ["sample"]} == {"mailbox", "agencies"}
