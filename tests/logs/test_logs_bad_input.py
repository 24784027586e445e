"""Broken and hostile inputs: a clear error or a quarantined row, never a traceback, and the good rows are kept."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import os
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from logs_help import START, Heard, jsonl, read, row

from extractscan.errors import InputError, UsageError
from extractscan.logs import streams
from extractscan.logs.quarantine import parse_max_bad_rows
from extractscan.logs.quiet import hold_stderr
from extractscan.logs.read import read_logs

NOISE = np.random.default_rng(1)


def lines(summary):
    return [(q.line, q.reason) for q in summary.quarantine]


# --- nothing to read --------------------------------------------------------------------------------------------------


def test_no_input_at_all():
    with pytest.raises(InputError, match="no input"):
        read_logs([], observer=Heard())


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        read(tmp_path / "none.jsonl")


def test_a_glob_without_a_match(tmp_path):
    with pytest.raises(InputError, match="nothing matches"):
        read(tmp_path / "*.jsonl")


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no file in"):
        read(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)], ids=["nothing", "blank", "bom", "gzip"]
)
def test_an_empty_file(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match=r"no readable requests: .* is empty"):
        read(tmp_path / "a")


def test_an_empty_file_among_others_is_only_told(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(jsonl(row()))
    frame, summary, warnings = read(tmp_path)
    assert frame.height == 1
    assert [f.format for f in summary.files] == ["empty", "jsonl"]
    assert any("a is empty" in w for w in warnings)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "json"])
@pytest.mark.parametrize("lacking", ["account_id", "timestamp"])
def test_a_log_without_accounts_or_times_names_the_columns_and_the_way_out(tmp_path, form, lacking):
    values = row()
    del values[lacking]
    frame, path = pl.DataFrame([values]), tmp_path / "log"
    {"jsonl": frame.write_ndjson, "csv": frame.write_csv, "parquet": frame.write_parquet, "json": frame.write_json}[
        form
    ](path)
    with pytest.raises(InputError) as caught:
        read(path)
    text = str(caught.value)
    assert f"--column {lacking}=NAME" in text
    assert "columns seen: request_id" in text
    assert "\n" not in text


def test_a_named_file_that_is_no_log(tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n\nNothing here.\n")
    with pytest.raises(InputError, match="not a log in a format that is known"):
        read(tmp_path / "notes.md")


def test_reading_ends_with_an_error_if_every_row_is_bad(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(jsonl(row(timestamp="yesterday"), row(timestamp=None)))
    with pytest.raises(InputError, match=r"no readable requests: .*a.jsonl:1: the time stamp cannot be read"):
        read(tmp_path / "a.jsonl")


# --- bad rows ---------------------------------------------------------------------------------------------------------


def test_bad_lines_are_set_aside_with_line_and_reason(tmp_path):
    data = (
        b"\xef\xbb\xbf"
        + b"\n".join(
            [
                jsonl(row(1)).strip(),  # 1, after a byte order mark
                b"garbage",  # 2
                b"",
                b'{"request_id": "x", "account_id": "a"',  # 4
                b"[1, 2]",  # 5
                jsonl(row(2)).strip().replace(b'"prompt 2"', b'"\xff\xfe text"'),  # 6: kept, repaired
                jsonl(row(3)).strip()[:-1] + b', "temperature": NaN, "cost": Infinity}',  # 7: kept, null
                jsonl(row(4, account_id=None)).strip(),  # 8
                jsonl(row(5, timestamp="1999-01-01")).strip(),  # 9
                b'{"a":' * 100_000 + b"1" + b"}" * 100_000,  # 10
                jsonl(row(6, extra="\0")).strip() + b"trailing",  # 11
                b"\x00\x01\x02",  # 12
                jsonl(row(7)).strip(),  # 13
            ],
        )
    )
    (tmp_path / "a.jsonl").write_bytes(data)
    frame, summary, warnings = read(tmp_path / "a.jsonl")
    assert frame["request_id"].to_list() == ["r1", "r2", "r3", "r7"]
    assert frame["prompt"].to_list()[1] == "\ufffd\ufffd text"
    assert frame["temperature"].to_list() == [None] * 4
    assert lines(summary) == [
        (2, "not valid JSON"),
        (4, "the JSON ends too early"),
        (5, "not a JSON object"),
        (8, "no account"),
        (9, "the time stamp cannot be read, or lies outside 2000 to 2100"),
        (10, "nested more than 512 deep"),
        (11, "not valid JSON"),
        (12, "not valid JSON"),
    ]
    assert (summary.rows_read, summary.rows_kept, summary.rows_quarantined) == (12, 4, 8)
    assert any("not UTF-8" in w for w in warnings)
    assert any("8 of 12 rows" in w for w in warnings)


@pytest.mark.parametrize("first", [True, False])
def test_a_line_of_50_megabytes(tmp_path, first):
    huge = b'{"prompt":"' + b"x" * 50_000_000 + b'"}\n'
    good = jsonl(row(1), row(2))
    path = tmp_path / "a.jsonl"
    path.write_bytes(huge + good if first else good + huge + jsonl(row(3)))
    frame, summary, _ = read(path)
    assert frame["request_id"].to_list() == (["r1", "r2"] if first else ["r1", "r2", "r3"])
    assert lines(summary) == [(1 if first else 3, "the line is too long (over 32 MiB)")]


def test_a_last_line_that_is_cut_short(tmp_path):
    (tmp_path / "a.jsonl").write_bytes((jsonl(row(1)) + jsonl(row(2)))[:-20])
    frame, summary, _ = read(tmp_path / "a.jsonl")
    assert frame.height == 1
    assert lines(summary) == [(2, "the JSON ends too early")]


def test_hostile_text_is_kept_verbatim(tmp_path):
    hostile = "[/] [bold]\x1b[31m\u202e=cmd|' /C calc'!A0 \x00 \u2028 <script> \\ \" \t\r\n"
    frame = pl.DataFrame([row(1, prompt=hostile)])
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_csv(tmp_path / "a.csv")
    for name in ("a.parquet", "a.jsonl", "a.csv"):
        assert read(tmp_path / name)[0]["prompt"].to_list() == [hostile], name


def test_values_of_the_wrong_type_are_absent_and_counted(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        jsonl(
            row(
                1,
                temperature="abc",
                input_tokens=-5,
                max_tokens=1.5,
                n="2",
                status="ok",
                stream="maybe",
                ip={"v4": "x"},
            ),
            row(2, temperature="0.5", input_tokens="12", max_tokens=3.0, n=1e30, status=200, stream=1, ip=["x"]),
        ),
    )
    frame, _, warnings = read(tmp_path / "a.jsonl")
    expected = {
        "temperature": [None, 0.5], "input_tokens": [None, 12], "max_tokens": [None, 3], "n": [2, None],
        "status": [None, 200], "stream": [None, True], "ip": [None, None],
    }  # fmt: skip
    assert frame.select(*expected).to_dict(as_series=False) == expected
    assert any("2 values of ip" in w for w in warnings)
    assert any("1 values of temperature" in w for w in warnings)


def test_csv_with_broken_quotes_short_and_long_rows(tmp_path):
    time = START.isoformat()
    (tmp_path / "a.csv").write_text(
        "request_id,timestamp,account_id,prompt\n"
        f'r1,{time},a,"two\nlines"\n'
        f'r2,{time},a,"broken" quotes\n'
        f"r3,{time},a\n"
        f"r4,{time},a,b,c\n"
        f"r5,{time},,no account\n"
        f'r6,{time},a,"say ""hi"""\n'
        f'r7,{time},a,"never closed\n'
        f"r8,{time},a,last\n",
    )
    frame, summary, _ = read(tmp_path / "a.csv")
    assert frame["request_id"].to_list() == ["r1", "r6", "r8"]
    assert frame["prompt"].to_list() == ["two\nlines", 'say "hi"', "last"]
    assert sorted(lines(summary)) == [
        (4, "quotes are broken"),
        (5, "the record has more or fewer fields than the header"),
        (6, "the record has more or fewer fields than the header"),
        (7, "no account"),
        (9, "quotes are broken"),
    ]


def test_json_arrays_with_bad_elements_and_a_missing_end(tmp_path):
    good = [json.dumps(row(i), indent=1) for i in range(3)]
    (tmp_path / "a.json").write_text("[" + good[0] + ',\n5,\n{"a": bad},\n' + good[1] + ",\n" + good[2][:-5])
    frame, summary, _ = read(tmp_path / "a.json")
    assert frame["request_id"].to_list() == ["r0", "r1"]
    assert lines(summary) == [
        (7, "not a JSON object"),
        (8, "not valid JSON"),
        (15, "the JSON ends too early; the rest is not read"),
    ]


# --- damaged files ----------------------------------------------------------------------------------------------------


def test_parquet_and_arrow_cut_in_half(tmp_path):
    frame = pl.DataFrame([row(i) for i in range(100)])
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ipc(tmp_path / "b.arrow")
    frame.write_ipc_stream(tmp_path / "c.arrows")
    for name in ("a.parquet", "b.arrow", "c.arrows"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    (tmp_path / "d.jsonl").write_bytes(jsonl(row(1)))
    got, summary, _ = read(tmp_path)
    assert got.height == 1
    assert [(Path(q.file).name, q.line) for q in summary.quarantine] == [
        ("a.parquet", None),
        ("b.arrow", None),
        ("c.arrows", None),
    ]
    with pytest.raises(InputError, match="the file is damaged, cut short"):
        read(tmp_path / "a.parquet")


def test_parquet_with_overwritten_bytes_never_brings_the_run_down(tmp_path, capfd):
    out = io.BytesIO()
    pl.DataFrame([row(i) for i in range(500)]).write_parquet(out)
    data = out.getvalue()
    (tmp_path / "z.jsonl").write_bytes(jsonl(row(1)))
    for at in range(4, len(data) - 8, max(1, len(data) // 60)):
        (tmp_path / "a.parquet").write_bytes(data[:at] + b"\xaa\xbb\xcc\xdd" + data[at + 4 :])
        frame, _, _ = read(tmp_path)
        assert frame.height >= 1
    assert capfd.readouterr().err == ""


def test_what_others_write_to_stderr_meanwhile_is_passed_on(capfd):
    with hold_stderr():
        os.write(2, b"progress")
    with contextlib.suppress(ValueError), hold_stderr():
        os.write(2, b"panic")
        raise ValueError
    assert capfd.readouterr().err == "progress"


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (zstandard.ZstdCompressor().compress, "zstd")]
)
def test_compressed_data_cut_short(tmp_path, pack, name):
    rows = [row(i, prompt=NOISE.bytes(30).hex()) for i in range(20_000)]
    data = pack(jsonl(*rows))
    (tmp_path / "a").write_bytes(data[: len(data) * 3 // 4])
    frame, summary, _ = read(tmp_path / "a")
    assert 1000 < frame.height < 20_000
    assert frame["request_id"].to_list() == [f"r{i}" for i in range(frame.height)]
    assert lines(summary) == [(frame.height + 1, f"the {name} data ends too early")]


def test_compressed_data_damaged_in_the_middle(tmp_path):
    data = bytearray(gzip.compress(jsonl(*[row(i, prompt=NOISE.bytes(30).hex()) for i in range(20_000)])))
    data[len(data) // 2 : len(data) // 2 + 2000] = b"\xff" * 2000
    (tmp_path / "a.gz").write_bytes(data)
    frame, summary, _ = read(tmp_path / "a.gz")
    assert frame.height > 1000
    assert summary.quarantine[-1].reason.startswith(("the gzip data is damaged", "the gzip data ends"))


def test_a_bomb_is_given_up_and_fills_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "FREE_SIZE", 20 << 20)
    bomb = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    (tmp_path / "a.gz").write_bytes(
        bomb.compress(jsonl(row(1))) + b"".join(bomb.compress(zeros) for _ in range(300)) + bomb.flush(),
    )
    tracemalloc.start()
    frame, summary, _ = read(tmp_path / "a.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frame.height == 1
    assert "500-fold" in summary.quarantine[-1].reason or "too long" in summary.quarantine[0].reason
    assert peak < 200 << 20


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "fine"),
    [(None, True), (2, True), (1, False), (0, False), (0.5, True), (0.1, False), (0.0, False)],
)
def test_max_bad_rows(tmp_path, limit, fine):
    (tmp_path / "a.jsonl").write_bytes(jsonl(row(1), row(2)) + b"x\ny\n" + jsonl(row(3)))
    if fine:
        assert read(tmp_path / "a.jsonl", max_bad_rows=limit)[0].height == 3
    else:
        with pytest.raises(InputError, match=r"2 of 5 rows cannot be read, more than .*a.jsonl:3: not valid JSON"):
            read(tmp_path / "a.jsonl", max_bad_rows=limit)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("100", 100), ("0.05", 0.05), ("5%", 0.05)])
def test_max_bad_rows_is_read_as_count_or_share(text, value):
    found = parse_max_bad_rows(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "nan", "200%"])
def test_max_bad_rows_refuses(text):
    with pytest.raises(UsageError):
        parse_max_bad_rows(text)
