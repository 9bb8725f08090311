"""`handoff kafka acls`: who may do what at Kafka, held against what `deploy/kafka/topics.toml` declares."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.platform import DataDir
from deploy.kafka.declared import Topic, agencies_of, declared_topics
from deploy.local.problems import LocalPlatformError
from deploy.local.settings import SAMPLE_CITY, default_data_dir
from shared.kit.kafka.access import KafkaAccess, KafkaAccessError, access_from

DIFFERENT = 1
_SECONDS = 5.0

Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 if there is a difference.")]

kafka_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Look after the accounts and rules at Kafka."
)


@kafka_app.callback()
def kafka() -> None:
    """Look after the accounts and rules at Kafka."""


@kafka_app.command()
def acls(check: Check = False, data_dir: DataDir = None) -> None:  # noqa: FBT002 - a flag of the command line
    """Bring the rules of the broker to what is declared, and say what changed.

    `+` is declared and was missing, `-` was there and is not declared. Rules that are about neither our accounts nor
    our topics are left alone.

    The broker is the one of the platform that runs here; or the one that HANDOFF_KAFKA_BOOTSTRAP names, with
    HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD and HANDOFF_KAFKA_CA of its administrator.
    """
    from deploy.kafka.preparation import PROBLEMS  # noqa: PLC0415 - each command loads what it needs

    try:
        lines = _lines(*_broker(data_dir), check=check)
    except (LocalPlatformError, *PROBLEMS) as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error
    typer.echo("\n".join(lines) or "The rules are as declared.")
    if lines and check:
        raise typer.Exit(DIFFERENT)


def _broker(data_dir: Path | None) -> tuple[KafkaAccess, list[Topic]]:
    """Find the broker, as its administrator, and what is declared for its city."""
    if data_dir is None and os.environ.get("HANDOFF_KAFKA_BOOTSTRAP"):
        access = access_from(os.environ)
        jurisdiction = Path(os.environ.get("HANDOFF_JURISDICTION") or SAMPLE_CITY)
    else:
        from deploy.local.state import read_state  # noqa: PLC0415 - each command loads what it needs

        state = read_state(data_dir or default_data_dir())
        access, jurisdiction = state.kafka, state.jurisdiction
    if not access.user:
        raise KafkaAccessError("This Kafka has no accounts: HANDOFF_KAFKA_USER is not set.")
    return access, declared_topics(agencies_of(jurisdiction))


def _lines(access: KafkaAccess, topics: list[Topic], *, check: bool) -> list[str]:
    from deploy.kafka.preparation import compare_rules, let_in  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.readiness import wait_for_kafka  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(wait_for_kafka(access, _SECONDS))
    return (compare_rules(access, topics) if check else let_in(access, {}, topics)).lines()
