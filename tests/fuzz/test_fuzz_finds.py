"""What fuzzing found, each as a literal case."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from reading import check, outcome

from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request
from extractscan.logs.inspection import FileInspection, Inspection
from extractscan.logs.names import fold
from extractscan.logs.schema import CANONICAL
from extractscan.report import inspection


def test_names_of_formats_are_ascii_where_the_output_is():
    files = tuple(
        FileInspection("a", name, "none", 1, 0, dict.fromkeys(CANONICAL, 0.5))
        for name in ("jsonl", "format\u00a1 jsonl")
    )
    found = Inspection(files, None, None, (), 0, 0, 2, frozenset(CANONICAL))
    shown = list(inspection.lines(found, ascii_only=True))
    assert "Fields present (jsonl, format\\xa1)" in shown
    assert all(line.isascii() for line in shown)


@pytest.mark.parametrize(
    ("name", "folded"),
    [("Start_Time", "starttime"), ("a.b-c d", "abcd"), ("\u00c9t\u00e9", "\u00c9t\u00e9"), ("\ud800X\x00", "\ud800x"), ("", "")],
)  # fmt: skip
def test_names_fold(name, folded):
    assert fold(name) == folded


def test_bad_rows_are_listed_by_line_whatever_the_batches(tmp_path):
    (tmp_path / "log").write_bytes(
        b'{"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", #timestamp": "2026-03-01T21:20:00Z", "accountId": '
        b'"11112222}333", "identity": {"arn": "arn:aws:iam::111122223333:user/acct-1"}, "region": "us-'
    )
    check(tmp_path / "log", complete=True)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('"\\u12"', "\\u12"),
        ('"a\\u"', "a\\u"),
        ('"a\\"', "a\\"),
        ('"\\ud83d\\ude0"', "\ufffd\\ude0"),
        ('"\\u00zz"', "\\u00zz"),
    ],
)
def test_what_looks_like_a_string_may_hold_no_whole_escape(text, want):
    for texts in ([text], [text, "b"], ['"a"', text]):
        found = read_request(of_series(pl.Series(texts)))["prompt"]
        assert found[texts.index(text)] == want
        found.cast(pl.Binary).cast(pl.String)


@pytest.mark.parametrize("damaged", [1, 2])
def test_row_groups_before_a_damaged_one_are_read_whatever_the_batches(tmp_path, damaged):
    path = tmp_path / "log.parquet"
    rows = [{"account_id": f"a{k}", "timestamp": f"2026-03-01T00:00:0{k}", "prompt": "x" * 300} for k in range(6)]
    pl.DataFrame(rows).write_parquet(path, row_group_size=2, compression="snappy")
    column = pq.read_metadata(path).row_group(damaged).column(2)
    body = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    body[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(body)
    frame, _ = check(path, complete=True)
    assert frame["account_id"].to_list() == [f"a{k}" for k in range(2 * damaged)]


def test_a_damaged_row_group_is_read_up_to_the_damage_whatever_the_batches(tmp_path):
    path = tmp_path / "log.parquet"
    rows = 20_000
    noise = np.random.default_rng(5).integers(0, 1 << 63, (rows, 8))
    times = pl.datetime_range(pl.datetime(2026, 3, 1), pl.datetime(2026, 3, 2), "1s", closed="left", eager=True)
    frame = pl.DataFrame(
        {
            "account_id": [f"a{k}" for k in range(rows)],
            "timestamp": times.head(rows),
            "prompt": [" ".join(map(str, words)) for words in noise.tolist()],
        }
    )
    pq.write_table(frame.to_arrow(), path, data_page_size=1 << 16, use_dictionary=False)
    metadata = pq.read_metadata(path)
    assert metadata.num_row_groups == 1
    column = metadata.row_group(0).column(2)
    body = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    body[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(body)
    read = {n: outcome(path, batch_rows=n) for n in (500, 3000, 4096, 250_000)}
    got, summary, told, error = read[250_000]
    assert error is None
    assert rows // 4 < got.height <= rows // 2
    assert got["account_id"].to_list() == frame["account_id"].to_list()[: got.height]
    (entry,) = summary.quarantine
    assert entry.line is None
    assert entry.reason.endswith(f"; rows after the first {got.height:,} are lost")
    for one in read.values():
        assert one[0].equals(got)
        assert (one[1].files, one[1].quarantine, one[2], one[3]) == (summary.files, summary.quarantine, told, error)


@pytest.mark.parametrize("first", [",", ", "])
def test_white_space_after_a_name_may_differ_from_line_to_line(tmp_path, first):
    """In a plain table, and in records that a mapping describes."""
    spend = {
        "request_id": "a",
        "call_type": "c",
        "api_key": "k",
        "spend": 1,
        "startTime": "2026-03-01T00:00:00Z",
        "model": "m",
    }
    plain = {"account_id": "k", "timestamp": "2026-03-01T00:00:00Z", "endpoint": "c", "model": "m", "request_id": "a"}
    for record in (spend, plain):
        path = tmp_path / "log"
        lines = [json.dumps(record, separators=(sign, ":" + sign[1:])) for sign in (first, ",", ", ", ",", ", ")]
        path.write_text("\n".join(lines), encoding="utf-8")
        frame, _ = check(path)
        assert frame.select("account_id", "endpoint", "model", "request_id").unique().rows() == [("k", "c", "m", "a")]
