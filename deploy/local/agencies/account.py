"""What a partner is handed: a file that says where Kafka is, with an account and its password."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ARGUMENTS = {
    "bootstrap.servers": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
}


def read_account(file: Path) -> dict[str, Any]:
    """Read the file, and return what aiokafka's clients are to be told."""
    lines = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    settings = {name: value for name, _, value in lines}
    told: dict[str, Any] = {argument: settings[name] for name, argument in _ARGUMENTS.items() if name in settings}
    authority = settings.get("ssl.ca.location")
    return told | ({"ssl_context": ssl.create_default_context(cafile=file.parent / authority)} if authority else {})


def connection_of(agency: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return how an agency of the demonstration reaches Kafka.

    HANDOFF_AGENCY_ACCOUNTS names the folder of the agencies' files; without it the broker has no accounts.
    HANDOFF_KAFKA_BOOTSTRAP is the address from where we are, if it is another than partners are told.
    """
    folder, address = environment.get("HANDOFF_AGENCY_ACCOUNTS"), environment.get("HANDOFF_KAFKA_BOOTSTRAP")
    account = read_account(Path(folder, f"{agency}.properties")) if folder else {}
    return account | ({"bootstrap_servers": address} if address else {})
