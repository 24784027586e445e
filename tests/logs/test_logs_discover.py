"""Which files are read, and what they are taken for."""

from __future__ import annotations

import os

import polars as pl
import pytest
from logs_help import Heard, jsonl, read, row

from extractscan.errors import InputError
from extractscan.logs.discover import discover
from extractscan.logs.names import ALIASES, fold, name_table
from extractscan.logs.schema import CANONICAL
from extractscan.logs.sniff import sniff


def found(*inputs):
    return [item.name for item in discover([str(i) for i in inputs], Heard().warn)]


@pytest.fixture
def tree(tmp_path):
    for name in ("b/2.jsonl", "a/1.jsonl", "a/.hidden", "_log/0.json", "c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jsonl(row()))
    return tmp_path


def test_folders_are_walked_in_order_without_hidden_files(tree):
    assert found(tree) == [str(tree / n) for n in ("a/1.jsonl", "b/2.jsonl", "c")]


def test_each_file_once_however_it_is_reached(tree):
    (tree / "link").symlink_to(tree / "c")
    os.link(tree / "c", tree / "hard")
    names = found(tree / "c", tree, tree / "c", tree / "*", os.path.relpath(tree / "c"))
    assert len(names) == 3


def test_link_loops_end(tree):
    (tree / "a" / "up").symlink_to(tree)
    (tree / "a" / "self").symlink_to("self")
    heard = Heard()
    assert len(discover([str(tree)], heard.warn)) == 3
    assert any("self cannot be read" in w for w in heard.warnings)


def test_globs(tree):
    assert found(tree / "**" / "*.jsonl") == [str(tree / n) for n in ("a/1.jsonl", "b/2.jsonl")]
    (tree / "[x].jsonl").write_bytes(jsonl(row()))
    assert found(tree / "[x].jsonl") == [str(tree / "[x].jsonl")]


def test_order_of_inputs_does_not_matter(tree):
    assert found(tree / "b", tree / "a") == found(tree / "a", tree / "b")


@pytest.mark.parametrize("name", ["", "x\0y", "/dev/null"])
def test_what_is_no_file(name):
    with pytest.raises(InputError):
        discover([name], Heard().warn)


def test_standard_input_is_last(tree):
    assert found("-", tree / "c") == [str(tree / "c"), "standard input"]


def test_names_that_are_not_utf8(tmp_path):
    pl.DataFrame([row(1)]).write_parquet(tmp_path / "x")
    (tmp_path / "x").rename(tmp_path / os.fsdecode(b"\xff.parquet"))
    (tmp_path / os.fsdecode(b"\xfe.jsonl")).write_bytes(jsonl(row(2)))
    assert sorted(read(tmp_path)[0]["request_id"]) == ["r1", "r2"]


def test_files_in_a_folder_that_are_no_logs_are_passed_over_and_named(tmp_path):
    (tmp_path / "log").write_bytes(jsonl(row()))
    (tmp_path / "labels.csv").write_text("account_id,label\na,bad\n")
    (tmp_path / "README.md").write_text("# Read me\n\nfirst, second\n")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    frame, summary, warnings = read(tmp_path)
    assert frame.height == 1
    assert [f.path for f in summary.files] == [str(tmp_path / "log")]
    for name in ("labels.csv", "README.md", "image.png", "other.parquet"):
        assert sum(name in w and "passed over" in w for w in warnings) == 1


def test_two_files_of_the_same_bytes_are_told(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(jsonl(row()))
    assert any("count once" in w for w in read(tmp_path)[2])


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"", "empty"),
        (b"PAR1", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"\xff\xff\xff\xff\x10\0\0\0x", "arrow-stream"),
        (b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        (b'garbage\n{"a": 1}\n', "jsonl"),
        (b'[garbage\n{"a": 1}\n{"a": 1}\n', "jsonl"),
        (b'{"a": 1}', "jsonl"),
        (b'{\n "a": 1\n}\n', "json"),
        (b'{\n "a": 1\n}\n{\n "a": 1\n}\n', "json"),
        (b'[{"a": 1}, {"a": 2}]', "json"),
        (b'[\n{"a": 1},\n{"a": 2}\n]', "json"),
        (b"[]", "json"),
        (b"a,b\n1,2\n", "csv"),
        (b"time;user\n1;2\n", "csv"),
        (b"# Title\n\nSome text.\n", "unknown"),
        (b"\0\1\2\3\n", "unknown"),
        (b"\xff\xfea\0,\0b\0\n\0001\0,\0002\0\n\0", "csv"),
    ],
)
def test_formats_are_told_by_content(head, form):
    assert sniff(head, name_table()).format == form


def test_the_table_of_names_is_sound():
    assert set(CANONICAL) <= set(ALIASES)
    for slot, names in ALIASES.items():
        folded = [fold(name) for name in names]
        assert folded[0] == fold(slot)
        assert len(set(folded)) == len(folded), slot
