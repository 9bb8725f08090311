"""`handoff up`, `handoff status` and `handoff down`: the platform on this machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.problems import LocalPlatformError
from deploy.local.settings import PlatformSettings, default_data_dir, settings_from
from shared.kit.kafka.access import KafkaAccessError

NOT_ALL_READY = 1
NOT_RUNNING = 3

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder for all data. Default: HANDOFF_DATA_DIR, or .handoff here.", file_okay=False),
]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready, and leave it running.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def up(data_dir: DataDir = None, detach: Detach = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Run Kafka, PostgreSQL and all services here, until Ctrl-C.

    The first start fetches Apache Kafka (43 MB), once. Ports that are taken are passed over.

    HANDOFF_KAFKA_BOOTSTRAP and HANDOFF_DATABASE_URL: use servers of your own. Where that Kafka has accounts,
    HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD and HANDOFF_KAFKA_CA are its administrator's.

    HANDOFF_JURISDICTION: serve another city.
    """
    try:
        _up(settings_from(os.environ, data_dir or default_data_dir()), detach=detach)
    except (LocalPlatformError, KafkaAccessError, OSError) as error:
        _fail(error)


def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show where everything is and whether it is ready.

    Exit code 0: all is ready; 1: something is not; 3: nothing runs.
    """
    from deploy.cli import platform_screen  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.inspection import inspect  # noqa: PLC0415
    from deploy.local.state import NotRunningError, read_state  # noqa: PLC0415

    try:
        state = read_state(data_dir or default_data_dir())
    except NotRunningError as error:
        platform_screen.show_absence(str(error), as_json=as_json)
        raise typer.Exit(NOT_RUNNING) from error
    reports = inspect(state)
    platform_screen.show_status(state, reports, as_json=as_json)
    if state.phase != "ready" or not all(report.health.ready for report in reports):
        raise typer.Exit(NOT_ALL_READY)


def down(data_dir: DataDir = None) -> None:
    """Stop everything that `handoff up` started; the data stays."""
    from deploy.local import background  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.folders import DataFolder  # noqa: PLC0415

    folder = DataFolder((data_dir or default_data_dir()).resolve())
    try:
        ran = background.stop(folder)
    except LocalPlatformError as error:
        _fail(error)
    typer.echo(f"Stopped. The data is in {folder.path}." if ran else f"Nothing runs on {folder.path}.")


def _up(settings: PlatformSettings, *, detach: bool) -> None:
    from deploy.cli import platform_screen  # noqa: PLC0415 - each command loads what it needs
    from deploy.local import background, lock  # noqa: PLC0415
    from deploy.local.run import run_platform  # noqa: PLC0415
    from deploy.local.supervisor import Voice  # noqa: PLC0415

    if lock.is_held(settings.folder.lock):
        platform_screen.show_who_runs(settings.folder.path)
        raise typer.Exit(1)
    if settings.kafka is None:
        platform_screen.prepare_kafka()
    if detach:
        platform_screen.say("Starting ...")
        platform_screen.show_ready(background.start(settings.folder), detached=True)
        return
    platform_screen.say("Starting ...")
    ready = platform_screen.show_ready
    run_platform(settings, Voice(platform_screen.say, lambda state: ready(state, detached=False)))


def _fail(error: Exception) -> None:
    typer.secho(str(error), fg=typer.colors.RED, err=True)
    raise typer.Exit(1) from error
