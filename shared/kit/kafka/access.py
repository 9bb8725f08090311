"""Access to Kafka: bootstrap servers, account, and the CA that signs the brokers' certificates."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"


class KafkaAccessError(Exception):
    """The settings for Kafka are incomplete."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """One account at Kafka. Without a user, the broker has no accounts; with a CA file, the connection uses TLS."""

    bootstrap: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    mechanism: str = MECHANISM

    def __post_init__(self) -> None:
        """Check that there is a password.

        Raises:
            KafkaAccessError: a user without a password.
        """
        if self.user and not self.password:
            raise KafkaAccessError("HANDOFF_KAFKA_USER is set: set HANDOFF_KAFKA_PASSWORD, too.")

    @property
    def servers(self) -> list[str]:
        """The bootstrap servers, each `host:port`."""
        return self.bootstrap.split(",")

    @property
    def protocol(self) -> str:
        """Kafka's name for the protection of the connection, such as `SASL_SSL`."""
        return "_".join([*(["SASL"] if self.user else []), "SSL" if self.ca else "PLAINTEXT"])

    def client(self) -> dict[str, Any]:
        """Return the arguments for a client of aiokafka."""
        return {"bootstrap_servers": self.servers, "security_protocol": self.protocol, **self._account(), **self._tls()}

    def properties(self) -> dict[str, str]:
        """Return the properties for librdkafka and its tools."""
        properties: dict[str, str] = {"bootstrap.servers": self.bootstrap, "security.protocol": self.protocol}
        if self.user:
            properties |= {"sasl.mechanism": self.mechanism, "sasl.username": self.user, "sasl.password": self.password}
        return properties | ({"ssl.ca.location": str(self.ca)} if self.ca else {})

    def environment(self) -> dict[str, str]:
        """Return the environment variables for a service. Unused ones are empty, so that it inherits none of them."""
        return {
            "HANDOFF_KAFKA_BOOTSTRAP": self.bootstrap,
            "HANDOFF_KAFKA_USER": self.user,
            "HANDOFF_KAFKA_PASSWORD": self.password,
            "HANDOFF_KAFKA_CA": str(self.ca or ""),
            "HANDOFF_KAFKA_MECHANISM": self.mechanism if self.mechanism != MECHANISM else "",
        }

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return a context that checks the broker's certificate; None without TLS."""
        return ssl.create_default_context(cafile=self.ca) if self.ca else None

    def explain(self, error: BaseException) -> str:
        """Return what an error means: a wrong password and an unavailable broker are the same error for a client."""
        from aiokafka.errors import KafkaConnectionError  # noqa: PLC0415 - the command line must start fast

        if self.user and isinstance(error, KafkaConnectionError):
            return f"no connection: the broker is unavailable, or the password of {self.user} is wrong"
        return type(error).__name__

    def _account(self) -> dict[str, str]:
        if not self.user:
            return {}
        return {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }

    def _tls(self) -> dict[str, Any]:
        context = self.ssl_context()
        return {"ssl_context": context} if context else {}


def read_kafka_access(environment: Mapping[str, str]) -> KafkaAccess:
    """Read HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD and HANDOFF_KAFKA_CA.

    HANDOFF_KAFKA_MECHANISM=PLAIN is for an administrator who creates the SCRAM accounts, and has none yet.

    Raises:
        KafkaAccessError: the bootstrap servers or the password are missing.
    """
    bootstrap = environment.get("HANDOFF_KAFKA_BOOTSTRAP")
    if not bootstrap:
        raise KafkaAccessError("Set HANDOFF_KAFKA_BOOTSTRAP to the address of a Kafka broker (host:port).")
    ca = environment.get("HANDOFF_KAFKA_CA")
    return KafkaAccess(
        bootstrap=bootstrap,
        user=environment.get("HANDOFF_KAFKA_USER", ""),
        password=environment.get("HANDOFF_KAFKA_PASSWORD", ""),
        ca=Path(ca) if ca else None,
        mechanism=environment.get("HANDOFF_KAFKA_MECHANISM") or MECHANISM,
    )
