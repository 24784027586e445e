"""What runs where the requests of whole accounts are together: sheets and frames, then streams and what they look like.

An account's sheets, frames and streams depend on its own requests, but for a few numbers that the whole log decides (which ends are
natural language, which skeletons are one family). Both passes are therefore the local engine's functions on the fingerprints of some
accounts; how accounts are spread over tasks does not matter.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from extractscan.campaign.corpus import WORDS
from extractscan.campaign.evidence import senders_seen
from extractscan.campaign.partition import SAMPLE
from extractscan.campaign.pivot import first_uses, pivots
from extractscan.campaign.synchrony import HOUR_US
from extractscan.coverage.accounts import coverage_of
from extractscan.coverage.frames import without
from extractscan.coverage.openers import ends_of
from extractscan.coverage.profile import profile, tells_turns
from extractscan.coverage.sheets import framed_sheets
from extractscan.coverage.streams import payload_hashes, streams_of
from extractscan.coverage.units import skeletons, units_of
from extractscan.engine import carried
from extractscan.engine.passes import FAMILY_BASE, KEY_SHIFT, PROFILE, SHEETS, STREAMS, signed, table_of
from extractscan.fingerprint.requests import NAMES, FingerprintBatch, merge
from extractscan.logs.identity import content_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from extractscan.coverage.sheets import Sheets
    from extractscan.coverage.streams import Streams
    from extractscan.coverage.units import Units
    from extractscan.engine.passes import Known
    from extractscan.fingerprint.requests import Fingerprints, Texts


def _of_kind(table: pa.Table, kind: str) -> pa.Table:
    return table.filter(pc.equal(table["kind"], kind))


def _texts(table: pa.Table) -> Texts:
    """Texts of ``TEXTS``, of which some are there several times."""
    frame = pl.DataFrame(table.select(carried.TEXTS.names)).unique("hash", keep="any")
    return carried.texts_of(frame.to_arrow())


def _prints(table: pa.Table) -> Fingerprints:
    """Fingerprints of the accounts of a piece."""
    batch = FingerprintBatch(
        carried.rows_frame(_of_kind(table, "rows")),
        _texts(_of_kind(table, "prompts")),
        _texts(_of_kind(table, "systems")),
    )
    return merge([batch], named=NAMES)


def _bytes_of(offsets: NDArray[np.int64], tokens: NDArray[np.uint32]) -> pa.Array:
    """CSR rows of tokens as binary."""
    buffers = [None, pa.py_buffer((offsets * 4).astype(np.int64)), pa.py_buffer(np.ascontiguousarray(tokens))]
    return pa.Array.from_buffers(pa.large_binary(), offsets.size - 1, buffers)


def _signed_systems(prints: Fingerprints, system: NDArray[np.int64]) -> pl.Series:
    """Hash of each system prompt as a signed number, null for none."""
    hashes = np.r_[prints.systems.hashes, np.uint64(0)].view(np.int64)[system]
    frame = pl.DataFrame({"system": hashes, "given": system >= 0})
    return frame.select(pl.when("given").then("system"))["system"]


def _unit_names(ids: pl.Series, system: pl.Series, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """A hash for each unit, by its account, system prompt and group."""
    name = content_hashes(ids).to_numpy().astype(np.uint64)
    for part in (system.fill_null(0).to_numpy(), system.is_null().to_numpy().astype(np.int64), group):
        name = (name ^ part.astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        name ^= name >> np.uint64(29)
    return name.view(np.int64)


def _unit_tables(prints: Fingerprints, sheets: Sheets, units: Units) -> Iterator[pa.Table]:
    """``units``, and the ``marks`` of those that are frames."""
    framed = np.flatnonzero(units.group >= 0)
    pairs = np.stack([units.account[framed], units.system[framed]])
    loose = units.group < 0
    width = int(units.system.max(initial=-1)) + 2
    has_loose = np.unique(units.account[loose] * width + units.system[loose] + 1)
    lacking = np.setdiff1d(np.unique(pairs[0] * width + pairs[1] + 1), has_loose)
    bare = np.full(lacking.size, -1, np.int64)
    account = np.r_[units.account, lacking // width]
    system = np.r_[units.system, lacking % width - 1]
    group = np.r_[units.group, bare]
    more, words = skeletons(system[units.account.size :], bare, sheets.frames, prints.systems)
    offsets = np.r_[units.skeleton_offsets, units.skeleton_offsets[-1] + more[1:]]
    tokens = np.concatenate([units.skeletons, words])
    ids = prints.accounts.gather(account)
    hashes = _signed_systems(prints, system)
    names = _unit_names(ids, hashes, group)
    nothing = np.zeros(account.size, np.int64)
    yield table_of(
        "units",
        SHEETS,
        {
            "slot": (content_hashes(ids) % carried.SLOTS).cast(pl.Int64),
            "account_id": ids,
            "system": hashes,
            "group": group,
            "unit": names,
            "key": payload_hashes(np.arange(account.size), nothing, nothing, offsets, tokens).view(np.int64),
            "words": np.diff(offsets),
            "weight": np.r_[units.weight, nothing[: lacking.size]],
            "skeleton": _bytes_of(offsets, tokens),
        },
    )
    for back in (False, True):
        ends = ends_of(sheets, prints.prompts, back=back)
        used = ends.hashes != 0
        side = np.full(int(used.sum()), back, np.int32)
        counted = {"end": ends.hashes[used].view(np.int64), "users": ends.users[used], "holders": ends.holders[used]}
        yield table_of("ends", SHEETS, {"back": side, **counted})
        mark = pl.DataFrame(
            {"unit": names[units.of_item[ends.rows]], "end": ends.hashes[ends.place].view(np.int64)}
        ).unique(maintain_order=True)
        yield table_of(
            "marks", SHEETS, {"back": np.full(mark.height, back, np.int32), "unit": mark["unit"], "end": mark["end"]}
        )


def sheet_accounts(table: pa.Table) -> Iterator[pa.Table]:
    """First pass: rows and texts of whole accounts (``PARTS``) to ``SHEETS``."""
    prints = _prints(table)
    sheets = framed_sheets(prints)
    seen = (
        prints.requests.group_by("account")
        .agg(pl.len().alias("requests"), pl.col("time_us").min().alias("first"), pl.col("time_us").max().alias("last"))
        .sort("account")
    )
    yield table_of(
        "accounts",
        SHEETS,
        {
            "account_id": prints.accounts,
            **{name: seen[name] for name in ("requests", "first", "last")},
            "organisation": prints.organisations,
        },
    )
    yield from _unit_tables(prints, sheets, units_of(sheets, prints.systems))
    models = first_uses(sheets.requests)
    names = prints.names["model"].gather(models["model"])
    yield table_of(
        "models", SHEETS, {"model": names.cast(pl.String), "first": models["release"], "users": models["users"]}
    )
    report = {
        "knows_turns": tells_turns(sheets.requests),
        "start": sheets.requests["time_us"].min(),
        "duplicates": prints.duplicates,
        "present": sorted(prints.present),
    }
    yield table_of("log", SHEETS, {"report": [json.dumps(report)]})


def _families(
    table: pa.Table, prints: Fingerprints, units: Units
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Family of each unit, number of its account, and whether the log knows the unit at all: not those that were natural language."""
    given = pl.DataFrame(_of_kind(table, "families").select(["account_id", "system", "group", "family", "number"]))
    wanted = pl.DataFrame(
        {
            "account_id": prints.accounts.gather(units.account),
            "system": _signed_systems(prints, units.system),
            "group": units.group,
        }
    )
    found = wanted.join(
        given, on=["account_id", "system", "group"], how="left", maintain_order="left", nulls_equal=True
    )
    known = found["number"].is_not_null().to_numpy()
    return found["family"].fill_null(-1).to_numpy(), found["number"].fill_null(-1).to_numpy(), known


def _hours(streams: Streams) -> tuple[NDArray[np.int64], pa.Array]:
    """Active hours of each stream: the day that they are counted from, in hours since 1970, and a bit for each hour."""
    active = (
        streams.requests.select("stream", (pl.col("time_us") // HOUR_US).alias("hour")).unique().sort("stream", "hour")
    )
    stream, hour = active["stream"].to_numpy(), active["hour"].to_numpy()
    total = streams.table.height
    begin = np.searchsorted(stream, np.arange(total))
    end = np.searchsorted(stream, np.arange(total), side="right")
    since = hour[begin] // 24 * 24
    size = (hour[end - 1] - since) // 8 + 1
    offsets = np.r_[np.int64(0), np.cumsum(size)]
    bits = np.zeros(8 * int(offsets[-1]), np.uint8)
    bits[8 * offsets[stream] + hour - since[stream]] = 1
    packed = np.packbits(bits)
    buffers = [None, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(packed)]
    return since, pa.Array.from_buffers(pa.large_binary(), total, buffers)


def _sampled(items: pl.DataFrame, texts: Texts) -> tuple[pl.Series, pa.Array]:
    """Rank of each item's payload in its stream, null beyond ``SAMPLE`` and where it was there before; and its first words."""
    ranked = (
        items.select("stream", "payload")
        .with_row_index("row")
        .sort("stream", "payload", "row")
        .unique(["stream", "payload"], keep="first", maintain_order=True)
        .with_columns(place=pl.int_range(pl.len()).over("stream"))
        .filter(pl.col("place") < SAMPLE)
    )
    row = ranked["row"].to_numpy()
    place = np.full(items.height, -1, np.int64)
    place[row] = ranked["place"].to_numpy()
    text = items["prompt"].to_numpy()
    begin = texts.offsets[text] + items["front"].to_numpy()
    size = np.clip(texts.offsets[text + 1] - items["back"].to_numpy() - begin, 0, WORDS)
    size = np.where(place >= 0, size, 0)
    offsets = np.r_[np.int64(0), np.cumsum(size)]
    at = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], size) + np.repeat(begin, size)
    ranks = pl.DataFrame({"place": place}).select(pl.when(pl.col("place") >= 0).then("place"))["place"]
    return ranks, _bytes_of(offsets, texts.tokens[at])


def _account_table(prints: Fingerprints, requests: pl.DataFrame, cluster: NDArray[np.int64], known: Known) -> pa.Table:
    codes = np.unique(cluster, return_inverse=True)[1]
    coverage = coverage_of(prints.requests, codes, prints.accounts.len(), known.clusters)
    models = prints.names["model"].cast(pl.String).to_list()
    place = {name: code for code, name in enumerate(models)}
    released = pl.DataFrame(
        {
            "model": [place.get(name, len(models)) for name, _ in known.releases],
            "release": [release for _, release in known.releases],
            "users": [0] * len(known.releases),
        },
        schema={"model": pl.UInt32, "release": pl.Int64, "users": pl.UInt32},
    )
    pivot = pivots(requests, released)
    senders = pl.DataFrame({"account": np.arange(prints.accounts.len(), dtype=np.uint32)}).join(
        senders_seen(requests), on="account", how="left", maintain_order="left"
    )
    values = {name: prints.names[name].gather(senders[name]) for name in ("org_id", "ip", "payment_id")}
    values |= {name: values[name].cast(pl.UInt64).reinterpret(signed=True) for name in ("ip", "payment_id")}
    return table_of(
        "accounts",
        STREAMS,
        {
            "account_id": prints.accounts,
            **values,
            "end_users": senders["end_users"],
            "pivot": pivot.extend_constant(None, prints.accounts.len() - pivot.len()),
            **coverage.columns(),
        },
    )


def stream_accounts(known: Known, table: pa.Table) -> Iterator[pa.Table]:
    """Second pass: the same with ``families`` and the ``cluster`` of each prompt, to ``STREAMS``."""
    prints = _prints(table)
    named = pl.DataFrame(_of_kind(table, "prompts").select(["hash", "cluster"])).unique("hash", keep="any")
    cluster = named.with_columns(pl.col("hash").reinterpret(signed=False)).sort("hash")["cluster"].to_numpy()
    sheets = framed_sheets(prints)
    yield _account_table(prints, sheets.requests, cluster, known)
    if not sheets.requests.height:
        return
    units = units_of(sheets, prints.systems)
    _, _, there = _families(table, prints, units)
    dropped = np.zeros(sheets.frames.skeleton_offsets.size - 1, bool)
    gone = units.group[~there]
    dropped[gone[gone >= 0]] = True
    sheets = replace(sheets, frames=without(sheets.frames, dropped))
    units = units_of(sheets, prints.systems)
    family, owner, _ = _families(table, prints, units)
    streams = streams_of(sheets, units, family, prints)
    number = np.full(prints.accounts.len(), -1, np.int64)
    number[units.account] = owner
    profiles = profile(streams, prints.prompts, knows_turns=known.knows_turns)
    account = number[profiles["account"].to_numpy()]
    key = (account << KEY_SHIFT) + profiles["family"].to_numpy() + FAMILY_BASE
    items = streams.items
    stream = items["stream"].to_numpy()
    smallest = np.full(profiles.height, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, stream, items["payload"].to_numpy())
    since, hours = _hours(streams)
    yield table_of(
        "streams",
        STREAMS,
        {
            "stream": key,
            "account": account,
            **{name: profiles[name] for name in PROFILE},
            "smallest": signed(smallest),
            "since": since,
            "hours": hours,
        },
    )
    place, words = _sampled(items, prints.prompts)
    yield table_of(
        "items",
        STREAMS,
        {
            "stream": key[stream],
            "account": account[stream],
            "payload": signed(items["payload"].to_numpy()),
            "cluster": cluster[items["prompt"].to_numpy()],
            "times": items["times"],
            "place": place,
            "tokens": words,
        },
    )
