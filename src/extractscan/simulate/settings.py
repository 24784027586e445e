"""What a simulated log shall be, and the parts that every account is written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Literal

from extractscan.simulate.dialect import COLLECTION, LISTER, PERSON, dialect
from extractscan.simulate.dice import Dice, name_of
from extractscan.simulate.grammar import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.simulate.grammar import Grammar
    from extractscan.simulate.profiles import Profile

DAY: Final = 86_400.0
"""Seconds."""

Kind = Literal["people", "automated", "attack"]
Shape = Literal[
    "prose", "long", "steps", "tagged", "label", "json", "list", "code", "chat", "short", "verdict", "prompts"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides the bytes of a simulated log.

    ``requests`` is met about, not exactly. ``accounts_per_campaign`` and ``requests_per_account`` are for attacks and,
    like ``cover_share``, each archetype's own where None. ``cover_share`` is the share of a hostile account's requests
    that are ordinary multi-turn talk.
    """

    seed: int = 1
    requests: int = 20_000
    days: int = 21
    languages: tuple[str, ...] = tuple(LANGUAGES)
    attacks: tuple[str, ...] = ()
    benign: tuple[str, ...] = ()
    accounts_per_campaign: int | None = None
    requests_per_account: int | None = None
    cover_share: float | None = None
    responses: bool = False
    start: date = date(2026, 3, 2)

    @property
    def start_time(self) -> datetime:
        """Midnight UTC of the first day."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    @property
    def seconds(self) -> float:
        """Length of the log."""
        return self.days * DAY

    @property
    def release(self) -> float:
        """Seconds after the start at which the newest model is released."""
        return round(self.days * 0.55) * DAY + 0.6 * DAY


@dataclass(slots=True)
class Call:
    """One request before its metadata. ``time`` is in seconds after the start of the log; ``tokens`` 0: by shape."""

    time: float
    prompt: str
    shape: Shape = "prose"
    system: str | None = None
    conversation: int | None = None
    turn: int = 0
    response: str | None = None
    tokens: int = 0
    temperature: float | None = None
    n: int = 1
    logprobs: bool = False
    end_user: str | None = None
    tools: int = 0
    model: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """An account that will be written: the ``member`` of ``members`` in a ``group`` of an archetype."""

    archetype: str
    group: int
    member: int
    members: int
    requests: int


@dataclass(slots=True)
class Actor:
    """An account at work. ``dice`` are its own; ``shared`` gives those of its group, equal for all members."""

    settings: Settings
    plan: AccountPlan
    dice: Dice
    language: str
    profile: Profile
    cover_share: float
    conversations: int = field(default=0)

    @property
    def grammar(self) -> Grammar:
        """The grammar of the account's language as its group speaks it: a campaign, a product, a company."""
        return self.grammar_of(self.language)

    def grammar_of(self, language: str) -> Grammar:
        """Return the group's grammar of a language."""
        return dialect(language, COLLECTION, self.settings.seed, self.plan.archetype, self.plan.group)

    @property
    def lists(self) -> Grammar:
        """The grammar from which the group draws up lists: whole, with words of its own beside."""
        return dialect(self.language, LISTER, self.settings.seed, self.plan.archetype, self.plan.group)

    @property
    def voice(self) -> Grammar:
        """The grammar of the account's language as the one person speaks it who writes."""
        return self.voice_of()

    def voice_of(self, *person: int | str) -> Grammar:
        """Return the voice of ``person``, one of those behind the account."""
        plan = self.plan
        return dialect(self.language, PERSON, self.settings.seed, plan.archetype, plan.group, plan.member, *person)

    @property
    def account_id(self) -> str:
        """The identifier in the log; it tells nothing of the archetype."""
        return account_id(self.settings, self.plan)

    def shared(self, *key: int | str) -> Dice:
        """Return dice that every member of the group gets in the same state."""
        return Dice.of(self.settings.seed, self.plan.archetype, self.plan.group, "shared", *key)

    def write(self, symbol: str) -> str:
        """Expand a symbol in the group's words with the account's own dice."""
        return self.grammar.write(symbol, self.dice)

    def new_conversation(self) -> int:
        """Return the number of a new conversation."""
        self.conversations += 1
        return self.conversations


@dataclass(frozen=True, slots=True)
class Archetype:
    """A kind of sender.

    ``members`` are the fewest and most accounts of a group (a campaign, an app, a class); ``requests`` is the median
    load of an account and ``sigma`` the standard deviation of its logarithm; ``share`` is the weight in the budget of
    its side. ``cover`` is the usual share of ordinary talk. ``asked`` archetypes appear only when they are named.
    """

    name: str
    kind: Kind
    description: str
    write: Callable[[Actor], list[Call]]
    members: tuple[int, int] = (1, 1)
    requests: float = 100.0
    sigma: float = 0.4
    share: float = 1.0
    cover: float = 0.0
    asked: bool = False

    @property
    def label(self) -> int:
        """1 for an attack, else 0."""
        return int(self.kind == "attack")


def account_id(settings: Settings, plan: AccountPlan) -> str:
    """Return the account identifier of a plan."""
    return name_of("acct", settings.seed, plan.archetype, plan.group, plan.member, length=14)
