"""`handoff up`, `handoff status` and `handoff down`: the platform on this machine."""

import os
from typing import Annotated

import typer

from deploy.cli.options import AsJson, DataDir
from deploy.errors import PlatformError
from deploy.local.settings import PlatformSettings, default_data_dir, settings_from
from shared.kit.kafka.access import KafkaAccessError

NOT_ALL_READY = 1
NOT_RUNNING = 3

Detach = Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready, and leave it running.")]


def up(data_dir: DataDir = None, detach: Detach = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Run Kafka, PostgreSQL and all services on this machine, until Ctrl-C.

    The first start downloads Apache Kafka (43 MB). A process whose usual port is taken listens on the next free one.

    Environment variables:

    HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_DATABASE_URL: use an external Kafka or PostgreSQL. If that Kafka has accounts,
    HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD and HANDOFF_KAFKA_CA are those of its administrator.

    HANDOFF_JURISDICTION: the folder of the city to serve. Default: the sample city.
    """
    try:
        _up(settings_from(os.environ, data_dir or default_data_dir()), detach=detach)
    except (PlatformError, KafkaAccessError, OSError) as error:
        _fail(error)


def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show the address of each component, and whether it is ready.

    Exit code 0: all components are ready; 1: a component is not; 3: no platform runs.
    """
    from deploy.cli import platform_views  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.inspection import inspect  # noqa: PLC0415
    from deploy.local.state import NotRunningError, read_state  # noqa: PLC0415

    try:
        state = read_state(data_dir or default_data_dir())
    except NotRunningError as error:
        platform_views.show_not_running(str(error), as_json=as_json)
        raise typer.Exit(NOT_RUNNING) from error
    reports = inspect(state)
    platform_views.show_status(state, reports, as_json=as_json)
    if state.phase != "ready" or not all(report.health.ready for report in reports):
        raise typer.Exit(NOT_ALL_READY)


def down(data_dir: DataDir = None) -> None:
    """Stop everything that `handoff up` started; the data stay."""
    from deploy.local import background  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.settings import DataFolder  # noqa: PLC0415

    folder = DataFolder((data_dir or default_data_dir()).resolve())
    try:
        was_running = background.stop(folder)
    except PlatformError as error:
        _fail(error)
    typer.echo(f"Stopped. The data are in {folder.path}." if was_running else f"No platform runs on {folder.path}.")


def _up(settings: PlatformSettings, *, detach: bool) -> None:
    from deploy.cli import platform_views  # noqa: PLC0415 - each command loads what it needs
    from deploy.local import background, state, supervisor  # noqa: PLC0415

    if state.is_locked(settings.folder.lock):
        platform_views.show_already_running(settings.folder.path)
        raise typer.Exit(1)
    if settings.kafka is None:
        platform_views.prepare_kafka()
    platform_views.print_line("Starting ...")
    if detach:
        platform_views.show_ready(background.start(settings.folder), detached=True)
        return
    progress = supervisor.ProgressReporter(
        report=platform_views.print_line,
        ready=lambda running: platform_views.show_ready(running, detached=False),
    )
    supervisor.run_platform(settings, progress)


def _fail(error: Exception) -> None:
    typer.secho(str(error), fg=typer.colors.RED, err=True)
    raise typer.Exit(1) from error
