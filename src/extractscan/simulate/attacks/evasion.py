"""Campaigns that hide in time, in accounts or in wording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.simulate import frames
from extractscan.simulate.attacks.common import SHORTEST, campaign_frame, halves, span_of, stream, times
from extractscan.simulate.attacks.harvest import shard
from extractscan.simulate.clock import machine_habit, moments
from extractscan.simulate.profiles import NEW_MODEL
from extractscan.simulate.settings import DAY, Call
from extractscan.simulate.talk import cover

if TYPE_CHECKING:
    from extractscan.simulate.settings import Actor


def slow_drip(actor: Actor) -> list[Call]:
    """A few requests a day, from the first day to the last, with one frame."""
    span = (0.0, actor.settings.seconds)
    return stream(actor, shard(actor), campaign_frame(actor, "frame_cot"), "steps", span)


def uneven_load(actor: Actor) -> list[Call]:
    """Shards as uneven as the loads of customers, each item inside the campaign's reasoning prompt."""
    return stream(actor, shard(actor), campaign_frame(actor, "frame_cot"), "steps")


def synchronised(actor: Actor) -> list[Call]:
    """One scheduler drives all accounts: their requests come in the same waves, some seconds apart."""
    clock, dice = actor.shared("waves"), actor.dice
    span = (0.0, actor.settings.seconds)
    count = clock.between(12, 40)
    waves = moments(clock, count, span, machine_habit(clock), actor.settings.start.weekday())
    frame = campaign_frame(actor, "frame_rationale") if actor.shared("framed").chance(0.5) else None
    calls = []
    for k, item in enumerate(shard(actor)):
        system, prompt = frame.fill(payload=item) if frame else (None, item)
        time = waves[k * count // actor.plan.requests] + dice.lognormal(90.0, 0.8)
        calls.append(Call(time, prompt, "tagged" if frame else "prose", system))
    return calls + cover(actor, len(calls), span)


def rotate(actor: Actor) -> list[Call]:
    """Accounts one after another, each for a day or two, with one frame."""
    step = actor.settings.seconds / actor.plan.members
    begin = step * actor.plan.member
    span = (begin, min(begin + max(step * 1.1, SHORTEST), actor.settings.seconds))
    return stream(actor, shard(actor), campaign_frame(actor, "frame_cot"), "steps", span)


def ban_succession(actor: Actor) -> list[Call]:
    """A pool that stops at one hour, and a second pool that goes on with its frame some hours later."""
    cut = halves(actor)
    first = actor.plan.member < -(-actor.plan.members // 2)
    late = actor.dice.unit() * 0.5 * DAY
    span = (late * 4, cut - actor.dice.unit() * 600) if first else (cut + 0.1 * DAY + late, actor.settings.seconds)
    return stream(actor, shard(actor), campaign_frame(actor, "frame_rationale"), "tagged", span)


def paraphrased_frames(actor: Actor) -> list[Call]:
    """Eight wordings of one request for reasoning; an account uses some of them."""
    dice, grammar = actor.dice, actor.grammar
    chosen = dice.sample(range(grammar.count("frame_eight")), dice.between(1, 8))
    wordings = [
        frames.placed(frames.frame(grammar, "frame_eight", actor.shared("frame", number), number=number), dice, 0.15)
        for number in chosen
    ]
    span = span_of(actor)
    calls = []
    for time, item in zip(times(actor, actor.plan.requests, span), shard(actor), strict=True):
        system, prompt = dice.pick(wordings).fill(payload=item)
        calls.append(Call(time, prompt, "steps", system))
    return calls + cover(actor, len(calls), span)


def probe_then_scale(actor: Actor) -> list[Call]:
    """Two accounts try many wordings in the first days; the one that worked is then used by all."""
    scale = min(halves(actor), actor.settings.seconds * 0.5)
    frame = campaign_frame(actor, "frame_rationale")
    if actor.plan.member >= 2:
        return stream(actor, shard(actor), frame, "tagged", (scale, actor.settings.seconds))
    items = shard(actor)
    tried = round(len(items) * 0.7)
    calls = []
    for time, item in zip(times(actor, tried, (0.0, scale)), items, strict=False):
        context = {"payload": item}
        calls.append(Call(time, actor.grammar.write("frame_probe", actor.dice, context), "steps"))
    return calls + stream(actor, items[tried:], frame, "tagged", (scale, actor.settings.seconds))


def release_pivot(actor: Actor) -> list[Call]:
    """On the day of a release the campaign asks its items anew, of the new model."""
    release, end = actor.settings.release, actor.settings.seconds
    frame = campaign_frame(actor, "frame_cot")
    items = shard(actor)
    before = stream(actor, items[: len(items) // 2], frame, "steps", (0.0, release))
    pivot = release + actor.dice.unit() * 0.8 * DAY
    after = stream(actor, items[: len(items) - len(items) // 2], frame, "steps", (pivot, end))
    for call in after:
        call.model = NEW_MODEL
    return before + after
