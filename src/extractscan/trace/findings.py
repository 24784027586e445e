"""The result of tracing: what each account and campaign holds of a data set, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from extractscan.trace.chance import Chance
    from extractscan.trace.suspect import SuspectFile

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the data set in [0, 1], and what is left of it when the most that chance may have given (97.5 %) is taken off."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Example:
    """An item that is held: its first row in the data set, how it met, and its text if that was asked for."""

    row: int
    prompt: float | None
    response: float | None
    time: datetime
    text: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day (ISO date, UTC) and the items that were first taken on it."""

    day: str
    items: int


@dataclass(frozen=True, slots=True)
class AccountTrace:
    """What one account holds.

    ``source`` says that chance does not explain it. ``items`` are held, ``by_prompt`` and ``by_response`` as far as prompts and
    responses met; ``answered_otherwise`` were asked here and answered otherwise; ``only_here`` no other operator holds.
    ``weight`` counts each item by one over its holders, and no more than the prompts that met; ``expected`` is what chance gives of
    that. ``own_share`` is items over the account's distinct prompts (or responses), at most 1. Times are those of the requests that met.
    """

    rank: int
    account_id: str
    source: bool
    campaign_id: str | None
    items: int
    by_prompt: int
    by_response: int
    answered_otherwise: int
    only_here: int
    weight: float
    expected: float
    p_value: float
    q_value: float
    share: Share
    own_share: float
    requests: int
    first_seen: datetime
    last_seen: datetime
    days: tuple[Day, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class CampaignTrace:
    """What the members of one campaign hold together; fields as in ``AccountTrace``.

    ``members`` are all, ``holders`` those that hold an item, ``sources`` those that are sources by themselves.
    """

    rank: int
    campaign_id: str
    source: bool
    members: int
    holders: int
    sources: int
    items: int
    weight: float
    expected: float
    p_value: float
    q_value: float
    share: Share
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Pick:
    """An account of the smallest set that explains: the items that it adds, and the share of the data set explained up to it."""

    account_id: str
    items: int
    cumulative: float


@dataclass(frozen=True, slots=True)
class Channel:
    """Prompts or responses: whether they could be compared, why not, and how many items were found by them anywhere."""

    assessed: bool
    reason: str | None
    with_text: int
    found: int


@dataclass(frozen=True, slots=True)
class Tracing:
    """All that tracing found. Accounts are those that hold an item at all, sources first."""

    files: tuple[SuspectFile, ...]
    rows: int
    items: int
    requests: int
    accounts_in_log: int
    campaigns_in_log: int
    log_first: datetime | None
    log_last: datetime | None
    threshold: float
    alpha: float
    prompts: Channel
    responses: Channel
    compared: int
    answered: int
    decisive: bool
    chance: Chance
    tested: int
    explained: Share
    explained_items: int
    met_items: int
    accounts: tuple[AccountTrace, ...]
    campaigns: tuple[CampaignTrace, ...]
    cover: tuple[Pick, ...]
    days: tuple[Day, ...]
    caveats: tuple[str, ...]
