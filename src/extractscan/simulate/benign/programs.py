"""Automated use without people in it: production pipelines, content, benchmarks, tests, migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.simulate import frames
from extractscan.simulate.clock import Habit, machine_habit, moments, window
from extractscan.simulate.corpus import Corpus, corpus_of
from extractscan.simulate.dice import Dice
from extractscan.simulate.settings import DAY, Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extractscan.simulate.settings import Actor, Shape

_FLAT: Final = Habit((1.0,) * 24, 1.0, 1.0, 1.0)


def _run(
    actor: Actor,
    payloads: Sequence[str],
    frame: frames.Frame | None,
    shape: Shape,
    span: tuple[float, float] | None = None,
    habit: Habit | None = None,
) -> list[Call]:
    dice = actor.dice
    span = span or window(dice, actor.settings.seconds)
    times = moments(dice, len(payloads), span, habit or machine_habit(dice), actor.settings.start.weekday())
    calls = []
    for time, payload in zip(times, payloads, strict=True):
        system, prompt = frame.fill(payload=payload) if frame else (None, payload)
        calls.append(Call(time, prompt, shape, system))
    return calls


def _with_repeats(actor: Actor, write: Callable[[], str], share: float) -> list[str]:
    """Return the account's payloads; ``share`` of them were seen before, recent ones first."""
    seen: list[str] = []
    for _ in range(actor.plan.requests):
        if seen and actor.dice.chance(share):
            seen.append(seen[-1 - min(len(seen) - 1, int(actor.dice.generator.geometric(0.02)))])
        else:
            seen.append(write())
    return seen


def pipeline(frame: str, payload: str, shape: Shape) -> Callable[[Actor], list[Call]]:
    """Return the archetype of one production step: one frame, one kind of payload."""

    def write(actor: Actor) -> list[Call]:
        base = frames.placed(frames.frame(actor.grammar, frame, actor.shared("frame")), actor.dice, 0.4)
        share = 0.25 * actor.dice.unit()
        return _run(actor, _with_repeats(actor, lambda: actor.write(payload), share), base, shape)

    return write


def content_business(actor: Actor) -> list[Call]:
    """Long texts on one narrow subject with one frame."""
    dice, grammar = actor.dice, actor.grammar
    niche = actor.shared("niche").below(grammar.count("niche"))
    names = sorted(symbol for symbol in grammar.symbols if symbol.startswith("niche_"))
    item = names[niche % len(names)]
    base = frames.placed(frames.frame(grammar, "brand_frame", actor.shared("frame")), dice)

    def brief() -> str:
        return grammar.write("brief", dice, {"niche_item": grammar.write(item, dice)})

    return _run(actor, _with_repeats(actor, brief, 0.1), base, "long")


def benchmark_run(actor: Actor) -> list[Call]:
    """The test items of a public benchmark, once or twice, at temperature 0, in some days; each lab has its harness."""
    dice, seed = actor.dice, actor.settings.seed
    number = actor.plan.group % 3
    chooser = Dice.of(seed, "benchmark", number, actor.language)
    kinds = (("maths",), ("exam_item",), ("coding", "reasoning", "question"))[number]
    size = chooser.between(150, 900)
    corpus = Corpus(seed, f"benchmark/{number}", actor.language, kinds)
    frame = frames.Frame(dice.pick(("Q: \ue000\nA:", "\ue000", "\ue000\n\nAnswer:", "Question:\n\ue000\n\nFinal:")))
    begin = dice.unit() * 0.7 * actor.settings.seconds
    span = (begin, min(begin + (0.5 + 3 * dice.unit()) * DAY, actor.settings.seconds))
    items = [corpus.item(k % size) for k in range(min(actor.plan.requests, 2 * size))]
    calls = _run(actor, items, frame, "short", span)
    for call in calls:
        call.temperature = 0.0
    return calls


def ci_tests(actor: Actor) -> list[Call]:
    """A few prompts that every build sends again."""
    prompts = [actor.write("ci_prompt") for _ in range(actor.dice.between(6, 30))]
    runs = -(-actor.plan.requests // len(prompts))
    span = window(actor.dice, actor.settings.seconds)
    calls: list[Call] = []
    for begin in moments(actor.dice, runs, span, machine_habit(actor.dice), actor.settings.start.weekday()):
        now = begin
        for prompt in prompts[: actor.plan.requests - len(calls)]:
            calls.append(Call(now, prompt, "short"))
            now += 0.5 + float(actor.dice.generator.exponential(4.0))
    return calls


def load_test(actor: Actor) -> list[Call]:
    """A few prompts at a high rate for some hours."""
    prompts = [actor.write(actor.dice.pick(("ci_prompt", "task"))) for _ in range(actor.dice.between(3, 40))]
    begin = actor.dice.unit() * 0.9 * actor.settings.seconds
    span = (begin, min(begin + actor.dice.between(1, 30) * 3600.0, actor.settings.seconds))
    payloads = [actor.dice.pick(prompts) for _ in range(actor.plan.requests)]
    return _run(actor, payloads, None, "short", span, _FLAT)


def backfill(actor: Actor) -> list[Call]:
    """A migration: a whole catalogue sent once through one frame within a day or two."""
    base = frames.placed(frames.frame(actor.grammar, "pipe_backfill", actor.shared("frame")), actor.dice)
    begin = actor.dice.unit() * 0.8 * actor.settings.seconds
    span = (begin, min(begin + (0.3 + 2 * actor.dice.unit()) * DAY, actor.settings.seconds))
    return _run(actor, [actor.write("product") for _ in range(actor.plan.requests)], base, "json", span)


def synthetic_data(actor: Actor) -> list[Call]:
    """Licensed production of training examples: by content the same as an attack, so it needs an allowlist."""
    base = frames.placed(frames.frame(actor.grammar, "frame_synthetic", actor.shared("frame")), actor.dice)
    corpus = corpus_of(actor)
    items = corpus.shard(actor.plan.member, actor.plan.members, actor.plan.requests, block=False)
    return _run(actor, items, base, "long")
