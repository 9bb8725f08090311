"""Readiness of PostgreSQL, of Kafka and of processes that serve HTTP, as their clients see it."""

import asyncio
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.errors import NotReadyError
from shared.kit.kafka.access import KafkaAccess

_PAUSE_SECONDS = 0.05
_HTTP_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Health:
    """The answer of a process to `/health/ready`: whether it is ready, and the reasons if it is not."""

    ready: bool
    problems: tuple[str, ...] = ()
    dead_letters: int = 0


def check_health(url: str) -> Health:
    """Ask the process at this base URL whether it is ready; a process that does not answer is not ready."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_HTTP_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return _read_health(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        return Health(ready=False, problems=(f"does not answer: {type(error).__name__}",))
    finally:
        connection.close()


def _read_health(status: int, body: bytes) -> Health:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    document = content if isinstance(content, dict) else {}
    problems = tuple(str(problem) for problem in document.get("problems", ()))
    return Health(status == http.client.OK, problems, int(document.get("figures", {}).get("dead_letters", 0)))


def wait_for_postgres(url: str, seconds: float = 30.0) -> None:
    """Return once the server accepts connections.

    Raises:
        NotReadyError: the server accepts none within that many seconds.
    """
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
    """Return once a broker accepts a client with this account.

    Raises:
        NotReadyError: no broker accepts one within that many seconds, or the broker rejects account and password.
    """
    deadline = time.monotonic() + seconds
    host, _, port = kafka.servers[0].rpartition(":")
    await _wait_for_port(host, int(port), deadline)
    while not await _has_brokers(kafka):
        if time.monotonic() > deadline:
            raise NotReadyError(f"Kafka at {kafka.bootstrap} does not answer.")
        await _raise_if_rejected(kafka, host, int(port))
        await asyncio.sleep(_PAUSE_SECONDS)


async def _wait_for_port(host: str, port: int, deadline: float) -> None:
    """Wait for the port first: aiokafka's client logs many errors while the port is closed."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            if time.monotonic() > deadline:
                raise NotReadyError(f"No server listens at {host}:{port}: {error}") from error
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


async def _raise_if_rejected(kafka: KafkaAccess, host: str, port: int) -> None:
    """Open one connection, because a client for the whole cluster hides why a broker rejected it."""
    from aiokafka.conn import create_conn  # noqa: PLC0415 - the command line must start fast
    from aiokafka.errors import KafkaError, SaslAuthenticationFailed  # noqa: PLC0415

    options = {name: value for name, value in kafka.client().items() if name != "bootstrap_servers"}
    try:
        (await create_conn(host, port, request_timeout_ms=5000, **options)).close()
    except SaslAuthenticationFailed:
        raise NotReadyError(
            f"Kafka at {kafka.bootstrap} rejects the account {kafka.user} with this password "
            "(HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD)."
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise NotReadyError(
            f"The certificate of Kafka at {kafka.bootstrap} is not signed by {kafka.ca} (HANDOFF_KAFKA_CA): "
            f"{error.verify_message}"
        ) from None
    except (KafkaError, OSError):
        # The broker is still starting: the caller tries again until its deadline.
        return
