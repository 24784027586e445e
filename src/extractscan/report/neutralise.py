r"""The one way by which text from a log reaches an output.

Every byte of a prompt, an account id or a file name may have been chosen by an attacker. Each function here is for one
kind of output and says what it promises. Renderers call no other escaping of their own.

============== ============================ ===================================================================
function       output                       promise
============== ============================ ===================================================================
``terminal``   terminals, plain text        no control, format, bidirectional, invisible or lone surrogate character
``rich_text``  Rich                         the same, and nothing is markup, link or emoji code
``csv_cell``   CSV for spreadsheets         the same, and no cell is a formula
``json_text``  strings in JSON and Parquet  valid Unicode, otherwise unchanged
``json_line``  JSON                         one line of valid JSON that is safe to print, without loss
``file_name``  parts of a path              a portable name; different texts give different names
``markdown``   Markdown                     as ``terminal``, and nothing is markup, HTML or an automatic link
``html``       HTML text and quoted values  as ``terminal``, and nothing is a tag, an entity or ends a quotation
============== ============================ ===================================================================

``terminal``, ``rich_text`` and ``csv_cell`` are idempotent. A backslash is not doubled, so a reader cannot tell a text
that holds ``\x1b`` in letters from one that held an escape character: the JSON formats keep the exact text.
"""

from __future__ import annotations

import hashlib
import html as html_library
import json
import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.text import Text

MARKS_KEPT: Final = 4
"""Combining characters kept in a row. Living scripts seldom need over three; more would draw over other lines."""

_INVISIBLE: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1 (U+009B alone starts an escape sequence in some terminals)
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters that draw nothing
    "\u17b4\u17b5\u180b-\u180f"
    "\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # separators, zero width, bidirectional
    "\u2800"  # the blank Braille pattern
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb"  # variation selectors, byte order mark, annotations
    "\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and further variation selectors
    "]"
)
"""Characters that act or hide. Written out, so that JSON bytes do not hang on Python's Unicode version."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _stacks(character: str) -> bool:
    """Tell whether the character joins the one before it: a mark, a Hangul vowel or final consonant, a skin tone."""
    return (
        "\u1161" <= character <= "\u11ff"
        or "\ud7b0" <= character <= "\ud7ff"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character)[0] == "M"
    )


@lru_cache(maxsize=8192)
def _classify(character: str, ascii_only: bool) -> tuple[str, int, bool]:
    """Return what to write for one character, its width in cells, and whether it stacks on the one before."""
    plain = character.isprintable() or character == "\u3000"  # the ideographic space is wide and visible
    if not plain or _INVISIBLE.match(character) or (ascii_only and not character.isascii()):
        escaped = _escape(character)
        return escaped, len(escaped), False
    stacks = _stacks(character)
    if stacks and unicodedata.category(character) != "Mc":  # those that are drawn beside may take a cell
        return character, 0, True
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1, stacks


def terminal(text: str, *, limit: int | None = None, ascii_only: bool = False) -> str:
    r"""Return ``text`` on one line, what acts or hides shown as a visible escape such as ``\x1b`` or ``\u202e``.

    ``limit`` is the greatest width in terminal cells; a longer text is cut and ends in an ellipsis, and no more of it
    is read than is shown. ``ascii_only`` escapes all that is not ASCII, for outputs that are not UTF-8.
    """
    short = limit is None or len(text) <= limit
    if short and text.isascii() and text.isprintable():
        return text
    ellipsis = "..." if ascii_only else "…"
    room = math.inf if limit is None else limit
    out: list[str] = []
    used = 0
    fits = 0  # pieces that leave room for the ellipsis
    marks = MARKS_KEPT  # a mark with nothing before it would stack on what the renderer wrote
    for character in text:
        piece, width, stacks = _classify(character, ascii_only)
        marks = marks + 1 if stacks else 0
        if marks > MARKS_KEPT:
            piece = _escape(character)
            width = len(piece)
        if used + width > room:
            return "".join(out[:fits]) + ellipsis[: limit or 0]
        out.append(piece)
        used += width
        if used <= room - len(ellipsis):
            fits = len(out)
    return "".join(out)


def rich_text(text: str, *, style: str = "", limit: int | None = None, ascii_only: bool = False) -> Text:
    """Return the text for Rich. A ``Text`` is never parsed: ``[/]``, ``[link=…]`` and ``:bomb:`` show as they are."""
    from rich.text import Text  # noqa: PLC0415 -- only terminal output pays for Rich

    return Text(terminal(text, limit=limit, ascii_only=ascii_only), style=style)


_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_FORMULA_START: Final = frozenset("=+-@\t\r\n\u2212")
_INNER_FORMULA: Final = re.compile(r"""(;[\s"]*)(?=[^\w\s"])""")


def _starts_formula(text: str) -> bool:
    """Tell whether a spreadsheet may take the text for a formula, in full-width and small variants too."""
    for character in text[:1] + text.lstrip()[:1]:
        if not _FORMULA_START.isdisjoint(character + unicodedata.normalize("NFKC", character)):
            return True
    return False


def csv_cell(value: str | float | bool | None) -> str:
    """Return one CSV cell, unquoted: numbers stay numbers, text that could be a formula starts with ``'``.

    A semicolon inside the text, with quotes or none, gets the same guard behind it, for spreadsheets in whose country
    it separates cells.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value) if math.isfinite(value) else ""
    if _NUMBER.match(value):
        return value
    text = _INNER_FORMULA.sub(lambda m: m[1] + ("'" if _starts_formula(value[m.end()]) else ""), value)
    return ("'" if _starts_formula(value) else "") + terminal(text)


def json_text(text: str) -> str:
    """Return the text with every lone surrogate replaced by U+FFFD: what UTF-8 can hold, otherwise unchanged."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def json_line(value: Any) -> str:
    r"""Return ``value`` as one line of JSON, without a line end, in the order of its keys.

    What acts or hides on a terminal is written as ``\u…``, which a parser reads back as it was. Lone surrogates become
    U+FFFD. Raises ``ValueError`` for NaN and infinity: the caller says what stands for them.
    """
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line if line.isascii() and "\x7f" not in line else _INVISIBLE.sub(_json_escape, line)


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


_PORTABLE_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_-])?\Z")
_RESERVED_NAME: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z")


def file_name(text: str) -> str:
    """Return a name for a file or folder: never empty, hidden, reserved, ``..``, or over 80 bytes, and never a path.

    Short lower-case names of ASCII letters, digits, ``_``, ``.`` and ``-`` stay. Any other is reduced to such and
    gets ``~`` and twelve hexadecimal digits of its SHA-256, so that two accounts never share a file, not even on a disk
    that does not tell capitals from small letters.
    """
    if _PORTABLE_NAME.match(text) and not _RESERVED_NAME.match(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    stem = re.sub(r"[^a-z0-9_-]+", "_", text[:256].lower())[:48].strip("_-")
    return f"{stem or 'x'}~{digest}"


_MARKDOWN: Final = re.compile(r"(?<=[0-9])[.:](?=[0-9])|(?<=[0-9A-Za-z])-(?=[0-9A-Za-z])|([!#$&(-+\--/:<->@\[-`{-~])")
"""Marks that mean something. Not those of times, numbers and compound words, nor ``, ; % ' " ?``, which mean nothing in any dialect."""

_MARKDOWN_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}


def markdown(text: str) -> str:
    """Return text for a Markdown paragraph or table cell: every mark that means something escaped, on one line."""
    # Blanks at the start would make a code block; the pipe as an entity survives table parsers that ignore backslashes.
    clean = terminal(text).strip(" ")
    return _MARKDOWN.sub(lambda m: _MARKDOWN_ENTITIES.get(m[0], "\\" + m[0]) if m[1] else m[0], clean)


def html(text: str) -> str:
    """Return text for HTML content or a quoted attribute that holds no address, script or style."""
    return html_library.escape(terminal(text), quote=True)
