"""Tables of a lake: as their logs say, and never as loose files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import polars as pl
import pyarrow as pa
import pytest
from logs_help import Heard, jsonl, read, row
from s3_help import ObjectServer, credentials

from extractscan.errors import InputError, UsageError
from extractscan.logs.discover import discover
from extractscan.logs.read import read_logs


def table(*rows):
    return pa.Table.from_pylist(list(rows))


@pytest.fixture(name="delta")
def _delta(tmp_path):
    deltalake = pytest.importorskip("deltalake")
    place = tmp_path / "lake" / "calls"
    rows = [row(i, account_id=f"a {i % 3}/é") for i in range(30)]
    deltalake.write_deltalake(str(place), table(*rows), partition_by=["account_id"])
    deltalake.DeltaTable(str(place)).delete("prompt = 'prompt 3'")
    deltalake.write_deltalake(str(place), table(row(30, model="m")), mode="append", schema_mode="merge")
    return place


@pytest.fixture(name="iceberg")
def _iceberg(tmp_path):
    pytest.importorskip("pyiceberg")
    catalogs = pytest.importorskip("pyiceberg.catalog.sql")
    catalog = catalogs.SqlCatalog("c", uri="sqlite:///:memory:", warehouse=(tmp_path / "lake").as_uri())
    catalog.create_namespace("n")
    made = catalog.create_table("n.calls", schema=table(row(0)).schema)
    made.append(table(*[row(i) for i in range(30)]))
    made.delete("request_id == 'r3'")
    made.append(table(row(30)))
    catalog.close()
    return next((tmp_path / "lake").rglob("metadata")).parent


@pytest.fixture(name="lake", params=["delta", "iceberg"])
def _lake(request):
    return request.param, request.getfixturevalue(request.param)


def test_only_rows_that_are_in_the_table_are_read(lake):
    kind, place = lake
    files = list(place.rglob("*.parquet"))
    assert sum(pl.read_parquet(file).height for file in files) > 30  # removed rows are still there
    frame, summary, warnings = read(place)
    assert sorted(frame["request_id"]) == sorted(f"r{i}" for i in range(31) if i != 3)
    assert [(f.path, f.format, f.rows_kept) for f in summary.files] == [(str(place), kind, 30)]
    assert not warnings
    if kind == "delta":
        assert set(frame["account_id"]) == {"a 0/é", "a 1/é", "a 2/é", "a0"}  # from the partition
        assert frame["model"].drop_nulls().to_list() == ["m"]


def test_a_folder_of_tables_and_files(lake, tmp_path):
    kind, _ = lake
    (tmp_path / "lake" / "more.jsonl").write_text(json.dumps(row(99)) + "\n")
    frame, summary, _ = read(tmp_path / "lake")
    assert frame.height == 31
    assert {f.format for f in summary.files} == {kind, "jsonl"}


def test_a_part_of_a_table_is_an_error_that_names_the_table(lake):
    _, place = lake
    file = next(place.rglob("*.parquet"))
    for part in (file, file.parent if file.parent != place else file, place / "**" / "*.parquet"):
        with pytest.raises(InputError, match=r"is a part of the (Delta|Iceberg) table .*name the table"):
            discover([str(part)], Heard().warn)


def test_the_digest_is_that_of_the_rows(lake, tmp_path):
    kind, place = lake
    first = read(place)[1].files[0]
    assert len(first.sha256) == 64
    assert first.size > 0
    assert read(place)[1].files[0].sha256 == first.sha256
    if kind == "delta":  # an Iceberg table does not move
        shutil.copytree(place, tmp_path / "moved")
        assert read(tmp_path / "moved")[1].files[0].sha256 == first.sha256
        import deltalake

        deltalake.DeltaTable(str(place)).delete("prompt = 'prompt 4'")
        assert read(place)[1].files[0].sha256 != first.sha256


def test_a_table_that_lacks_files_is_damaged(lake):
    kind, place = lake
    for file in place.rglob("*.parquet"):
        file.unlink()
    with pytest.raises(InputError, match=f"the {kind.title()} table cannot be read"):
        read(place)


def test_a_damaged_table_is_read_up_to_the_damage_whatever_the_batches(tmp_path):
    deltalake = pytest.importorskip("deltalake")
    place = tmp_path / "calls"
    for at in range(0, 5000, 1000):
        rows = table(*[row(i) for i in range(at, at + 1000)])
        deltalake.write_deltalake(str(place), rows, mode="overwrite" if not at else "append")
    files = sorted(place.glob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    body = bytearray(files[2].read_bytes())
    body[200:-200] = b"\xff" * (len(body) - 400)
    files[2].write_bytes(body)
    frame, summary, _ = read(place)
    assert 0 < frame.height < 3000
    assert f"rows after the first {frame.height:,} are lost" in summary.quarantine[0].reason
    for batch_rows in (700, 1500):
        again, other, _ = read(place, batch_rows=batch_rows)
        assert again.equals(frame)
        assert other.quarantine == summary.quarantine


def test_a_table_in_a_store(delta, monkeypatch):
    here, local, _ = read(delta)
    server = ObjectServer()
    server.put("lake", {f"t/calls/{f.relative_to(delta)}": f.read_bytes() for f in delta.rglob("*") if f.is_file()})
    server.put("lake", {"t/more/x.jsonl": jsonl(row(77))})
    with server.running() as url:
        credentials(monkeypatch, url)
        there, remote, _ = read("s3://lake/t/calls")
        assert there.sort("request_id").equals(here.sort("request_id"))
        assert [(f.path, f.format) for f in remote.files] == [("s3://lake/t/calls", "delta")]
        assert (remote.files[0].sha256, remote.files[0].size) == (local.files[0].sha256, local.files[0].size)
        assert [item.lake for item in discover(["s3://lake"], Heard().warn)] == ["delta", None]
        assert [item.lake for item in discover(["s3://lake/t/c*"], Heard().warn)] == ["delta"]
        for part in (
            "t/calls/**/*.parquet",
            "t/calls/account_id=a*",
            f"t/calls/{next(delta.rglob('*.parquet')).relative_to(delta)}",
        ):
            with pytest.raises(InputError, match="is a part of the table s3://lake/t/calls of a lake"):
                discover([f"s3://lake/{part}"], Heard().warn)


def test_an_iceberg_table_in_a_store(tmp_path, monkeypatch):
    pytest.importorskip("pyiceberg")
    catalogs = pytest.importorskip("pyiceberg.catalog.sql")
    server = ObjectServer()
    server.put("ice", {"x": b""})
    with server.running() as url:
        credentials(monkeypatch, url)
        settings = {"s3.endpoint": url, "s3.region": "us-east-1"}
        catalog = catalogs.SqlCatalog("c", uri="sqlite:///:memory:", warehouse="s3://ice/w", **settings)
        catalog.create_namespace("n")
        made = catalog.create_table("n.calls", schema=table(row(0)).schema)
        made.append(table(*[row(i) for i in range(9)]))
        made.delete("request_id == 'r3'")
        catalog.close()
        frame, summary, _ = read("s3://ice/w")
        assert sorted(frame["request_id"]) == [f"r{i}" for i in range(9) if i != 3]
        assert [(f.format, len(f.sha256)) for f in summary.files] == [("iceberg", 64)]


@pytest.mark.parametrize(("kind", "mark"), [("delta", "_delta_log/0.json"), ("iceberg", "metadata/v1.metadata.json")])
def test_without_the_extra_it_is_named(tmp_path, monkeypatch, kind, mark):
    for name in ("deltalake", "pyiceberg", "pyiceberg.table"):
        monkeypatch.setitem(sys.modules, name, None)
    place = tmp_path / "t" / mark
    place.parent.mkdir(parents=True)
    place.write_text("{}")
    pl.DataFrame([row(1)]).write_parquet(tmp_path / "t" / "loose.parquet")
    with pytest.raises(UsageError, match=rf"pip install 'extractscan\[{kind}\]'"):
        list(read_logs([str(tmp_path)], observer=Heard()).batches())


def test_plain_logs_import_no_library_of_lakes_or_stores(tmp_path):
    (tmp_path / "l.jsonl").write_text(json.dumps(row(1)) + "\n")
    code = (
        "import sys; from extractscan.logs.read import read_logs; from extractscan.progress import Silent;"
        f"list(read_logs([{str(tmp_path)!r}], observer=Silent()).batches());"
        "print([m for m in ('pyarrow.fs', 'deltalake', 'pyiceberg') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
