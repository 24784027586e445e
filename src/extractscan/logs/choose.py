"""Which plan a file is read by: recognised by content, or as the user says."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from extractscan.errors import InputError, UsageError
from extractscan.logs.detect import TABLE, Recognised, recognise
from extractscan.logs.envelope import Plan
from extractscan.logs.mapping import Format, builtin, load
from extractscan.logs.names import LOG_SIGNS, name_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractscan.logs.names import NameTable
    from extractscan.logs.sniff import Sniffed

_HEADERS: Final = ("request.headers.{}", "request_headers.{}", "requestHeaders.{}", "headers.{}")
_ACCOUNT_WAYS: Final = ("constant", "path", "field", "header")


@dataclass(frozen=True, slots=True)
class AccountFrom:
    """Where accounts are, if not in the records' usual places: ``constant``, ``path`` (part), ``field`` or ``header``."""

    way: str
    value: str

    def paths(self) -> tuple[str, ...]:
        """Paths in a record."""
        if self.way == "field":
            return (self.value,)
        return tuple(form.format(self.value) for form in _HEADERS) if self.way == "header" else ()

    def constant(self, path: str) -> str | None:
        """The account of all records of a file; None if that is not how it is told."""
        if self.way == "constant":
            return self.value
        if self.way != "path":
            return None
        parts = PurePath(path).parts
        for part in parts:
            key, equals, value = part.partition("=")
            if equals and key == self.value:
                return value
        try:
            return parts[int(self.value)].split(".")[0]
        except (ValueError, IndexError):
            raise InputError(f"{path} has no part {self.value} for --account-from path={self.value}") from None


def parse_account_from(text: str) -> AccountFrom:
    """Read ``constant=NAME``, ``path=N`` or ``path=KEY``, ``field=PATH``, ``header=NAME``. Raises UsageError."""
    way, equals, value = text.partition("=")
    if way not in _ACCOUNT_WAYS or not equals or not value:
        raise UsageError(
            f"--account-from takes constant=NAME, path=N (a part of the file's path, -1 is its name, or the key of a part "
            f"key=value), field=PATH or header=NAME, not {text!r}"
        )
    return AccountFrom(way, value)


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What the user says about formats: mapping files, the one format to use, where accounts are."""

    mappings: tuple[str, ...] = ()
    log_format: str | None = None
    account: AccountFrom | None = None


@cache
def _usual_plan(name: str) -> Plan:
    """The plan of a format of the package as it is: made once for all files of all runs."""
    return Plan(next(one for one in builtin() if one.name == name))


@dataclass(slots=True)
class Chooser:
    """Chooses plans. ``columns`` are the user's own sources of slots. Raises UsageError for options that are wrong."""

    options: FormatOptions
    columns: Mapping[str, str]
    formats: tuple[Format, ...] = field(init=False)
    _names: NameTable = field(init=False)
    _plans: dict[str, Plan] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._names = name_table(self.columns)
        own = tuple(load(path) for path in self.options.mappings)
        names = {f.name for f in own}
        self.formats = (*own, *(f for f in builtin() if f.name not in names))
        wanted = self.options.log_format
        if wanted is not None and wanted != TABLE and wanted not in {f.name for f in self.formats}:
            known = ", ".join(sorted(f.name for f in self.formats))
            raise UsageError(f"--log-format: no format is called {wanted!r}; there are {TABLE}, {known}")

    def recognise(self, seen: Sniffed) -> Recognised:
        """Tell the format of a file that was looked at."""
        wanted = self.options.log_format
        table = bool(LOG_SIGNS.intersection(self._names.resolve(seen.names)))
        if wanted is not None:
            chosen = next((f for f in self.formats if f.name == wanted), None)
            others = recognise(seen.sample, [f for f in self.formats if f is not chosen], table=False)
            return Recognised(chosen, 0.0, others.name if others.format else "", 0.0)
        found = recognise(seen.sample, self.formats, table=table)
        if found.format is None and table:
            return Recognised(None, 0.0, "", 0.0)
        return found

    def plan(self, format_: Format) -> Plan:
        """The plan of a format."""
        if not self.columns and self.options.account is None and any(format_ is one for one in builtin()):
            return _usual_plan(format_.name)
        if format_.name not in self._plans:
            self._plans[format_.name] = Plan(format_, self.columns, self._account_paths())
        return self._plans[format_.name]

    def _account_paths(self) -> Sequence[str]:
        return self.options.account.paths() if self.options.account is not None else ()


def tie(name: str, found: Recognised) -> str:
    """What to say of a file whose format is not sure."""
    return (
        f"{name} may be {found.name} ({found.points:.1f} signs) or {found.runner_up} ({found.runner_up_points:.1f}): say which "
        f"with --log-format {found.name}, or write a mapping (--mapping FILE); extractscan inspect shows what is in it"
    )
