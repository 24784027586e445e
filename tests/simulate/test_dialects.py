"""Every owner speaks a dialect: like itself and unlike others, the same on every run."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest

from extractscan.simulate.corpus import TASK_KINDS, Corpus
from extractscan.simulate.dialect import COLLECTION, PERSON, Dialect, dialect
from extractscan.simulate.dice import Dice, Quick, hash_of
from extractscan.simulate.grammar import LANGUAGES, grammar, parse

HALF = 100
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def words(text):
    """Words, or pairs of characters where a script does not part words."""
    out = set()
    for word in re.findall(r"[^\W\d]+", text.lower()):
        out |= {word[at : at + 2] for at in range(max(1, len(word) - 1))} if WIDE.search(word) else {word}
    return out


def likeness(collections):
    """Mean cosine of idf-weighted word profiles: between halves of one collection, and between collections."""
    sets = [[words(text) for text in texts] for texts in collections]
    seen = Counter(word for texts in sets for text in texts for word in text)
    total = sum(map(len, sets))

    def profile(texts):
        weights = {w: n * math.log(total / seen[w]) for w, n in Counter(w for text in texts for w in text).items()}
        length = math.sqrt(sum(weight**2 for weight in weights.values()))
        return {word: weight / length for word, weight in weights.items()}

    halves = [(profile(texts[:HALF]), profile(texts[HALF:])) for texts in sets]

    def cosine(a, b):
        return sum(weight * b.get(word, 0.0) for word, weight in a.items())

    within = [cosine(a, b) for a, b in halves]
    between = [cosine(halves[i][0], halves[j][1]) for i in range(len(halves)) for j in range(i)]
    return sum(within) / len(within), sum(between) / len(between)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_collection_is_like_itself_and_unlike_others(language):
    """Public collections of prompts: 0.39 to 0.75 within and 0.11 to 0.21 between, in the middle, for 100 prompts a half."""
    kinds = [tuple(Dice.of(n, "kinds").sample(TASK_KINDS, 4)) for n in range(6)]
    collections = [[Corpus(3, str(n), language, kinds[n]).item(k) for k in range(2 * HALF)] for n in range(6)]
    within, between = likeness(collections)
    assert 0.35 < within < 0.85
    assert 0.05 < between < 0.35
    assert between < 0.45 * within


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_symbol_expands_in_a_dialect(language):
    dice, rules = Dice.of(1, language), dialect(language, PERSON, 1, "somebody")
    context = dict.fromkeys(("k", "niche_item", "other", "payload", "response", "seed"), "x")
    assert all(rules.write(symbol, dice, context) for symbol in sorted(rules.symbols - {"magpie"}))


def test_a_dialect_is_its_owners_alone():
    one, same, other = (Dialect(grammar("en"), hash_of(owner), COLLECTION) for owner in ("a", "a", "b"))
    texts = [[rules.write("task", Dice.of(1, k)) for k in range(40)] for rules in (one, same, other)]
    assert texts[0] == texts[1]
    assert sum(a == b for a, b in zip(texts[0], texts[2], strict=True)) < 4


def test_coined_words_go_on_and_some_come_often():
    rules, dice = dialect("en", COLLECTION, 1, "coined"), Dice.of(4)
    counts = Counter(rules.write("topic", dice) for _ in range(4000))
    assert len(counts) > 800
    assert counts.most_common(1)[0][1] > 20


def test_a_coined_word_is_not_made_of_itself():
    rules = Dialect(parse("en", ["@a\nx\n@a ~ b\n@b\n{a}{a}y\n"]), 5, COLLECTION)
    assert {rules.write("a", Dice.of(1, k)) for k in range(50)} == {"x", "xxy"}


def test_quick_dice():
    dice, again = Quick(9), Quick(9)
    drawn = [dice.unit() for _ in range(2000)]
    assert drawn == [again.unit() for _ in range(2000)]
    assert all(0 <= number < 1 for number in drawn)
    assert abs(sum(drawn) / 2000 - 0.5) < 0.03
    assert Quick(10).unit() != drawn[0]
