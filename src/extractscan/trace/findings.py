"""The result of tracing: what each account and campaign holds of a data set, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from extractscan.trace.suspect import SuspectFile

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the data set in [0, 1] that is held.

    ``low`` is what is left of it when the most that chance may have given (97.5 %) is taken off, ``high`` has in it the items whose
    prompt was sent and whose answer is alike in part only.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Example:
    """An item that is held: its first row in the data set, how it met, and its text if that was asked for."""

    row: int
    way: str
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
class Met:
    """How many items an account met, by the best way that it met each (see ``holdings.WAYS``)."""

    pair: int = 0
    response: int = 0
    prompt: int = 0
    unclear: int = 0
    otherwise: int = 0
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class AccountTrace:
    """What one account holds.

    ``source`` says that chance does not explain it, ``asked`` of another that it sent more of the set's prompts than chance gives, but
    was answered otherwise. ``way`` (see ``holdings.WAYS``) is the strongest way in which it holds items, None if it holds none; ``weight``,
    ``expected``, ``p_value`` and ``q_value`` are those of ``evidence.Scores``. ``items`` are held, ``only_here`` those that no other
    operator holds. ``own_share`` is items over the account's distinct prompts (or responses), at most 1. Times are those of the requests
    that met. ``observed`` and ``inferred`` are the reasons in words, apart.
    """

    rank: int
    account_id: str
    source: bool
    asked: bool
    campaign_id: str | None
    way: str | None
    items: int
    met: Met
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
    observed: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()


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
class Null:
    """What chance gives by one way of holding: items by weight for each unit of exposure, 1/k of the negative binomial, accounts fitted."""

    way: str
    rate: float
    dispersion: float
    fitted: int


@dataclass(frozen=True, slots=True)
class Tracing:
    """All that tracing found. Accounts are those that met an item at all: sources first, then those that ``asked``."""

    files: tuple[SuspectFile, ...]
    rows: int
    items: int
    requests: int
    accounts_in_log: int
    campaigns_in_log: int
    log_first: datetime | None
    log_last: datetime | None
    compare: str
    threshold: float
    alpha: float
    prompts: Channel
    responses: Channel
    compared: int
    answered: int
    nulls: tuple[Null, ...]
    tested: int
    explained: Share
    explained_items: int
    met_items: int
    accounts: tuple[AccountTrace, ...]
    campaigns: tuple[CampaignTrace, ...]
    cover: tuple[Pick, ...]
    days: tuple[Day, ...]
    caveats: tuple[str, ...]
