"""What hostile accounts have in common: when they work, how they send a stream of payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.simulate import frames
from extractscan.simulate.clock import machine_habit, moments, window
from extractscan.simulate.settings import DAY, Call
from extractscan.simulate.talk import cover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.simulate.frames import Frame
    from extractscan.simulate.settings import Actor, Shape

SHORTEST = 3600.0
"""Seconds that an account is active at least."""


def span_of(actor: Actor) -> tuple[float, float]:
    """Return when the account is active: within its campaign's time, for most of it."""
    begin, end = window(actor.shared("window"), actor.settings.seconds)
    length = end - begin
    begin += actor.dice.unit() * 0.1 * length
    end -= actor.dice.unit() * 0.1 * length
    return begin, max(end, begin + SHORTEST)


def times(actor: Actor, count: int, span: tuple[float, float]) -> list[float]:
    """Return when ``count`` requests of a program are sent."""
    return moments(actor.dice, count, span, machine_habit(actor.dice), actor.settings.start.weekday())


def stream(
    actor: Actor,
    payloads: Sequence[str],
    frame: Frame | None = None,
    shape: Shape = "prose",
    span: tuple[float, float] | None = None,
) -> list[Call]:
    """Return one request for each payload, in their order, and the account's cover talk beside them."""
    span = span or span_of(actor)
    calls = []
    for time, payload in zip(times(actor, len(payloads), span), payloads, strict=True):
        system, prompt = frame.fill(payload=payload) if frame else (None, payload)
        calls.append(Call(time, prompt, shape, system))
    return calls + cover(actor, len(payloads), span)


def campaign_frame(actor: Actor, symbol: str) -> Frame:
    """Return the campaign's frame as this account sends it."""
    base = frames.frame(actor.grammar, symbol, actor.shared("frame", symbol))
    return frames.placed(base, actor.dice)


def halves(actor: Actor) -> float:
    """Return a time near the middle of the log that all accounts of the campaign share (seconds)."""
    return actor.settings.seconds * (0.35 + 0.3 * actor.shared("middle").unit()) + actor.shared("hour").unit() * DAY / 4
