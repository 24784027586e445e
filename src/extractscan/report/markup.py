"""HTML and SVG that cannot be broken out of: elements are built, text is escaped, and nothing else makes ``Markup``.

There is no way to give an address, a style or a handler: attributes are from a short list, and ``href`` is for places in
the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from extractscan.report.neutralise import html

VOID: Final = frozenset({"meta"})
CLOSED: Final = frozenset({"rect", "circle", "line"})
"""Elements of SVG that hold nothing; HTML takes the slash only there."""

ATTRIBUTES: Final = frozenset(
    {
        "id", "class", "lang", "charset", "name", "content", "http-equiv", "type", "scope", "role", "tabindex", "open",
        "hidden", "href", "colspan", "for", "aria-label", "aria-labelledby", "aria-hidden", "aria-sort", "aria-live",
        "data-value", "data-label", "data-kind", "viewBox", "preserveAspectRatio", "x", "y", "x1", "x2", "y1", "y2",
        "width", "height", "cx", "cy", "r",
    }
)  # fmt: skip
"""What an element may have. No ``style``, ``src`` or ``on…``: the page's policy would refuse them too."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Finished HTML. Made by ``element`` and ``join``, and from files of ours by ``verbatim``."""

    text: str


Content: TypeAlias = Markup | str | None


def element(tag: str, *content: Content, **attributes: str | float | None) -> Markup:
    """Return an element; strings are escaped, None is left out.

    An attribute's name is written with ``_`` for ``-``, and one before it where Python has the word (``_class``).
    Raises ``ValueError`` for an attribute that is not on the list and for an ``href`` out of the page.
    """
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        name = key.lstrip("_").replace("_", "-")
        shown = html(value) if isinstance(value, str) else html(f"{value:g}")
        if name not in ATTRIBUTES or (name == "href" and not shown.startswith("#")):
            raise ValueError(f"no attribute {name!r} with value {shown!r}")
        written.append(f' {name}="{shown}"')
    opening = f"<{tag}{''.join(written)}"
    if tag in VOID:
        return Markup(f"{opening}>")
    if tag in CLOSED and not content:
        return Markup(f"{opening}/>")
    return Markup(f"{opening}>{join(*content).text}</{tag}>")


def join(*content: Content) -> Markup:
    """Return pieces one after another; strings are escaped."""
    return Markup(
        "".join(html(piece) if isinstance(piece, str) else piece.text for piece in content if piece is not None)
    )


def verbatim(ours: str) -> Markup:
    """Return a style sheet or script that ships with the package, as it is. Never for text from a log."""
    if "</" in ours:
        raise ValueError("a style sheet or script must not end its element")
    return Markup(ours)
