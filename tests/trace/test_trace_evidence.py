"""What makes a match, and whom it names: words against templates, answers against prompts, few against many."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from extractscan.fingerprint.requests import fingerprint, merge
from extractscan.logs.read import read_logs
from extractscan.progress import Silent
from extractscan.trace.explain import trace
from extractscan.trace.suspect import items

NOUNS = "lamp river stone engine violin candle harbour ladder saddle compass anchor barrel hammer basket lantern mirror".split()
VERBS = "paint repair describe compare measure invent photograph translate polish assemble weigh sketch".split()
PLACES = "Oslo Lima Quito Delhi Cairo Perth Turin Osaka Accra Sofia Riga Porto Kyoto Basel Davos Leeds".split()


@cache
def item(number, salt=0):
    """One of many different questions, without a template that all share."""
    dice = np.random.default_rng([number, salt])
    words = [*dice.permutation(NOUNS)[:6], *dice.permutation(VERBS)[:4], *dice.permutation(PLACES)[:4]]
    return " ".join(dice.permutation(words))


def answer(number, salt=0):
    return " ".join(item(number, salt + k) for k in (1, 2, 3))


def prints_of(tmp_path, rows):
    """Fingerprints of rows of account, prompt and response (None: there is none)."""
    frame = pl.DataFrame(rows, schema=["account_id", "prompt", "response"], orient="row").with_row_index("n")
    frame = frame.select(
        pl.format("r{}", "n").alias("request_id"),
        pl.lit("2026-03-02T00:00:00Z").alias("timestamp"),
        "account_id",
        "prompt",
        pl.col("response").cast(pl.String),
    )
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    return merge([fingerprint(batch.frame) for batch in read_logs([str(path)], observer=Silent()).batches()])


def crowd(answered=True, people=60, each=12):
    """Accounts that have nothing to do with the set."""
    return [
        (f"person-{p:02}", item(10_000 + 100 * p + k), answer(10_000 + 100 * p + k) if answered else None)
        for p in range(people)
        for k in range(each)
    ]


def suspect(numbers, answered=True, prompts=True):
    rows = [(n + 1, item(k) if prompts else None, answer(k) if answered else None) for n, k in enumerate(numbers)]
    schema = {"row": pl.Int64, "prompt": pl.String, "response": pl.String}
    return items(pl.DataFrame(rows, schema=schema, orient="row"), ())


def traced(tmp_path, rows, wanted, **options):
    found = trace(prints_of(tmp_path, rows), wanted, {}, observer=Silent(), **options)
    return found, {a.account_id: a for a in found.accounts}


SET = range(200)


def test_the_answer_decides_between_those_who_asked_the_same(tmp_path):
    rows = [*crowd()]
    rows += [("thief", item(k), answer(k)) for k in range(100)]
    rows += [("student", item(k), answer(k, salt=9)) for k in range(100)]
    found, by = traced(tmp_path, rows, suspect(SET))
    assert [a for a, each in by.items() if each.source] == ["thief"]
    assert (by["thief"].way, by["thief"].met.pair, by["thief"].items) == ("pair", 100, 100)
    assert by["student"].items == 0
    assert by["student"].met.otherwise == 100
    assert by["student"].asked
    assert any("answered otherwise" in said for said in by["student"].observed)
    assert found.explained.value == pytest.approx(0.5)


def test_a_prompt_whose_answer_is_known_to_be_anothers_is_not_held(tmp_path):
    rows = [*crowd(), *((("thief", item(k), answer(k))) for k in range(100))]
    rows += [("silent", item(k), None) for k in range(100)]
    _, by = traced(tmp_path, rows, suspect(SET))
    assert not by["silent"].source
    assert (by["silent"].items, by["silent"].met.elsewhere) == (0, 100)


def test_answers_from_elsewhere_name_nobody_unless_prompts_alone_are_asked_for(tmp_path):
    rows = [*crowd(), *(("asker", item(k), answer(k, salt=9)) for k in range(100))]
    found, by = traced(tmp_path, rows, suspect(SET))
    assert not any(each.source for each in by.values())
    assert by["asker"].asked
    assert any("--compare prompts" in said for said in found.caveats)
    _, by = traced(tmp_path, rows, suspect(SET), compare="prompts")
    assert [a for a, each in by.items() if each.source] == ["asker"]
    assert by["asker"].way == "prompt"


def test_responses_alone_are_enough(tmp_path):
    rows = [*crowd(), *(("thief", item(k, salt=5), answer(k)) for k in range(100))]
    for wanted in (suspect(SET), suspect(SET, prompts=False)):
        _, by = traced(tmp_path, rows, wanted)
        assert [a for a, each in by.items() if each.source] == ["thief"]
        assert by["thief"].way == "response"


def test_what_many_send_names_nobody(tmp_path):
    rows = crowd(answered=False)
    rows += [(f"pupil-{p}", item(k), None) for p in range(8) for k in range(100)]
    _, by = traced(tmp_path, rows, suspect(SET, answered=False))
    assert not any(each.source for each in by.values())
    assert by["pupil-0"].items == 100
    assert by["pupil-0"].weight == pytest.approx(100 / 64)


def test_what_is_explained_already_says_nothing_of_others(tmp_path):
    rows = crowd(answered=False)
    rows += [("thief", item(k), None) for k in range(150)]
    rows += [("same corpus", item(k), None) for k in range(60)]
    _, by = traced(tmp_path, rows, suspect(SET, answered=False))
    assert [a for a, each in by.items() if each.source] == ["thief"]
    assert (by["same corpus"].items, by["same corpus"].only_here, by["same corpus"].weight) == (60, 0, 0.0)


def test_a_few_prompts_beside_a_large_source_are_minor(tmp_path):
    rows = crowd(answered=False)
    rows += [("thief", item(k), None) for k in range(150)]
    rows += [("visitor", item(k), None) for k in range(150, 160)]
    _, by = traced(tmp_path, rows, suspect(SET, answered=False))
    assert [a for a, each in by.items() if each.source] == ["thief"]
    assert by["visitor"].q_value < 0.01


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("please write a speech about the {a} that will be held at {b} next spring", True),
        (
            "Answer carefully. Task: please write a speech about the {a} that will be held at {b} next spring. End.",
            True,
        ),
        ("please write speech about the {a} that will held be at {b} next spring", True),
        ("please write a speech about the {c} that will be held at {d} next spring", False),
        (
            "a speech about the {a} " + "and of other things besides " * 6 + "that will be held at {b} next spring",
            False,
        ),
    ],
    ids=["the same", "in a frame", "reworded", "another filling", "words apart"],
)
def test_a_rewording_matches_and_another_filling_of_the_template_does_not(tmp_path, sent, held):
    text = "please write a speech about the {a} that will be held at {b} next spring"
    rows, asked = crowd(answered=False), [item(k) for k in range(100)]
    for k in range(40):
        dice = np.random.default_rng(k)
        a, b, c, d = (" ".join(dice.permutation([*NOUNS, *VERBS, *PLACES])[:3]) for _ in range(4))
        rows.append(("sender", sent.format(a=a, b=b, c=c, d=d), None))
        asked.append(text.format(a=a, b=b))
    wanted = pl.DataFrame({"row": np.arange(1, 141), "prompt": asked}).with_columns(response=pl.lit(None, pl.String))
    _, by = traced(tmp_path, rows, items(wanted, ()))
    assert ("sender" in by and by["sender"].items >= 35) is held
    assert held or "sender" not in by or by["sender"].items <= 2
