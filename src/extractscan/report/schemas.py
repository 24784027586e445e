"""The published JSON Schemas (2020-12) of what a program may read; each is a file of its name in ``schemas/``."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from extractscan.errors import UsageError
from extractscan.report.neutralise import terminal

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def names() -> list[str]:
    """Return the names of the schemas, sorted."""
    return sorted(entry.name.removesuffix(".json") for entry in _folder().iterdir() if entry.name.endswith(".json"))


def schema_text(name: str) -> str:
    """Return a schema as it is published. Raises ``UsageError`` for an unknown name, with those that are known."""
    if name not in names():
        known = ", ".join(names())
        raise UsageError(f"there is no schema {terminal(name, limit=40)!r}; there are: {known}")
    return (_folder() / f"{name}.json").read_text(encoding="utf-8")


def schema(name: str) -> dict[str, Any]:
    """Return a schema as a document. Raises ``UsageError`` for an unknown name."""
    document: dict[str, Any] = json.loads(schema_text(name))
    return document


def _folder() -> Traversable:
    return files("extractscan.report") / "schemas"
