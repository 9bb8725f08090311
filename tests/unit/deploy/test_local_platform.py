"""Ports, keys, settings and environments of a local platform, before any process runs."""

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import ForeignDataError
from deploy.local.keys import PlatformKeys, load_keys
from deploy.local.ports import any_free, choose_ports, next_free
from deploy.local.processes.process_group import rotate_if_large
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.kafka_runtime import KafkaRuntime
from deploy.local.settings import DataFolder, PlatformSettings, settings_from
from deploy.local.stack_plan import Addresses, StackPlan, choose_addresses
from deploy.local.state import NotRunningError, read_state
from deploy.postgres.services import SERVICES
from deploy.secret_files import write_secret
from shared.kit.kafka.access import KafkaAccess, read_kafka_access


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.make()
    return folder


@pytest.fixture
def keys(folder: DataFolder) -> PlatformKeys:
    return load_keys(folder)


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert next_free(taken) > taken


def test_a_taken_port_moves_no_other_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        ports = choose_ports({"displaced": taken, "neighbour": next_free(taken)})
    assert ports["neighbour"] < ports["displaced"]


def test_no_port_is_given_twice() -> None:
    (wanted,) = any_free(1)
    ports = choose_ports({"one": wanted, "two": wanted, "three": wanted})
    assert len(set(ports.values())) == 3


def test_ports_are_the_ones_of_last_time(folder: DataFolder, keys: PlatformKeys) -> None:
    settings = PlatformSettings(folder)
    first = choose_addresses(settings, keys)
    assert choose_addresses(settings, keys).ports == first.ports


def test_keys_are_kept_across_starts(folder: DataFolder, keys: PlatformKeys) -> None:
    master_key = folder.master_key.read_bytes()
    assert load_keys(folder) == keys
    assert folder.master_key.read_bytes() == master_key


def test_only_the_owner_reads_keys(folder: DataFolder, keys: PlatformKeys) -> None:
    assert keys.api_key.startswith("hk_")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.master_key, folder.run / "keys.json")] == [0o600] * 2
    assert stat.S_IMODE(folder.run.stat().st_mode) == 0o700


def test_a_service_connects_to_an_external_database_with_its_own_role(keys: PlatformKeys) -> None:
    addresses = Addresses(
        {}, KafkaAccess("kafka:9092"), "postgresql://boss:s%40cret@db.example:5433/city?sslmode=require"
    )
    url = addresses.database_url_of("intake", keys)
    assert url == f"postgresql://handoff_intake:{keys.passwords['intake']}@db.example:5433/city?sslmode=require"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_no_password_but_its_own(folder: DataFolder, keys: PlatformKeys, service: str) -> None:
    settings = PlatformSettings(folder)
    plan = StackPlan(settings, keys, choose_addresses(settings, keys))
    told = str(next(each for each in plan.services() if each.name == service).process.environment)
    assert keys.passwords[service] in told
    assert keys.kafka_passwords[service] in told
    others = [
        words[other] for words in (keys.passwords, keys.kafka_passwords) for other in SERVICES if other != service
    ]
    assert not [secret for secret in (*others, keys.admin_password, keys.kafka_admin_password) if secret in told]


def test_only_routing_gets_the_path_of_the_ledger_key(folder: DataFolder, keys: PlatformKeys) -> None:
    settings = PlatformSettings(folder)
    plan = StackPlan(settings, keys, choose_addresses(settings, keys))
    components = [*plan.services(), plan.mailbox(), plan.agencies()]
    assert [
        component.name for component in components if str(folder.ledger_key) in str(component.process.environment)
    ] == ["routing"]


def test_the_sample_agencies_and_the_mailbox_get_no_secret(folder: DataFolder, keys: PlatformKeys) -> None:
    settings = PlatformSettings(folder)
    plan = StackPlan(settings, keys, choose_addresses(settings, keys))
    told = str(plan.mailbox().process.environment) + str(plan.agencies().process.environment)
    words = (*keys.passwords.values(), *keys.kafka_passwords.values())
    secrets = (*words, keys.admin_password, keys.kafka_admin_password, keys.api_key, keys.staff_key)
    assert not [secret for secret in secrets if secret in told]


def test_the_environment_names_external_servers(tmp_path: Path) -> None:
    environment = {"HANDOFF_KAFKA_BOOTSTRAP": "kafka:9092", "HANDOFF_DATABASE_URL": ""}
    settings = settings_from(environment, tmp_path)
    assert (settings.kafka, settings.database_url) == (KafkaAccess("kafka:9092"), None)


def test_at_an_external_kafka_a_service_has_its_own_account_and_no_process_but_the_job_has_the_administrators(
    folder: DataFolder, keys: PlatformKeys
) -> None:
    administrator = KafkaAccess("kafka:9092", "boss", "top-secret", Path("ca.pem"))
    settings = settings_from(administrator.environment(), folder.path)
    plan = StackPlan(settings, keys, choose_addresses(settings, keys))
    for service, component in zip(SERVICES, plan.services(), strict=True):
        told = KafkaAccess("kafka:9092", service, keys.kafka_passwords[service], Path("ca.pem"))
        assert read_kafka_access(component.process.environment) == told
    rest = (plan.mailbox().process.environment, plan.agencies().process.environment)
    assert [told["HANDOFF_KAFKA_PASSWORD"] for told in rest] == ["", ""]
    assert read_kafka_access(plan.preparation().environment) == administrator


def test_data_from_before_accounts_stay_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    node = KafkaNode(tmp_path, 1, 2, "secret")
    node.log_folder.mkdir()
    (node.log_folder / "meta.properties").touch()
    node.settings_file.write_text("process.roles=broker,controller\n")
    with pytest.raises(ForeignDataError, match="remove that folder"):
        prepare_kafka(node, KafkaRuntime(Path("java"), Path("jars")))
    assert node.settings_file.read_text() == "process.roles=broker,controller\n"


def test_only_the_owner_reads_kafkas_settings_and_no_argument_has_the_password(tmp_path: Path) -> None:
    node = KafkaNode(tmp_path, 1, 2, "top-secret")
    node.log_folder.mkdir()
    write_secret(node.settings_file, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n")
    (node.log_folder / "meta.properties").touch()
    program = prepare_kafka(node, KafkaRuntime(Path("java"), Path("jars")))
    assert stat.S_IMODE(node.settings_file.stat().st_mode) == 0o600
    assert "top-secret" in node.settings_file.read_text()
    assert "top-secret" not in str(program) + repr(node)


def test_a_large_log_is_rotated_while_its_process_writes(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        rotate_if_large(log, largest_bytes=100)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert (tmp_path / "part.log.1").stat().st_size == 200


def test_where_no_platform_runs_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="handoff up"):
        read_state(tmp_path)


def test_the_command_starts_without_loading_what_only_some_commands_need() -> None:
    code = "import sys, deploy.cli.platform, deploy.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert not {"aiokafka", "psycopg", "sqlalchemy", "pydantic", "httpx"} & set(done.stdout.split())
