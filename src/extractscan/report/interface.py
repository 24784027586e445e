"""What a report format is: a name, and something that renders findings under it.

A format is added in three steps: a member of ``Format``, a module with a ``TextRenderer`` or ``BytesRenderer``, and a
line in ``formats.renderer``, where the type checker and a test insist on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, TextIO, TypeAlias

if TYPE_CHECKING:
    from extractscan.verdict.findings import Findings


class Format(StrEnum):
    """The report formats, by the name that ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"
    HTML = "html"
    OCSF = "ocsf"
    STIX = "stix"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What a user may ask of a renderer, and what the output can show.

    ``top`` limits the accounts, never the campaigns; None is the format's own default (20 for the table, 50 for
    Markdown, 200 for HTML, all for the others). ``width`` (in cells), ``colour`` and ``unicode`` are for outputs that
    people read; the others ignore them.
    """

    top: int | None = None
    width: int = 120
    colour: bool = False
    unicode: bool = True


class TextRenderer(Protocol):
    """Renders text; the stream encodes it, in UTF-8 except on a terminal of another kind."""

    @property
    def media(self) -> Literal["text"]:
        """Tell the two kinds of renderer apart."""

    @property
    def for_people(self) -> bool:
        """Whether the text suits itself to a terminal; if not it is the same bytes wherever it goes."""

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write the whole report to ``stream``; every string of a log in it has gone through ``neutralise``."""


class BytesRenderer(Protocol):
    """Renders bytes that no terminal should be sent."""

    @property
    def media(self) -> Literal["bytes"]:
        """Tell the two kinds of renderer apart."""

    def render(self, findings: Findings, options: RenderOptions, stream: BinaryIO) -> None:
        """Write the whole report to ``stream``, front to back: it may be a pipe."""


Renderer: TypeAlias = TextRenderer | BytesRenderer
