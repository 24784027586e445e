# ruff: noqa: S311 (dice to shuffle with)
from __future__ import annotations

import hashlib
import json
import random

import jsonschema
import polars as pl
import pytest
from case_help import KEY, make_case, rows, run_process, tree, write_log

from extractscan.case import layout, write
from extractscan.case.read import open_case
from extractscan.errors import ExtractscanError, InputError, UsageError
from extractscan.report import schemas
from extractscan.report.document import account_document, campaign_document


def test_a_case_holds_what_the_layout_says(made):
    files = set(tree(made.folder))
    assert files == {*layout.FILES, layout.RUN, layout.INVOCATION}
    run = json.loads((made.folder / layout.RUN).read_text())
    jsonschema.Draft202012Validator(schemas.schema("case")).validate(run)
    assert {f["path"] for f in run["files"]} == set(layout.FILES)
    for file in run["files"]:
        data = (made.folder / file["path"]).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file["sha256"], file["size"])
    assert made.seal == hashlib.sha256((made.folder / layout.RUN).read_bytes()).hexdigest()


def test_no_text_of_a_prompt_is_in_it(made):
    for name in ("prompts", "requests", "items", "streams", "names"):
        frame = pl.read_parquet(made.folder / f"fingerprints/{name}.parquet")
        for column in frame.select(pl.col(pl.String)).columns:
            assert not frame[column].fill_null("").str.contains("reasoning|example|sk-").any(), (name, column)
    for data in tree(made.folder).values():
        assert KEY.encode() not in data


def test_accounts_and_campaigns_are_read_back_as_they_were(made):
    case = open_case(made.folder)
    assert case.accounts() == [account_document(a) for a in made.findings.accounts]
    assert case.campaigns() == [campaign_document(c) for c in made.findings.campaigns]
    assert case.campaigns(), "the log is meant to have one"
    jsonschema.Draft202012Validator(schemas.schema("report")).validate(
        json.loads((made.folder / layout.REPORT).read_text(encoding="utf-8"))
    )


def test_the_same_log_gives_the_same_bytes_on_any_number_of_threads(made, log, tmp_path):
    again = make_case(tmp_path / "again", [log], jobs=3)
    assert tree(again.folder) == tree(made.folder)


def test_the_order_of_rows_shows_in_the_manifest_alone(made, tmp_path):
    write_log(tmp_path / "requests.jsonl", random.Random(1).sample(rows(), len(rows())))
    other = tree(make_case(tmp_path / "case", [tmp_path / "requests.jsonl"]).folder)
    mine = tree(made.folder)
    assert {name for name in mine if mine[name] != other[name]} == {layout.RUN, layout.REPORT}


def test_only_a_case_is_replaced_and_only_when_told(log, made, tmp_path):
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is no case"):
        make_case(tmp_path / "things", [log], clobber=True)
    assert (tmp_path / "things" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    first = make_case(tmp_path / "empty", [log])
    with pytest.raises(UsageError, match="--clobber"):
        make_case(tmp_path / "empty", [log])
    (tmp_path / "empty" / "notes.txt").write_text("what I found")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        make_case(tmp_path / "empty", [log], clobber=True)
    (tmp_path / "empty" / "notes.txt").unlink()
    assert make_case(tmp_path / "empty", [log], clobber=True).seal == first.seal
    assert tree(tmp_path / "empty") == tree(made.folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "things"]
    with pytest.raises(UsageError, match="does not exist"):
        make_case(tmp_path / "no" / "such", [log])


def test_links_and_long_names(log, made, tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(UsageError, match="cannot be a case"):
        make_case(tmp_path / "circle", [log])
    (tmp_path / "link").symlink_to("\U00013000" * 63)  # 252 bytes
    assert make_case(tmp_path / "link", [log]).seal == made.seal
    assert tree(tmp_path / ("\U00013000" * 63)) == tree(made.folder)


@pytest.mark.parametrize("failing", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "stop"])
def test_a_case_is_never_half_written(made, log, tmp_path, monkeypatch, failing):
    whole = make_case(tmp_path / "case", [log])
    written = []

    def put(path, fill):
        written.append(path)
        if len(written) == 9:
            raise failing
        path.write_bytes(b"")

    monkeypatch.setattr(write, "_put", put)
    kind = ExtractscanError if isinstance(failing, OSError) else KeyboardInterrupt
    for folder, clobber in ((tmp_path / "new", False), (tmp_path / "case", True)):
        written.clear()
        with pytest.raises(kind):
            make_case(folder, [log], clobber=clobber)
    assert [p.name for p in tmp_path.iterdir()] == ["case"]
    assert tree(tmp_path / "case") == tree(whole.folder)


def test_a_case_among_the_logs_is_refused(log, call):
    ran = call("score", log.parent, "--case", log.parent / "case", "-q")
    assert ran.code == 2
    assert "among the logs" in ran.err


def test_score_leaves_a_case_when_told(log, made, call, tmp_path):
    ran = call("score", log, "--case", tmp_path / "case", "-f", "jsonl")
    assert ran.code == 0
    assert "case written to" in ran.err
    seal = ran.err.split("run.json: ")[1].strip()
    assert call("verify", tmp_path / "case", log, "--seal", seal).code == 0
    mine = tree(tmp_path / "case")
    assert {name for name, data in tree(made.folder).items() if mine[name] != data} <= {
        layout.RUN,
        layout.INVOCATION,
        layout.REPORT,
    }
    assert json.loads(mine[layout.INVOCATION])["argv"][1] == "score"
    assert call("score", log, "--case", tmp_path / "case").code == 2
    assert call("score", log, "--case", tmp_path / "x", "--no-case").code == 2
    assert call("score", log, "--no-case", "-q").code == 0


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b"[1]", b"\xff", b'{"kind":"extractscan case","schema_version":"9.0"}',
        b'{"kind":"extractscan case","schema_version":"1.0"}', b"[" * 100_000,
    ],
    ids=["empty", "object", "list", "binary", "version", "hollow", "deep"],
)  # fmt: skip
def test_what_is_no_case_is_said_to_be_none(tmp_path, call, text):
    (tmp_path / layout.RUN).write_bytes(text)
    with pytest.raises(InputError):
        open_case(tmp_path)
    assert call("verify", tmp_path).code == 3
    assert call("verify", tmp_path / "nothing").code == 3


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "", "a\0b"])
def test_a_manifest_cannot_point_outside(copy, path):
    run = json.loads((copy / layout.RUN).read_text())
    run["files"][0]["path"] = path
    (copy / layout.RUN).write_text(json.dumps(run))
    with pytest.raises(InputError, match="damaged"):
        open_case(copy)


def test_a_case_that_came_while_we_worked_is_not_replaced(log, made, tmp_path, monkeypatch):
    fill = write._fill

    def slow(folder, *rest):
        fill(folder, *rest)
        make_elsewhere.rename(tmp_path / "case")

    make_elsewhere = make_case(tmp_path / "other", [log]).folder
    monkeypatch.setattr(write, "_fill", slow)
    with pytest.raises(UsageError, match="--clobber"):
        make_case(tmp_path / "case", [log])
    assert [p.name for p in tmp_path.iterdir()] == ["case"]
    assert tree(tmp_path / "case") == tree(made.folder)


def test_a_baseline_and_what_could_not_be_read_are_in_it(log, call, tmp_path):
    people = [r for r in rows() if str(r["account_id"]).startswith("person")]
    write_log(tmp_path / "clean.jsonl", people)
    dirty = tmp_path / "dirty\x1b[31m.jsonl"
    dirty.write_bytes(log.read_bytes() + b"{broken\n{}\n")
    ran = call("score", dirty, "--baseline", tmp_path / "clean.jsonl", "--case", tmp_path / "case", "-f", "json", "-q")
    assert ran.code == 0
    run = json.loads((tmp_path / "case" / layout.RUN).read_text())
    assert run["rows"]["quarantined"] == 2
    assert run["configuration"]["rate"] == 0.05
    assert [f["sha256"] for f in run["baseline_inputs"]] == [
        hashlib.sha256((tmp_path / "clean.jsonl").read_bytes()).hexdigest()
    ]
    jsonschema.Draft202012Validator(schemas.schema("case")).validate(run)
    lines = (tmp_path / "case" / layout.QUARANTINE).read_bytes()
    assert b"\x1b" not in lines
    assert [json.loads(line)["line"] for line in lines.splitlines()] == [len(rows()) + 1, len(rows()) + 2]
    assert call("explain", tmp_path / "case", "--rank", 1).code == 0
    assert call("verify", tmp_path / "case", dirty).code == 0


def test_standard_input_makes_a_case_that_has_no_text_to_show(log, call, tmp_path):
    done = run_process("score", "-", "--case", tmp_path / "case", "-q", stdin=log.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert call("verify", tmp_path / "case", log).code == 0, "the same bytes, wherever they came from"
    assert call("explain", tmp_path / "case", "shard-0", "--show-text").code == 3
    shown = call("explain", tmp_path / "case", "shard-0", "--show-text", "--logs", log)
    assert "Think step by step" in shown.out
