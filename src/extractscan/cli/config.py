"""``extractscan config``: the settings file written, shown and checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extractscan.cli.emit import DocumentFormat
from extractscan.cli.settings import SOURCES
from extractscan.config.file import all_of, find, read
from extractscan.config.settings import FILE, PREFIX, SETTINGS
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from extractscan.config.check import Problem
    from extractscan.config.file import SettingsFile
    from extractscan.report.interface import RenderOptions

app = typer.Typer(help="Write, show or check the settings file.", no_args_is_help=True, rich_markup_mode=None)

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", envvar=PREFIX + "CONFIG", show_envvar=False, help=f"Else {FILE} in this folder."
    ),
]


@app.command()
def init(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - is standard output.")
    ] = Path(FILE),
    clobber: Annotated[bool, typer.Option("--clobber", help="Overwrite the file.")] = False,
) -> None:
    """Write a settings file with every setting in it, explained and commented out.

    Example: extractscan config init
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    from extractscan.cli.console import note
    from extractscan.cli.emit import check_place, emit
    from extractscan.config.default import default_file

    check_place(output, clobber=clobber)
    emit(lambda _: default_file(), output, clobber=clobber)
    if str(output) != "-":
        note(f"{output} written; it sets nothing until a line is uncommented")


@app.command()
def show(
    config: ConfigFile = None,
    output_format: Annotated[
        DocumentFormat, typer.Option("--format", "-f", help="A table to read, or JSON.")
    ] = DocumentFormat.TABLE,
) -> None:
    """Show every setting, what it is, and where that comes from: environment, file or default.

    Example: extractscan config show
    """
    from extractscan.cli.emit import emit

    _point_out_variables()
    place = find(config)
    file = None if place is None else read(place)
    rows = effective(file)

    def render(options: RenderOptions) -> str:
        if output_format is DocumentFormat.JSON:
            held = None if file is None else {"path": str(file.path), "sha256": file.sha256}
            settings = {key: {"value": value, "source": source} for key, value, source in rows}
            return json.dumps({"settings_file": held, "settings": settings}, indent=2) + "\n"
        return _table(rows, file, ascii_only=not options.unicode)

    emit(render, None, clobber=False)


@app.command()
def validate(
    config: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=f"Else {FILE} in this folder.")] = None,
) -> None:
    """Check a settings file and the files that it names; every error is told, with its line. Exit code 2 if there is any.

    Example: extractscan config validate extractscan.toml
    """
    from extractscan.cli.emit import emit

    _point_out_variables()
    place = find(config)
    if place is None:
        raise UsageError(f"there is no {FILE} here; name a file, or write one with extractscan config init")
    file = read(place)
    wrong = _deeper(file)
    if wrong:
        raise UsageError(all_of(place, wrong))
    count = "1 setting" if len(file.values) == 1 else f"{len(file.values)} settings"
    emit(lambda _: f"{_plain(str(place))}: {count}, no error\n", None, clobber=False)


def _point_out_variables() -> None:
    import os

    from extractscan.cli.console import Console
    from extractscan.config.check import unknown_variables

    with Console(progress=False) as console:
        for text in unknown_variables(os.environ):
            console.warn(text)


def effective(file: SettingsFile | None) -> list[tuple[str, Any, str]]:
    """Return each setting's key, value and source, found by the options themselves."""
    from typer.core import TyperCommand

    from extractscan.cli.lazy import LazyCommand

    commands = {name: LazyCommand(name, "").loaded().params for name in {each.commands[0] for each in SETTINGS}}
    parameters = [
        next(parameter for parameter in commands[setting.commands[0]] if setting.option in parameter.opts)
        for setting in SETTINGS
    ]
    names = {setting.key: str(parameter.name) for setting, parameter in zip(SETTINGS, parameters, strict=True)}
    for parameter in parameters:
        parameter.callback = None
        parameter.expose_value = True
    values: Mapping[str, Any] = {} if file is None else file.values
    context = TyperCommand("show", params=parameters).make_context(
        "extractscan config show", [], default_map={names[key]: value for key, value in values.items()}
    )
    rows = []
    for setting in SETTINGS:
        value = context.params[names[setting.key]]
        source = context.get_parameter_source(names[setting.key])
        told = "default" if source is None else SOURCES[source.name]
        plain = list(value) if isinstance(value, list | tuple) else str(value) if isinstance(value, Path) else value
        rows.append((setting.key, plain, told))
    return rows


def _table(rows: list[tuple[str, Any, str]], file: SettingsFile | None, *, ascii_only: bool) -> str:
    width = max(len(key) for key, _, _ in rows)
    shown = [
        (key, "" if value is None else _plain(json.dumps(value, ensure_ascii=ascii_only)), told)
        for key, value, told in rows
    ]
    broad = min(max(len(value) for _, value, _ in shown), 60)
    lines = [f"{key:<{width}}  {value:<{broad}}  {told}".rstrip() for key, value, told in shown]
    head = "No settings file." if file is None else f"Settings file: {_plain(str(file.path))}, SHA-256 {file.sha256}"
    return "\n".join([head, "", *lines]) + "\n"


def _plain(text: str) -> str:
    from extractscan.report.neutralise import terminal

    return terminal(text, limit=400)


def _deeper(file: SettingsFile) -> list[Problem]:
    """Return what is wrong with values that are right by their kind: files that cannot be read, ways that there are none."""
    from extractscan.cli.options import parse_columns
    from extractscan.config.check import Problem, line_of
    from extractscan.logs.choose import Chooser, FormatOptions, parse_account_from
    from extractscan.memory import parse_size
    from extractscan.report.allow import read_allowlist

    mappings: list[str] = []

    def add_mappings(paths: list[str]) -> None:
        Chooser(FormatOptions(tuple(paths)), {})
        mappings.extend(paths)

    checks: dict[str, Callable[[Any], object]] = {
        "mapping": add_mappings,
        "log_format": lambda name: Chooser(FormatOptions(tuple(mappings), name), {}),
        "account_from": parse_account_from,
        "memory": parse_size,
        "column": parse_columns,
        "allow": lambda path: read_allowlist(Path(path)),
    }
    wrong = []
    for key, check in checks.items():
        if key in file.values:
            try:
                check(file.values[key])
            except UsageError as error:
                wrong.append(Problem(line_of(file.text, key), f"{key}: {error}"))
    return sorted(wrong, key=lambda problem: problem.line or 0)
