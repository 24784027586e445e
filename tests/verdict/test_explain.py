import ast
from pathlib import Path

import pytest

import extractscan
from extractscan.fingerprint.requests import MEASURES, NAMES
from extractscan.logs.schema import CANONICAL
from extractscan.verdict.explain import HALF, INNOCENT, NEEDS, UNGATED, explained_by, innocent_explanation, not_assessed
from extractscan.verdict.findings import Evidence, Gate
from extractscan.verdict.signals import CAPS

SOURCES = sorted(Path(extractscan.__file__).parent.glob("**/*.py"))


def literal_arguments(name, place):
    """What stands at one place of every call of ``name`` in the sources; fails where it is no literal."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                if len(node.args) <= place:
                    continue
                argument = node.args[place]
                if isinstance(argument, ast.Constant):
                    found.add(argument.value)
    return found


def evidence(family, bits, signal="s"):
    return Evidence(signal, family, 1.0, bits, assessed=True, detail="d")


def test_every_gate_that_the_code_names_has_an_innocent_reason():
    assert literal_arguments("Gate", 0) == set(INNOCENT)


def test_every_family_has_a_cap_and_an_innocent_reason():
    assert set(UNGATED) == set(CAPS)
    families = literal_arguments("_capped", 1) | literal_arguments("add", 1)
    assert families == set(CAPS)


@pytest.mark.parametrize("gate", sorted(INNOCENT))
def test_a_gate_explains(gate):
    assert innocent_explanation([evidence("load", 3.0)], [Gate(gate, 0.5, "d")]) == INNOCENT[gate]


@pytest.mark.parametrize("family", sorted(CAPS))
def test_without_a_gate_the_strongest_family_explains(family):
    weak = [evidence(f, 0.5) for f in CAPS if f != family]
    assert innocent_explanation([*weak, evidence(family, 1.0)], []) == UNGATED[family]


def test_the_strongest_gate_explains_and_the_order_of_gates_does_not_matter():
    gates = [Gate("conversations", 0.4, "d"), Gate("public_items", 0.1, "d"), Gate("end_users", 0.2, "d")]
    assert innocent_explanation([], gates) == innocent_explanation([], gates[::-1]) == INNOCENT["public_items"]
    equal = [Gate("one_network", 0.3, "d"), Gate("organic_load", 0.3, "d")]
    assert innocent_explanation([], equal) == innocent_explanation([], equal[::-1])


def test_equal_evidence_in_any_order_is_explained_alike():
    pair = [evidence("load", 2.0), evidence("partition", 2.0)]
    assert innocent_explanation(pair, []) == innocent_explanation(pair[::-1], [])


@pytest.mark.parametrize("some", [[], [evidence("load", 0.0)]])
def test_nothing_to_explain(some):
    assert innocent_explanation(some, []) == "nothing here needs an explanation"


def test_no_explanation_accuses():
    for text in (*INNOCENT.values(), *UNGATED.values()):
        assert text
        assert not {"attack", "attacker", "steal", "theft", "guilty", "malicious"} & set(text.lower().split())


# What a log cannot support


def test_a_full_log_lacks_nothing():
    assert not_assessed(frozenset(CANONICAL)) == ()


def test_a_bare_log_lacks_everything_and_says_so():
    found = not_assessed(frozenset())
    assert [n.signal for n in found] == [signal for signal, _, _ in NEEDS]
    assert all(n.reason for n in found)


@pytest.mark.parametrize(("signal", "columns", "reason"), NEEDS)
def test_any_of_the_columns_is_enough(signal, columns, reason):
    present = frozenset(CANONICAL)
    # Another signal may need only some of these columns and be missing with them.
    also = [(s, why) for s, needed, why in NEEDS if set(needed) <= set(columns)]
    assert [(n.signal, n.reason) for n in not_assessed(present - set(columns))] == also
    assert (signal, reason) in also
    for column in columns:
        assert signal not in {n.signal for n in not_assessed(present - set(columns) | {column})}


def test_senders_that_were_left_out_are_said():
    assert [(n.signal, n.reason[:5]) for n in not_assessed(frozenset(CANONICAL), 1234)] == [("one_corpus", "1,234")]


def test_what_is_asked_for_is_what_the_first_pass_can_tell_of():
    known = {*MEASURES, *NAMES, "prompt", "system", "response"}
    assert {c for _, columns, _ in NEEDS for c in columns} <= known


@pytest.mark.parametrize(
    ("families", "gates", "found"),
    [
        ([], [], None),
        ([(0.0, "load")], [], None),
        ([(-1.0, "load")], [], None),
        ([(2.0, "load"), (3.0, "partition")], [], ("family", "partition")),
        ([(3.0, "load")], [(HALF, "benchmark")], ("gate", "benchmark")),
        ([(3.0, "load")], [(HALF + 0.01, "benchmark")], ("family", "load")),  # it hardly shuts
        ([(3.0, "load")], [(0.95, "conversations"), (0.3, "one_network")], ("gate", "one_network")),
        ([(-1.0, "load")], [(0.95, "conversations")], ("gate", "conversations")),
    ],
)
def test_a_gate_explains_what_it_takes_away_half_of(families, gates, found):
    assert explained_by(families, gates) == found
