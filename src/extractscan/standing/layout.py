"""What lies where in a standing case. The results of a night are a case of their own, as ``score`` writes them.

=================== ================================================================================================
``standing.json``   the pointer: which results, ledger and states hold; its renaming is the one moment of change
``lock``            who works on the case
``ledger/``         what was delivered, by content; each version is named after its SHA-256
``prints/``         fingerprints, likewise
``nights/``         results: a case for each night, the last two are kept
``states/``         what every finding was called on the night
``spool/``          events for a forwarder, a file a night
=================== ================================================================================================
"""

from __future__ import annotations

from typing import Final

STANDING_VERSION: Final = "1.0"
"""Version of this layout. A reader takes any with the same first number."""
KIND: Final = "extractscan standing case"

POINTER: Final = "standing.json"
LOCK: Final = "lock"
LEDGER: Final = "ledger"
PRINTS: Final = "prints"
NIGHTS: Final = "nights"
STATES: Final = "states"
SPOOL: Final = "spool"
FOLDERS: Final = (LEDGER, PRINTS, NIGHTS, STATES, SPOOL)

STAGED: Final = "events.jsonl"
"""How the name of a night's events ends while they wait in ``STATES`` to be renamed into ``SPOOL``."""


def night_name(night: int) -> str:
    """Return the name of a night's results: in the order of nights when sorted."""
    return f"{night:06}"
