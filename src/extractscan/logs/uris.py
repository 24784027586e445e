"""What a URI of an object store names: which store, which bucket, which key."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from extractscan.errors import InputError

Kind = Literal["s3", "gs", "az"]

_SCHEMES: Final[dict[str, Kind]] = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az", "abfs": "az", "abfss": "az",
}  # fmt: skip
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET: Final = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]*\Z")
_AUTHORITY: Final = re.compile(r"(?:([A-Za-z0-9$][A-Za-z0-9._-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*)\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """An object, or a prefix that is like a folder.

    ``root`` is the URI up to the key, as the user wrote it; ``key`` is as the store has it, never percent-encoded.
    ``account`` is Azure's storage account, where the URI names it.
    """

    kind: Kind
    root: str
    bucket: str
    key: str
    account: str = ""

    @property
    def uri(self) -> str:
        """How it is named to the user."""
        return self.root + self.key

    @property
    def path(self) -> str:
        """Bucket and key, as file systems of Arrow name them."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    def at(self, key: str) -> Place:
        """Another key of the same bucket."""
        return replace(self, key=key)


def is_remote(text: str) -> bool:
    """Whether an input is written as a URI; then no file of that name is looked for."""
    return _SCHEME.match(text) is not None


def parse_place(text: str) -> Place:
    """Read ``s3://BUCKET/KEY``, ``gs://BUCKET/KEY``, ``az://CONTAINER/KEY``, ``abfss://CONTAINER@ACCOUNT.dfs.…/KEY``.

    A key may be empty, and is taken as it stands. Raises InputError for other schemes and for a bucket that can be none.
    """
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if found is None or scheme not in _SCHEMES:
        raise InputError(f"{scheme}:// is not read: name a local file, or s3://, gs://, az:// or abfss://")
    kind = _SCHEMES[scheme]
    authority, _, key = text[found.end() :].partition("/")
    if kind == "az" and "@" in authority and (parts := _AUTHORITY.match(authority)) is not None and parts[1]:
        return Place(kind, f"{found[0]}{authority}/", parts[1], key, parts[2].partition(".")[0])
    if "@" in authority or ":" in authority:  # not shown: it may be a password
        raise InputError(f"a {scheme}:// URI holds a bucket and a key only; credentials are taken from the environment")
    if not _BUCKET.match(authority):
        raise InputError(f"{text} names no bucket: write {scheme}://BUCKET/KEY")
    return Place(kind, f"{found[0]}{authority}/", authority, key)
