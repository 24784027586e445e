"""Records of a format to raw columns: fields by their paths, bodies by their dialects.

Everything works on spans of the bytes as they came, a column at a time; no record becomes an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.errors import UsageError
from extractscan.logs import indexed, messages, pathscan
from extractscan.logs.cells import Gathered, Values, among, best, cell, of_series, opened, text_of
from extractscan.logs.dialects.body import read_request, read_response, scalars
from extractscan.logs.fields import as_text, counted, derive, first_word, marked, over, worded
from extractscan.logs.mapping import FIELD_SLOTS, Field, Format
from extractscan.logs.names import MESSAGES, TEXT_SLOTS
from extractscan.logs.paths import PathError, Tree, parse_path, wants
from extractscan.logs.records import Records, objects_in, together
from extractscan.logs.spans import ABSENT, ARRAY, GOOD, OBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from extractscan.logs.spans import Spans

_REQUEST: Final = "request"
_RESPONSE: Final = "response"
_DEPTH: Final = 4
"""How many texts inside texts are gone into."""


class Plan:
    """A format made ready for reading.

    ``columns`` are the user's own choices of paths, by slot, and ``account`` those for accounts: they take the place of the
    format's own. Raises UsageError for a choice that is no path.
    """

    def __init__(self, format_: Format, columns: Mapping[str, str] | None = None, account: Sequence[str] = ()) -> None:
        self.format = format_
        fields: dict[str, Field] = dict(format_.fields)
        for slot, path in (columns or {}).items():
            _checked(path, slot)
            if slot != MESSAGES:
                fields[slot] = Field((path,))
        if account:
            for path in account:
                _checked(path, "account_id")
            fields["account_id"] = Field(tuple(account))
        self.fields = fields
        self._bodies = {kind: list(paths) for kind, paths in format_.bodies.items() if kind != "indexed"}
        if columns and MESSAGES in columns:  # a list of messages is a body, not a field
            self._bodies[_REQUEST] = [columns[MESSAGES], *self._bodies.get(_REQUEST, [])]
        table: dict[str, Sequence[str]] = {slot: f.paths for slot, f in fields.items()}
        for kind, paths in self._bodies.items():
            table |= {f"{kind}:{k}": (path,) for k, path in enumerate(paths)}
        table |= {f"test:{k}": (test.path,) for k, test in enumerate(format_.tests)}
        texts = [*format_.texts, *format_.unwrap]
        texts += [f"{prefix}.{text}" for prefix in format_.unwrap for text in format_.texts]
        self.tree = Tree(
            wants(table, format_.unwrap), attributes=format_.attributes, texts=texts, keep_blank=frozenset(TEXT_SLOTS)
        )
        outer = {slot: f.paths for slot, f in format_.outer.items()}
        self._steps = [
            [Tree(wants({**outer, "@list": (step,)}, format_.unwrap), attributes=format_.attributes,
                  texts=[*format_.unwrap, *format_.texts]) for step in steps]
            for steps in format_.explode
        ]  # fmt: skip
        self.indexed = bool(format_.bodies.get("indexed"))
        self.refers = any(kind.endswith("_reference") for kind in self._bodies)

    def slots(self) -> set[str]:
        """Slots that may come of it."""
        return {*self.fields, *self.format.outer}

    # --- JSON ---------------------------------------------------------------------------------------------------------

    def read_json(self, buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]) -> Records:
        """Read records that are JSON values ``buf[starts[i]:ends[i]]``."""
        if not self._steps:
            spans = pathscan.project(buf, starts, ends, self.tree)
            good = np.flatnonzero(spans.status == GOOD)
            bad = np.flatnonzero(spans.status < GOOD)
            sources = self._nested(spans, self.tree)
            attributes = Values(buf, starts, ends, np.where(spans.status == GOOD, OBJECT, ABSENT).astype(np.uint8))
            return self._finish(sources, good, good, bad, spans.status[bad], {}, attributes)
        return self._exploded(buf, starts, ends)

    def _exploded(self, buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]) -> Records:
        parts: list[tuple[Values, NDArray[np.int64], dict[str, pl.Series]]] = []
        status = np.zeros(len(starts), np.int8)
        listed = np.zeros(len(starts), np.bool_)
        for trees in self._steps:
            owner = np.arange(len(starts))
            items = Values(buf, np.asarray(starts), np.asarray(ends), np.full(len(starts), OBJECT, np.uint8))
            outer: dict[str, pl.Series] = {}
            for depth, tree in enumerate(trees):
                spans = pathscan.project(items.buf, items.start, items.end, tree)
                if depth == 0:
                    status = np.minimum(status, spans.status) if parts else spans.status
                found = self._nested(spans, tree)
                here = {slot: text_of(found[slot]) for slot in self.format.outer if slot in found}
                outer = {slot: over(here.get(slot), outer.get(slot)) for slot in {*outer, *here}}
                lists = found.get("@list", [])
                if not lists:
                    items = Values(items.buf, *(np.zeros(0, np.int64),) * 2, np.zeros(0, np.uint8))
                    owner = owner[:0]
                    break
                items, index = objects_in(lists)
                owner = owner[index]
                outer = {slot: series.gather(index) for slot, series in outer.items()}
            if len(items):
                listed[owner] = True
                parts.append((items, owner, outer))
        if self.format.bare:
            bare = np.flatnonzero(~listed & (status == GOOD))
            if len(bare):
                kind = np.full(len(bare), OBJECT, np.uint8)
                parts.append((Values(buf, np.asarray(starts)[bare], np.asarray(ends)[bare], kind), bare, {}))
        bad = np.flatnonzero(status < GOOD)
        done = []
        for items, owner, outer in parts:
            spans = pathscan.project(items.buf, items.start, items.end, self.tree)
            good = np.flatnonzero(spans.status == GOOD)
            done.append(
                self._finish(self._nested(spans, self.tree), good, owner[good], bad[:0], status[:0], outer, items)
            )
        return together(done, bad, status[bad])

    def _nested(self, spans: Spans, tree: Tree) -> dict[str, list[Values]]:
        """Values of each cell, with those that lay in JSON inside a string."""
        found: dict[str, list[Values]] = {}
        todo = [(spans, np.arange(len(spans.status)))]
        rows = len(spans.status)
        for _ in range(_DEPTH):
            later = []
            for these, where in todo:
                for name in tree.cells:
                    values = cell(these, name)
                    if values is None:
                        continue
                    if name not in tree.nested:
                        found.setdefault(name, []).append(values.spread(where, rows))
                        continue
                    some = np.flatnonzero(values.kind)
                    inner = values.at(some).unescaped()
                    later.append((_project(inner, tree, tree.nested[name]), where[some]))
            todo = later
            if not todo:
                break
        return found

    # --- columns ------------------------------------------------------------------------------------------------------

    def wanted(self, names: Sequence[str]) -> list[str]:
        """The columns of a table that are of use."""
        return [name for name in names if self.tree.find(name) >= 0 or (self.indexed and indexed.is_indexed(name))]

    def read_columns(self, table: Mapping[str, pl.Series]) -> Records:
        """Read records that are rows of a table."""
        rows = len(next(iter(table.values()))) if table else 0
        found: dict[str, list[Values]] = {}
        ready: dict[str, list[tuple[int, pl.Series]]] = {}
        for name, series in table.items():
            node = self.tree.find(name)
            if node < 0:
                continue
            feeds = self.tree.feeds(node)
            named = any(slot in self.fields and self.fields[slot].words for slot, _ in feeds)
            text = series.cast(pl.String) if named and not series.dtype.is_nested() else as_text(series)
            for slot, rank in feeds:
                if text is None:
                    ready.setdefault(slot, []).append((rank, series))
                else:
                    values = of_series(text, rank)
                    if slot not in TEXT_SLOTS:
                        values = values.only(np.asarray(values.end) > np.asarray(values.start))
                    found.setdefault(slot, []).append(values)
            if text is not None and self.tree.inner[node]:
                spans = _project(of_series(text), self.tree, node)
                for slot, inner in self._nested(spans, self.tree).items():
                    found.setdefault(slot, []).extend(inner)
        every = np.arange(rows)
        given = {slot: [one for _, one in sorted(held, key=lambda p: p[0])] for slot, held in ready.items()}
        numbered = table if self.indexed else None
        return self._finish(found, every, every, every[:0], np.zeros(0, np.int8), {}, None, numbered, given)

    # --- both ---------------------------------------------------------------------------------------------------------

    def _finish(
        self,
        found: dict[str, list[Values]],
        good: NDArray[np.int64],
        owner: NDArray[np.int64],
        bad: NDArray[np.int64],
        status: NDArray[np.int8],
        outer: dict[str, pl.Series],
        items: Values | None,
        table: Mapping[str, pl.Series] | None = None,
        given: Mapping[str, list[pl.Series]] | None = None,
    ) -> Records:
        keep = self._kept(found, good)
        if keep is not None:
            good, owner = good[keep], owner[keep]
        rows = len(good)
        total = len(next(iter(found.values()))[0]) if found else len(next(iter(given.values()))[0]) if given else rows
        if rows != total:
            found = {name: [v.at(good) for v in sources] for name, sources in found.items()}
        outer = {slot: series.gather(good) for slot, series in outer.items()}
        body = Gathered(rows)
        if self.indexed:
            talk = (
                indexed.from_table(table, rows) if table is not None
                else indexed.from_json(items.at(good), self.format.attributes) if items is not None else {}
            )  # fmt: skip
            body.add_all(np.arange(rows), talk)
        body = self._bodies_of(found, body)
        columns: dict[str, list[pl.Series]] = {}
        for slot, held in (given or {}).items():
            if slot in FIELD_SLOTS:
                columns[slot] = [series.gather(good) if rows != total else series for series in held]
        for slot, how in self.fields.items():
            made = self._field(found.get(slot), slot, how)
            if made is not None:
                columns.setdefault(slot, []).append(made)
        for slot, series in outer.items():
            how = self.format.outer[slot]
            if slot in TEXT_SLOTS:
                text = _text_in(of_series(series), slot)
                if text is None:
                    continue
                series = text  # noqa: PLW2901
            columns.setdefault(slot, []).append(worded(series, slot, how))
        told = body.columns()
        turns = told.pop("@owner", None)
        for slot, series in told.items():
            # What the body says of a text comes before what lies around it; of all else the envelope knows better.
            held = columns.setdefault(slot, [])
            held.insert(0 if slot in TEXT_SLOTS else len(held), series)
        if turns is not None:
            index = turns.to_numpy()
            columns = {
                slot: [s if slot in told and s is told[slot] else s.gather(index) for s in parts]
                for slot, parts in columns.items()
            }
            owner, rows = owner[index], len(index)
        for kind in (_REQUEST, _RESPONSE):
            if f"{kind}_reference:0" in found:
                columns[f"{kind}_reference"] = [text_of(found[f"{kind}_reference:0"])]
        derive(columns, rows)
        for flag, marks in (("truncated", self.format.truncated), ("redacted", self.format.redacted)):
            found_there = marked(columns, marks)
            if found_there is not None:
                columns.setdefault(flag, []).insert(0, found_there)
        return Records(columns, rows, owner, bad, status)

    def _kept(self, found: dict[str, list[Values]], good: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Positions in ``good`` of the records that a test lets through; None for all of them."""
        if not self.format.tests:
            return None
        keep = np.zeros(len(good), np.bool_)
        for k, test in enumerate(self.format.tests):
            sources = found.get(f"test:{k}")
            if sources is None:
                if test.negated:
                    keep[:] = True
                continue
            there = np.logical_or.reduce([v.kind[good] != ABSENT for v in sources])
            if test.values:
                text = text_of([v.at(good) for v in sources])
                there = text.is_in(list(test.values)).fill_null(value=False).to_numpy() ^ test.negated
            keep |= there
        return np.flatnonzero(keep)

    def _field(self, sources: list[Values] | None, slot: str, how: Field) -> pl.Series | None:
        if not sources:
            return None
        if slot == "tool_calls":
            return counted(sources)
        if slot in TEXT_SLOTS:
            out = Gathered(len(sources[0]))
            for values in sources:
                out.add(slot, np.arange(len(values)), _text_in(values, slot))
            return out.columns().get(slot)
        parts = [scalars(v) for v in best(sources)]
        texts = [part for part in parts if part is not None]
        if slot == "finish_reason":
            texts += [first_word(v) for v in sources if among(v.kind, (ARRAY, OBJECT)).any()]
        if not texts:
            return None
        found = texts[0]
        for other in texts[1:]:
            found = over(found, other)
        return worded(found, slot, how)

    def _bodies_of(self, found: dict[str, list[Values]], out: Gathered) -> Gathered:
        every = np.arange(out.rows)
        # The response first: the messages of a request may end with an earlier answer that called a tool.
        for kind, reader in ((_RESPONSE, read_response), (_REQUEST, read_request)):
            for k in range(len(self._bodies.get(kind, []))):
                for values in found.get(f"{kind}:{k}", []):
                    told = reader(values)
                    if k and kind == _REQUEST and "prompt" in told:
                        told.pop("turn", None)  # it belongs to the messages that gave it
                    out.add_all(every, told)
        if "conversation" in self._bodies:
            return self._turns(found, out)
        return out

    def _turns(self, found: dict[str, list[Values]], out: Gathered) -> Gathered:
        """A conversation is as many requests as the user spoke."""
        parts = []
        for k in range(len(self._bodies["conversation"])):
            for values in found.get(f"conversation:{k}", []):
                for part in opened(values):
                    where = part.of_kind(ARRAY)
                    if len(where):
                        lists = part.at(where)
                        talk = messages.turns(lists.buf, lists.start, lists.end)
                        parts.append(talk.with_columns(pl.Series("@owner", where[talk["@owner"].to_numpy()])))
        if not parts:
            return out
        talk = pl.concat(parts).sort("@owner", "turn", maintain_order=True)
        made = Gathered(talk.height)
        every = np.arange(talk.height)
        for column in talk.get_columns():
            made.add(column.name, every, column)
        index = talk["@owner"].to_numpy()
        for slot, series in out.columns().items():
            made.add(slot, every, series.gather(index))
        return made


def _checked(path: str, slot: str) -> None:
    try:
        parse_path(path)
    except PathError as error:
        raise UsageError(f"the source for {slot}: {error}") from error


def _text_in(values: Values, slot: str) -> pl.Series | None:
    """The text for ``slot`` in bodies, lists of parts or plain texts; None if there is none."""
    reader = read_response if slot == "response" else read_request
    return reader(values).get("prompt" if slot == "system" else slot)


def _project(values: Values, tree: Tree, node: int) -> Spans:
    return pathscan.project(values.buf, values.start, values.end, tree, node)
