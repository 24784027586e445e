import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from extractscan.power import surface as surface_module
from extractscan.power.draft import Spec
from extractscan.power.kinds import KINDS
from extractscan.power.picture import colour, to_svg
from extractscan.power.render import to_json, to_table
from extractscan.power.surface import Cell, Interval, Plan, measure
from extractscan.power.words import CAVEATS, conclusion
from extractscan.progress import Silent
from extractscan.report import schemas
from extractscan.report.interface import RenderOptions

PLAN = Plan((4, 25), (12, 400), (0.0, 0.4), ("frameless", "framed", "sweep"), "medium", 2, 7, 0.2)


@pytest.fixture(scope="module")
def surface(lent):
    return measure(lent[0], PLAN, observer=Silent())


def place(surface, kind, cover, accounts, requests):
    (found,) = [
        c for c in surface.cells if (c.kind, c.cover, c.accounts, c.requests) == (kind, cover, accounts, requests)
    ]
    return found


def test_every_place_is_there_in_order(surface):
    assert [(c.kind, c.cover, c.accounts, c.requests) for c in surface.cells] == [
        (kind, cover, accounts, requests)
        for kind in PLAN.kinds
        for cover in PLAN.cover
        for accounts in PLAN.accounts
        for requests in PLAN.requests
    ]
    for cell in surface.cells:
        if cell.recall is None:
            assert cell.reason
            assert cell.campaigns == 0
        else:
            assert cell.campaigns == PLAN.repeats
            assert 0.0 <= cell.recall.low <= cell.recall.value <= cell.recall.high <= 1.0
            assert 0.0 <= cell.pairs <= 1.0


def test_many_shards_behind_one_frame_are_seen(surface):
    cell = place(surface, "framed", 0.0, 25, 12)
    assert cell.recall.value == 1.0
    assert cell.pairs == 1.0


def test_what_the_log_cannot_supply_is_not_assessed(surface):
    assert "payloads" in place(surface, "frameless", 0.0, 25, 400).reason
    assert place(surface, "sweep", 0.0, 25, 400).reason == "it would outweigh the log"


def test_a_seed_and_not_the_threads_decides(lent, surface):
    small = replace(PLAN, accounts=(4,), requests=(12,), cover=(0.0,))
    one = measure(lent[0], small, observer=Silent(), jobs=1)
    assert one == measure(lent[0], small, observer=Silent(), jobs=2)


def test_campaigns_that_share_a_scoring_stay_a_small_part_of_the_log(lent):
    prints, lends = lent[0], lent[3]
    kinds = {k.name: (number, k) for number, k in enumerate(KINDS)}
    run = surface_module._Run(prints, lends, PLAN, kinds, Silent(), 1)
    pending = [Spec(k.name, accounts, 12, 0.0, repeat) for repeat in range(3) for accounts in (1, 2, 3) for k in KINDS]
    met = {pending[0]: {pending[1]}, pending[1]: {pending[0]}}
    tries = {pending[-1]: surface_module.TRIES}
    seen = []
    while pending:
        batch = run._batch(pending, met, tries)
        pending = [spec for spec in pending if spec not in batch]
        seen += batch
        if len(batch) == 1:
            continue
        assert sum(spec.accounts for spec in batch) <= 0.1 * prints.accounts.len()
        for framed, peers in ((True, lends.framed_senders), (False, lends.unframed_senders)):
            kin = [spec.accounts for spec in batch if kinds[spec.kind][1].framed is framed]
            assert sum(kin) - max(kin, default=0) <= 0.1 * peers
        assert not tries.keys() & set(batch)
        assert len(met.keys() & set(batch)) < 2
    assert len(seen) == len(set(seen)) == 27


def test_campaigns_that_the_verdict_unites_are_injected_again_apart(lent, monkeypatch):
    """Whoever meets another is not counted before it has been alone."""
    scored = []

    def together(assessment, members):
        scored.append(len(members))
        return {i: set(range(len(members))) - {i} for i in range(len(members))} if len(members) > 1 else {}

    monkeypatch.setattr(surface_module, "_together", together)
    monkeypatch.setattr(surface_module, "ACCOUNTS_SHARE", 1.0)
    monkeypatch.setattr(surface_module, "PEERS_SHARE", 1.0)
    small = replace(PLAN, accounts=(3,), requests=(12,), cover=(0.0,), repeats=1)
    found = measure(lent[0], small, observer=Silent())
    assert scored == [3, 1, 1, 1]
    assert found.apart == 3
    assert all(cell.campaigns == 1 for cell in found.cells)


def test_repeats_are_chosen_by_the_size_of_the_log(lent, monkeypatch):
    kinds = {k.name: (number, k) for number, k in enumerate(KINDS)}
    run = surface_module._Run(lent[0], lent[3], PLAN, kinds, Silent(), 1)
    grid = [Spec("sweep", 3, 12, 0.0, 0)]
    assert run.repeats(grid) == 20
    assert run.repeats([]) == 20
    monkeypatch.setattr(surface_module, "BUDGET", 6 * (lent[0].requests.height + surface_module.OVERHEAD))
    assert run.repeats(grid) == 6
    monkeypatch.setattr(surface_module, "BUDGET", 0)
    assert run.repeats(grid) == 4


def test_a_log_without_conversations_has_no_cover(lent):
    import polars as pl

    prints = lent[0]
    unknown = replace(
        prints,
        requests=prints.requests.with_columns(
            pl.lit(None, pl.UInt32).alias("conversation_id"), pl.lit(None, prints.requests.schema["turn"]).alias("turn")
        ),
    )
    small = replace(PLAN, accounts=(4,), requests=(12,), kinds=("sweep",), repeats=1)
    cells = measure(unknown, small, observer=Silent()).cells
    assert cells[0].recall is not None
    assert cells[1].reason == "the log has no conversations to copy as cover"


def test_a_log_of_nothing(lent):
    prints = lent[0]
    empty = replace(prints, requests=prints.requests.head(0))
    found = measure(empty, PLAN, observer=Silent())
    assert len(found.cells) == len(PLAN.kinds) * len(PLAN.cover) * len(PLAN.accounts) * len(PLAN.requests)
    assert all(c.recall is None and c.reason for c in found.cells)


def test_the_document_meets_its_schema(surface):
    document = json.loads(to_json(surface))
    jsonschema.Draft202012Validator(schemas.schema("power")).validate(document)
    assert document["settings"]["severity"] == "medium"
    assert len(document["cells"]) == len(surface.cells)
    assert len(document["conclusions"]) == 6


@pytest.mark.parametrize("width", [50, 80, 120, 200])
def test_the_table_fits_and_says_what_it_covers(surface, width):
    text = to_table(surface, RenderOptions(width=width))
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert all(line == line.rstrip() for line in text.splitlines())
    folded = " ".join(text.split())
    for caveat in CAVEATS:
        assert caveat in folded or width < 80
    assert "a campaign of 25 accounts with 12 requests each would have been seen" in folded or width < 80
    assert to_table(surface, RenderOptions(width=width, unicode=False)).isascii()
    assert "\x1b" in to_table(surface, RenderOptions(width=width, colour=True))


def test_the_picture_is_whole_and_has_no_script(surface):
    root = ET.fromstring(to_svg(surface))  # noqa: S314 -- our own
    assert {node.tag.rpartition("}")[2] for node in root.iter()} == {"svg", "title", "desc", "rect", "text", "g"}
    places = [node for node in root.iter() if node.tag.endswith("}g")]
    assert len(places) == len(surface.cells)
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = []
    for node in root.iter():
        if node.get("x") is not None:
            x, y = float(node.get("x")), float(node.get("y"))
            wide, high = float(node.get("width") or 0), float(node.get("height") or 0)
            assert 0 <= x <= x + wide <= width
            assert 0 <= y <= y + high <= height
    for place in places:
        (box,) = (node for node in place if node.tag.endswith("}rect"))
        boxes.append(tuple(float(box.get(name)) for name in ("x", "y", "width", "height")))
    assert len(set(boxes)) == len(boxes)  # no place lies on another
    shown = " ".join("".join(node.itertext()) for node in places)
    for cell in surface.cells:
        if cell.recall is not None:
            assert f"{cell.accounts} accounts, {cell.requests} requests each: recall {cell.recall.value:.2f}" in shown


def test_colours_run_from_light_to_dark():
    assert [sum(colour(step / 10)) for step in range(11)] == sorted(
        (sum(colour(step / 10)) for step in range(11)), reverse=True
    )
    assert colour(-1) == colour(0)
    assert colour(2) == colour(1)


def made(recalls, plan):
    cells = tuple(
        Cell("framed", 0.0, a, r, 10, 0, None if v is None else Interval(v, v / 2, min(1, v * 1.5)), None, "short")
        for (a, r), v in recalls.items()
    )
    return replace(plan, cells=cells)


@pytest.mark.parametrize(
    ("recalls", "said"),
    [
        (
            {(5, 30): 0.2, (50, 30): 0.95, (20, 30): 0.91},
            (
                "Shards behind one frame, no cover traffic: a campaign of 20 accounts with 30 requests each would have been seen "
                "with probability 0.91 (0.46 to 1.00; 10 campaigns)."
            ),
        ),
        (
            {(5, 30): 0.2, (50, 30): 0.5},
            (
                "Shards behind one frame, no cover traffic: no campaign that was tried would have been seen with probability 0.9; the "
                "likeliest is a campaign of 50 accounts with 30 requests each, 0.50 (0.25 to 0.75; 10 campaigns)."
            ),
        ),
        (
            {(1, 1): 0.997},
            (
                "Shards behind one frame, no cover traffic: a campaign of one account with 1 request would have been seen with "
                "probability 0.99 (0.50 to 1.00; 10 campaigns)."
            ),
        ),
        ({(5, 30): None}, "Shards behind one frame, no cover traffic: not assessed; this log cannot say."),
    ],
)
def test_the_sentence_for_the_analyst(surface, recalls, said):
    assert conclusion(made(recalls, surface), "framed", 0.0) == said
