"""Messages that are spread over numbered attributes: ``gen_ai.prompt.0.content``, ``llm.input_messages.1.message.role``.

So OpenLLMetry and OpenInference write them. The numbers are unbounded, hence no paths; names are matched with each
number made ``#``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from extractscan.jit import leaf
from extractscan.logs import messages
from extractscan.logs.jsongrammar import kind_of, scratch, skip_key, skip_space, skip_value
from extractscan.logs.pathscan import read_entry
from extractscan.logs.spans import FNV_OFFSET, FNV_PRIME, OBJECT, STRING, name_hash, offsets, readable
from extractscan.logs.textspans import take

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractscan.logs.cells import Values

_IN_ROLE, _IN_TEXT, _IN_PART, _OUT_ROLE, _OUT_TEXT, _OUT_PART, _FINISH, _CALL = range(1, 9)
_NAMES: Final = {
    "gen_ai.prompt.#.role": _IN_ROLE,
    "gen_ai.prompt.#.content": _IN_TEXT,
    "gen_ai.completion.#.role": _OUT_ROLE,
    "gen_ai.completion.#.content": _OUT_TEXT,
    "gen_ai.completion.#.finish_reason": _FINISH,
    "gen_ai.completion.#.tool_calls.#.name": _CALL,
    "llm.input_messages.#.message.role": _IN_ROLE,
    "llm.input_messages.#.message.content": _IN_TEXT,
    "llm.input_messages.#.message.contents.#.message_content.text": _IN_PART,
    "llm.output_messages.#.message.role": _OUT_ROLE,
    "llm.output_messages.#.message.content": _OUT_TEXT,
    "llm.output_messages.#.message.contents.#.message_content.text": _OUT_PART,
    "llm.output_messages.#.message.tool_calls.#.tool_call.function.name": _CALL,
    "llm.prompts.#.prompt.text": _IN_TEXT,
    "llm.choices.#.completion.text": _OUT_TEXT,
}
_OUTPUT: Final = 1 << 20
"""Added to the index of a message of the output, so that it comes after those of the input."""

_PREFIX: Final = "attributes."

_OFFSET: Final = np.uint64(FNV_OFFSET)
_PRIME: Final = np.uint64(FNV_PRIME)


_HASHES: Final = np.array([name_hash(name) for name in _NAMES], np.uint64)
_CODES: Final = np.array(list(_NAMES.values()), np.int8)


def _pattern(name: str) -> tuple[int, int, int]:
    """Code, number of the message and of the part that a name stands for; code 0 for none."""
    name = name.removeprefix(_PREFIX)
    numbers = [int(n[:9]) for n in re.findall(r"(?<=\.)[0-9]+(?=\.)", name)]
    code = _NAMES.get(re.sub(r"(?<=\.)[0-9]+(?=\.)", "#", name), 0)
    return code, numbers[0] if numbers else 0, numbers[1] if len(numbers) > 1 else 0


def is_indexed(name: str) -> bool:
    """Whether a column is such an attribute."""
    return _pattern(name)[0] > 0


def from_table(table: Mapping[str, pl.Series], rows: int) -> dict[str, pl.Series]:
    """Columns of what the numbered columns of a table say."""
    pieces = []
    for name, series in table.items():
        code, first, second = _pattern(name)
        if code:
            pieces.append(
                pl.DataFrame({"row": np.arange(rows), "text": series.cast(pl.String, strict=False)})
                .filter(pl.col("text").is_not_null())
                .with_columns(code=pl.lit(code, pl.Int8), index=pl.lit(first, pl.Int64), part=pl.lit(second, pl.Int64))
            )
    return _told(pl.concat(pieces), rows) if pieces else {}


def from_json(items: Values, attributes: Sequence[str]) -> dict[str, pl.Series]:
    """Columns of what the numbered attributes of objects say: members, or those of the lists called ``attributes``."""
    rows = len(items)
    names = np.array([name_hash(name) for name in (*attributes, "attributes")], np.uint64)
    buf, start, end = readable(items.buf), offsets(items.start), offsets(items.end)
    present = np.ascontiguousarray(items.kind == OBJECT)
    none, stack = np.zeros(0, np.int64), scratch()
    count = _scan(buf, start, end, present, names, _HASHES, _CODES, stack, none, none, none, none, none, none, False)
    if not count:
        return {}
    row, code, index, part, a, b = (np.empty(count, np.int64) for _ in range(6))
    _scan(buf, start, end, present, names, _HASHES, _CODES, stack, row, code, index, part, a, b, True)
    texts, _ = take(buf, a, b, np.full(count, STRING, np.uint8))
    table = pl.DataFrame({"row": row, "text": texts, "code": code.astype(np.int8), "index": index, "part": part})
    return _told(table, rows)


def _told(table: pl.DataFrame, rows: int) -> dict[str, pl.Series]:
    """Texts with their row, code and numbers to columns."""
    code = pl.col("code")
    table = table.with_columns(
        index=pl.when(code.is_in([_OUT_ROLE, _OUT_TEXT, _OUT_PART, _FINISH, _CALL])).then(pl.col("index") + _OUTPUT)
        .otherwise("index")
    )  # fmt: skip
    spoken = (
        table.sort("row", "index", "part", maintain_order=True)
        .group_by("row", "index", maintain_order=True)
        .agg(
            role=pl.col("text").filter(code.is_in([_IN_ROLE, _OUT_ROLE])).first(),
            text=pl.col("text").filter(code.is_in([_IN_TEXT, _OUT_TEXT])).first(),
            parts=pl.col("text").filter(code.is_in([_IN_PART, _OUT_PART])).str.join("\n"),
            several=code.is_in([_IN_PART, _OUT_PART]).any(),
            finish=pl.col("text").filter(code == _FINISH).first(),
            calls=(code == _CALL).sum().cast(pl.Int64),
        )
    )
    text = spoken.select(pl.when("several").then(pl.coalesce("text", "parts")).otherwise("text").alias("t"))["t"]
    default = pl.when(pl.col("index") >= _OUTPUT).then(messages.ASSISTANT).otherwise(messages.USER)
    role = spoken.select(
        pl.when(pl.col("role").is_null()).then(default)
        .otherwise(pl.col("role").str.to_lowercase().replace_strict(messages.ROLE_CODES, default=0, return_dtype=pl.Int32))
        .fill_null(0)
    ).to_series().to_numpy()  # fmt: skip
    read = messages.reduce(
        spoken["row"].to_numpy(),
        role,
        text.is_not_null().to_numpy(),
        text.gather,
        rows,
        calls=spoken["calls"].to_numpy(),
        finish_of=spoken["finish"].gather,
    )
    return {slot: read[slot] for slot in read.columns if slot != "readable"}


@leaf
def _match(buf: Any, begin: int, end: int, hashes: Any, codes: Any) -> tuple[int, int, int]:
    """Code, and the two numbers, of the name ``buf[begin:end]``; code 0 if it is none of them."""
    if end - begin > 11 and buf[begin] == 97 and buf[begin + 10] == 46:  # attributes.
        begin += 11
    h = _OFFSET
    first, second, seen = 0, 0, 0
    i = begin
    while i < end:
        c = buf[i]
        if 48 <= c <= 57 and i > begin and buf[i - 1] == 46:
            k, n = i, 0
            while k < end and 48 <= buf[k] <= 57 and k - i < 9:
                n = n * 10 + (int(buf[k]) - 48)
                k += 1
            if k < end and buf[k] == 46:
                h = (h ^ np.uint64(35)) * _PRIME
                if seen == 0:
                    first = n
                elif seen == 1:
                    second = n
                seen += 1
                i = k
                continue
        h = (h ^ np.uint64(c)) * _PRIME
        i += 1
    if seen:
        for k in range(len(hashes)):
            if hashes[k] == h:
                return int(codes[k]), first, second
    return 0, first, second


@leaf
def _raw_hash(buf: Any, begin: int, end: int) -> Any:
    h = _OFFSET
    for i in range(begin, end):
        h = (h ^ np.uint64(buf[i])) * _PRIME
    return h


@leaf
def _entry_name(buf: Any, i: int, end: int, stack: Any) -> tuple[int, int]:
    """Span of the text under ``key`` in the object at ``i``; empty if there is none."""
    i = skip_space(buf, i + 1, end)
    while i < end and buf[i] == 34:
        name = i + 1
        i = skip_space(buf, skip_key(buf, i, end), end)
        at = i
        i = skip_value(buf, i, end, stack)
        if buf[name] == 107 and buf[at] == 34:
            return at + 1, i - 1
        i = skip_space(buf, i, end)
        if i < end and buf[i] == 44:
            i = skip_space(buf, i + 1, end)
    return 0, 0


@leaf
def _scan(
    buf: Any, start: Any, end: Any, present: Any, names: Any, hashes: Any, codes: Any, stack: Any, o_row: Any,
    o_code: Any, o_index: Any, o_part: Any, o_start: Any, o_end: Any, fill: bool,
) -> int:  # fmt: skip
    """Count, or write, the numbered attributes. The objects have been found valid before."""
    n = 0
    for row in range(len(start)):
        if not present[row]:
            continue
        stop = end[row]
        i = skip_space(buf, start[row], stop)
        if i >= stop or buf[i] != 123:
            continue
        i = skip_space(buf, i + 1, stop)
        inside = False  # within an object of attributes
        while i < stop and buf[i] != 125:
            name = i + 1
            i = skip_key(buf, i, stop)
            if i < 0:
                break
            close = i - 2
            while buf[close] != 34:
                close -= 1
            i = skip_space(buf, i, stop)
            at = i
            holds = False
            if not inside and (buf[at] == 91 or buf[at] == 123):
                h = _raw_hash(buf, name, close)
                for k in range(len(names)):
                    holds = holds or names[k] == h
            if holds and buf[at] == 123:
                inside = True
                i = skip_space(buf, at + 1, stop)
                if i >= stop or buf[i] != 125:
                    continue
            elif holds:
                i = skip_space(buf, at + 1, stop)
                while i < stop and buf[i] != 93:
                    if buf[i] == 123:
                        a, b = _entry_name(buf, i, stop, stack)
                        i, _, v0, v1 = read_entry(buf, i, stop, stack)
                        if i < 0:
                            break
                        code, first, second = _match(buf, a, b, hashes, codes) if b > a else (0, 0, 0)
                        if code and v1 > v0 and kind_of(buf[v0]) == STRING:
                            if fill:
                                o_row[n], o_code[n], o_index[n], o_part[n] = row, code, first, second
                                o_start[n], o_end[n] = v0 + 1, v1 - 1
                            n += 1
                    else:
                        i = skip_value(buf, i, stop, stack)
                        if i < 0:
                            break
                    i = skip_space(buf, i, stop)
                    if i < stop and buf[i] == 44:
                        i = skip_space(buf, i + 1, stop)
                if i < 0:
                    break
                i += 1
            else:
                i = skip_value(buf, at, stop, stack)
                if i < 0:
                    break
                if buf[at] == 34:
                    code, first, second = _match(buf, name, close, hashes, codes)
                    if code:
                        if fill:
                            o_row[n], o_code[n], o_index[n], o_part[n] = row, code, first, second
                            o_start[n], o_end[n] = at + 1, i - 1
                        n += 1
            i = skip_space(buf, i, stop)
            if inside and i < stop and buf[i] == 125:
                inside = False
                i = skip_space(buf, i + 1, stop)
            if i < stop and buf[i] == 44:
                i = skip_space(buf, i + 1, stop)
    return n
