"""Which files of a run are logs, and which are passed over, judged by what was seen of them before they are read."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from extractscan.errors import InputError
from extractscan.logs.choose import Chooser, FormatOptions, tie
from extractscan.logs.names import LOG_SIGNS, missing, name_table
from extractscan.logs.sniff import Sniffed
from extractscan.logs.sources import columns_of
from extractscan.logs.state import Known, Unread
from extractscan.logs.wording import lacks, lacks_in, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from extractscan.logs.detect import Recognised
    from extractscan.logs.discover import Input
    from extractscan.logs.streams import Raw
    from extractscan.progress import Observer


class Judge:
    """Judges files one by one. ``names`` is the table of names in use.

    ``passed_over`` holds what was said of each file that is not read, ``unread`` what was seen of those that may be logs.
    Raises UsageError for a bad option.
    """

    def __init__(
        self, formats: FormatOptions, columns: Mapping[str, str], observer: Observer, *, complete: bool
    ) -> None:
        self.names = name_table(columns)
        self.unread: list[Unread] = []
        self.passed_over: list[str] = []
        self._chooser = Chooser(formats, columns)
        self._account = formats.account
        self._columns = columns
        self._observer = observer
        self._complete = complete

    def judge(self, item: Input, seen: Sniffed) -> Known | None:
        """Whether a file is a log, and in which format; None for one to pass over.

        Raises InputError for a named file that is a log without accounts or time stamps, or that may be two formats.
        """
        if seen.columnar and item.path is not None and item.size is not None:
            table = columns_of(item, seen.format)
            seen = Sniffed(seen.format, names=tuple(table.names), sample=(table.shape(),))
        found = self._chooser.recognise(seen)
        if found.format is None:
            plain = self._judge_table(item, seen)
            if plain is None and not self._complete:
                self.unread.append(Unread(item.name, self.passed_over[-1], seen, found))
            return None if plain is None else Known(plain, found, None)
        if found.tie:
            if self._complete:
                raise InputError(tie(item.name, found))
            self.pass_over(tie(item.name, found), item, seen, found)
            return None
        if found.format.unreadable:
            self.pass_over(f"{item.name} is passed over: {found.format.unreadable}", item, seen, found)
            return None
        plan = self._chooser.plan(found.format)
        lacking = [slot for slot in ("account_id", "timestamp") if slot not in plan.slots()]
        if "account_id" in lacking and self._account is not None:
            lacking.remove("account_id")
        if "timestamp" in lacking and plan.format.bodies.get("response"):
            lacking.remove("timestamp")  # an answer may tell
        if lacking and self._complete and not found.format.joins and not found.format.role:
            message = f"{item.name}: {lacks_in(found.format, lacking)}"
            if item.named:
                raise InputError(message)
            self.pass_over(f"{message} (passed over)")
            return None
        return Known(seen, found, plan)

    def wanted(self, known: list[tuple[Input, Raw | None, Known]]) -> list[tuple[Input, Raw | None, Known]]:
        """Without the files that a format of this run says are none of its records."""
        patterns = sorted({p for _, _, k in known if k.plan is not None for p in k.plan.format.skip_paths})
        if not patterns:
            return known
        kept, skipped = [], 0
        for entry in known:
            path = entry[0].path or entry[0].name
            if not entry[0].named and any(fnmatch(path, pattern) for pattern in patterns):
                skipped += 1
            else:
                kept.append(entry)
        if skipped:
            self._observer.note(f"{skipped:,} files that only hold bodies or marks are not read as logs")
        return kept

    def tell_formats(self, known: list[Known]) -> None:
        """Say which formats were recognised, and what else they might have been."""
        counts = Counter((k.found.name, k.found.next_best) for k in known if k.plan is not None)
        for (name, other), count in sorted(counts.items()):
            files = "1 file" if count == 1 else f"{count:,} files"
            self._observer.note(f"{files} read as {name} (next best: {other})")

    def _judge_table(self, item: Input, seen: Sniffed) -> Sniffed | None:
        """Whether a file that no format fits is a plain table of requests."""
        if seen.format == "empty":
            self._observer.warn(f"{item.name} is empty")
            return seen
        if seen.format == "unknown":
            if not item.named:
                self.pass_over(f"{item.name} is passed over: not a log in a format that is known")
                return None
            return seen
        if seen.columnar and not seen.names:
            return seen  # a pipe: its columns are known once it is on disk
        lacking = self.lacking(self.names.resolve(seen.names))
        strange = not self._complete and not LOG_SIGNS.intersection(self.names.resolve(seen.names))
        if strange and seen.names:
            lacking = missing(())
        if not lacking:
            self._check_override(item, seen)
            return seen
        message = f"{item.name}: {lacks(lacking, seen.names)}"
        if seen.names and not LOG_SIGNS.intersection(self.names.resolve(seen.names)):
            if (
                item.named
                and self._complete
                and seen.is_json
                and any(isinstance(value, dict | list) for record in seen.sample for value in record.values())
            ):
                raise InputError(f"{item.name} is in a shape that is not known: {lacks(missing(()), seen.names)}")
            self.pass_over(f"{message} (passed over)")
            return None
        if not item.named:
            self.pass_over(f"{message} (passed over)")
            return None
        if seen.is_json:
            return seen  # the keys of a sample: others may come later
        raise InputError(message)

    def lacking(self, slots: Iterable[str]) -> list[str]:
        """Required slots that are missing, and that nothing the user says gives."""
        if not self._complete:
            return []
        lacking = missing(slots)
        if self._account is not None and not self._account.paths() and "account_id" in lacking:
            lacking.remove("account_id")
        return lacking

    def _check_override(self, item: Input, seen: Sniffed) -> None:
        if seen.is_json:
            return
        found = self.names.resolve(seen.names)
        for slot, name in self._columns.items():
            if slot not in found:
                self._observer.warn(f"{item.name} has no column {show(name)} for {slot}")

    def pass_over(
        self, message: str, item: Input | None = None, seen: Sniffed | None = None, found: Recognised | None = None
    ) -> None:
        """Say that a file is not read; with its item, what was seen of it is kept in ``unread`` too."""
        self.passed_over.append(message)
        if item is not None and seen is not None and found is not None:
            self.unread.append(Unread(item.name, message, seen, found))
        self._observer.warn(message)
