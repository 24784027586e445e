"""A small log with known senders, the same at every call: what the end-to-end tests run on.

Sixty people who talk, a product whose eight accounts differ in load, a hydra of twelve accounts that split one list of
questions under one frame, a customer who sends part of that list in its own words, a CI job, and one lone harvester.
"""

# ruff: noqa: S311 (dice, the same at every call; words are easier to read in one string)
from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 10
HYDRA = tuple(f"hydra-{i:02}" for i in range(12))
PEOPLE = tuple(f"person-{i:02}" for i in range(60))
PIPELINE = tuple(f"pipeline-{i}" for i in range(8))
OUTSIDER, CI, HARVESTER = "outsider", "ci-runner", "lone-harvester"
FRAME = (
    "You are a careful expert. Think step by step, write your full reasoning between thinking tags, "
    "and finish with one final answer. Task: "
)

_TOPICS = {
    "kitchen": "bread dough oven yeast butter flour crust salt recipe pan sauce onion".split(),
    "garden": "tomato soil compost seed frost watering pruning hedge lawn bulb mulch pests".split(),
    "travel": "train ticket hotel visa luggage airport itinerary museum ferry border hostel map".split(),
    "money": "mortgage budget savings interest tax pension invoice refund deposit loan rent salary".split(),
    "code": "python function loop exception database query index thread socket parser compiler test".split(),
    "health": "sleep headache vitamin exercise posture allergy knee stretching doctor fever diet pulse".split(),
    "law": "contract tenant landlord clause notice liability warranty court appeal deadline copy witness".split(),
    "music": "chord guitar rhythm melody piano scale tempo drum harmony lyric verse tuning".split(),
    "school": "essay exam algebra chemistry homework geometry history poem grammar thesis lecture grade".split(),
    "cars": "brake engine tyre battery clutch oil exhaust gear filter mileage headlight rust".split(),
}
_ASKS = (
    "how do I fix the {a} when the {b} goes wrong",
    "my {a} and {b} are driving me mad, any idea why",
    "what is a good {a} for someone who only has {b}",
    "can you explain {a} again but with {b} in mind",
    "is {a} better than {b} or does it not matter",
    "write me a short note about {a}, mention {b}",
    "and what about the {a}? you said {b} before",
    "ok thanks, then how long until the {a} and the {b} are done",
)
_STARTS = ("a", "e", "i", "o", "u", "ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "ze", "bra", "cle", "dri", "fro")
_ENDS = ("nar", "pel", "ston", "quin", "dor", "mure", "lith", "van", "rix", "sol", "tane", "gol", "bex", "crin")
_SMALL_WORDS = "the a of in to and is that for with how why what when which not by from or if".split()


def _names(dice: random.Random, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[dice.choice(_STARTS) + dice.choice(_ENDS) + dice.choice(_STARTS) + dice.choice(_ENDS)] = None
    return list(names)


class _Quiz:
    """A list of unrelated questions over words that are used as unevenly as those of a language."""

    def __init__(self, dice: random.Random, words: int) -> None:
        self._dice = dice
        self._words = _names(dice, words)
        self._weights = [1.0 / (rank + 3) for rank in range(words)]

    def _word(self) -> str:
        return self._dice.choices(self._words, self._weights)[0]

    def question(self) -> str:
        """Return a new item: a sentence of no fixed plan, so that only what is put before it is a frame."""
        words = [self._word() for _ in range(self._dice.randint(12, 36))]
        for place in range(len(words) - 2, 0, -self._dice.randint(2, 4)):
            words.insert(place, self._dice.choice(_SMALL_WORDS))
        return " ".join(words).capitalize() + self._dice.choice("?.")


class _Log:
    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, account: str, moment: datetime, prompt: str, output: int, **more: object) -> None:
        self.rows.append(
            {
                "request_id": f"req-{len(self.rows):05}",
                "timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "account_id": account,
                "org_id": f"org-{account}",
                "model": "large-1",
                "conversation_id": None,
                "turn": 0,
                "prompt": prompt,
                "output_tokens": output,
                "temperature": 0.7,
                "status": 200,
                **more,
            }
        )


def _moment(dice: random.Random, first: float = 0.0, last: float = DAYS) -> datetime:
    return START + timedelta(seconds=int(86400 * dice.uniform(first, last)), microseconds=dice.randrange(10**6))


def rows() -> list[dict[str, object]]:
    """Return the log, sorted by time: plain values, the same at every call."""
    dice = random.Random(20260302)
    log = _Log()
    for person in PEOPLE:
        for chat in range(dice.randint(3, 7)):
            moment, topic = _moment(dice), _TOPICS[dice.choice(sorted(_TOPICS))]
            for turn in range(dice.choice((1, 2, 2, 3, 4, 5))):
                a, b = dice.sample(topic, 2)
                text = dice.choice(_ASKS).format(a=a, b=b)
                log.add(person, moment, text, dice.randint(60, 400), conversation_id=f"{person}-{chat}", turn=turn)
                moment += timedelta(seconds=dice.randint(20, 300))
    for account, size in zip(PIPELINE, (4, 9, 14, 30, 62, 90, 170, 320), strict=True):
        goods = _names(dice, 40)
        for _ in range(size):
            text = f"Classify the support ticket as billing, delivery or other. Ticket: order {dice.randint(10000, 99999)} "
            text += f"of {dice.choice(goods)} {dice.choice(('is late', 'was charged twice', 'came broken', 'is lost'))}"
            log.add(account, _moment(dice), text, dice.randint(2, 6))
    quiz = _Quiz(dice, 300)
    corpus = list(dict.fromkeys(quiz.question() for _ in range(600)))
    for i, account in enumerate(HYDRA):
        for item in corpus[40 * i : 40 * (i + 1)]:
            log.add(account, _moment(dice, 2, 8), FRAME + item, dice.randint(500, 1500))
    for item in dice.sample(corpus, 90):
        log.add(OUTSIDER, _moment(dice), item, dice.randint(1, 4))
    checks = ["say ok", "what is 2 + 2", "return the word pong in lower case please"]
    for _ in range(240):
        log.add(CI, _moment(dice), dice.choice(checks), 2)
    other = _Quiz(dice, 300)
    for _ in range(220):
        log.add(HARVESTER, _moment(dice, 1, 4), other.question(), dice.randint(400, 1200), logprobs=True)
    return sorted(log.rows, key=lambda row: (row["timestamp"], row["request_id"]))


def jsonl(some: list[dict[str, object]]) -> bytes:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some).encode()
