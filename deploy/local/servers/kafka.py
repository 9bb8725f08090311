"""Apache Kafka as one child process: a KRaft node that is both broker and controller, on the loopback interface."""

import base64
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.errors import ForeignDataError
from deploy.kafka.acls import ADMIN
from deploy.local.ports import LOOPBACK
from deploy.local.processes.child_process import ProcessSpec, run_program
from deploy.local.servers.kafka_runtime import KafkaRuntime
from deploy.secret_files import write_secret
from shared.kit.kafka.access import MECHANISM, KafkaAccess

_MIB = 1024 * 1024

_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True)
class KafkaNode:
    """One node: the folder of its data, its two ports, and the password of its administrator."""

    folder: Path
    port: int
    controller_port: int
    password: str = field(repr=False)

    @property
    def bootstrap(self) -> str:
        """The bootstrap address for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def access(self) -> KafkaAccess:
        """The node's address with the administrator's account."""
        return KafkaAccess(self.bootstrap, ADMIN, self.password)

    @property
    def settings_file(self) -> Path:
        """The file of the node's settings, written before each start."""
        return self.folder / "server.properties"

    @property
    def log_folder(self) -> Path:
        """The folder of Kafka's partitions."""
        return self.folder / "data"


def prepare_kafka(node: KafkaNode, runtime: KafkaRuntime, new_cache: Path | None = None) -> ProcessSpec:
    """Write the node's settings, format its storage at the first start, and return its process.

    With `new_cache` the process writes an ahead-of-time cache to this file when it ends (see `aot_cache`).

    Raises:
        ForeignDataError: the data are from a version without accounts.
    """
    node.folder.mkdir(parents=True, exist_ok=True)
    formatted = (node.log_folder / "meta.properties").exists()
    if formatted and not _has_accounts(node):
        raise ForeignDataError(
            f"The messages in {node.folder} are from an earlier version, without accounts, and this version cannot "
            "open them. Let that version deliver its pending messages, stop it, and remove that folder: cases, people "
            "and figures are in PostgreSQL and stay."
        )
    lines = [f"{key}={value}" for key, value in _settings(node).items()]
    write_secret(node.settings_file, "\n".join(lines) + "\n")
    if not formatted:
        _format(node, runtime)
    return ProcessSpec("kafka", runtime.command("kafka.Kafka", str(node.settings_file), new_cache=new_cache))


def _has_accounts(node: KafkaNode) -> bool:
    return node.settings_file.exists() and _AUTHORIZER in node.settings_file.read_text(encoding="utf-8")


def _format(node: KafkaNode, runtime: KafkaRuntime) -> None:
    """Format the storage with the administrator's account; its password is in a file, since arguments are public."""
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ("format", "--ignore-formatted", f"--cluster-id={cluster_id}", f"--config={node.settings_file}")
    with TemporaryDirectory(prefix="handoff-") as folder:
        administrator = Path(folder, "administrator")
        write_secret(administrator, f"--add-scram\n{MECHANISM}=[name={ADMIN},password={node.password}]\n")
        command = runtime.command("kafka.tools.StorageTool", *arguments, f"@{administrator}")
        run_program(ProcessSpec("kafka-format", command))


def _settings(node: KafkaNode) -> dict[str, str | int]:
    return {**_identity(node), **_accounts(node), **_one_node(), **_limits()}


def _identity(node: KafkaNode) -> dict[str, str | int]:
    controller = f"{LOOPBACK}:{node.controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"CLIENTS://{node.bootstrap},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENTS://{node.bootstrap}",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(node.log_folder),
    }


def _accounts(node: KafkaNode) -> dict[str, str | int]:
    """Allow everything to the administrator, and nothing to other accounts until there are rules for them.

    The controller connects to itself with PLAIN and a password of this start: SCRAM accounts are in the metadata log,
    which it cannot read before it has started.
    """
    account = f'username="{ADMIN}" password="{node.password}"'
    controller_password = secrets.token_urlsafe(24)
    return {
        "authorizer.class.name": _AUTHORIZER,
        "super.users": f"User:{ADMIN}",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.clients.{MECHANISM.lower()}.sasl.jaas.config": f"{_SCRAM} required {account};",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{_PLAIN} required username="{ADMIN}" password="{controller_password}" '
            f'user_{ADMIN}="{controller_password}";'
        ),
    }


def _one_node() -> dict[str, str | int]:
    """Replace the defaults that need three nodes or more."""
    return {
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }


def _limits() -> dict[str, str | int]:
    """Keep memory and disk small. Topics declare their own retention; this one bounds Kafka's internal topics."""
    return {
        "log.retention.hours": 168,
        "log.retention.bytes": 256 * _MIB,
        "log.segment.bytes": 64 * _MIB,
        "log.index.size.max.bytes": 1 * _MIB,
        "log.retention.check.interval.ms": 60_000,
        # The default buffer of 128 MiB does not fit into this heap.
        "log.cleaner.dedupe.buffer.size": 8 * _MIB,
        "socket.request.max.bytes": 16 * _MIB,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
    }
