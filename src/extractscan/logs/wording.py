"""What to say of a file that lacks what scoring needs, and the ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.logs.mapping import Format

_NAMES_SHOWN: Final = 40


def lacks_in(format_: Format, lacking: list[str]) -> str:
    """What to say of records of a format that lack required slots."""
    ways = [f"--column {slot}=PATH" for slot in lacking]
    if "account_id" in lacking:
        ways.insert(0, "--account-from constant=NAME, path=N, field=PATH or header=NAME")
    return (
        f"records of {format_.title} do not say {' or '.join(lacking)}; say where it is with {' or '.join(ways)}, or with a "
        "mapping (--mapping FILE); extractscan inspect shows what is in them, and extractscan convert --incomplete takes them without"
    )


def lacks(lacking: list[str], names: Sequence[str]) -> str:
    """What to say of a table without columns for required slots."""
    seen = ", ".join(show(name) for name in names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    ways = " ".join(f"--column {slot}=NAME" for slot in lacking)
    return (
        f"no column gives {' or '.join(lacking)}; columns seen: {seen or 'none'}; name it with {ways}, or "
        "write a mapping (--mapping FILE): "
        "extractscan inspect makes one to begin with"
    )


def show(name: str) -> str:
    """A name of a column in a message."""
    return name if name.isprintable() else repr(name)
