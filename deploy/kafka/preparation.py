"""Makes a broker what `topics.toml` declares: topics, and where it has accounts, accounts and rules."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from deploy.kafka.accounts import keep_agency_files, service_passwords
from deploy.kafka.acls import Difference, declared_acls, difference
from deploy.kafka.administration import Administration, AdministrationError
from deploy.kafka.declared import Topic, agencies_of, declared_topics
from deploy.kafka.topics import TopicsError, make_topics
from deploy.local.problems import NotReadyError
from shared.kit.kafka.access import MECHANISM, KafkaAccess, KafkaAccessError, access_from
from shared.kit.service.settings import SAMPLE_CITY

_SHOWN_WITHIN_SECONDS = 20.0
_PAUSE_SECONDS = 0.05


class RulesError(Exception):
    """Accounts or rules could not be made."""


PROBLEMS = (TopicsError, RulesError, NotReadyError, KafkaAccessError)


async def prepare_broker(environment: Mapping[str, str]) -> None:
    """Make topics, accounts and rules, as the environment says (see `python -m deploy.kafka`).

    Raises:
        TopicsError, RulesError, NotReadyError, KafkaAccessError: it could not be done.
    """
    kafka = access_from(environment)
    agencies = agencies_of(Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    topics = declared_topics(agencies)
    await make_topics(kafka, topics, int(environment.get("HANDOFF_KAFKA_REPLICATION", "1")))
    if kafka.user:
        passwords = service_passwords(environment) | _agency_passwords(environment, agencies, kafka)
        await asyncio.to_thread(let_in, kafka, passwords | _administrators(kafka), topics)


def let_in(kafka: KafkaAccess, passwords: Mapping[str, str], topics: Sequence[Topic]) -> Difference:
    """Make these accounts, and the rules of everybody; gives what had to change in the rules.

    Raises:
        RulesError: the broker refuses.
    """
    declared = declared_acls(topics, kafka.user)
    try:
        broker = Administration(kafka)
        broker.set_passwords(passwords)
        found = difference(declared, broker.list_acls(), topics)
        broker.add(found.missing)
        broker.remove(found.surplus)
        _wait_until(lambda: not difference(declared, broker.list_acls(), topics))
    except AdministrationError as error:
        raise RulesError(f"Accounts or rules could not be made. {error}") from error
    return found


def compare_rules(kafka: KafkaAccess, topics: Sequence[Topic]) -> Difference:
    """Hold a broker's rules against the declaration, and change nothing.

    Raises:
        RulesError: the broker does not tell.
    """
    try:
        return difference(declared_acls(topics, kafka.user), Administration(kafka).list_acls(), topics)
    except AdministrationError as error:
        raise RulesError(f"The rules could not be read. {error}") from error


def _wait_until(holds: Callable[[], bool]) -> None:
    """A broker follows a moment after the controller has answered: who comes too early would be sent away."""
    deadline = time.monotonic() + _SHOWN_WITHIN_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RulesError(
                "The broker does not keep the rules that it was given: does somebody else change them, too?"
            )
        time.sleep(_PAUSE_SECONDS)


def _administrators(kafka: KafkaAccess) -> dict[str, str]:
    """An administrator who came in by another way gets the same account by SCRAM."""
    return {} if kafka.mechanism == MECHANISM else {kafka.user: kafka.password}


def _agency_passwords(environment: Mapping[str, str], agencies: Sequence[str], kafka: KafkaAccess) -> dict[str, str]:
    folder = environment.get("HANDOFF_AGENCY_ACCOUNTS")
    if not folder:
        return {}
    address = environment.get("HANDOFF_KAFKA_FOR_PARTNERS") or kafka.bootstrap
    return keep_agency_files(Path(folder), agencies, replace(kafka, bootstrap=address))
