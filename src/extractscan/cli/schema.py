"""``extractscan schema``: print the JSON Schemas of what programs may read."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Which schema; without it, all of them as one object by name."),
    ] = None,
    list_names: Annotated[bool, typer.Option("--list", help="Print the names and titles of the schemas.")] = False,
) -> None:
    """Print the JSON Schema (2020-12) of an output that programs may read.

    Example: extractscan schema account
    """
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    import json

    from extractscan.report import schemas
    from extractscan.report.write import standard_output

    if list_names:
        text = "".join(f"{each:<12}{schemas.schema(each).get('title', '')}\n" for each in schemas.names())
    elif name is not None:
        text = schemas.schema_text(name)
    else:
        text = json.dumps({each: schemas.schema(each) for each in schemas.names()}, indent=2, ensure_ascii=False) + "\n"
    with standard_output() as stream:
        stream.write(text)
