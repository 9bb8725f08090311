"""Apache Kafka as one child process: a single KRaft node that is broker and controller, on the loopback interface."""

import base64
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.kafka.acls import ADMIN
from deploy.local import processes
from deploy.local.kafka_runtime import KafkaRuntime
from deploy.local.ports import LOOPBACK
from deploy.local.problems import ForeignDataError
from deploy.local.processes import Program
from deploy.local.secret_files import write_secret
from shared.kit.kafka.access import MECHANISM, KafkaAccess

_MIB = 1024 * 1024

_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True)
class KafkaNode:
    """One node: where it keeps its data, its two ports, and the password of its administrator."""

    folder: Path
    port: int
    controller_port: int
    password: str = field(repr=False)

    @property
    def bootstrap(self) -> str:
        """The address that clients begin with."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def access(self) -> KafkaAccess:
        """The node, as its administrator reaches it."""
        return KafkaAccess(self.bootstrap, ADMIN, self.password)

    @property
    def settings_file(self) -> Path:
        """Where the node's settings are written before each start."""
        return self.folder / "server.properties"

    @property
    def log_folder(self) -> Path:
        """Where Kafka keeps its partitions."""
        return self.folder / "data"


def prepare_kafka(node: KafkaNode, runtime: KafkaRuntime, keep: Path | None = None) -> Program:
    """Write the node's settings, format its storage at the first start, and say how to run it.

    Its classes are kept in `keep` when it ends, if that is given.

    Raises:
        ForeignDataError: the data are from a version that knew no accounts.
    """
    node.folder.mkdir(parents=True, exist_ok=True)
    formatted = (node.log_folder / "meta.properties").exists()
    if formatted and not _has_accounts(node):
        raise ForeignDataError(
            f"The messages in {node.folder} were kept without accounts, by an earlier version, and cannot be opened "
            "with them. Let that version finish what is on its way, stop it, and remove that folder: cases, people "
            "and figures are in PostgreSQL and stay."
        )
    lines = [f"{key}={value}" for key, value in _settings(node).items()]
    write_secret(node.settings_file, "\n".join(lines) + "\n")
    if not formatted:
        _format(node, runtime)
    return Program("kafka", runtime.command("kafka.Kafka", str(node.settings_file), keep=keep))


def _has_accounts(node: KafkaNode) -> bool:
    return node.settings_file.exists() and _AUTHORIZER in node.settings_file.read_text(encoding="utf-8")


def _format(node: KafkaNode, runtime: KafkaRuntime) -> None:
    """Format the storage with the administrator in it; the password is in a file, as everybody sees arguments."""
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ("format", "--ignore-formatted", f"--cluster-id={cluster_id}", f"--config={node.settings_file}")
    with TemporaryDirectory(prefix="handoff-") as folder:
        administrator = Path(folder, "administrator")
        write_secret(administrator, f"--add-scram\n{MECHANISM}=[name={ADMIN},password={node.password}]\n")
        command = runtime.command("kafka.tools.StorageTool", *arguments, f"@{administrator}")
        processes.run(Program("kafka-format", command))


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
    """Nobody may do anything but the administrator, until rules say otherwise.

    The controller has only itself to talk to, under a password of one start: it cannot know SCRAM's accounts yet.
    """
    account = f'username="{ADMIN}" password="{node.password}"'
    word = secrets.token_urlsafe(24)
    return {
        "authorizer.class.name": _AUTHORIZER,
        "super.users": f"User:{ADMIN}",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.clients.{MECHANISM.lower()}.sasl.jaas.config": f"{_SCRAM} required {account};",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{_PLAIN} required username="{ADMIN}" password="{word}" user_{ADMIN}="{word}";'
        ),
    }


def _one_node() -> dict[str, str | int]:
    """Kafka's defaults are for three nodes and more."""
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
    """Memory and disk stay small; topics state their own retention, this bounds those that do not."""
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
