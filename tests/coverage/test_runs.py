"""Runs: what an agent's later turns are, and what is a list in spite of its conversation ids."""

import polars as pl
import pytest
from coverage_help import streams_of, words

from extractscan.coverage.runs import RUNS
from extractscan.coverage.streams import CARRIED_ON, CONVERSATION, NEAR_EMPTY, SINGLE

FRAME = "Solve the task of this benchmark, one action a turn:"
TOOL = "Result of the tool you called last:"
SYSTEM = "You solve tasks in a container and write one command in each turn."


def run(number, turns, opener, later, **more):
    """One conversation: what it opens with, and what follows."""
    texts = [opener, *(later(turn) for turn in range(1, turns))]
    return [
        {"account_id": "a", "prompt": text, "conversation_id": f"c{number}", "turn": turn, **more}
        for turn, text in enumerate(texts)
    ]


def runs(count, turns, **more):
    """Tasks, and what the tools answered: nothing that two turns have in common."""
    return [
        row
        for n in range(count)
        for row in run(n, turns, words(9 * n, 9), lambda t, n=n: words(5000 + 400 * n + 7 * t, 3 + (n + t) % 3), **more)
    ]


def sizes(rows):
    """Requests of each stream: frames in one number, the rest by family."""
    _, streams = streams_of(rows)
    found = {}
    for family, requests in streams.table.select(pl.col("family").clip(upper_bound=0), "requests").iter_rows():
        found[family] = found.get(family, 0) + requests
    return found


@pytest.mark.parametrize("count", [RUNS, 20])
def test_under_a_system_prompt_the_task_is_what_was_asked(count):
    assert sizes(runs(count, 8, system=SYSTEM)) == {0: count, CARRIED_ON: 7 * count}


def test_a_few_conversations_may_be_a_list():
    assert sizes(runs(RUNS - 1, 8, system=SYSTEM)) == {0: 8 * (RUNS - 1)}


def test_turns_of_one_kind_are_a_list_in_however_many_conversations():
    """Items of one list, eight in each conversation: the first is as long as the rest."""
    rows = [
        row
        for n in range(20)
        for row in run(
            n,
            8,
            words(500 * n, 5 + n % 4),
            lambda t, n=n: words(500 * n + 20 * t, 5 + (n + t) % 4),
            system=SYSTEM,
        )
    ]
    assert sizes(rows) == {0: 160}


@pytest.mark.parametrize("base", [0, 1, 7])
def test_how_one_client_counts_turns_changes_nothing_for_others(base):
    """Turns begin at 0, at 1 or in the middle; a stranger sends a turn of 0."""
    rows = [{**row, "turn": row["turn"] + base} for row in runs(6, 8, system=SYSTEM)]
    assert sizes(rows) == {0: 6, CARRIED_ON: 42}
    stranger = {"account_id": "b", "prompt": words(9000, 9), "turn": 0}
    assert sizes([*rows, stranger]) == {0: 6, CARRIED_ON: 42, SINGLE: 1}


def test_without_a_frame_all_turns_converse():
    assert sizes(runs(6, 8)) == {CONVERSATION: 48}


def test_turns_without_ids_cannot_be_told_to_be_runs():
    rows = [{**row, "conversation_id": None} for row in runs(6, 4, system=SYSTEM)]
    assert sizes(rows) == {0: 24}


def test_what_tools_answer_is_no_frame_though_it_begins_alike():
    rows = [
        row
        for n in range(8)
        for row in run(n, 6, f"{FRAME} {words(9 * n, 9)}", lambda t, n=n: f"{TOOL} {words(5000 + 400 * n + 7 * t, 7)}")
    ]
    assert sizes(rows) == {0: 8, CARRIED_ON: 40}


@pytest.mark.parametrize("threads", [1, 8])
def test_a_framed_list_is_one_whatever_its_ids_say(threads):
    """Each turn is one more item under the frame that also opened the conversation."""
    rows = [
        row
        for n in range(threads)
        for row in run(n, 6, f"{FRAME} {words(900 * n, 9)}", lambda t, n=n: f"{FRAME} {words(900 * n + 9 * t, 9)}")
    ]
    assert sizes(rows) == {0: 6 * threads}


def test_single_requests_beside_runs_stay_what_they_are():
    rows = runs(6, 4, system=SYSTEM)
    rows += [{"account_id": "a", "prompt": words(9000 + 9 * i, 9), "system": SYSTEM} for i in range(3)]
    rows += [{"account_id": "a", "prompt": words(9900 + 9 * i, 9)} for i in range(2)]
    assert sizes(rows) == {0: 9, CARRIED_ON: 18, SINGLE: 2}


@pytest.mark.parametrize(("distinct", "family"), [(40, 0), (11, 0), (10, NEAR_EMPTY), (1, NEAR_EMPTY)])
def test_single_words_that_differ_are_payloads_of_their_frame(distinct, family):
    """Forty requests under one system prompt: a quiz's answers, or a few words that ask nothing."""
    rows = [{"account_id": "a", "prompt": words(i % distinct, 1), "system": SYSTEM} for i in range(40)]
    assert sizes(rows) == {family: 40}


def test_single_words_without_a_frame_ask_nothing():
    assert sizes([{"account_id": "a", "prompt": words(i, 1)} for i in range(40)]) == {NEAR_EMPTY: 40}
