"""Replayed corpora and reasoning elicitation, alone or sharded over accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from extractscan.simulate import frames
from extractscan.simulate.attacks.common import campaign_frame, span_of, stream, times
from extractscan.simulate.corpus import corpus_of
from extractscan.simulate.settings import Call
from extractscan.simulate.talk import cover

if TYPE_CHECKING:
    from extractscan.simulate.corpus import Corpus
    from extractscan.simulate.settings import Actor


def shard(actor: Actor, *kinds: str) -> list[str]:
    """Return the account's own part of the campaign's corpus."""
    block = actor.shared("cut").chance(0.3)
    return corpus_of(actor, None, *kinds).shard(actor.plan.member, actor.plan.members, actor.plan.requests, block=block)


def replay(actor: Actor) -> list[Call]:
    """One account walks a corpus from its first item; two harvesters share each corpus."""
    base: Corpus = corpus_of(actor, f"replay/{actor.plan.group // 2}")
    return stream(actor, [base.item(k) for k in range(actor.plan.requests)])


def hydra_replay(actor: Actor) -> list[Call]:
    """Shards of one corpus without any frame."""
    return stream(actor, shard(actor))


def lone_framed(actor: Actor) -> list[Call]:
    """One account walks a corpus, each item inside its own reasoning prompt."""
    return stream(actor, shard(actor), campaign_frame(actor, "frame_cot"), "steps")


def hydra_cot(actor: Actor) -> list[Call]:
    """Shards of one corpus, each item inside the campaign's reasoning prompt."""
    return stream(actor, shard(actor), campaign_frame(actor, "frame_cot"), "steps")


def hydra_cover(actor: Actor) -> list[Call]:
    """Shards behind ordinary talk; half of the campaigns have a frame."""
    frame = campaign_frame(actor, "frame_cot") if actor.shared("framed").chance(0.5) else None
    return stream(actor, shard(actor), frame, "steps" if frame else "prose")


def rationale(actor: Actor) -> list[Call]:
    """Reasoning asked for in tags that a parser can cut."""
    return stream(actor, shard(actor), campaign_frame(actor, "frame_rationale"), "tagged")


def safe_rewrite(actor: Actor) -> list[Call]:
    """Answers to risky prompts, to be rewritten into training examples."""
    base = frames.frame(actor.grammar, "frame_rewrite", actor.shared("frame"), "response")
    span = span_of(actor)
    calls = []
    for time in times(actor, actor.plan.requests, span):
        payload = actor.write("redteam" if actor.dice.chance(0.6) else "task")
        _, prompt = base.fill(payload=payload, response=actor.write("reply"))
        calls.append(Call(time, prompt))
    return calls + cover(actor, len(calls), span)


def label_harvest(actor: Actor) -> list[Call]:
    """Examination items with options, answered by one word."""
    return stream(actor, shard(actor, "exam_item"), campaign_frame(actor, "frame_label"), "label")


def logprobs(actor: Actor) -> list[Call]:
    """Short items with the probabilities of every token asked for."""
    calls = stream(actor, shard(actor, "question", "exam_item", "reasoning"), None, "short")
    for call in calls:
        call.logprobs = call.conversation is None
    return calls


def tool_harvest(actor: Actor) -> list[Call]:
    """Functions and a wish that one of them meets, to be answered by the call alone."""
    calls = stream(actor, shard(actor, "tool_item"), campaign_frame(actor, "frame_tools"), "json")
    for call in calls:
        call.tools = int(call.conversation is None)
    return calls


def language_pools(actor: Actor) -> list[Call]:
    """One operator, every account in one language: a corpus that all share out, a frame that says the same in each."""
    actor.language = actor.settings.languages[actor.plan.member % len(actor.settings.languages)]
    number = actor.shared("alternative").below(64)
    base = frames.frame(actor.grammar, "frame_cot", actor.shared("frame", actor.language), number=number)
    return stream(actor, shard(actor), frames.placed(base, actor.dice), "steps")


def multilingual(actor: Actor) -> list[Call]:
    """The same reasoning prompt in every language of the log, over items of these languages."""
    corpus = corpus_of(actor)
    number = actor.shared("alternative").below(64)
    by_language = {}
    for language in actor.settings.languages:
        text = frames.frame(actor.grammar_of(language), "frame_cot", actor.shared("frame", language), number=number)
        by_language[language] = frames.placed(text, actor.dice)
    span = span_of(actor)
    calls = []
    for k, time in enumerate(times(actor, actor.plan.requests, span)):
        number = actor.plan.member + actor.plan.members * k
        language = actor.settings.languages[number % len(actor.settings.languages)]
        item = replace(corpus, language=language).item(number)
        system, prompt = by_language[language].fill(payload=item)
        calls.append(Call(time, prompt, "steps", system, language=language))
    return calls + cover(actor, len(calls), span)
