"""The accounts at Kafka: services bring their passwords with them, agencies are given a file each.

An agency's file is what a partner is handed: address, account and password, in the words of librdkafka's settings,
so that `kcat -F` and most clients read it as it is. It is made once; its password stays, its address follows.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_urlsafe

from deploy.kafka.acls import account_of
from deploy.local.secret_files import write_secret
from deploy.postgres.services import SERVICES
from shared.kit.kafka.access import KafkaAccess

_PASSWORD = "sasl.password"  # noqa: S105 - the name of a setting
_AUTHORITY = "ca.pem"


def service_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Read HANDOFF_KAFKA_PASSWORD_INTAKE (_ROUTING, _NOTIFICATIONS, _METRICS); others stay as they are."""
    told = {service: environment.get(f"HANDOFF_KAFKA_PASSWORD_{service.upper()}", "") for service in SERVICES}
    return {service: password for service, password in told.items() if password}


def keep_agency_files(folder: Path, agencies: Iterable[str], kafka: KafkaAccess) -> dict[str, str]:
    """Make the file of each agency where it is missing, bring the others up to date; gives the passwords by account."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if kafka.ca:
        write_secret(folder / _AUTHORITY, kafka.ca.read_text(encoding="utf-8"))
    passwords = {}
    for agency in agencies:
        path, account = folder / f"{agency}.properties", account_of(agency)
        passwords[account] = _password_in(path) or token_urlsafe(24)
        access = KafkaAccess(kafka.bootstrap, account, passwords[account], kafka.ca and Path(_AUTHORITY))
        lines = [f"{name}={value}" for name, value in access.properties().items()]
        write_secret(path, "\n".join(lines) + "\n")
    return passwords


def _password_in(path: Path) -> str | None:
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((value for name, _, value in (line.partition("=") for line in lines) if name == _PASSWORD), None)
