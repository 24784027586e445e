"""A log in which a data set was harvested by known accounts, for measuring how well it is traced."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from extractscan.simulate.attacks.harvest import shard
from extractscan.simulate.corpus import Corpus
from extractscan.simulate.dice import Dice
from extractscan.simulate.grammar import grammar
from extractscan.simulate.plan import accounts
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.replies import length, reply
from extractscan.simulate.rows import actor_of
from extractscan.simulate.settings import AccountPlan, Settings, account_id
from extractscan.simulate.write import account_table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP: Final = 9_000
"""Number of the harvesters' campaign: no other has it."""
TWIN: Final = 1_000_000
"""Number of the first twin as a member of that campaign: its part of the collection is none of the harvesters'."""


@dataclass(frozen=True, slots=True)
class Case:
    """What to simulate: ``harvesters`` accounts of an archetype that take ``items`` together, among ``settings``' own traffic.

    ``innocents`` accounts of the log send ``public_each`` of ``public`` prompts that are in the data set, though not from them. ``twins``
    accounts send other items of the harvesters' kind inside the harvesters' own frame.
    """

    settings: Settings = field(default_factory=Settings)
    harvesters: int = 20
    items: int = 2_600
    archetype: str = "hydra_replay"
    innocents: int = 0
    public: int = 0
    public_each: int = 0
    twins: int = 0


@dataclass(frozen=True, slots=True)
class Harvested:
    """``log`` in canonical columns; ``taken`` and ``foreign`` as ``leak`` wants them; the true accounts and the innocents."""

    log: pl.DataFrame
    taken: pl.DataFrame
    foreign: pl.DataFrame
    true: frozenset[str]
    innocent: frozenset[str]


def harvest(case: Case, *, foreign: int = 3_000) -> Harvested:
    """Simulate the log of a case, and ``foreign`` items that nobody of it took beside the public ones."""
    settings = case.settings
    log = pl.concat(list(tables(settings, accounts(settings))))
    each = -(-case.items // case.harvesters)
    plans = [AccountPlan(case.archetype, GROUP, m, case.harvesters, each) for m in range(case.harvesters)]
    sent = [account_table(settings, plan) for plan in plans]
    taken = pl.concat([_taken(settings, plan, rows) for plan, rows in zip(plans, sent, strict=True)])
    known = _collection(settings, "public", case.public)
    log, innocent = _sent_by_innocents(case, log, known)
    twins = [AccountPlan(case.archetype, GROUP, TWIN + m, case.harvesters, each) for m in range(case.twins)]
    log = pl.concat([log, *sent, *(account_table(settings, plan) for plan in twins)])
    log = log.sort("timestamp", "request_id")
    return Harvested(
        log,
        taken,
        pl.concat([known, _collection(replace(settings, seed=settings.seed + 100_003), "foreign", foreign)]),
        frozenset(account_id(settings, plan) for plan in plans),
        innocent | {account_id(settings, plan) for plan in twins},
    )


def _taken(settings: Settings, plan: AccountPlan, rows: pl.DataFrame) -> pl.DataFrame:
    """What an account that sent ``rows`` took: the payloads without their frame, and what was answered."""
    actor = actor_of(settings, plan)
    payloads = list(dict.fromkeys(shard(actor)))
    exact = set(payloads)

    def payload(prompt: str) -> str | None:
        return prompt if prompt in exact else next((p for p in payloads if p in prompt), None)

    named = [payload(p) for p in rows["prompt"].to_list()]
    return pl.DataFrame({"prompt": named, "response": rows["response"], "account_id": rows["account_id"]}).drop_nulls(
        "prompt"
    )


def _collection(settings: Settings, name: str, count: int) -> pl.DataFrame:
    """Items of collections in the log's languages that none of its accounts walks."""
    return pl.DataFrame(
        list(_pairs(settings, name, count)), schema={"prompt": pl.String(), "response": pl.String()}, orient="row"
    )


def _pairs(settings: Settings, name: str, count: int) -> Iterator[tuple[str, str | None]]:
    languages = settings.languages
    dice = Dice.of(settings.seed, name, "replies")
    for k in range(count):
        language = languages[k % len(languages)]
        prompt = Corpus(settings.seed, f"trace/{name}", language, ("task",)).item(k)
        answer = reply(grammar(language), "prose", length("prose", dice), dice) if settings.responses else None
        yield prompt, answer


def _sent_by_innocents(case: Case, log: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str]]:
    """Put public prompts in the place of some of the innocents' own; their answers are their own."""
    if not case.innocents or not known.height:
        return log, frozenset()
    benign = {account_id(case.settings, p) for p in accounts(case.settings) if not ARCHETYPES[p.archetype].label}
    sizes = log.group_by("account_id").len().filter(pl.col("len") >= case.public_each).sort("account_id")
    able = [a for a in sizes["account_id"] if a in benign]
    dice = Dice.of(case.settings.seed, "innocents")
    chosen = sorted(sorted(able, key=lambda _: dice.unit())[: case.innocents])
    prompts = known["prompt"].to_list()
    place = log.with_row_index("at").filter(pl.col("account_id").is_in(chosen)).select("at", "account_id")
    sent: dict[int, str] = {}
    for (_,), rows in sorted(place.partition_by("account_id", as_dict=True).items()):
        for at in rows["at"].head(case.public_each):
            sent[at] = dice.pick(prompts)
    changed = pl.DataFrame(
        {"at": list(sent), "public": list(sent.values())}, schema={"at": pl.UInt32, "public": pl.String}
    )
    log = (
        log.with_row_index("at")
        .join(changed, on="at", how="left")
        .with_columns(prompt=pl.coalesce("public", "prompt"))
        .drop("at", "public")
    )
    return log, frozenset(chosen)
