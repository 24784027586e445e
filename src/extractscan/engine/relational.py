"""The heavy relational steps, written once for every engine, in narwhals' stable API.

Texts are known by their 64-bit hashes, as signed integers, since Spark has no others. The *band graph* joins two texts that
share the key of a band; its components are what the clustering of near-duplicates can be done in, one by one, with the
result that it has for all of them at once: runs of equal keys never cross a component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from extractscan.errors import ExtractscanError

if TYPE_CHECKING:
    from extractscan.engine.verbs import Engine, Frame

MOST_ROUNDS: Final = 40
"""Rounds of large and small stars; a path of a million texts takes about a dozen."""
LOCAL: Final = -1
"""The band of a link that was found inside a batch."""


def of_kind(frame: Frame, kind: str) -> Frame:
    """Rows of a kind."""
    return frame.filter(nw.col("kind") == kind)


def distinct_texts(texts: Frame) -> Frame:
    """Each text once, by ``hash``: texts of one hash are the same text, so that any of them will do."""
    return texts.unique(subset=["hash"], keep="any")


def band_edges(bands: Frame) -> Frame:
    """Links ``high`` to ``low`` that connect the texts of every band key: stars, never pairs.

    ``bands`` has ``band``, ``key``, ``low`` and ``high``: with ``band`` of ``LOCAL``, links found inside a batch; else one text for a key
    and batch, which stands for the others there (``low`` and ``high`` are the same). A key that half of the log shares is thereby
    one row a batch. The links of a key go to its smallest text.
    """
    inside = bands.filter(nw.col("band") == LOCAL).select("low", "high")
    standing = bands.filter(nw.col("band") != LOCAL)
    least = standing.group_by("band", "key").agg(nw.col("low").min().alias("least"))
    between = standing.join(least, on=["band", "key"], how="inner").select(nw.col("least").alias("low"), "high")
    return _distinct(nw.concat([inside, between], how="vertical"))


def _distinct(links: Frame) -> Frame:
    """Each link once; a sum over each is what Spark combines before it sends anything, which ``unique`` is not."""
    counted = links.filter(nw.col("low") != nw.col("high")).group_by("low", "high").agg(nw.len().alias("times"))
    return counted.select("low", "high")


def _large_star(links: Frame) -> Frame:
    """Of each text, link its larger neighbours to the smallest of its neighbourhood."""
    both = nw.concat(
        [
            links.select(nw.col("low").alias("text"), nw.col("high").alias("other")),
            links.select(nw.col("high").alias("text"), nw.col("low").alias("other")),
        ],
        how="vertical",
    )
    least = both.group_by("text").agg(nw.col("other").min().alias("least"))
    least = least.select("text", nw.min_horizontal("text", "least").alias("least"))
    larger = both.filter(nw.col("other") > nw.col("text")).join(least, on="text", how="inner")
    return _distinct(larger.select(nw.col("least").alias("low"), nw.col("other").alias("high")))


def _small_star(links: Frame) -> Frame:
    """Of each text, link its smaller neighbours and itself to the smallest of them."""
    least = links.group_by("high").agg(nw.col("low").min().alias("least"))
    moved = links.join(least, on="high", how="inner").select(nw.col("least").alias("low"), nw.col("low").alias("high"))
    own = least.select(nw.col("least").alias("low"), "high")
    return _distinct(nw.concat([moved, own], how="vertical"))


def _unfinished(engine: Engine, links: Frame) -> int:
    """Links that are not yet part of a star: those of a text with several, and those to a text that is itself linked."""
    times = links.group_by("high").agg(nw.len().alias("times"))
    several = times.filter(nw.col("times") > 1).select(nw.len().alias("count"))
    linked = links.select(nw.col("low").alias("high")).join(times.select("high"), on="high", how="semi")
    counts = engine.collect_small(nw.concat([several, linked.select(nw.len().alias("count"))], how="vertical"), 2)
    return sum(counts["count"].to_pylist())


def components(engine: Engine, links: Frame, *, name: str, most_rounds: int = MOST_ROUNDS) -> Frame:
    """Components of a graph of links ``low`` < ``high``: ``hash`` and ``component``, its smallest text; texts without a link are left out.

    Alternating large and small stars (Kiveris et al. 2014, "Connected components in MapReduce and beyond"), each round
    persisted, until all is stars. Raises ``ExtractscanError`` if that takes more than ``most_rounds``.
    """
    for number in range(1, most_rounds + 1):
        links = engine.persist(_small_star(_large_star(links)), f"{name}-{number:02d}")
        if not _unfinished(engine, links):
            return labelled(links)
    raise ExtractscanError(f"components did not settle in {most_rounds} rounds; please report it")


def labelled(stars: Frame) -> Frame:
    """Stars as ``hash`` and ``component``."""
    members = stars.select(nw.col("high").alias("hash"), nw.col("low").alias("component"))
    centres = stars.group_by("low").agg(nw.len().alias("times"))
    return nw.concat(
        [members, centres.select(nw.col("low").alias("hash"), nw.col("low").alias("component"))], how="vertical"
    )


def texts_of_slots(rows: Frame, name: str, texts: Frame) -> Frame:
    """The texts of ``name``, prompt or system, that the rows of each slot have: ``slot`` and the columns of ``texts``."""
    used = rows.filter(nw.col(f"has_{name}")).select("slot", nw.col(f"{name}_hash").alias("hash"))
    distinct = used.group_by("slot", "hash").agg(nw.len().alias("times")).select("slot", "hash")
    return distinct.join(texts, on="hash", how="inner")


def natural_units(ends: Frame, marks: Frame, users: int) -> Frame:
    """Units of which every end that they share is natural language: ``unit``.

    ``ends`` has ``back, end, users, holders``, the accounts that use an end at all and in a frame, counted in parts; ``marks`` has
    ``back, end, unit``. Natural is what ``users`` accounts or more use without a frame, and as many as with one.
    """
    counted = ends.group_by("back", "end").agg(nw.col("users").sum(), nw.col("holders").sum())
    loose = nw.col("users") - nw.col("holders")
    common = counted.filter((loose >= users) & (loose >= nw.col("holders"))).select("back", "end")
    shares = marks.group_by("unit").agg(nw.len().alias("shares"))
    natural = marks.join(common, on=["back", "end"], how="inner").group_by("unit").agg(nw.len().alias("natural"))
    return shares.join(natural, on="unit", how="inner").filter(nw.col("shares") == nw.col("natural")).select("unit")


def shared_payloads(items: Frame) -> Frame:
    """Payloads that several accounts send, each with the streams that send it: ``payload, stream``.

    ``items`` has ``payload, stream, account``. Least and greatest account are what is combined before anything is sent.
    """
    spread = items.group_by("payload").agg(nw.col("account").min().alias("low"), nw.col("account").max().alias("high"))
    several = spread.filter(nw.col("low") < nw.col("high")).select("payload")
    found = items.select("payload", "stream").join(several, on="payload", how="inner")
    return found.group_by("payload", "stream").agg(nw.len().alias("times")).select("payload", "stream")


def cluster_counts(items: Frame) -> Frame:
    """How many clusters each ``ask`` visited how often: ``ask, times, clusters``, from ``ask, cluster, times``."""
    visits = items.group_by("ask", "cluster").agg(nw.col("times").sum())
    return visits.group_by("ask", "times").agg(nw.len().alias("clusters"))


def height(engine: Engine, frame: Frame) -> int:
    """Rows of a frame."""
    return int(engine.collect_small(frame.select(nw.len().alias("rows")), 1)["rows"].to_pylist()[0])


def largest(engine: Engine, frame: Frame, by: str) -> int:
    """Rows of the largest group of ``by``; 0 if there is none."""
    counted = frame.group_by(by).agg(nw.len().alias("times")).select(nw.col("times").max())
    return int(engine.collect_small(counted, 1)["times"].to_pylist()[0] or 0)
