"""Logs at Google and in Azure, over HTTP from a server on loopback."""

from __future__ import annotations

import base64

import pytest
from cloud_help import serving
from logs_help import read

from extractscan.errors import InputError

STORES = {
    "google": ("gs://logs", {"STORAGE_EMULATOR_HOST": "{}"}),
    "azure": ("az://logs", {
        "AZURITE_BLOB_STORAGE_URL": "{}", "AZURE_STORAGE_ACCOUNT_NAME": "acct",
        "AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"k" * 32).decode(),
    }),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(STORES))
def test_other_stores_are_read_as_s3_is(monkeypatch, kind):
    top, environment = STORES[kind]
    with serving(kind) as url:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(url))
        frame, summary, warnings = read(f"{top}/a")
        assert sorted(frame["request_id"]) == ["r1", "r2", "r3"]
        assert [f.path for f in summary.files] == [f"{top}/a/b.jsonl", f"{top}/a/d/c.jsonl"]
        assert not warnings
        assert read(f"{top}/a/b.jsonl")[0].height == 2
        assert read(f"{top}/**/c*")[0].height == 1
        with pytest.raises(InputError, match=f"no object is named {top}/zz"):
            read(f"{top}/zz")
        with pytest.raises(InputError, match="no such bucket"):
            read(f"{top}s/x")
