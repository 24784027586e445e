"""The results of many nights are those of one run over the same rows, byte for byte."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import random
import shutil
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import zstandard
from night_help import START, Listener, lines, night, nights, one_run, results, rows, tree

from extractscan.case.verify import verify_case
from extractscan.errors import InputError, UsageError
from extractscan.progress import Silent

ROWS = rows()


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def same(case, done, logs, tmp_path, **window):
    """Whether a night's results are those of one run."""
    shutil.rmtree(tmp_path / "one", ignore_errors=True)
    one, many = one_run(tmp_path / "one", logs, **window), results(case, done)
    assert {name for name in one.keys() | many.keys() if one.get(name) != many.get(name)} == set()
    assert verify_case(case, observer=Silent()).intact
    return True


def test_a_file_a_night(logs, tmp_path):
    case = tmp_path / "case"
    for number, some in enumerate(nights(ROWS)):
        (logs / f"{number}.jsonl").write_text(lines(some))
        done = night(case, logs)
    assert done.delivered.new == [str(logs / "3.jsonl")]
    assert same(case, done, logs, tmp_path)


def test_a_file_that_grows_with_lines_cut_anywhere_and_bad_ones(logs, tmp_path):
    bad = (
        "no json\n\ufeff{}\n"
        + json.dumps({"prompt": "whose?"})
        + "\n"
        + json.dumps({**ROWS[0], "timestamp": "when"})
        + "\n"
    )
    text = lines(ROWS[:100]) + bad + lines(ROWS[100:300]) + bad + lines(ROWS[300:])
    dice = random.Random(1)  # noqa: S311 (dice)
    cuts = sorted(dice.sample(range(1, len(text)), 4))
    case = tmp_path / "case"
    for cut in (*cuts, len(text)):
        (logs / "app.jsonl").write_text(text[:cut])
        done = night(case, logs)
        assert same(case, done, logs, tmp_path)
    assert done.delivered.grown == [str(logs / "app.jsonl")]
    assert done.delivered.rows < len(ROWS)


def table(some, *, header=True) -> str:
    out = io.StringIO()
    names = ["request_id", "timestamp", "account_id", "model", "prompt"]
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\r\n")
    if header:
        writer.writeheader()
    for row in some:
        writer.writerow({**row, "prompt": f'{row["prompt"]}\nthen "say" so'})
    return out.getvalue()


def test_a_table_of_text_grows_even_inside_of_a_quoted_field(logs, tmp_path):
    text = table(ROWS)
    case = tmp_path / "case"
    inside = text.index('\nthen ""say', 30_000) + 1  # a line break in quotes: what looks like whole lines is none
    for cut in (text.index("\r\n", 20_000) + 2, inside, len(text)):
        (logs / "app.csv").write_text(text[:cut], newline="")
        done = night(case, logs)
        assert same(case, done, logs, tmp_path)


def test_renamed_delivered_again_compressed_or_written_in_another_way_a_file_counts_once(logs, tmp_path):
    case = tmp_path / "case"
    text = lines(ROWS).encode()
    (logs / "a.jsonl").write_bytes(text)
    first = night(case, logs)
    expected = results(case, first)
    (logs / "a.jsonl").rename(logs / "b.jsonl")
    (logs / "again.jsonl").write_bytes(text)
    (logs / "a.jsonl.gz").write_bytes(gzip.compress(text, 1))
    (logs / "a.jsonl.zst").write_bytes(zstandard.compress(text))
    (logs / "a.jsonl.bz2").write_bytes(bz2.compress(text))
    frame = pl.DataFrame(ROWS)
    frame.write_parquet(logs / "a.parquet")
    done = night(case, logs)
    assert len(done.delivered.repeated) == 6
    assert (len(done.delivered.new), done.found.run.rows_duplicate) == (0, 0)
    assert results(case, done) == expected
    frame.write_parquet(logs / "a.parquet", compression="snappy")
    done = night(case, logs)
    assert done.delivered.repeated == [str(logs / "a.parquet")]
    assert results(case, done) == expected


def test_a_log_that_is_rotated_goes_on_where_it_was(logs, tmp_path):
    case = tmp_path / "case"
    days = nights(ROWS)
    (logs / "app.log").write_text(lines(days[0]))
    night(case, logs)
    (logs / "app.log").rename(logs / "app.log.1")
    with (logs / "app.log.1").open("a") as file:
        file.write(lines(days[1]))
    (logs / "app.log").write_text(lines(days[2]))
    done = night(case, logs)
    assert (done.delivered.grown, done.delivered.new) == ([str(logs / "app.log.1")], [str(logs / "app.log")])
    assert done.delivered.rows == len(days[1]) + len(days[2])
    assert same(case, done, logs, tmp_path)
    (logs / "app.log.1").write_bytes(gzip.compress((logs / "app.log.1").read_bytes()))
    done = night(case, logs)
    assert done.delivered.rows == 0


def test_a_request_that_is_in_two_files_is_counted_as_a_run_over_both_counts_it(logs, tmp_path):
    case = tmp_path / "case"
    (logs / "a.jsonl").write_text(lines(ROWS[:200]))
    night(case, logs)
    (logs / "b.jsonl").write_text(lines(ROWS[100:]))
    done = night(case, logs)
    assert done.found.run.rows_duplicate == 100
    assert same(case, done, logs, tmp_path)


def test_what_was_changed_in_place_is_replaced_and_said(logs, tmp_path):
    case = tmp_path / "case"
    (logs / "a.jsonl").write_text(lines(ROWS[:200]))
    (logs / "b.jsonl").write_text(lines(ROWS[200:]))
    night(case, logs)
    changed = [{**row, "account_id": "somebody"} if number == 7 else row for number, row in enumerate(ROWS[:200])]
    (logs / "a.jsonl").write_text(lines(changed))
    heard = Listener()
    with pytest.raises(InputError, match="changed"):
        night(case, logs, refuse=True)
    done = night(case, logs, observer=heard)
    assert done.delivered.replaced == [str(logs / "a.jsonl")]
    assert any("a.jsonl" in warning for warning in heard.warnings)
    assert same(case, done, logs, tmp_path)


def test_what_was_cut_stays_as_it_was_and_is_said(logs, tmp_path):
    case = tmp_path / "case"
    (logs / "a.jsonl").write_text(lines(ROWS))
    before = results(case, night(case, logs))
    (logs / "a.jsonl").write_text(lines(ROWS[:50]))
    heard = Listener()
    with pytest.raises(InputError, match="cut"):
        night(case, logs, refuse=True)
    done = night(case, logs, observer=heard)
    assert done.delivered.shrunk == [str(logs / "a.jsonl")]
    assert any("a.jsonl" in warning for warning in heard.warnings)
    assert results(case, done) == before


def test_a_name_that_is_used_again_adds(logs, tmp_path):
    case = tmp_path / "case"
    days = nights(ROWS)
    for some in days:
        (logs / "today.jsonl").write_text(lines(some))
        done = night(case, logs)
        assert done.delivered.new == [str(logs / "today.jsonl")]
    assert done.found.run.rows_kept == len(ROWS)


def test_a_window_slides_and_what_is_older_is_let_go(logs, tmp_path):
    case = tmp_path / "case"
    for number, some in enumerate(nights(rows(6))):
        (logs / f"{number}.jsonl").write_text(lines(some))
        done = night(case, logs, window="3d", keep="4d")
    until = START + timedelta(days=6)
    kept = tmp_path / "kept"
    kept.mkdir()
    held = [file.path for file in done.found.run.files]
    assert len(held) == 4
    assert done.found.run.rows_outside_window > 0
    for number in range(2):
        (logs / f"{number}.jsonl").rename(kept / f"{number}.jsonl")
    assert same(case, done, logs, tmp_path, since=until - timedelta(days=3), until=until)
    (kept / "0.jsonl").rename(logs / "old.jsonl")
    again = night(case, logs)
    assert again.delivered.repeated == [str(logs / "old.jsonl")]
    assert len(list((case / "prints").iterdir())) <= 5


def test_by_default_what_is_kept_is_the_window(logs, tmp_path):
    case = tmp_path / "case"
    for number, some in enumerate(nights(rows(4))):
        (logs / f"{number}.jsonl").write_text(lines(some))
        done = night(case, logs, window="2d")
    assert [file.path for file in done.found.run.files] == [str(logs / "2.jsonl"), str(logs / "3.jsonl")]
    assert len(list((case / "prints").iterdir())) == 2


def test_a_request_of_the_far_future_does_not_move_the_window(logs, tmp_path):
    case = tmp_path / "case"
    wrong = {**ROWS[5], "request_id": "future", "timestamp": datetime(2099, 1, 1, tzinfo=UTC).isoformat()}
    (logs / "a.jsonl").write_text(lines([*ROWS, wrong]))
    heard = Listener()
    done = night(case, logs, window="30d", observer=heard)
    assert done.found.run.rows_kept == len(ROWS)
    assert any("later than the window" in warning for warning in heard.warnings)


def test_a_night_without_anything_new_changes_nothing(logs, tmp_path):
    case = tmp_path / "case"
    (logs / "a.jsonl").write_text(lines(ROWS))
    first = night(case, logs)
    before = results(case, first)
    again = night(case, logs)
    assert results(case, again) == before
    assert again.delivered.rows == 0


def test_any_number_of_threads(logs, tmp_path):
    for number, some in enumerate(nights(ROWS)[:2]):
        (logs / f"{number}.jsonl").write_text(lines(some))
        one, other = night(tmp_path / "one", logs, jobs=1), night(tmp_path / "other", logs, jobs=3)
    assert results(tmp_path / "one", one) == results(tmp_path / "other", other)
    ledgers = [tree(tmp_path / name / "prints") for name in ("one", "other")]
    assert ledgers[0] == ledgers[1]


def test_many_small_files_share_one_file_of_fingerprints(logs, tmp_path):
    for number, row in enumerate(ROWS[:40]):
        (logs / f"{number:03}.json").write_text(json.dumps(row))
    case = tmp_path / "case"
    done = night(case, logs)
    assert same(case, done, logs, tmp_path)
    assert len(list((case / "prints").iterdir())) == 1


def test_no_pipe_no_folder_of_another_kind_no_case_among_the_logs(logs, tmp_path):
    (logs / "a.jsonl").write_text(lines(ROWS))
    with pytest.raises(UsageError, match="standard input"):
        night(tmp_path / "case", "-")
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no standing case"):
        night(tmp_path / "things", logs)
    with pytest.raises(UsageError, match="among the logs"):
        night(logs / "case", logs)
    one_run(tmp_path / "scored", logs)
    with pytest.raises(UsageError, match="no standing case"):
        night(tmp_path / "scored", logs)
