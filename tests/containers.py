"""Kafka in a container; its clients are told an address that is known only when the container runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

_PORT = 9092
_CONTROLLER = "localhost:9093"
_SETTINGS = {
    "HEAP_OPTS": "-Xms128m -Xmx320m",
    "NODE_ID": "1",
    "PROCESS_ROLES": "broker,controller",
    "CONTROLLER_QUORUM_VOTERS": f"1@{_CONTROLLER}",
    "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "LISTENERS": f"CLIENTS://:{_PORT},CONTROLLER://{_CONTROLLER}",
    "LISTENER_SECURITY_PROTOCOL_MAP": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "INTER_BROKER_LISTENER_NAME": "CLIENTS",
    "AUTO_CREATE_TOPICS_ENABLE": "false",
    "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "OFFSETS_TOPIC_NUM_PARTITIONS": "8",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    # The default buffer of 128 MiB does not fit into this heap.
    "LOG_CLEANER_DEDUPE_BUFFER_SIZE": str(8 * 1024 * 1024),
}
_WAIT_AND_RUN = """
    until [ -f /tmp/advertised ]; do sleep 0.1; done
    KAFKA_ADVERTISED_LISTENERS=$(cat /tmp/advertised) exec /etc/kafka/docker/run
"""


@contextmanager
def kafka_container(image: str) -> Iterator[str]:
    """Run one node for the length of a block; gives its bootstrap address, where it may not answer yet."""
    container = DockerContainer(image).with_command(["bash", "-c", _WAIT_AND_RUN]).with_exposed_ports(_PORT)
    container.with_envs(**{f"KAFKA_{name}": value for name, value in _SETTINGS.items()})
    with container:
        bootstrap = f"{container.get_container_host_ip()}:{container.get_exposed_port(_PORT)}"
        tell = f"echo CLIENTS://{bootstrap} > /tmp/telling && mv /tmp/telling /tmp/advertised"
        assert container.exec(["bash", "-c", tell]).exit_code == 0
        yield bootstrap
