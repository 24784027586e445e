"""Every format: exhaustive, true to the contract, deterministic, and safe on hostile text."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import jsonschema
import polars as pl
import pyarrow.parquet as pq
import pytest
from hostile import HOSTILE, harmful
from html_page import check_page
from made_up import (
    BASELINE,
    FORMATS,
    RUN,
    TAKEN_BACK,
    account,
    calibrated,
    campaign,
    made_up,
    nothing_found,
    nothing_read,
)
from markdown_it import MarkdownIt
from ocsf import problems

from extractscan.logs.result import FileSummary, Quarantined
from extractscan.report.document import number, timestamp
from extractscan.report.formats import renderer
from extractscan.report.interface import Format, RenderOptions
from extractscan.report.schemas import schema
from extractscan.verdict.findings import Allowed, AllowSummary, Evidence, Findings, Gate, NotAssessed, Tie

MACHINE = [Format.JSON, Format.JSONL, Format.CSV, Format.PARQUET]


def render(findings, chosen, **options):
    """Return the report as it would be written: text, or bytes for a binary format."""
    chosen_renderer = renderer(chosen)
    stream = io.BytesIO() if chosen_renderer.media == "bytes" else io.StringIO()
    chosen_renderer.render(findings, RenderOptions(**options), stream)
    return stream.getvalue()


def read_account_ids(chosen, output):
    match chosen:
        case Format.JSON:
            return [each["account_id"] for each in json.loads(output)["accounts"]]
        case Format.JSONL:
            return [json.loads(line)["account_id"] for line in output.splitlines()]
        case Format.CSV:
            return [row["account_id"] for row in csv.DictReader(io.StringIO(output))]
        case Format.PARQUET:
            return pq.read_table(io.BytesIO(output))["account_id"].to_pylist()


@pytest.mark.parametrize("chosen", FORMATS)
def test_every_format_has_a_renderer(chosen):
    assert renderer(chosen).media in ("text", "bytes")


def test_no_format_beside_the_enum():
    with pytest.raises(AssertionError):
        renderer("xml")


def test_jsonl_is_the_contract():
    first = json.loads(render(made_up(), Format.JSONL).splitlines()[0])
    assert list(first) == [
        "schema_version", "rank", "account_id", "score", "bits", "severity", "severity_reason", "p_value", "q_value",
        "campaign_id", "requests", "first_seen", "last_seen", "stream", "evidence", "gates", "coverage", "innocent_explanation",
    ]  # fmt: skip
    assert list(first["evidence"][0]) == ["signal", "family", "value", "bits", "assessed", "detail"]
    assert first["rank"] == 1
    assert first["score"] == 0.987321
    assert first["first_seen"] == "2026-03-01T01:04:11.250000Z"
    assert first["coverage"] == {
        "chao1": 48213.5, "n": 1402, "observed": 1399, "rarefied_richness": None, "unseen_mass": 0.99572,
    }  # fmt: skip
    assert first["evidence"][4] == {
        "signal": "response_chaining", "family": "responses", "value": None, "bits": 0.0, "assessed": False,
        "detail": "No column response.",
    }  # fmt: skip


def test_json_holds_run_accounts_and_campaigns():
    document = json.loads(render(made_up(), Format.JSON))
    assert list(document) == ["schema_version", "run", "accounts", "campaigns"]
    assert document["run"]["rows_kept"] == 403_112
    assert len(document["accounts"]) == 25
    assert len(document["campaigns"][0]["accounts"]) == 24
    lines = render(made_up(), Format.JSONL).splitlines()
    assert document["accounts"] == [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "findings",
    [made_up(), calibrated(), nothing_found(), nothing_read()],
    ids=["found", "calibrated", "nothing", "empty"],
)
def test_outputs_meet_their_schemas(findings):
    checker = jsonschema.Draft202012Validator(schema("account"))
    for line in render(findings, Format.JSONL).splitlines():
        checker.validate(json.loads(line))
    jsonschema.Draft202012Validator(schema("report")).validate(json.loads(render(findings, Format.JSON)))


def test_a_baseline_is_in_every_format():
    document = json.loads(render(calibrated(), Format.JSON))
    assert document["run"]["baseline"]["stated_rate"] == 0.05
    assert document["run"]["baseline"]["files"][0]["path"] == "clean/2026-01.parquet"
    assert document["campaigns"][0]["q_value"] == 0.0366
    account = document["accounts"][12]
    assert (account["severity"], account["q_value"], account["severity_reason"]) == ("medium", 0.2142, TAKEN_BACK)
    row = list(csv.DictReader(io.StringIO(render(calibrated(), Format.CSV))))[12]
    assert (row["severity"], row["p_value"], row["q_value"]) == ("medium", "0.0091", "0.2142")
    frame = pl.read_parquet(io.BytesIO(render(calibrated(), Format.PARQUET)))
    assert frame["q_value"].to_list() == [a.q_value for a in calibrated().accounts]
    assert frame["severity_reason"][12] == TAKEN_BACK


def test_without_a_baseline_nothing_is_claimed():
    document = json.loads(render(made_up(), Format.JSON))
    assert document["run"]["baseline"] is None
    for each in (*document["accounts"], *document["campaigns"]):
        assert (each["p_value"], each["q_value"], each["severity_reason"]) == (None, None, None)
    row = next(csv.DictReader(io.StringIO(render(made_up(), Format.CSV))))
    assert (row["p_value"], row["q_value"], row["severity_reason"]) == ("", "", "")
    assert pl.read_parquet(io.BytesIO(render(made_up(), Format.PARQUET)))["q_value"].null_count() == 25


def test_csv_is_flat():
    rows = list(csv.DictReader(io.StringIO(render(made_up(), Format.CSV))))
    assert len(rows) == 25
    assert rows[0]["evidence.partition.bits"] == "4.0"
    assert rows[0]["evidence.response_chaining.bits"] == ""  # not assessed is not zero
    assert rows[0]["coverage.rarefied_richness"] == ""
    assert rows[19]["evidence.near_duplicates.bits"] == "-0.5"
    assert rows[19]["gate.one_narrow_subject"] == "0.8"
    assert rows[19]["campaign_id"] == ""
    header = render(made_up(), Format.CSV, top=1).splitlines()[0]
    assert header == render(made_up(), Format.CSV).splitlines()[0]


def test_parquet_is_nested_and_readable_by_polars():
    table = pq.read_table(io.BytesIO(render(made_up(), Format.PARQUET)))
    assert table.num_rows == 25
    assert table.schema.metadata[b"extractscan.schema_version"] == b"1.0"
    frame = pl.read_parquet(io.BytesIO(render(made_up(), Format.PARQUET)))
    assert frame["evidence"].list.len().to_list()[:2] == [5, 5]
    assert frame.schema["first_seen"] == pl.Datetime("us", "UTC")
    assert frame["first_seen"][0] == made_up().accounts[0].first_seen
    assert dict(table["coverage"][0].as_py())["chao1"] == 48213.5


@pytest.mark.parametrize("chosen", MACHINE)
def test_empty_findings_are_readable(chosen):
    assert read_account_ids(chosen, render(nothing_read(), chosen)) == []


@pytest.mark.parametrize("chosen", MACHINE)
def test_top_limits_accounts_only_when_given(chosen):
    assert len(read_account_ids(chosen, render(made_up(), chosen))) == 25
    ids = read_account_ids(chosen, render(made_up(), chosen, top=3))
    assert ids == ["acct-0001", "acct-0002", "acct-0003"]


def test_top_leaves_campaigns_whole():
    assert len(json.loads(render(made_up(), Format.JSON, top=1))["campaigns"]) == 2


@pytest.mark.parametrize("chosen", FORMATS)
def test_same_findings_same_bytes_in_any_order(chosen):
    findings = made_up()
    turned = replace(findings, accounts=findings.accounts[::-1], campaigns=findings.campaigns[::-1])
    coverage = dict(reversed(findings.accounts[0].coverage.items()))
    turned = replace(turned, accounts=tuple(replace(each, coverage=coverage) for each in turned.accounts))
    assert render(findings, chosen) == render(turned, chosen)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_null(bad):
    entry = Evidence("s", "f", bad, bad, assessed=True, detail="")
    findings = Findings(RUN, (account(1, "a", evidence=(entry,), coverage={"x": bad}),), ())
    document = json.loads(render(findings, Format.JSONL))
    assert document["evidence"][0]["value"] is None
    assert document["coverage"] == {"x": None}
    jsonschema.Draft202012Validator(schema("account")).validate(document)
    for chosen in FORMATS:
        render(findings, chosen)


def test_numbers_and_times():
    assert number(0.12345678) == 0.123457
    assert str(number(-0.0)) == "0.0"
    assert number(3) == 3
    assert timestamp(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00.000000Z"
    assert timestamp(datetime(26, 1, 1)) == "0026-01-01T00:00:00.000000Z"  # noqa: DTZ001 -- a time without a zone is UTC


def check_markdown(output):
    """Parse the report as CommonMark with GitHub's tables: text, and no markup but ours."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    kinds = set()
    for token in parser.parse(output):
        kinds.add(token.type)
        kinds.update(child.type for child in token.children or ())
    assert kinds <= {
        f"{name}_{end}"
        for name in (
            "heading",
            "paragraph",
            "bullet_list",
            "list_item",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "strong",
        )
        for end in ("open", "close")
    } | {"inline", "text", "text_special", "softbreak"}
    tables = [line.replace("\\|", "").count("|") for line in output.splitlines() if line.startswith("|")]
    assert min(tables) >= 4  # a cell that ended early would leave a ragged row
    for block in output.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


# --- hostile text ---------------------------------------------------------------------------------------------------


def hostile_findings(text):
    """Put the text wherever a string can come from a log, and, to be sure, where none can."""
    entry = Evidence(text, text, 1.0, 3.0, assessed=True, detail=text)
    gate = Gate(text, 0.5, text)
    accounts = (
        account(
            1,
            text,
            campaign_id=text,
            stream=text,
            evidence=(entry,),
            gates=(gate,),
            innocent_explanation=text,
            coverage={text: 1.0},
            q_value=0.3,
            severity_reason=text,
        ),
        account(2, text, campaign_id=None, evidence=(entry,), innocent_explanation=text, severity="low"),
    )
    campaigns = (
        campaign(
            1,
            text,
            [text, "b"],
            ties=(Tie(text, 1.0, 2, text),),
            evidence=(entry,),
            innocent_explanation=text,
            severity_reason=text,
        ),
    )
    run = replace(
        RUN,
        files=(FileSummary(text, text, "0" * 64, 1, 1, 1, 0),),
        quarantine=(Quarantined(text, 3, text), Quarantined(text, None, text)),
        not_assessed=(NotAssessed(text, text),),
        calibration=text,
        baseline=replace(BASELINE, files=(FileSummary(text, text, "0" * 64, 1, 1, 1, 0),), warnings=(text, text)),
        allowlist=AllowSummary(
            1, 1, 0, (Allowed("account", text, "low", 3.5, text, text, date(2026, 6, 30)),), (text,)
        ),
    )
    return Findings(run, accounts, campaigns)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("chosen", FORMATS)
def test_hostile_text_in_every_format(chosen, text):
    output = render(hostile_findings(text), chosen)
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    match chosen:
        case Format.TABLE:
            assert harmful(output, allowed="\n") == []
        case Format.JSON | Format.JSONL:
            output.encode("utf-8")
            # Private use and unassigned characters do nothing; JSON keeps them as they are.
            acting = {
                c for c in harmful(output, allowed="\n") if c not in text or not re.match(r"[\ue000-\U0010ffff]", c)
            }
            assert acting <= {"\ufdd0", "\uffff"}
            assert read_account_ids(chosen, output) == [whole, whole]
        case Format.CSV:
            assert harmful(output, allowed="\n") == []
            rows = list(csv.reader(io.StringIO(output), strict=True))
            assert len(rows) == 3
            assert len({len(row) for row in rows}) == 1
            for cell in (cell for row in rows for cell in row):
                assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell) or re.fullmatch(
                    r"[+-]?[\d.]+(e[+-]?\d+)?", cell
                )
        case Format.PARQUET:
            assert read_account_ids(chosen, output) == [whole, whole]
        case Format.MARKDOWN:
            assert harmful(output, allowed="\n") == []
            check_markdown(output)
        case Format.HTML:
            assert harmful(output, allowed="\n") == []
            check_page(output)
        case Format.OCSF:
            output.encode("utf-8")
            events = [json.loads(line) for line in output.splitlines()]
            assert len(events) == 3
            assert events[1]["observables"][0]["value"] == whole
            assert [problem for event in events for problem in problems(event)] == []
        case Format.STIX:
            output.encode("utf-8")
            import stix2

            bundle = stix2.parse(output, allow_custom=False)
            assert whole in {each.user_id for each in bundle.objects if each.type == "user-account"}
        case _:
            pytest.fail("a new format needs its own look at hostile text")


@pytest.mark.parametrize("width", [50, 80, 120, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_hostile_text_in_tables_of_all_widths(width, unicode):
    for text in HOSTILE.values():
        output = render(hostile_findings(text), Format.TABLE, width=width, unicode=unicode)
        assert harmful(output, allowed="\n") == []
        assert unicode or output.isascii()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_in_colour_only_styles_are_sent(text):
    output = render(hostile_findings(text), Format.TABLE, colour=True)
    assert "\x1b[" in output
    assert harmful(re.sub(r"\x1b\[[0-9;]*m", "", output), allowed="\n") == []


@pytest.mark.parametrize("text", ["[/]", ":bomb:", "[bold]x[/bold]", "[link=https://evil.example]y[/link]"])
def test_markup_is_shown_as_it_is(text):
    assert text in render(hostile_findings(text), Format.TABLE)


def test_no_line_of_a_log_can_pose_as_a_row():
    text = "a\n 1  acct-0001  none"
    rows = render(hostile_findings(text), Format.TABLE, width=200).splitlines()
    assert not any(row.startswith(" 1  acct-0001") for row in rows)
