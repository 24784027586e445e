import gzip
import json

import polars as pl
import pytest
import zstandard

from extractscan.errors import InputError, UsageError
from extractscan.progress import Silent
from extractscan.trace.suspect import read_suspect

PAIRS = [("write a short tale about a red fox", "Once there was a fox"), ("name the capital of peru", "It is Lima")]


def read(path, **options):
    return read_suspect(str(path), observer=Silent(), keep_text=True, **options)


def shown(suspect):
    return sorted(suspect.texts.to_list())


def alpaca():
    return [
        {"instruction": p.rsplit(" ", 2)[0], "input": " ".join(p.rsplit(" ", 2)[1:]), "output": r} for p, r in PAIRS
    ]


def sharegpt():
    turns = [[{"from": "human", "value": p}, {"from": "gpt", "value": r}] for p, r in PAIRS]
    return [{"id": "a", "conversations": turns[0] + turns[1]}]


def chat():
    return [
        {
            "messages": [
                {"role": "system", "content": "Be brief"},
                {"role": "user", "content": p},
                {"role": "assistant", "content": r},
            ]
        }
        for p, r in PAIRS
    ]


def plain():
    return [{"prompt": p, "completion": r} for p, r in PAIRS]


SHAPES = {"Alpaca": alpaca, "ShareGPT": sharegpt, "chat messages": chat, "prompt and response": plain}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "gz", "zst"])
def test_every_shape_in_every_format_gives_the_same_items(tmp_path, shape, kind):
    rows = SHAPES[shape]()
    path = tmp_path / "set"
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        as_bytes = {"jsonl": lines, "json": json.dumps(rows, indent=1).encode(), "gz": gzip.compress(lines, mtime=0)}
        path.write_bytes(as_bytes.get(kind) or zstandard.compress(lines))
    found = read(path)
    assert found.files[0].shape == shape
    assert len(found) == 2
    assert len(found.prompts) == len(found.responses) == 2
    assert [t.replace("\n", " ") for t in shown(found)] == sorted(p for p, _ in PAIRS)
    assert set(found.prompts.hashes) == set(read_plain(tmp_path).prompts.hashes) or shape == "Alpaca"


def read_plain(tmp_path):
    path = tmp_path / "plain.csv"
    pl.DataFrame(plain()).write_csv(path)
    return read(path)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("one text here\nanother text\n\n", ["another text", "one text here"]),
        ('["one text here", "another text"]', ["another text", "one text here"]),
        ('prompt\n"one, two"\nthree\n', ["one, two", "three"]),
    ],
    ids=["lines", "array", "column"],
)
def test_texts_without_columns(tmp_path, content, texts):
    path = tmp_path / "set.txt"
    path.write_text(content, encoding="utf-8")
    assert shown(read(path)) == texts


def test_columns_that_are_named_are_taken(tmp_path):
    path = tmp_path / "set.csv"
    path.write_text("q,a\nhow are you,fine\n", encoding="utf-8")
    assert shown(read(path, columns={"prompt": "q", "response": "a"})) == ["how are you"]
    with pytest.raises(InputError, match="no column 'z'"):
        read(path, columns={"prompt": "z"})
    with pytest.raises(UsageError, match="no role"):
        read(path, columns={"promt": "q"})
    path.write_text("q,z\nhow are you,fine\n", encoding="utf-8")
    with pytest.raises(InputError, match="--suspect-column"):
        read(path)


def test_repeats_and_blanks_are_counted_and_bad_rows_said(tmp_path):
    path = tmp_path / "set.jsonl"
    row = json.dumps(plain()[0])
    path.write_text(f'{row}\n{row}\n{{"prompt": " ", "completion": null}}\n{{"prompt": 1\n', encoding="utf-8")
    found = read(path)
    assert (len(found), found.rows, found.files[0].rows, found.files[0].bad) == (1, 2, 4, 1)


def test_nothing_to_read_is_an_input_error(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="holds no prompt"):
        read(path)
