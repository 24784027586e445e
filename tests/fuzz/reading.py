"""Read a file under test, and hold what came of it against what is promised."""

from __future__ import annotations

import polars as pl
from fuzzing import acting
from logs_help import Heard

from extractscan.errors import ExtractscanError
from extractscan.jit import COMPILING
from extractscan.logs.read import read_logs
from extractscan.logs.schema import CANONICAL

GROUPED = "azure-apim"


def outcome(path, **options):
    """What a user would see of a file: requests, counts and messages, or the error."""
    heard = Heard()
    frames, error, reader = [], None, None
    try:
        reader = read_logs([str(path)], observer=heard, **options)
        for batch in reader.batches():
            assert batch.frame.schema == pl.Schema(CANONICAL)
            frames.append(batch.frame)
    except ExtractscanError as raised:
        error = str(raised)
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=CANONICAL)
    return (
        frame,
        reader.summary if reader else None,
        [text for text in (*heard.warnings, *heard.notes) if text != COMPILING],
        error,
    )


def check(path, rows=2, **options):
    """Read twice, the second time in batches of ``rows``; return requests and summary (None after an error)."""
    frame, summary, told, error = outcome(path, **options)
    again = outcome(path, **options, batch_rows=rows)
    assert frame.equals(again[0])
    assert (told, error) == (again[2], again[3])
    for text in (*told, *([error] if error else [])):
        assert not acting(text, allowed=""), text
    for name, kind in CANONICAL.items():
        if kind == pl.String():
            for value in frame[name].cast(pl.Binary).drop_nulls():
                value.decode("utf-8")
    if summary is None:
        return frame, None
    assert summary.quarantine == again[1].quarantine
    assert summary.files == again[1].files
    for entry in summary.quarantine:
        assert not acting(entry.reason, allowed=""), entry
        assert entry.line is None or entry.line >= 1
    if error is None:
        assert frame.height == summary.rows_kept
    for file in summary.files:
        assert file.rows_read == file.rows_kept + file.rows_quarantined
    assert len(summary.quarantine) == sum(file.rows_quarantined for file in summary.files) or error
    return frame, summary
