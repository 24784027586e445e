"""Prompts that make training data: instruction writing, evolution, grading, characters, grids, surveys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractscan.simulate import frames
from extractscan.simulate.attacks.common import campaign_frame, span_of, stream, times
from extractscan.simulate.attacks.harvest import shard
from extractscan.simulate.corpus import corpus_of
from extractscan.simulate.settings import Call
from extractscan.simulate.talk import cover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.simulate.settings import Actor, Shape


def self_instruct(actor: Actor) -> list[Call]:
    """A meta-prompt with a few seed tasks that asks for more of them."""
    corpus, grammar = corpus_of(actor), actor.grammar
    count = actor.shared("seeds").between(2, 5)
    payloads = []
    for _ in range(actor.plan.requests):
        seeds = [corpus.item(actor.dice.below(175 + 4 * actor.plan.requests)) for _ in range(count)]
        lines = [
            grammar.write("self_item", actor.dice, {"k": str(number), "seed": seed})
            for number, seed in enumerate(seeds, 1)
        ]
        payloads.append("\n".join(lines))
    return stream(actor, payloads, campaign_frame(actor, "frame_self"), "prompts")


def evolve(actor: Actor) -> list[Call]:
    """Each response is a harder prompt and is sent back inside the next request, for a few generations."""
    seeds, frame, grammar = shard(actor), campaign_frame(actor, "frame_evolve"), actor.grammar
    depth = actor.shared("depth").between(3, 5)
    span = span_of(actor)
    calls, now, at = [], "", 0
    for number, time in enumerate(times(actor, actor.plan.requests, span)):
        if number % depth == 0:
            now, at = seeds[at], at + 1
        harder = grammar.write("evolved", actor.dice, {"seed": now})
        system, prompt = frame.fill(payload=now)
        calls.append(Call(time, prompt, "prompts", system, response=harder))
        now = harder
    return calls + cover(actor, len(calls), span)


def rubric(actor: Actor) -> list[Call]:
    """A grader's rubric over pairs of question and response."""
    base = frames.frame(actor.grammar, "frame_grade", actor.shared("frame"), "question", "response")
    return _graded(actor, base, pairs=False)


def preference(actor: Actor) -> list[Call]:
    """Two responses to one question, to be ranked."""
    base = frames.frame(actor.grammar, "frame_prefer", actor.shared("frame"), "question", "response", "other")
    return _graded(actor, base, pairs=True)


def _graded(actor: Actor, base: frames.Frame, *, pairs: bool) -> list[Call]:
    span = span_of(actor)
    calls = []
    for time, question in zip(times(actor, actor.plan.requests, span), shard(actor), strict=True):
        values = {"question": question, "response": actor.write("reply")}
        if pairs:
            values["other"] = actor.write("reply")
        calls.append(Call(time, base.fill(**values)[1], "verdict"))
    return calls + cover(actor, len(calls), span)


def persona(actor: Actor) -> list[Call]:
    """Tasks answered in the voice of a new character each time."""
    base = frames.frame(actor.grammar, "frame_persona", actor.shared("frame"), "persona")
    span = span_of(actor)
    calls = [
        Call(time, base.fill(payload=task, persona=actor.write("persona"))[1])
        for time, task in zip(times(actor, actor.plan.requests, span), shard(actor), strict=True)
    ]
    return calls + cover(actor, len(calls), span)


def roleplay_grid(actor: Actor) -> list[Call]:
    """Characters by scenes by tones; no combination comes twice in the campaign."""
    return _grid(actor, "frame_roleplay", {"persona": 40, "scene": 20, "tone": 12}, "long")


def system_grid(actor: Actor) -> list[Call]:
    """The same grid in the system prompt, a few fixed lines, or a question, as the prompt."""
    calls = _grid(actor, "frame_roleplay", {"persona": 40, "scene": 20, "tone": 12}, "long")
    lines = actor.shared("open").sample(actor.grammar.all_of("grid_open"), 3)
    asked = corpus_of(actor, None, "question") if actor.shared("asked").chance(0.5) else None
    for call in calls:
        if call.conversation is None:
            call.system = call.prompt
            call.prompt = asked.item(actor.dice.below(60)) if asked else actor.dice.pick(lines)
    return calls


def sweep(actor: Actor) -> list[Call]:
    """One template whose slots walk a grid of subjects, forms, readers and levels."""
    return _grid(actor, "frame_sweep", {"kind": 10, "topic": 60, "audience": 8, "level": 4}, "long")


def _grid(actor: Actor, symbol: str, axes: dict[str, int], shape: Shape) -> list[Call]:
    grammar, chooser = actor.grammar, actor.shared("grid")
    values: list[tuple[str, Sequence[str]]] = []
    size = 1
    for name, most in axes.items():
        found = list(dict.fromkeys(actor.lists.write(name, chooser) for _ in range(3 * most)))[:most]
        values.append((name, found))
        size *= len(found)
    base = frames.frame(grammar, symbol, actor.shared("frame"), *axes)
    order = actor.shared("order").generator.permutation(size)
    span = span_of(actor)
    calls = []
    for k, time in enumerate(times(actor, actor.plan.requests, span)):
        cell = int(order[(actor.plan.member + actor.plan.members * k) % size])
        chosen = {}
        for name, choices in values:
            cell, at = divmod(cell, len(choices))
            chosen[name] = choices[at]
        calls.append(Call(time, base.fill(**chosen)[1], shape))
    return calls + cover(actor, len(calls), span)


def magpie(actor: Actor) -> list[Call]:
    """Near-empty prompts at temperature 1 that make the model write both sides."""
    choices = actor.shared("prompts").sample(actor.grammar.all_of("magpie"), 3)
    calls = stream(actor, [actor.dice.pick(choices) for _ in range(actor.plan.requests)], None, "long")
    for call in calls:
        if call.conversation is None:
            call.temperature = 1.0
    return calls


def multi_sample(actor: Actor) -> list[Call]:
    """Each prompt many times within minutes, hot."""
    items, span, dice = corpus_of(actor), span_of(actor), actor.dice
    times_each = actor.shared("samples").between(4, 12)
    starts = times(actor, -(-actor.plan.requests // times_each), span)
    calls: list[Call] = []
    for k, start in enumerate(starts):
        now = start
        for _ in range(min(times_each, actor.plan.requests - len(calls))):
            calls.append(Call(now, items.item(actor.plan.member + actor.plan.members * k), temperature=1.0))
            now += float(dice.generator.exponential(8.0))
    return calls + cover(actor, len(calls), span)


def best_of_n(actor: Actor) -> list[Call]:
    """Several samples asked for in each request, hot, for a judge to choose from."""
    calls = stream(actor, shard(actor))
    samples = actor.shared("samples").pick((4, 8, 16))
    for call in calls:
        if call.conversation is None:
            call.n, call.temperature = samples, 1.0
    return calls


def questionnaire(actor: Actor) -> list[Call]:
    """A fixed list of statements walked in order, from the first to the last, again and again."""
    chooser, grammar = actor.shared("items"), actor.grammar
    items = list(dict.fromkeys(actor.lists.write("quiz_item", chooser) for _ in range(chooser.between(40, 160))))
    base = frames.frame(grammar, "frame_quiz", actor.shared("frame"), "k")
    span = span_of(actor)
    calls = []
    for number, time in enumerate(times(actor, actor.plan.requests, span)):
        at = number % len(items)
        calls.append(Call(time, base.fill(payload=items[at], k=str(at + 1))[1], "short"))
    return calls + cover(actor, len(calls), span)
