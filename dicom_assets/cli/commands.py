"""The commands, each imported when it is called for: to complete a word or tell the version takes none of them."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from dicom_assets.cli.loading import loading
from dicom_assets.cli.memory import return_what_is_free

_HOMES = {
    "catalog": "dagster_commands",
    "columns": "columns",
    "notify": "notify",
    "sql": "sql",
    "shell": "shell",
    "show": "show",
    "studies": "levels",
    "series": "levels",
    "issues": "issues",
    "export": "export",
    "changes": "changes",
    "status": "status",
    "serve": "serve",
    "check": "check",
    "gallery": "gallery",
    "lineage": "lineage",
    "demo": "dagster_commands",
    "ui": "dagster_commands",
    "cohort": "cohort",
    "engine": "engine",
    "viewer": "viewer",
}
"""In which module beside this one each is, in the order in which they are listed: as ``app`` where it is a group."""

_RUNS_FOR_HOURS = frozenset({"catalog"})
_SETS_UP_COMPLETION = frozenset({"install_completion", "show_completion"})


class Commands(TyperGroup):
    """The commands. What sets up completion for a shell works but is not listed: it is used once."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the program itself."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            param.hidden = param.hidden or param.name in _SETS_UP_COMPLETION
        return params

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as it is called
        """Return the names of the commands."""
        return list(_HOMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as it is called
        """Return a command, ``None`` where there is none of this name."""
        if cmd_name not in self.commands and cmd_name in _HOMES:
            self.commands[cmd_name] = _command(cmd_name)
        return self.commands.get(cmd_name)


def _command(name: str) -> Any:
    if name in _RUNS_FOR_HOURS:
        return_what_is_free()
    with loading():
        module = import_module(f"dicom_assets.cli.{_HOMES[name]}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    command = typer.main.get_command(app)
    command.name = name
    return command
