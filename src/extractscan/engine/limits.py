"""What may be held where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from extractscan.logs.parts import UNIT_BYTES

MOST_ROWS: Final = (1 << 31) - 2
"""As many rows as a frame on one machine can have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be held where, in bytes or rows.

    ``driver_bytes`` bounds what comes to the driver; ``link_bytes`` the links of the band graph up to which their components are found
    there; ``component_rows`` the texts of one component, which one task clusters; ``account_rows`` the requests of one account, which
    one task holds; ``unit_bytes`` is how much of small files one task reads; ``piece_bytes`` how much of accounts, about;
    ``scan_rows`` how many items each question about a group may read, beyond which those of groups are written apart.
    """

    driver_bytes: int
    link_bytes: int = 32 << 20
    component_rows: int = 4_000_000
    account_rows: int = 10_000_000
    unit_bytes: int = UNIT_BYTES
    piece_bytes: int = 256 << 20
    scan_rows: int = 1_000_000
