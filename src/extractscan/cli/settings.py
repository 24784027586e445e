"""How settings reach a command: flag over environment over file over default, as the library of the command line has it.

A setting is an option, so that nothing is merged here: the option is told the name of its variable, and the file's values are the
context's ``default_map``. Where each value came from is the context's ``get_parameter_source``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from extractscan.cli.messages import Messages, use_messages
from extractscan.config.file import find, read
from extractscan.config.settings import PREFIX, of_command

if TYPE_CHECKING:
    from extractscan.config.file import SettingsFile

_FILE: Final = "extractscan.settings"
"""Where a context keeps the settings file that was read."""

SOURCES: Final = {
    "COMMANDLINE": "command line",
    "ENVIRONMENT": "environment",
    "DEFAULT_MAP": "file",
    "DEFAULT": "default",
}


def _read_settings(ctx: typer.Context, named: Path | None) -> Path | None:
    """Read the file before any other option is looked at."""
    if not ctx.resilient_parsing:  # completion
        place = find(named)
        if place is not None:
            file = read(place)
            ctx.meta[_FILE] = file
            names = {option: parameter.name for parameter in ctx.command.params for option in parameter.opts}
            wanted = of_command(str(ctx.command.name))
            ctx.default_map = {
                str(names[setting.option]): file.values[setting.key] for setting in wanted if setting.key in file.values
            }
    return named


def _choose_messages(ctx: typer.Context, chosen: Messages) -> Messages:
    """Come last of all options, so that what the others say is known."""
    if not ctx.resilient_parsing:
        use_messages(chosen)
        file = settings_file(ctx)
        quiet = ctx.get_parameter_source("quiet")
        asked = quiet is not None and quiet.name in ("COMMANDLINE", "ENVIRONMENT")  # a file may not silence itself
        if file is not None and not (asked and ctx.params.get("quiet")):
            _tell_of_file(ctx, file)
    return chosen


def _tell_of_file(ctx: typer.Context, file: SettingsFile) -> None:
    """Say that settings were found that nobody named on the command line: a report must not change in silence."""
    source = ctx.get_parameter_source("config")
    if ctx.default_map and source is not None and source.name == "DEFAULT":
        from extractscan.cli.console import note  # noqa: PLC0415 -- most runs say nothing

        known = [setting.key for setting in of_command(str(ctx.command.name)) if setting.key in file.values]
        note(f"settings from {file.path}: {', '.join(known)}")


def _common(
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings (TOML); else extractscan.toml in this folder, if it is there.",
            is_eager=True,
            expose_value=False,
            callback=_read_settings,
            envvar=PREFIX + "CONFIG",
            show_envvar=False,
        ),
    ] = None,
    messages: Annotated[
        Messages,
        typer.Option(help="How notes, warnings and errors are written.", expose_value=False, callback=_choose_messages),
    ] = Messages.TEXT,
) -> None:
    """Options of every command that has settings."""


def add_settings(command: Any) -> None:
    """Give a command the options ``--config`` and ``--messages``, and its options their variables, if it has settings."""
    wanted = {setting.option: setting.variable for setting in of_command(command.name)}
    if not wanted:
        return
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(_common)
    command.params.extend(typer.main.get_command(app).params)
    for parameter in command.params:
        variable = next((wanted[option] for option in parameter.opts if option in wanted), None)
        if variable is not None:
            parameter.envvar = variable
            parameter.show_envvar = False


def on_command_line(ctx: typer.Context, *names: str) -> bool:
    """Tell whether any of these parameters was given on the command line, not merely set."""
    sources = [ctx.get_parameter_source(name) for name in names]
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)


def settings_file(ctx: typer.Context) -> SettingsFile | None:
    """Return the settings file that a command was started with."""
    file: SettingsFile | None = ctx.meta.get(_FILE)
    return file


def settings_document(ctx: typer.Context) -> dict[str, Any]:
    """Return each setting of a command with its value and where it came from; and the file with its hash."""
    names = {option: parameter.name for parameter in ctx.command.params for option in parameter.opts}
    file = settings_file(ctx)
    effective = {}
    for setting in of_command(str(ctx.command.name)):
        name = str(names[setting.option])
        if name not in ctx.params:  # what decides how messages are written decides nothing else
            continue
        source = ctx.get_parameter_source(name)
        value = ctx.params[name]
        effective[setting.key] = {
            "value": str(value) if isinstance(value, Path) else value,
            "source": "default" if source is None else SOURCES[source.name],
        }
    return {
        "settings_file": None if file is None else {"path": str(file.path), "sha256": file.sha256},
        "settings": effective,
    }
