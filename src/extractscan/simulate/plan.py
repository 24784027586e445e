"""Which accounts a log of a given size has."""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING, Final

from extractscan.simulate.dice import Dice
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.settings import AccountPlan

if TYPE_CHECKING:
    from extractscan.simulate.settings import Archetype, Settings

ATTACK_SHARE: Final = 0.12
"""Of the requests, where there are both sides."""

_FULL_SIZE: Final = 100_000
"""Requests from which benign accounts have their usual load; in smaller logs they send less, and are more."""

_FEWEST_MEMBERS: Final = 4
_FEWEST_REQUESTS: Final = 12
_FEWEST_BENIGN: Final = 5
_LEAST_FILL: Final = 0.6
"""Of its own budget, what the filling archetype gets where the rest turned out large."""

_FILL: Final = ("real_person", "chat_user", "hobbyist")


def accounts(settings: Settings) -> list[AccountPlan]:
    """Return the accounts of a log, group by group.

    Loads are drawn, so a log has about ``settings.requests``; people fill up what the rest leaves of them.
    """
    hostile = [ARCHETYPES[name] for name in settings.attacks]
    benign = [ARCHETYPES[name] for name in settings.benign]
    plans: list[AccountPlan] = []
    attack_budget = settings.requests * (ATTACK_SHARE if benign else 1.0)
    hostile_shares = sum(archetype.share for archetype in hostile)
    for archetype in hostile:
        plans += _groups(settings, archetype, attack_budget * archetype.share / hostile_shares)
    done = sum(_sent(settings, plan) for plan in plans)
    budget = max(settings.requests - done, 0)
    shares = sum(archetype.share for archetype in benign)
    filler = next((archetype for name in _FILL for archetype in benign if archetype.name == name), None)
    for archetype in benign:
        if archetype is not filler:
            plans += _groups(settings, archetype, budget * archetype.share / shares)
    if filler is not None:
        left = settings.requests - sum(_sent(settings, plan) for plan in plans)
        plans += _fill(settings, filler, max(left, _LEAST_FILL * budget * filler.share / shares, 1.0))
    return plans


def _sent(settings: Settings, plan: AccountPlan) -> float:
    cover = cover_share(settings, ARCHETYPES[plan.archetype])
    return plan.requests / (1 - cover)


def cover_share(settings: Settings, archetype: Archetype) -> float:
    """Return the share of ordinary talk among the requests of an archetype's accounts."""
    if archetype.kind != "attack":
        return 0.0
    return archetype.cover if settings.cover_share is None else settings.cover_share


def _groups(settings: Settings, archetype: Archetype, budget: float) -> list[AccountPlan]:
    """Return groups worth about ``budget`` requests; at least one, smaller than usual where the budget is."""
    hostile = archetype.kind == "attack"
    low, high = archetype.members
    median = archetype.requests if hostile else archetype.requests * _benign_scale(settings)
    several = high > 1
    if hostile and settings.accounts_per_campaign is not None and several:
        low = high = settings.accounts_per_campaign
    if hostile and settings.requests_per_account is not None:
        median = settings.requests_per_account
    mean = median * exp(archetype.sigma**2 / 2) / (1 - cover_share(settings, archetype))
    usual = mean * (low + high) / 2
    fit = min(1.0, budget / usual)
    fixed_members = not several or (hostile and settings.accounts_per_campaign is not None)
    fixed_load = hostile and settings.requests_per_account is not None
    # What does not fit shrinks in both, or in the one that is free; campaigns keep to their shape, benign groups more
    # to their number of accounts, which is what makes them benign.
    in_members = 0.0 if fixed_members else 1.0 if fixed_load else 0.5 if hostile else 0.3
    if not fixed_members:
        low, high = (max(min(size, _FEWEST_MEMBERS), round(size * fit**in_members)) for size in (low, high))
    if not fixed_load:
        median = max(median * fit ** (1 - in_members), min(median, _FEWEST_REQUESTS if hostile else _FEWEST_BENIGN))
    most = inf if hostile else max(budget * (1.2 if high <= 3 else 0.4), _FEWEST_REQUESTS)
    plans: list[AccountPlan] = []
    spent, group = 0.0, 0
    while group == 0 or spent + 0.5 * usual * fit < budget:
        members = Dice.of(settings.seed, archetype.name, group, "members").between(low, high)
        for member in range(members):
            plans.append(_plan(settings, archetype, group, member, members, median, most))
            spent += _sent(settings, plans[-1])
        group += 1
    return plans


def _fill(settings: Settings, archetype: Archetype, budget: float) -> list[AccountPlan]:
    plans: list[AccountPlan] = []
    spent = 0.0
    median = archetype.requests * _benign_scale(settings)
    while spent < budget:
        plans.append(_plan(settings, archetype, len(plans), 0, 1, median, inf))
        spent += plans[-1].requests
    return plans


def _benign_scale(settings: Settings) -> float:
    return float(min(1.0, max(0.35, (settings.requests / _FULL_SIZE) ** 0.35)))


def _plan(
    settings: Settings, archetype: Archetype, group: int, member: int, members: int, median: float, most: float
) -> AccountPlan:
    dice = Dice.of(settings.seed, archetype.name, group, member, "load")
    load = min(dice.lognormal(median, archetype.sigma), median * exp(3 * archetype.sigma), most)
    return AccountPlan(archetype.name, group, member, members, max(1 if archetype.kind == "people" else 3, round(load)))
