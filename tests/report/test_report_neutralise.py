"""What each neutralising function promises, on the corpus and on any text."""

import csv
import html as html_library
import io
import json
import re
import unicodedata

import pytest
from hostile import HOSTILE, harmful
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console

from extractscan.report import neutralise

MARKDOWN = MarkdownIt("commonmark")

ANY_TEXT = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=())),
    st.lists(st.sampled_from(sorted(HOSTILE.values())), max_size=3).map("".join),
    st.text(alphabet="=+-@;,\"' \t\r\n1a\uff1d\u2212\x1b\u202e\u0301\u5b57"),
)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("ascii_only", [False, True])
def test_terminal_on_the_corpus(text, ascii_only):
    out = neutralise.terminal(text, ascii_only=ascii_only)
    assert harmful(out) == []
    assert not ascii_only or out.isascii()


@given(ANY_TEXT, st.booleans())
def test_terminal_on_any_text(text, ascii_only):
    out = neutralise.terminal(text, ascii_only=ascii_only)
    assert harmful(out) == []
    assert neutralise.terminal(out, ascii_only=ascii_only) == out
    assert not re.search(r"[\u0300-\u036f]{5}", out)
    if text.isascii() and text.isprintable():
        assert out == text


def cells(character):
    if unicodedata.category(character) in ("Mn", "Me") or re.match(
        "[\u1161-\u11ff\ud7b0-\ud7ff\U0001f3fb-\U0001f3ff]", character
    ):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@given(ANY_TEXT, st.integers(0, 40), st.booleans())
def test_terminal_keeps_the_limit(text, limit, ascii_only):
    out = neutralise.terminal(text, limit=limit, ascii_only=ascii_only)
    assert harmful(out) == []
    assert sum(cells(character) for character in out) <= limit
    assert neutralise.terminal(out, limit=limit, ascii_only=ascii_only) == out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202eabc", r"\u202eabc"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b", r"\x9b"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("\u0301a", r"\u0301a"),
        ("e\u0301", "e\u0301"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
        ("\u6f22\u5b57\u3000\u304b\u306a", "\u6f22\u5b57\u3000\u304b\u306a"),
        ("\u0e19\u0e49\u0e33 \u0639\u0631\u0628\u064a", "\u0e19\u0e49\u0e33 \u0639\u0631\u0628\u064a"),
        ("Zo\u00eb \u2013 \U0001f600", "Zo\u00eb \u2013 \U0001f600"),
        (r"\x1b", r"\x1b"),
    ],
)
def test_terminal_by_example(text, shown):
    assert neutralise.terminal(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("abcd\x1b", 6, "abcd…"),
        ("\u5b57" * 4, 7, "\u5b57" * 3 + "…"),
    ],
)
def test_terminal_cuts_between_whole_pieces(text, limit, shown):
    assert neutralise.terminal(text, limit=limit) == shown


def test_terminal_reads_no_more_than_it_shows():
    assert neutralise.terminal("\u5b57" * 50_000_000, limit=3) == "\u5b57…"
    assert len(neutralise.terminal("a" + "\u0301" * 1_000_000, limit=10)) <= 15


@given(ANY_TEXT)
@settings(max_examples=50)
@example("[/] [bold]x[/bold] :bomb: [link=https://evil.example]y[/link]")
def test_rich_shows_the_text_as_it_is(text):
    stream = io.StringIO()
    console = Console(
        file=stream, width=10_000_000, color_system="truecolor", force_terminal=True, highlight=True, _environ={}
    )
    console.print(neutralise.rich_text(text), soft_wrap=True, highlight=False)
    assert stream.getvalue() == neutralise.terminal(text) + "\n"
    assert "\x1b" not in stream.getvalue()


def formula_cells(text):
    """Return the cells, of commas and of semicolons, that a spreadsheet might take for a formula."""
    found = []
    one = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"
    for separator, harmless in (
        (",", one),
        (";", f"{one}(,[^;]*)?"),
    ):  # a row that was not split starts with its first cell
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            for cell in row:
                start = unicodedata.normalize("NFKC", cell).strip()
                number = re.fullmatch(harmless, cell, re.DOTALL)
                if start and (start[0] in "=+-@\u2212" or cell[0] in "\t\r\n") and not number:
                    found.append(cell)
    return found


@given(ANY_TEXT)
def test_csv_cell_is_never_a_formula(text):
    cell = neutralise.csv_cell(text)
    assert harmful(cell) == []
    assert neutralise.csv_cell(cell) == cell
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow([cell, cell, 1])
    assert next(csv.reader(io.StringIO(row.getvalue()))) == [cell, cell, "1"]
    assert formula_cells(row.getvalue()) == []


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_csv_cell_on_the_corpus(value):
    cell = neutralise.csv_cell(value)
    assert harmful(cell) == []
    assert formula_cells('"' + cell.replace('"', '""') + '"') == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        (-3, "-3"),
        (-0.25, "-0.25"),
        (1e-06, "1e-06"),
        (float("nan"), ""),
        (float("inf"), ""),
        ("-12", "-12"),
        ("+1.5e-3", "+1.5e-3"),
        ("-12a", "'-12a"),
        ("=1", "'=1"),
        ("@x", "'@x"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t1", "'\\t1"),
        ("\r1", "'\\r1"),
        ("'=1", "'=1"),
        ("a;=1;b", "a;'=1;b"),
        (';"=1', ";\"'=1"),
        ("acct-1", "acct-1"),
        ("1-2", "1-2"),
    ],
)
def test_csv_cell_by_example(value, cell):
    assert neutralise.csv_cell(value) == cell


@given(ANY_TEXT)
def test_json_line_is_lossless_and_safe_to_print(text):
    line = neutralise.json_line({"k": [text, 1, None, 0.5]})
    assert re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]", line) is None
    line.encode("utf-8")
    assert json.loads(line) == {"k": [neutralise.json_text(text), 1, None, 0.5]}


def test_json_line_keeps_readable_text_and_order():
    assert (
        neutralise.json_line({"b": "\u6f22", "a": "\U000e0041\x9b\x7f"})
        == '{"b":"\u6f22","a":"\\udb40\\udc41\\u009b\\u007f"}'
    )


def test_json_line_refuses_what_is_not_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        neutralise.json_line(float("nan"))


@given(ANY_TEXT, ANY_TEXT)
def test_file_name_is_a_safe_part_and_tells_texts_apart(one, other):
    name = neutralise.file_name(one)
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*(~[0-9a-f]{12})?", name)
    assert len(name.encode()) <= 80
    assert not name.endswith(".")
    assert (neutralise.file_name(other) == name) == (one == other)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_file_name_on_the_corpus(tmp_path, text):
    path = tmp_path / neutralise.file_name(text)
    path.write_text("x", encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.name.split(".")[0] not in {"con", "nul", ""}


def test_file_name_keeps_plain_names_and_tells_case_apart():
    assert neutralise.file_name("acct-0001.v2") == "acct-0001.v2"
    assert neutralise.file_name("Acct").startswith("acct~")
    assert neutralise.file_name("con.txt").startswith("con_txt~")


@given(ANY_TEXT)
def test_markdown_escapes_all_marks_that_mean_something(text):
    out = neutralise.markdown(text)
    assert harmful(out) == []
    bare = re.sub(r"\\[!-/:-@\[-`{-~]|&(amp|lt|gt|#124);|(?<=\d)[.:](?=\d)|(?<=\w)-(?=\w)|[,;%'\"?]", "", out)
    assert not re.search(r"[!-/:-@\[-`{-~]", bare)
    (paragraph,) = [token for token in MARKDOWN.parse(f"x {out}") if token.children]
    assert {token.type for token in paragraph.children} <= {"text", "text_special"}
    shown = "".join(token.content for token in paragraph.children)
    assert shown.split() == f"x {neutralise.terminal(text)}".split()
    assert not out.startswith(" ")


@given(ANY_TEXT)
def test_html_has_no_markup(text):
    out = neutralise.html(text)
    assert harmful(out) == []
    assert not set("<>\"'") & set(out)
    assert html_library.unescape(out) == neutralise.terminal(text)


def test_widths_agree_with_rich():
    for text in HOSTILE.values():
        assert cell_len(neutralise.terminal(text, limit=30)) <= 30
