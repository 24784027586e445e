from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractscan.simulate.corpus import TASK_KINDS
from extractscan.simulate.dice import Dice
from extractscan.simulate.grammar import LANGUAGES, GrammarError, Synonym, grammar, parse

BOUND_BY_CALLERS = {"k", "niche_item", "other", "payload", "response", "seed"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_symbol_expands(language):
    rules = grammar(language)
    assert rules.slots() <= BOUND_BY_CALLERS
    dice = Dice.of(1, language)
    context = dict.fromkeys(BOUND_BY_CALLERS, "x")
    for symbol in rules.symbols:
        for _ in range(3):
            text = rules.write(symbol, dice, context)
            assert "{" not in text.replace("{ ", "") or symbol in {"code", "reply_code"} or "json" in symbol or text


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_what_the_archetypes_use(language):
    missing = {"aside", "sight", "task", "chat_open", "chat_follow", "frame_cot", "frame_eight", *TASK_KINDS} - grammar(
        language
    ).symbols
    assert not missing
    assert grammar(language).count("frame_eight") == 8
    assert grammar(language).count("frame_cot") == grammar("en").count("frame_cot")


@pytest.mark.parametrize("language", LANGUAGES)
def test_task_prompts_are_many(language):
    """Twenty thousand draws with few repeats: far more than 10^5 prompts (a birthday bound on their number)."""
    dice, draws = Dice.of(2, language), 20_000
    distinct = len({grammar(language).write("task", dice) for _ in range(draws)})
    assert draws**2 / (2 * (draws - distinct)) > 1e5


def test_syntax():
    rules = parse("xx", ["# comment\n@a\n{^b=w}, {w}{?100 c} {{x}} {3-3}\\n.\n@b |\nred | red\n@c\n\\s!\n"])
    assert rules.write("a", Dice.of(1)) == "Red, red ! {x} 3\n."
    assert parse("xx", ["@a\n*3 y\nz\n"]).count("a") == 4
    assert rules.all_of("b") == ["red", "red"]


def test_endless_symbols_and_synonyms():
    rules = parse(
        "en", ["@a\nWrite {b}, Writes\n@b ~ c\n@b |\nx | y\n@c\n{1-9}\n@~\nWrite: Draft | Pen\n"], ["@d\nWrite\n"]
    )
    assert rules.symbols == {"a", "b", "c", "d"}
    assert rules.endless == {"b": "c"}
    assert rules.write("a", Dice.of(1)) in {"Write x, Writes", "Write y, Writes"}
    assert rules.write("d", Dice.of(1)) == "Write"
    assert Synonym(("Write", "Draft", "Pen")) in rules.rules["a"][0]


@pytest.mark.parametrize("text", ["lost line\n", "@a\n{b c d}\n"])
def test_bad_grammar(text):
    with pytest.raises(GrammarError):
        parse("xx", [text])


@given(seed=st.integers(0, 2**63), low=st.integers(-50, 50), width=st.integers(0, 99), many=st.integers(1, 200))
def test_dice(seed, low, width, many):
    dice, again = Dice.of(seed, "a", 3), Dice.of(seed, "a", 3)
    for _ in range(many):
        number = dice.between(low, low + width)
        assert low <= number <= low + width
        assert number == again.between(low, low + width)
    assert len(set(dice.sample(range(10), 4))) == 4
    assert dice.unit() != Dice.of(seed, "b", 3).unit()
