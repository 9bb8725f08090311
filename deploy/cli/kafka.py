"""`handoff kafka acls`: compares the rules of a broker with those that `deploy/kafka/topics.toml` declares."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.options import DataDir
from deploy.errors import PlatformError
from deploy.kafka.topic_declarations import Topic, agencies_of, declared_topics
from deploy.local.settings import SAMPLE_CITY
from shared.kit.kafka.access import KafkaAccess, KafkaAccessError, read_kafka_access

DIFFERENT = 1
FAILED = 2
_SECONDS = 5.0

Check = Annotated[bool, typer.Option("--check", help="Change no rule; exit with 1 if there is a difference.")]

kafka_app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Manage Kafka's access rules.")


@kafka_app.callback()
def kafka() -> None:
    """Manage Kafka's access rules."""


@kafka_app.command()
def acls(check: Check = False, data_dir: DataDir = None) -> None:  # noqa: FBT002 - a flag of the command line
    """Make the broker's access rules (ACLs) equal to the declared ones, and print each change.

    `+`: the rule is declared and was missing; the command adds it. `-`: the rule was there and is not declared; the
    command removes it. Rules about accounts and topics of other systems stay as they are.

    The broker is the one that HANDOFF_KAFKA_BOOTSTRAP names, with HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD and
    HANDOFF_KAFKA_CA of its administrator; otherwise the one of the platform that runs on this machine.

    Exit code 1, with --check: the rules differ; 2: the command failed.
    """
    from deploy.kafka.preparation import PREPARATION_ERRORS  # noqa: PLC0415 - each command loads what it needs

    try:
        access, topics = _access_and_topics(data_dir)
        lines = _compare(access, topics, check=check)
    except (PlatformError, *PREPARATION_ERRORS) as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(FAILED) from error
    typer.echo("\n".join(lines) or "The rules are as declared.")
    if lines and check:
        raise typer.Exit(DIFFERENT)


def _access_and_topics(data_dir: Path | None) -> tuple[KafkaAccess, list[Topic]]:
    access, agencies = find_kafka(data_dir)
    if not access.user:
        raise KafkaAccessError("This Kafka has no accounts: HANDOFF_KAFKA_USER is not set.")
    return access, declared_topics(agencies)


def find_kafka(data_dir: Path | None) -> tuple[KafkaAccess, list[str]]:
    """Return Kafka with its administrator's account, and the ids of the city's agencies.

    Raises:
        NotRunningError: the environment names no Kafka, and no platform runs here.
        KafkaAccessError: the environment names a user and no password.
    """
    if data_dir is None and os.environ.get("HANDOFF_KAFKA_BOOTSTRAP"):
        return read_kafka_access(os.environ), agencies_of(Path(os.environ.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    from deploy.cli.services import find_state  # noqa: PLC0415 - each command loads what it needs

    state = find_state(data_dir)
    return state.kafka, agencies_of(state.jurisdiction)


def _compare(access: KafkaAccess, topics: list[Topic], *, check: bool) -> list[str]:
    from deploy.kafka.preparation import apply_rules, compare_rules  # noqa: PLC0415 - each command loads what it needs
    from deploy.readiness import wait_for_kafka  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(wait_for_kafka(access, _SECONDS))
    return (compare_rules(access, topics) if check else apply_rules(access, {}, topics)).lines()
