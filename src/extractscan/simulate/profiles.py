"""Metadata of a sender. Attack and automated use draw from the same distributions, so that no column tells them apart.

Addresses are of blocks that are never routed on the internet (RFC 2544, RFC 6598): nobody owns them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from extractscan.simulate.dice import Dice, name_of
from extractscan.simulate.grammar import grammar

if TYPE_CHECKING:
    from extractscan.simulate.settings import AccountPlan, Kind, Settings

OLD_MODELS: Final = ("halden-2", "halden-2-mini", "halden-2-pro")
NEW_MODEL: Final = "halden-3"
"""Released in the middle of the log; automated accounts of every kind move to it by chance."""

PRICES: Final = {
    "halden-2": (2.0, 8.0),
    "halden-2-mini": (0.3, 1.2),
    "halden-2-pro": (6.0, 24.0),
    "halden-3": (3.0, 12.0),
}
"""Currency units for a million input and output tokens."""

_MACHINE_AGENTS: Final = (
    "python-requests/2.32.4", "python-httpx/0.28.1", "openai-python/1.97.0", "openai-node/5.8.2", "axios/1.10.0",
    "okhttp/4.12.0", "Go-http-client/2.0", "node-fetch/3.3.2", "litellm/1.74.0", "langchain/0.3.26", "curl/8.7.1",
    "aiohttp/3.12.13",
)  # fmt: skip
_PEOPLE_AGENTS: Final = (
    "Mozilla/5.0 (web-console)", "Mozilla/5.0 (web-console)", "Mozilla/5.0 (mobile-app)", "openai-python/1.97.0",
    "curl/8.7.1", "python-requests/2.32.4", "node-fetch/3.3.2", "okhttp/4.12.0",
)  # fmt: skip
_TEMPERATURES: Final = (0.0, 0.2, 0.7, 1.0)
_LIMITS: Final = (512, 1024, 2048, 4096, 8192)
_PLANS: Final = ("free", "build", "scale")


@dataclass(slots=True)
class Profile:
    """What an account's requests have in common beside their text.

    ``sessions``: even single requests carry a session's name; ``thread``: so many of them share one, as turns of it.
    ``errors`` is the share of refused requests; ``pace`` is in milliseconds a token; ``samples`` is ``n`` of a request.
    ``boilerplate`` is the system prompt of single requests that have no other: what a client library sends by default.
    """

    org: str
    payment: str
    keys: list[str]
    ips: list[str]
    user_agent: str
    plan: str
    model: str
    adopts: bool
    temperature: float
    max_tokens: int
    stream: bool
    endpoint: str
    sessions: bool
    thread: int
    logprobs: bool
    errors: float
    pace: float
    samples: int
    boilerplate: str | None


def address(dice: Dice) -> str:
    """Return an address that is never routed."""
    if dice.chance(0.5):
        return f"198.{dice.between(18, 19)}.{dice.below(256)}.{dice.between(1, 254)}"
    return f"100.{dice.between(64, 127)}.{dice.below(256)}.{dice.between(1, 254)}"


def profile(settings: Settings, plan: AccountPlan, kind: Kind) -> Profile:
    """Return the metadata of an account; ``kind`` is people or not, attack and automated are one."""
    seed, key = settings.seed, (plan.archetype, plan.group, plan.member)
    dice = Dice.of(seed, *key, "profile")
    people = kind == "people"
    # One in seven pairs of neighbours has one bill, half of these one organisation, benign and hostile alike.
    mate = f"member {plan.member // 2}" if plan.members > 1 else "alone"
    pair = (plan.archetype, plan.group if plan.members > 1 else plan.group // 2, mate)
    joint = Dice.of(seed, *pair, "pair")
    billed: tuple[int | str, ...] = pair if joint.chance(0.14) else key
    belongs = billed if joint.chance(0.5) else key
    return Profile(
        org=name_of("org", seed, *belongs, length=10),
        payment=name_of("pm", seed, *billed, length=10),
        keys=[name_of("key", seed, *key, number) for number in range(1 if people else dice.between(1, 3))],
        ips=[address(dice) for _ in range(dice.between(1, 4))],
        user_agent=dice.pick(_PEOPLE_AGENTS if people else _MACHINE_AGENTS),
        plan=dice.weighted(_PLANS, (0.6, 0.35, 0.05) if people else (0.2, 0.55, 0.25)),
        model=dice.weighted(OLD_MODELS, (0.5, 0.35, 0.15)),
        adopts=dice.chance(0.35),
        temperature=dice.weighted(_TEMPERATURES, (0.1, 0.2, 0.4, 0.3) if people else (0.3, 0.25, 0.25, 0.2)),
        max_tokens=dice.pick(_LIMITS),
        stream=dice.chance(0.8 if people else 0.25),
        endpoint="chat" if people or dice.chance(0.9) else "batch",
        sessions=dice.chance(0.35),
        thread=dice.between(3, 20) if not people and dice.chance(0.25) else 1,
        logprobs=not people and dice.chance(0.06),
        errors=dice.pick((0.0, 0.0, 0.0, 0.002, 0.01)),
        pace=dice.lognormal(14.0, 0.3),
        samples=dice.between(2, 4) if not people and dice.chance(0.06) else 1,
        boilerplate=dice.pick(grammar(settings.languages[0]).all_of("boilerplate"))
        if not people and dice.chance(0.3)
        else None,
    )
