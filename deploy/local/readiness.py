"""Waiting until a server answers, as its clients will see it."""

import asyncio
import ssl
import time
from pathlib import Path

from deploy.local.problems import NotReadyError
from shared.kit.kafka.access import KafkaAccess

_PAUSE_SECONDS = 0.05
_LAST_LINES = 15


def wait_for_postgres(url: str, seconds: float = 30.0) -> None:
    """Return once the server takes connections; raise `NotReadyError` after that many seconds."""
    import psycopg  # noqa: PLC0415 - the command line must start fast

    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                # The text of the error names host, port and role, never the password.
                raise NotReadyError(f"PostgreSQL does not answer: {error}") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


async def wait_for_kafka(kafka: KafkaAccess, seconds: float = 60.0) -> None:
    """Return once a broker takes us as a client.

    Raises:
        NotReadyError: it does not after that many seconds, or does not know this account and password.
    """
    deadline = time.monotonic() + seconds
    host, _, port = kafka.servers[0].rpartition(":")
    await _wait_for_port(host, int(port), deadline)
    while not await _has_brokers(kafka):
        if time.monotonic() > deadline:
            raise NotReadyError(f"Kafka at {kafka.bootstrap} does not answer.")
        await _knock(kafka, host, int(port))
        await asyncio.sleep(_PAUSE_SECONDS)


async def _wait_for_port(host: str, port: int, deadline: float) -> None:
    """A client that tries too early complains at length, so it waits for the port first."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            if time.monotonic() > deadline:
                raise NotReadyError(f"Nobody listens at {host}:{port}: {error}") from error
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            writer.close()
            return


async def _has_brokers(kafka: KafkaAccess) -> bool:
    from aiokafka.client import AIOKafkaClient  # noqa: PLC0415 - the command line must start fast
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    client = AIOKafkaClient(**kafka.client(), request_timeout_ms=5000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


async def _knock(kafka: KafkaAccess, host: str, port: int) -> None:
    """Connect once by hand: a client that wants the whole cluster does not say why it was refused."""
    from aiokafka.conn import create_conn  # noqa: PLC0415 - the command line must start fast
    from aiokafka.errors import KafkaError, SaslAuthenticationFailed  # noqa: PLC0415

    told = {name: value for name, value in kafka.client().items() if name != "bootstrap_servers"}
    try:
        (await create_conn(host, port, request_timeout_ms=5000, **told)).close()
    except SaslAuthenticationFailed:
        raise NotReadyError(
            f"Kafka at {kafka.bootstrap} does not know the account {kafka.user} with this password "
            "(HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD)."
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise NotReadyError(
            f"The certificate of Kafka at {kafka.bootstrap} is not to be trusted by {kafka.ca} (HANDOFF_KAFKA_CA): "
            f"{error.verify_message}"
        ) from None
    except (KafkaError, OSError):
        return


def last_lines(log: Path) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
