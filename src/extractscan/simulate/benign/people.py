"""People and the products that people use: multi-turn talk, apps, agents, resellers, classes, offices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.simulate import frames
from extractscan.simulate.clock import machine_habit, moments, person_habit, window
from extractscan.simulate.corpus import Corpus
from extractscan.simulate.dice import name_of
from extractscan.simulate.noise import typed
from extractscan.simulate.profiles import address
from extractscan.simulate.settings import DAY, Call
from extractscan.simulate.talk import Talker, interest, sessions, talker

if TYPE_CHECKING:
    from extractscan.simulate.settings import Actor, Shape

_CARE: Final = 0.15
"""Carelessness in typing of those who write to an assistant as to a clerk."""


def real_person(actor: Actor) -> list[Call]:
    """Somebody's own use: bursts of interest, slips, curt turns."""
    return sessions(actor, actor.plan.requests, window(actor.dice, actor.settings.seconds))


def chat_user(actor: Actor) -> list[Call]:
    """A careful user with long conversations."""
    dice = actor.dice
    base = talker(dice, actor.voice)
    person = Talker(base.grammar, base.turns * 1.8, _CARE * dice.unit(), base.curt * 0.6, base.openers, base.loyalty)
    return sessions(actor, actor.plan.requests, window(dice, actor.settings.seconds), person=person)


def hobbyist(actor: Actor) -> list[Call]:
    """Single questions and odd jobs through the interface, without a frame, a few on one interest at a time."""
    dice = actor.dice
    manner = talker(dice, actor.voice)
    span = window(dice, actor.settings.seconds)
    times = moments(dice, actor.plan.requests, span, person_habit(dice), actor.settings.start.weekday())
    context = interest(dice, manner.grammar, 0.9)
    calls = []
    for time in times:
        if dice.chance(0.25):
            context = interest(dice, manner.grammar, 0.9)
        symbol = dice.pick(manner.openers) if dice.chance(0.6) else "task"
        text = typed(manner.grammar.write(symbol, dice, context), dice, manner.slips * 0.5)
        calls.append(Call(time, text, "chat"))
    return calls


def popular_app(actor: Actor) -> list[Call]:
    """One of the many who run an open-source app: its frame is shared by all, the talk is each one's own."""
    dice = actor.dice
    system = actor.grammar.write("app_system", actor.shared("app"))
    base = talker(dice, actor.voice)
    openers = ("app_prompt", *base.openers[:2])
    person = Talker(base.grammar, max(1.5, base.turns * 0.7), base.slips, base.curt, openers, base.loyalty)
    inline = dice.chance(0.25)
    calls = sessions(
        actor,
        actor.plan.requests,
        window(dice, actor.settings.seconds),
        person=person,
        system=None if inline else system,
    )
    for call in calls:
        if inline and call.turn == 0:
            call.prompt = f"{system}\n\n{call.prompt}"
    return calls


def coding_agent(actor: Actor) -> list[Call]:
    """A developer's agent: a request, then the results of its tools, turn by turn."""
    dice, grammar = actor.dice, actor.voice
    system = actor.grammar.write("agent_system", actor.shared("agent"))
    left = actor.plan.requests
    tasks: list[int] = []
    while left > 0:
        tasks.append(min(left, 1 + int(dice.generator.geometric(1 / 6))))
        left -= tasks[-1]
    span = window(dice, actor.settings.seconds)
    begins = moments(dice, len(tasks), span, person_habit(dice), actor.settings.start.weekday())
    calls = []
    for begin, turns in zip(begins, tasks, strict=True):
        conversation, now = actor.new_conversation(), begin
        for turn in range(turns):
            text = typed(grammar.write("agent_step" if turn else "agent_open", dice), dice, 0.2)
            last = turn == turns - 1
            shape: Shape = "short" if last else "code"
            calls.append(Call(now, text, shape, system, conversation, turn, tools=0 if last else 1))
            now += 4.0 + dice.lognormal(12.0, 0.8)
    return calls


def agent_loop(actor: Actor) -> list[Call]:
    """A program that asks for the next action again and again, in long sessions."""
    dice, grammar = actor.dice, actor.grammar
    system = grammar.write("loop_system", actor.shared("loop"))
    span = window(dice, actor.settings.seconds)
    length = dice.between(20, 120)
    runs = moments(dice, -(-actor.plan.requests // length), span, machine_habit(dice), actor.settings.start.weekday())
    calls: list[Call] = []
    for begin in runs:
        conversation, now = actor.new_conversation(), begin
        for turn in range(min(length, actor.plan.requests - len(calls))):
            calls.append(Call(now, grammar.write("loop_step", dice), "json", system, conversation, turn, tools=1))
            now += 1.5 + float(dice.generator.exponential(3.0))
    return calls


def reseller(actor: Actor) -> list[Call]:
    """A gateway with customers of its own: many end users, conversations and frames under one account."""
    dice, grammar, seed = actor.dice, actor.grammar, actor.settings.seed
    users = [
        name_of("user", seed, actor.account_id, number, length=8) for number in range(3 + actor.plan.requests // 8)
    ]
    prompts = [None, *(grammar.write("app_system", dice) for _ in range(dice.between(2, 6)))]
    span = window(dice, actor.settings.seconds)
    calls: list[Call] = []
    while len(calls) < actor.plan.requests:
        user = dice.pick(users)
        person = talker(dice, actor.voice_of(user))
        count = min(actor.plan.requests - len(calls), dice.between(3, 25))
        calls += sessions(actor, count, span, person=person, system=dice.pick(prompts), end_user=user)
    return calls


def course(actor: Actor) -> list[Call]:
    """A student: the sheet's questions, asked by the whole class from one network before each due date."""
    dice = actor.dice
    _campus(actor)
    corpus = Corpus(actor.settings.seed, f"course/{actor.plan.group}", actor.language, ("course_item",))
    weeks = max(1, actor.settings.days // 7)
    sheet = actor.shared("sheet").between(5, 9)
    manner = talker(dice, actor.voice)
    calls: list[Call] = []
    for number in range(actor.plan.requests):
        if calls and dice.chance(0.3):
            before = calls[-1]
            text = typed(manner.grammar.write("chat_follow", dice), dice, manner.slips)
            calls.append(Call(before.time + 90.0, text, "chat", None, before.conversation, before.turn + 1))
            continue
        week = number * weeks // max(1, actor.plan.requests)
        due = min((week + 1) * 7 * DAY, actor.settings.seconds) - 0.2 * DAY
        time = max(0.0, due - float(dice.generator.exponential(0.9 * DAY)))
        text = corpus.item(week * sheet + dice.below(sheet))
        if dice.chance(0.4):
            text = typed(text, dice, 0.6)
        calls.append(Call(time, text, "chat", None, actor.new_conversation()))
    return calls


def _campus(actor: Actor) -> None:
    base = address(actor.shared("network")).rsplit(".", 1)[0]
    actor.profile.ips = [f"{base}.{actor.dice.between(1, 254)}" for _ in range(actor.dice.between(1, 3))]


def enterprise(actor: Actor) -> list[Call]:
    """An employee with the company's library of prompts."""
    dice, grammar = actor.dice, actor.grammar
    actor.profile.org = name_of("org", actor.settings.seed, "enterprise", actor.plan.group, length=10)
    chooser = actor.shared("library")
    library = [frames.frame(grammar, "library", chooser) for _ in range(10)]
    mine = dice.sample(library, dice.between(2, 6))
    span = window(dice, actor.settings.seconds)
    times = moments(dice, actor.plan.requests, span, person_habit(dice), actor.settings.start.weekday())
    calls = []
    for time in times:
        _, prompt = dice.pick(mine).fill(payload=typed(actor.write("memo"), dice, _CARE))
        calls.append(Call(time, prompt, "chat"))
    return calls


def red_teamer(actor: Actor) -> list[Call]:
    """A tester of safeguards: risky wishes in many wrappings, variants of one text, some of them over several turns."""
    dice, grammar = actor.dice, actor.grammar
    span = window(dice, actor.settings.seconds)
    times = moments(dice, actor.plan.requests, span, person_habit(dice), actor.settings.start.weekday())
    goals = [actor.write("red_goal") for _ in range(dice.between(3, 12))]
    calls: list[Call] = []
    for time in times:
        if calls and dice.chance(0.35):
            before = calls[-1]
            if before.conversation is None:
                before.conversation = actor.new_conversation()
            text = typed(actor.voice.write("chat_follow", dice), dice, 0.3)
            calls.append(Call(before.time + 40.0, text, "short", None, before.conversation, before.turn + 1))
            continue
        text = grammar.write("redteam", dice, {"red_goal": dice.pick(goals)})
        calls.append(Call(time, text, "chat"))
    return calls
