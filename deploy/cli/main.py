"""The `handoff` command. It imports the module of a command only when that command runs, so that all start fast."""

import importlib
from collections.abc import Callable
from typing import cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

COMMANDS = {
    "up": "deploy.cli.platform:up",
    "status": "deploy.cli.platform:status",
    "down": "deploy.cli.platform:down",
    "import": "deploy.cli.imports:import_command",
    "kafka": "deploy.cli.kafka:kafka_app",
    "case": "deploy.cli.cases:case_app",
    "dead-letters": "deploy.cli.dead_letters:dead_letters_app",
    "person": "deploy.cli.persons:person_app",
    "ledger": "deploy.cli.ledger:ledger_app",
    "agreements": "deploy.cli.agreements:agreements_app",
    "routing": "deploy.cli.routing:routing_app",
}


class Commands(TyperGroup):
    """All commands by name, in the order of the help."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Import the command with this name: a function, or a `typer.Typer` with subcommands."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = _command(getattr(importlib.import_module(module), name))
        command.name = cmd_name
        return command


def _command(found: Callable[..., None] | typer.Typer) -> TyperCommand | TyperGroup:
    if isinstance(found, typer.Typer):
        return get_group(found)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(found)
    return cast("TyperCommand", get_command(single))


app = Commands(
    name="handoff",
    help="One front door for many agencies: run the platform on this machine, and operate it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


if __name__ == "__main__":
    app()
