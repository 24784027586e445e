"""Findings whose every text is hostile: no format lets through what acts, all parse, and the same findings give the same bytes."""

from __future__ import annotations

import csv
import html as html_library
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import jsonschema
import pyarrow.parquet as pq
from fuzzing import WORDS, acting, count, fuzz
from hypothesis import given
from hypothesis import strategies as st
from made_up import BASELINE, RUN, account, campaign

from extractscan.logs.inspection import FileInspection, Gap, Inspection
from extractscan.logs.result import FileSummary, Quarantined
from extractscan.logs.schema import CANONICAL
from extractscan.report import inspection, neutralise
from extractscan.report.formats import renderer
from extractscan.report.interface import Format, RenderOptions
from extractscan.report.schemas import schema
from extractscan.verdict.findings import SEVERITIES, Evidence, Findings, Gate, NotAssessed, Tie

REPORT = jsonschema.Draft202012Validator(schema("report"))
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, 1e-300, 1e300, 0.5])
SHARES = st.none() | st.floats(0, 1)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
EVIDENCE = st.lists(
    st.builds(Evidence, WORDS, WORDS, st.none() | NUMBERS, NUMBERS, assessed=st.booleans(), detail=WORDS), max_size=3
)
GATES = st.lists(st.builds(Gate, WORDS, st.floats(0, 1), WORDS), max_size=2)
COVERAGE = st.dictionaries(WORDS, st.none() | NUMBERS, max_size=3)
COMMON = {
    "severity": st.sampled_from(sorted(SEVERITIES)), "severity_reason": st.none() | WORDS, "bits": NUMBERS, "first_seen": TIMES,
    "last_seen": TIMES, "evidence": EVIDENCE.map(tuple), "gates": GATES.map(tuple), "coverage": COVERAGE, "innocent_explanation": WORDS,
    "p_value": SHARES, "q_value": SHARES, "score": st.floats(0, 1), "requests": st.integers(0, 2**63 - 1),
}  # fmt: skip
ACCOUNTS = st.lists(
    st.fixed_dictionaries({"account_id": WORDS, "campaign_id": st.none() | WORDS, "stream": WORDS, **COMMON}),
    max_size=3,
)
CAMPAIGNS = st.lists(
    st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3), st.lists(st.builds(Tie, WORDS, st.floats(0, 1), st.integers(2, 9), WORDS), max_size=2),
              st.fixed_dictionaries(COMMON)), max_size=2,
)  # fmt: skip
FILES = st.lists(
    st.builds(FileSummary, WORDS, WORDS, st.just("0" * 64), *[st.integers(0, 10**12)] * 4), max_size=2
).map(tuple)
RUNS = st.builds(
    lambda files, bad, lacking, said, warned: replace(
        RUN,
        files=files,
        quarantine=bad,
        not_assessed=lacking,
        calibration=said,
        baseline=replace(BASELINE, files=files, warnings=warned),
    ),
    FILES,
    st.lists(st.builds(Quarantined, WORDS, st.none() | st.integers(1, 2**40), WORDS), max_size=3).map(tuple),
    st.lists(st.builds(NotAssessed, WORDS, WORDS), max_size=2).map(tuple),
    WORDS,
    st.lists(WORDS, max_size=2).map(tuple),
)
FINDINGS = st.builds(
    lambda run, accounts, campaigns: Findings(
        run,
        tuple(account(k, a.pop("account_id"), **a) for k, a in enumerate(map(dict, accounts), 1)),
        tuple(
            campaign(k, name, members, ties=tuple(ties), **more)
            for k, (name, members, ties, more) in enumerate(campaigns, 1)
        ),
    ),
    RUNS,
    ACCOUNTS,
    CAMPAIGNS,
)
OPTIONS = st.builds(
    RenderOptions,
    top=st.none() | st.integers(0, 3),
    width=st.integers(20, 200),
    colour=st.booleans(),
    unicode=st.booleans(),
)


def render(findings, chosen, options):
    """The bytes or the text of a report."""
    made = renderer(chosen)
    stream = io.BytesIO() if made.media == "bytes" else io.StringIO()
    made.render(findings, options, stream)
    return stream.getvalue()


def valid(text):
    """What UTF-8 can hold of a text."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def kept(output):
    """What JSON may keep: private, unassigned and non-characters do nothing."""
    return [c for c in acting(output) if not re.match(r"[\ue000-\uf8ff]", c) and neutralise._INVISIBLE.match(c)]


@fuzz("findings", 25)
@given(FINDINGS, OPTIONS)
def test_findings(findings, options):
    count("findings")
    ids = [valid(each.account_id) for each in findings.accounts][: options.top]
    made = {chosen: render(findings, chosen, options) for chosen in Format}
    for chosen, output in made.items():
        assert output == render(findings, chosen, options)
    table = re.sub(r"\x1b\[[0-9;]*m", "", made[Format.TABLE]) if options.colour else made[Format.TABLE]
    assert not acting(table)
    assert options.unicode or table.isascii()
    assert not kept(made[Format.JSON])
    assert not kept(made[Format.JSONL])
    document = json.loads(made[Format.JSON].encode())
    REPORT.validate(document)
    assert [each["account_id"] for each in document["accounts"]] == ids
    lines = [json.loads(line) for line in made[Format.JSONL].splitlines()]
    assert lines == document["accounts"]
    assert not acting(made[Format.CSV])
    rows = list(csv.reader(io.StringIO(made[Format.CSV]), strict=True))
    assert len(rows) == len(ids) + 1
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows for cell in row):
        assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell) or re.fullmatch(
            r"[+-]?[\d.]+(e[+-]?\d+)?", cell, re.IGNORECASE
        )
    assert pq.read_table(io.BytesIO(made[Format.PARQUET]))["account_id"].to_pylist() == ids


INSPECTED = st.builds(
    Inspection,
    files=st.lists(
        st.builds(
            FileInspection, WORDS, WORDS, WORDS, st.integers(0, 9), st.just(0),
            st.just(dict.fromkeys(CANONICAL, 0.5)), WORDS, WORDS,
        ), max_size=3,
    ).map(tuple),
    first=st.none() | TIMES, last=TIMES, gaps=st.lists(st.builds(Gap, TIMES, TIMES, st.floats(0, 1e9)), max_size=1).map(tuple),
    truncated=st.integers(0, 9), redacted=st.integers(0, 9), requests=st.integers(0, 99),
    present=st.sets(st.sampled_from(sorted(CANONICAL))).map(frozenset),
)  # fmt: skip


@fuzz("words", 40)
@given(WORDS, INSPECTED)
def test_words_and_inspections(text, found):
    count("words")
    for escaped in (
        neutralise.terminal(text),
        neutralise.markdown(text),
        neutralise.html(text),
        neutralise.csv_cell(text),
    ):
        assert not acting(escaped, allowed="")
    assert len(neutralise.terminal(text, limit=9)) <= 9 + neutralise.MARKS_KEPT * 9
    assert neutralise.terminal(text, ascii_only=True).isascii()
    assert html_library.unescape(neutralise.html(text)) == neutralise.terminal(text)
    assert not re.search("[<>\"']", neutralise.html(text))
    assert json.loads(neutralise.json_line([text])) == [valid(text)]
    name = neutralise.file_name(text)
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_.~-]*", name)
    assert len(name) <= 80
    for ascii_only in (False, True):
        for line in inspection.lines(found, ascii_only=ascii_only):
            assert not acting(line, allowed="")
            assert line.isascii() or not ascii_only
    json.dumps(inspection.document(found), allow_nan=False).encode()
