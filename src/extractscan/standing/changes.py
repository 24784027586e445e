"""What became of a file that is not what it was, told by its rows: it grew, it was changed, it was cut, or its name was used again.

A request is the same where its time, account, id and prompt are, as in ``merge``. Of a file with other content than it had

* that has no request of the earlier content, the name was used again: both count;
* that has all of them, it grew; that has some, it was changed in place: the later content counts;
* that has none but those, and fewer, it was cut: the earlier content counts, since what was delivered was there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from extractscan.standing.packs import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from extractscan.standing.ledger import Ledger

IDENTITY: Final = ("time_us", "account_id", "request_id", "prompt_hash")

Change = Literal["reused", "grown", "replaced", "shrunk"]


def compare(folder: Path, ledger: Ledger, old: int, new: int) -> Change:
    """Say how the document ``new`` follows ``old``, which lay in its place."""
    was, now = (_requests(folder, ledger, number) for number in (old, new))
    common = was.join(now, on=IDENTITY, how="inner").height
    if was.height and not common:
        return "reused"
    if common == was.height:
        return "grown"
    return "shrunk" if common == now.height else "replaced"


def _requests(folder: Path, ledger: Ledger, number: int) -> pl.DataFrame:
    """Return the distinct requests of a document."""
    parts = {n: ledger.parts[n] for n in ledger.documents[number].parts}
    frames = [batch.rows.select(IDENTITY) for batch in rows_of(folder, ledger.prints, parts)]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(IDENTITY, pl.Null))
    return pl.concat(frames).unique()
