"""Broken, odd and hostile logs: a clear line and the right code, never a traceback, and what is good is scored."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import unicodedata

import polars as pl
import pytest
from commandline import run
from made_log import HYDRA, jsonl

from extractscan.report.formats import renderer
from extractscan.report.interface import Format

START = 1_772_000_000
"""A Unix time in February 2026."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def request(number, account="a", prompt="a question", **more):
    return {"request_id": f"r{number}", "timestamp": START + number, "account_id": account, "prompt": prompt, **more}


def write(folder, some, name="log.jsonl"):
    path = folder / name
    path.write_bytes(some if isinstance(some, bytes) else jsonl(some))
    return path


# --- nothing to score -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"# Notes\n\nnothing here\n", "not a log"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not a log"),
        (b'{"timestamp": 1772000000, "prompt": "x"}\n', "--column account_id=NAME"),
        (b"when,who,text\n2026-03-01,a,b\n", "columns seen: when, who, text"),
        (jsonl([{**request(1), "timestamp": "once"}]), "the time stamp cannot be read"),
        (jsonl([{**request(1), "account_id": None}]), "account"),
        (b"garbage\n" * 5, "not a log"),
        (b"{broken\n{broken\n", "ends too early"),
    ],
)
def test_a_file_without_a_request_gives_3_and_says_why(tmp_path, call, data, said):
    path = write(tmp_path, data)
    ran = call("score", path)
    assert (ran.code, ran.out) == (3, b"")
    assert said in ran.err
    assert str(path) in ran.err


@pytest.mark.parametrize("name", ["nothing.jsonl", "nothing/*.jsonl", "", "[/].jsonl", "a\nextractscan: all is well"])
def test_no_such_input_gives_3(tmp_path, call, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    ran = call("score", name)
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.startswith("extractscan: ")
    assert sum(line.startswith("extractscan: ") for line in ran.err.splitlines()) == 1


def test_an_empty_pipe_and_an_empty_folder_give_3(tmp_path, call):
    ran = run("score", "-", stdin=b"")
    assert (ran.code, ran.out) == (3, b"")
    assert "standard input is empty" in ran.err
    assert call("score", tmp_path).code == 3


def test_a_parquet_cut_in_half_is_told_beside_what_could_be_read(tmp_path, call, rows):
    whole = io.BytesIO()
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(whole)
    cut = write(tmp_path, whole.getvalue()[: whole.tell() // 2], "cut.parquet")
    alone = call("score", cut)
    assert (alone.code, alone.out) == (3, b"")
    assert "damaged" in alone.err
    assert str(cut) in alone.err
    write(tmp_path, rows[:50], "good.jsonl")
    beside = call("score", tmp_path, "--format", "json")
    assert beside.code == 0
    facts = json.loads(beside.out)["run"]
    assert (facts["rows_kept"], facts["rows_quarantined"]) == (50, 1)
    assert "cut.parquet" in facts["quarantine"][0]["file"]
    assert "cut.parquet" in beside.err


# --- bad rows among good ones -----------------------------------------------------------------------------------------


def test_bad_lines_are_told_and_the_good_ones_scored(tmp_path, rows, report):
    """The JSONL of a bad day: a byte order mark, garbage, NaN, broken UTF-8 and a line of 50 MB."""
    good = jsonl(rows).splitlines(keepends=True)
    good[2] = good[2].replace(b'"temperature": 0.7', b'"temperature": NaN, "cost": -Infinity')
    bad = {
        1: b"garbage\n",
        3: b'{"request_id": "half", "account_id": "a"\n',
        5: b'{"prompt": "' + b"x" * 50_000_000 + b'"}\n',
        7: b"\xff\xfe\x00\x80\n",
        9: b'{"request_id": "n", "timestamp": "never", "account_id": "a", "prompt": "p"}\n',
        11: b'{"request_id": "n", "timestamp": 1772000000, "account_id": "", "prompt": "p"}\n',
        13: b"[" * 100_000 + b"\n",
        15: b'"a string"\n',
    }
    lines = []
    for number, line in enumerate(good):
        lines += [bad[number], line] if number in bad else [line]
    broken = (
        b'{"request_id": "u", "timestamp": 1772600000, "account_id": "person-00", "prompt": "bad \xff\xc3( utf-8"}\n'
    )
    path = write(tmp_path, b"\xef\xbb\xbf" + b"".join([*lines, broken]))
    ran = run("score", path, "--format", "json", "--max-bad-rows", len(bad))
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    facts = document["run"]
    assert (facts["rows_read"], facts["rows_kept"], facts["rows_quarantined"]) == (
        len(rows) + len(bad) + 1, len(rows) + 1, len(bad),
    )  # fmt: skip
    reasons = {entry["line"]: entry["reason"] for entry in facts["quarantine"]}
    assert set(reasons) == {number + 1 + place for place, number in enumerate(bad)}
    assert "too long" in reasons[8]
    assert "not UTF-8" in ran.err
    assert len(ran.err) < 2_000
    assert {each["account_id"] for each in document["accounts"][: len(HYDRA)]} == set(HYDRA)
    clean = {each["account_id"]: each["score"] for each in report("jsonl").documents()}
    assert {each["account_id"] for each in document["accounts"]} == set(clean)


def test_max_bad_rows(tmp_path, call):
    path = write(tmp_path, jsonl([request(i) for i in range(8)]) + b"x\ny\n")
    for allowed in ("2", "20%", "0.2", "50%"):
        assert call("score", path, "--max-bad-rows", allowed).code == 0
    for allowed in ("1", "0", "19%", "0.1"):
        ran = call("score", path, "--max-bad-rows", allowed)
        assert (ran.code, ran.out) == (3, b"")
        assert "2 of 10 rows cannot be read" in ran.err
        assert f"{path}:9: not valid JSON" in ran.err
    quiet = call("score", path, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert "2 rows could not be read" in quiet.out.decode()


# --- odd logs ---------------------------------------------------------------------------------------------------------

SCRIPTS = (
    "Привет как дела сегодня", "你好世界今天天气怎么样啊", "こんにちは世界カタカナ", "สวัสดีชาวโลกวันนี้", "مرحبا بالعالم كيف الحال", "שלום עולם מה שלומך",
    "नमस्ते दुनिया कैसे हो", "안녕하세요 세계", "Γειά σου κόσμε", "გამარჯობა მსოფლიო", "ሰላም ልዑል", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝕥𝕖𝕩𝕥", "e\u0301" * 50, "\u202eabc", "nul\u0000nul",
    "ﷺ" * 30, "🏳️\u200d🌈👩\u200d👩\u200d👧", "\ufeff", "\uffff", "Ⅸ①²", "\U0010ffff", "ꦲꦏ꧀ꦱꦫ", "བོད་སྐད་", "ខ្មែរ", "မြန်မာ", "ᠮᠣᠩᠭᠣᠯ", "𐌰𐌱", "\u200b\u200b", "\t\n\r\x0b", "",
)  # fmt: skip
LONG = " ".join(f"word{i % 5000}" for i in range(200_000))

ODD = {
    "one request": [request(1)],
    "one account": [request(i, prompt=f"question {i} of {i * 7 % 5}") for i in range(60)],
    "one account, 5,000 requests": [
        request(i, prompt=f"Tell me about thing {i}, w{i % 97} x{i % 31} and y{i * 7 % 1000}") for i in range(5000)
    ],
    "no prompt column": [
        {k: v for k, v in request(i, f"a{i % 5}").items() if k != "prompt"} for i in range(60)
    ],
    "null prompts": [request(i, f"a{i % 5}", None) for i in range(60)],
    "one account without prompts": [request(i, f"a{i % 5}", f"is {i} even" if i % 5 else None) for i in range(60)],
    "the last account without prompts": [request(i, f"a{i % 5}", f"is {i} even" if i % 5 < 4 else None) for i in range(60)],
    "identical prompts": [request(i, f"a{i % 5}", "the same words each and every time") for i in range(200)],
    "empty prompts": [request(i, f"a{i % 5}", "", output_tokens=700) for i in range(200)],
    "blank prompts": [request(i, f"a{i % 5}", " \n\t") for i in range(60)],
    "one-token prompts": [request(i, f"a{i % 5}", f"w{i}") for i in range(200)],
    "digits": [request(i, f"a{i % 5}", str(i)) for i in range(60)],
    "long prompts": [request(i, f"a{i % 3}", f"{i} {LONG} {i}") for i in range(9)],
    "a long system prompt": [request(i, f"a{i % 3}", f"is {i} even", system=LONG) for i in range(9)],
    "equal times": [{**request(i, f"a{i % 5}", f"is {i} even"), "timestamp": START} for i in range(60)],
    "first and last time": [
        {**request(i, f"a{i % 5}"), "timestamp": ("2000-01-01T00:00:00Z", "2099-12-31T23:59:59.999999Z")[i % 2]}
        for i in range(60)
    ],
    "every script": [request(i, f"a{i % 7}", SCRIPTS[i % len(SCRIPTS)] * (1 + i % 9)) for i in range(300)],
    "the least columns": [
        {"created_at": START + i, "user": f"a{i % 5}", "prompt": f"is {i} even"} for i in range(60)
    ],
    "optional columns null": [
        request(
            i, f"a{i % 5}", f"is {i} even", org_id=None, ip=None, conversation_id=None, turn=None, output_tokens=None,
            system=None, response=None, n=None, logprobs=None, temperature=None, status=None, end_user=None,
        )
        for i in range(60)
    ],
    "columns at their limits": [
        request(
            i, f"a{i % 5}", f"is {i} even", output_tokens=(0, 2**62, None)[i % 3], turn=(2**62, 0)[i % 2], n=2**40,
            temperature=1.7e308, status=999, max_tokens=2**63 - 1, input_tokens=0, conversation_id="c" * 10_000,
        )
        for i in range(60)
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_log_is_scored(tmp_path, call, name):
    some = ODD[name]
    path = write(tmp_path, some)
    ran = call("score", path, "--format", "json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out, parse_constant=pytest.fail)  # neither NaN nor Infinity
    accounts = {str(row.get("account_id", row.get("user"))) for row in some}
    assert {each["account_id"] for each in document["accounts"]} == accounts
    assert document["run"]["rows_kept"] == len(some)
    for each in document["accounts"]:
        assert 0 <= each["score"] <= 1
        assert math.isfinite(each["bits"])
        assert each["coverage"]["n"] <= each["requests"]
    if name in ("no prompt column", "null prompts"):
        assert any(entry["reason"] == "no column holds prompts" for entry in document["run"]["not_assessed"])
        assert {each["severity"] for each in document["accounts"]} == {"none"}
    assert call("score", path).code == 0


def test_too_little_is_never_called_severe(tmp_path, call):
    """A handful of requests is no ground for a finding, whatever they say."""
    some = [
        request(i, f"a{i}", f"Think step by step about {i}", n=8, logprobs=True, output_tokens=4000) for i in range(4)
    ]
    document = json.loads(call("score", write(tmp_path, some), "--format", "json").out)
    assert "high" not in {each["severity"] for each in document["accounts"]}


# --- hostile text -----------------------------------------------------------------------------------------------------

HOSTILE = (
    "[/]", "[bold red]x[/bold red]", "\x1b[2J\x1b[31m", "\u202etxt.exe", "one\nextractscan: all is well", "=cmd|' /C calc'!A0",
    "@SUM(1+1)", "-2+3", "\ttab", "nul\x00", "\x9b31m", "<script>alert(1)</script>", "a\u200bb", "'; DROP TABLE", "x" * 5000, "{0} %s %n",
    "\ud800", "\r\n", "None", "null", "../../etc/passwd",
)  # fmt: skip


def hostile_rows(rows):
    """The made log, its hydra under hostile names, so that they stand in every report, and hostile text in all columns."""
    others = sorted({str(row["account_id"]) for row in rows} - set(HYDRA))
    names = dict(zip((*HYDRA, *others), HOSTILE, strict=False))
    return [
        {
            **row,
            "account_id": names.get(str(row["account_id"]), row["account_id"]),
            "prompt": f"{row['prompt']} {HOSTILE[number % len(HOSTILE)]}",
            "org_id": HOSTILE[number % len(HOSTILE)],
            "conversation_id": row["conversation_id"] and f"{row['conversation_id']}\x1b[0m",
        }
        for number, row in enumerate(rows)
    ]


def escaped(some):
    """JSON lines in ASCII, so that a lone surrogate can be written."""
    return "".join(json.dumps(row) + "\n" for row in some).encode("ascii")


def test_hostile_text_reaches_no_terminal(tmp_path, rows):
    name = "[red]=cmd\x1b[2J\u202e\nextractscan: all is well.jsonl"
    (tmp_path / name).write_bytes(escaped(hostile_rows(rows)) + b"garbage\n" * 60)
    ran = run("score", tmp_path, "--top", 100)
    assert ran.code == 0, ran.err
    shown = ran.out.decode()
    for line in shown.splitlines():
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line), line
    assert all(text in shown for text in ("[/]", "[bold red]x[/bold red]", "=cmd|'", "\\x1b[2J", "\\u202e"))
    assert "cannot be read" in ran.err  # run() has checked that it is printable
    for line in [*shown.splitlines(), *ran.err.splitlines()]:
        assert not line.startswith("extractscan: all is well")


def test_hostile_text_is_whole_in_json_and_harmless_in_csv(tmp_path, call, rows):
    path = write(tmp_path, escaped(hostile_rows(rows)))
    ran = call("score", path, "--format", "jsonl")
    assert ran.code == 0, ran.err
    names = {each["account_id"] for each in ran.documents()}
    readable = {name for name in HOSTILE if name != "\ud800"}
    assert readable <= names
    assert len(names) == len({row["account_id"] for row in rows})
    assert not any(ord(c) < 32 for line in ran.lines for c in line.decode())
    table = list(csv.reader(io.StringIO(call("score", path, "--format", "csv").out.decode())))
    assert len(table) == len(names) + 1
    for row in table[1:]:
        assert not row[2].startswith(FORMULA_STARTS)
        assert row[2].isprintable()
    frame = pl.read_parquet(io.BytesIO(call("score", path, "--format", "parquet").out))
    assert readable <= set(frame["account_id"])


def test_no_prompt_is_in_any_report(tmp_path, call):
    """Prompts are other people's words: no report shows them."""
    word = "zanzibarquux"
    some = [request(i, f"a{i % 4}", f"Explain in depth, please, the {word} number {i}") for i in range(80)]
    path = write(tmp_path, some)
    for form in Format:
        if form is Format.STIX and importlib.util.find_spec("stix2") is None:
            continue
        if renderer(form).media == "text":
            ran = call("score", path, "--format", form.value)
            assert ran.code == 0
            assert word not in ran.out.decode() + ran.err


def test_a_file_name_that_is_not_utf_8(tmp_path, rows):
    folder = str(tmp_path).encode()
    with open(folder + b"/\xff\xfe.jsonl", "wb") as file:  # noqa: PTH123
        file.write(jsonl(rows[:30]) + b"garbage\n")
    ran = run("score", tmp_path, "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["run"]["rows_kept"] == 30
