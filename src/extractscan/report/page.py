"""Laying out text in columns of terminal cells: what the table report needs and Rich's own tables lack.

A row may be followed by lines that use the full width, no line ends in blanks, and a long id is folded, not lost.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn, TextIO

from rich.console import Console
from rich.text import Text

from extractscan.report.neutralise import rich_text
from extractscan.report.phrases import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.report.interface import RenderOptions

GAP = 2
"""Blank cells between columns."""

SEVERITY_STYLE: dict[str, str] = {"high": "bold red", "medium": "yellow", "low": "cyan", "none": "dim"}

NARROWEST = 50


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and a width in cells."""

    title: str
    width: int
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few signs beyond ASCII, and what stands for them without Unicode."""

    rule: str
    full: str
    empty: str
    dot: str


UNICODE = Glyphs(rule="─", full="●", empty="○", dot="·")
ASCII = Glyphs(rule="-", full="*", empty=" ", dot="|")


class _Console(Console):
    """Rich's console, but a reader that closed the pipe is for the caller to handle: Rich would end the program with 1."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, "broken pipe")


class Page:
    """Writes neutralised text to a stream, at a given width, with colour only when asked."""

    def __init__(self, stream: TextIO, options: RenderOptions) -> None:
        self.width = max(options.width, NARROWEST)
        self.ascii = not options.unicode
        self.glyphs = UNICODE if options.unicode else ASCII
        self._console = _Console(
            file=stream,
            width=self.width,
            color_system="standard" if options.colour else None,  # None: not one escape sequence
            force_terminal=options.colour,
            force_jupyter=False,
            force_interactive=False,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},  # the caller has read the environment; golden outputs must not hang on it
        )

    def log(self, text: str, style: str = "", *, limit: int | None = None) -> Text:
        """Return text from a log, such as an id."""
        return rich_text(text, style=style, limit=limit, ascii_only=self.ascii)

    def prose(self, sentence: str, style: str = "", *, limit: int | None = None) -> Text:
        """Return a sentence of ours; neutralised all the same, in case that text from a log came with it."""
        return self.log(plain(sentence) if self.ascii else sentence, style, limit=limit)

    def names(self, ids: Sequence[str], *, most: int, limit: int) -> Text:
        """Return the first ``most`` of some ids, each of at most ``limit`` cells, and how many more there are."""
        text = Text()
        for position, name in enumerate(ids[:most]):
            text.append(", " if position else "").append_text(self.log(name, limit=limit))
        return text.append(f" and {len(ids) - most:,} more" if len(ids) > most else "")

    def blank(self) -> None:
        """Write an empty line."""
        self.line(Text())

    def line(self, text: Text) -> None:
        """Write one line as it is."""
        text.rstrip()
        self._console.print(text, soft_wrap=True)

    def paragraph(self, text: Text, *, label: str = "", indent: int = 0, hang: int = 0, label_style: str = "") -> None:
        """Write wrapped text after ``indent`` blanks and a label; all its lines start at ``hang``."""
        hang = max(hang, indent + len(label) + GAP if label else indent)
        head = Text(" " * indent).append(label, style=label_style)
        for part in text.wrap(self._console, max(self.width - hang, 20), overflow="fold"):
            head.pad_right(hang - head.cell_len)
            self.line(head.append_text(part))
            head = Text()

    def heading(self, columns: Sequence[Column]) -> None:
        """Write the titles of the columns and a rule."""
        self.row([Text(column.title, style="bold") for column in columns], columns)
        width = sum(column.width for column in columns) + GAP * (len(columns) - 1)
        self.line(Text(self.glyphs.rule * min(width, self.width), style="dim"))

    def row(self, cells: Sequence[Text], columns: Sequence[Column]) -> None:
        """Write one row, each cell wrapped within its column."""
        wrapped = [
            list(cell.wrap(self._console, max(column.width, 1), overflow="fold")) or [Text()]
            for cell, column in zip(cells, columns, strict=True)
        ]
        for number in range(max(len(lines) for lines in wrapped)):
            line = Text()
            for position, (lines, column) in enumerate(zip(wrapped, columns, strict=True)):
                part = lines[number] if number < len(lines) else Text()
                part.rstrip()
                part.align(column.align, column.width)
                line.append(" " * GAP if position else "").append_text(part)
            self.line(line)
