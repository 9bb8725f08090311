"""Prepares a broker as `topics.toml` declares: topics, and, if the broker has accounts, accounts and access rules.

Each agency gets a file with its account: address, user and password under the names of librdkafka's settings, so that
`kcat -F` and most clients read it without changes. A later run keeps the password and updates the address.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe

from deploy.errors import NotReadyError
from deploy.kafka.acls import AclDifference, account_of, declared_acls, difference
from deploy.kafka.broker_admin import BrokerAdmin, BrokerAdminError
from deploy.kafka.topic_declarations import Topic, agencies_of, declared_topics
from deploy.kafka.topics import TopicsError, create_topics
from deploy.postgres.services import SERVICES
from deploy.secret_files import write_secret
from shared.city.toml_files import CityError
from shared.kit.kafka.access import MECHANISM, KafkaAccess, KafkaAccessError, read_kafka_access
from shared.kit.service.settings import SAMPLE_CITY

_RULES_VISIBLE_WITHIN_SECONDS = 20.0
_POLL_SECONDS = 0.05
_PASSWORD = "sasl.password"  # noqa: S105 - the name of a setting
_CA_FILE = "ca.pem"


class RulesError(Exception):
    """Accounts or access rules cannot be read or created."""


PREPARATION_ERRORS = (TopicsError, RulesError, NotReadyError, KafkaAccessError, CityError)


async def prepare_broker(environment: Mapping[str, str]) -> None:
    """Create topics, accounts and access rules with the settings in `environment` (see `python -m deploy.kafka`).

    Raises:
        TopicsError, RulesError, NotReadyError, KafkaAccessError: the broker does not answer, or rejects a request.
        CityError: the city's agencies.toml has errors.
    """
    kafka = read_kafka_access(environment)
    agencies = agencies_of(Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    topics = declared_topics(agencies)
    await create_topics(kafka, topics, int(environment.get("HANDOFF_KAFKA_REPLICATION", "1")))
    if kafka.user:
        passwords = service_passwords(environment) | _agency_passwords(environment, agencies, kafka)
        await asyncio.to_thread(apply_rules, kafka, passwords | _administrator_password(kafka), topics)


def apply_rules(kafka: KafkaAccess, passwords: Mapping[str, str], topics: Sequence[Topic]) -> AclDifference:
    """Create these accounts, make the access rules equal to the declared ones, and return what had to change.

    Raises:
        RulesError: the broker rejects a request.
    """
    declared = declared_acls(topics, kafka.user)
    try:
        broker = BrokerAdmin(kafka)
        broker.set_passwords(passwords)
        found = difference(declared, broker.list_acls(), topics)
        broker.add(found.missing)
        broker.remove(found.surplus)
        _wait_until(lambda: not difference(declared, broker.list_acls(), topics))
    except BrokerAdminError as error:
        raise RulesError(f"Accounts or rules cannot be created. {error}") from error
    return found


def compare_rules(kafka: KafkaAccess, topics: Sequence[Topic]) -> AclDifference:
    """Return how the access rules of a broker differ from the declared ones; change no rule.

    Raises:
        RulesError: the broker rejects the request.
    """
    try:
        return difference(declared_acls(topics, kafka.user), BrokerAdmin(kafka).list_acls(), topics)
    except BrokerAdminError as error:
        raise RulesError(f"The rules cannot be read. {error}") from error


def service_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Read HANDOFF_KAFKA_PASSWORD_INTAKE (_ROUTING, _NOTIFICATIONS, _METRICS); the passwords of the others stay."""
    passwords = {service: environment.get(f"HANDOFF_KAFKA_PASSWORD_{service.upper()}", "") for service in SERVICES}
    return {service: password for service, password in passwords.items() if password}


def write_account_files(folder: Path, agencies: Iterable[str], kafka: KafkaAccess) -> dict[str, str]:
    """Write the file of each agency's account, and return the passwords by account; existing passwords stay."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if kafka.ca:
        write_secret(folder / _CA_FILE, kafka.ca.read_text(encoding="utf-8"))
    passwords = {}
    for agency in agencies:
        path, account = folder / f"{agency}.properties", account_of(agency)
        passwords[account] = _password_in(path) or token_urlsafe(24)
        access = KafkaAccess(kafka.bootstrap, account, passwords[account], kafka.ca and Path(_CA_FILE))
        lines = [f"{name}={value}" for name, value in access.properties().items()]
        write_secret(path, "\n".join(lines) + "\n")
    return passwords


def _wait_until(condition: Callable[[], bool]) -> None:
    """Wait for the broker, which applies a change a moment after the controller has confirmed it.

    Without this, a client that connects at once would be rejected.
    """
    deadline = time.monotonic() + _RULES_VISIBLE_WITHIN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RulesError("The broker's rules differ again after the change: does another program change them too?")
        time.sleep(_POLL_SECONDS)


def _administrator_password(kafka: KafkaAccess) -> dict[str, str]:
    """Return the administrator's password if it authenticated with another mechanism: it gets a SCRAM account, too."""
    return {} if kafka.mechanism == MECHANISM else {kafka.user: kafka.password}


def _agency_passwords(environment: Mapping[str, str], agencies: Sequence[str], kafka: KafkaAccess) -> dict[str, str]:
    folder = environment.get("HANDOFF_AGENCY_ACCOUNTS")
    if not folder:
        return {}
    address = environment.get("HANDOFF_KAFKA_FOR_PARTNERS") or kafka.bootstrap
    return write_account_files(Path(folder), agencies, replace(kafka, bootstrap=address))


def _password_in(path: Path) -> str | None:
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((value for name, _, value in (line.partition("=") for line in lines) if name == _PASSWORD), None)
