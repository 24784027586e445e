"""Requests with their metadata, as columns of the canonical schema."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import polars as pl

from extractscan.logs.schema import CANONICAL
from extractscan.simulate.dice import Dice, name_of
from extractscan.simulate.grammar import grammar
from extractscan.simulate.plan import cover_share
from extractscan.simulate.profiles import NEW_MODEL, PRICES, Profile, profile
from extractscan.simulate.registry import ARCHETYPES
from extractscan.simulate.replies import length, reply, tokens_of
from extractscan.simulate.settings import AccountPlan, Actor, Call, Settings

COLUMNS: Final = (
    "request_id", "timestamp", "account_id", "org_id", "end_user", "api_key_id", "payment_id", "ip", "user_agent",
    "plan", "model", "endpoint", "conversation_id", "turn", "system", "prompt", "response", "finish_reason",
    "tool_calls", "input_tokens", "output_tokens", "temperature", "max_tokens", "n", "logprobs", "stream", "status",
    "latency_ms", "cost",
)  # fmt: skip
"""Canonical columns that a simulated log has."""

SCHEMA: Final = {name: CANONICAL[name] for name in COLUMNS}
"""Their types."""


class Rows:
    """A growing table, column by column."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self._appends = tuple(self._columns[name].append for name in COLUMNS)

    def __len__(self) -> int:
        return len(self._columns["request_id"])

    def append(self, values: tuple[Any, ...]) -> None:
        """Add a row: a value for each of ``COLUMNS``."""
        for append, value in zip(self._appends, values, strict=True):
            append(value)

    def table(self) -> pl.DataFrame:
        """Return what was added, sorted by time and request."""
        return pl.DataFrame(self._columns, schema=SCHEMA).sort("timestamp", "request_id")


def actor_of(settings: Settings, plan: AccountPlan) -> Actor:
    """Return the account at work; everything of it follows from ``settings`` and ``plan``."""
    archetype = ARCHETYPES[plan.archetype]
    key = (plan.archetype, plan.group, plan.member)
    chooser = Dice.of(settings.seed, plan.archetype, plan.group, "language")
    return Actor(
        settings=settings,
        plan=plan,
        dice=Dice.of(settings.seed, *key),
        language=chooser.pick(settings.languages),
        profile=profile(settings, plan, archetype.kind),
        cover_share=cover_share(settings, archetype),
    )


def account_rows(settings: Settings, plan: AccountPlan, rows: Rows) -> None:
    """Append the requests of one account to ``rows``."""
    actor = actor_of(settings, plan)
    calls = ARCHETYPES[plan.archetype].write(actor)
    calls.sort(key=lambda call: call.time)
    dice = Dice.of(settings.seed, plan.archetype, plan.group, plan.member, "metadata")
    writer = Dice.of(settings.seed, plan.archetype, plan.group, plan.member, "responses")
    start, me, account = settings.start_time, actor.profile, actor.account_id
    history: dict[str, int] = {}
    single = 0
    for number, call in enumerate(calls):
        tokens, response = _answer(settings, actor, call, writer)
        limit = max(me.max_tokens, 16)
        status = 200 if not me.errors or not dice.chance(me.errors) else 429
        each = 0 if status != 200 else min(tokens, limit)
        samples = call.n if call.n > 1 else me.samples
        given = each * samples
        conversation, turn = _conversation(settings, actor, call, single)
        single += call.conversation is None
        before = history.get(conversation, 0) if conversation else 0
        system = call.system or (me.boilerplate if call.conversation is None else None)
        asked = tokens_of(call.prompt) + (tokens_of(system) if system else 0)
        if conversation:
            history[conversation] = before + asked + each
        model = call.model or _model(settings, me, call)
        into, out = PRICES[model]
        time = start + timedelta(microseconds=int(min(max(call.time, 0.0), settings.seconds - 1.0) * 1e6))
        rows.append((
            name_of("req", settings.seed, account, number, length=16),
            time,
            account,
            me.org,
            call.end_user,
            me.keys[0] if len(me.keys) == 1 else dice.pick(me.keys),
            me.payment,
            me.ips[int(dice.unit() ** 2 * len(me.ips))],
            me.user_agent,
            me.plan,
            model,
            me.endpoint,
            conversation,
            turn,
            system,
            call.prompt,
            response if status == 200 else None,
            None if status != 200 else "length" if tokens > limit else "tool_calls" if call.tools else "stop",
            call.tools,
            before + asked,
            given,
            me.temperature if call.temperature is None else call.temperature,
            me.max_tokens,
            samples,
            call.logprobs or me.logprobs,
            me.stream,
            status,
            round(180.0 + each * me.pace * (0.7 + 0.6 * dice.unit()), 1),
            round(((before + asked) * into + given * out) / 1e6, 8),
        ))  # fmt: skip


def _answer(settings: Settings, actor: Actor, call: Call, writer: Dice) -> tuple[int, str | None]:
    """Return the output tokens and, where the log has responses, the text."""
    if call.response is not None:
        return tokens_of(call.response), call.response if settings.responses else None
    tokens = call.tokens or length(call.shape, writer)
    if not settings.responses:
        return tokens, None
    text = reply(grammar(call.language or actor.language), call.shape, min(tokens, actor.profile.max_tokens), writer)
    return tokens_of(text), text


def _model(settings: Settings, me: Profile, call: Call) -> str:
    return NEW_MODEL if me.adopts and call.time > settings.release else me.model


def _conversation(settings: Settings, actor: Actor, call: Call, single: int) -> tuple[str | None, int]:
    """Return conversation and turn; ``single`` counts the account's requests that are of no conversation."""
    seed, me = settings.seed, actor.profile
    if call.conversation is not None:
        return name_of("conv", seed, actor.account_id, call.conversation), call.turn
    if me.thread > 1:
        number, turn = divmod(single, me.thread)
        return name_of("conv", seed, actor.account_id, "thread", number), turn
    return name_of("conv", seed, actor.account_id, "single", single) if me.sessions else None, 0
