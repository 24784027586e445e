"""Evidence of one stream, in bits.

Every signal is a log2 likelihood ratio, or a robust distance from the log's own automated traffic, and each family is capped:
no single kind of evidence can make a finding high. Volume is no signal. A signal that the log cannot support is *not
assessed* and has null bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.coverage.coincidence import LEFT, log_counts
from extractscan.coverage.streams import ASKS_NOTHING, CONVERSATION, NEAR_EMPTY, SAME_NOTHING, SINGLE, TURNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAPS: Final[dict[str, float]] = {
    "load": 7.5,
    "partition": 6.0,
    "succession": 4.0,
    "timing": 3.0,
    "means": 2.0,
    "corpus": 2.0,
    "independence": 3.0,
    "elicitation": 2.0,
    "pattern": 4.0,
}
"""Most bits of a family. Seven and a half are one in about two hundred: so many groups are weighed in a log, and one of them is as even
by chance. Two families bring odds of one in some thousand to even; what one account writes hardly does."""

PEOPLE_BURST: Final = 1.5
"""Times as often as by chance that people's neighbouring prompts share topic words, where the log has no conversations to
measure it on. The log's own conversations are used where there are enough."""
NO_TALK: Final = 4.0
"""Bits of independence from which conversation ids are not believed: one person in a thousand writes so by chance."""
BURST_DISPERSION: Final = 2.0
"""Overdispersion of shared topic words: words of one topic come together."""
A_CHANGE: Final = 0.5
"""Bits that one change of topic says at the most: people stay with theirs three times in ten or more."""
ENOUGH_EXPECTED: Final = 5.0
"""Expected shared words from which a stream's burstiness says anything."""
GREETING: Final = 64.0
"""Output tokens that a greeting or a ping is answered with."""
OUTPUT_SPREAD: Final = 1.0
"""Standard deviation of ln(output tokens) from answer to answer of one sender, as in published chat logs: the median of n answers has a
standard error of sqrt(pi / 2n) times that, and two long answers are no habit."""
GRID_NATURAL: Final = 0.25
"""Distinct payloads for each distinct word pair in natural text of a few words: longer text has fewer."""
HINT: Final = 2.0
"""Most bits of a pattern that products show too: templates over a catalogue fill grids, classifiers ask for log-probabilities."""
CHAINED_NATURAL: Final = 0.2
"""Share of prompts that people and products send again in a longer version."""
TAGGED_NATURAL: Final = 0.5
"""Share of responses that begin with tagged sections where mark-up is an occasional answer and no form."""
RESAMPLED_NATURAL: Final = 0.2
"""Share of requests that are retries of the one before."""
MIN_RESAMPLED: Final = 20
"""Distinct payloads from which sampling each several times is not a load test over a few."""
MIN_GRID: Final = 24
"""Payloads from which a grid can be told."""


def people_burst(profiles: pl.DataFrame) -> float:
    """How much more often neighbours share topic words than by chance in this log's conversations: the median ratio."""
    talk = profiles.filter((pl.col("family") == CONVERSATION) & (pl.col("topic_words_expected") >= ENOUGH_EXPECTED))
    if talk.height < 20:
        return PEOPLE_BURST
    ratio = float(np.median((talk["topic_words_seen"] / talk["topic_words_expected"]).to_numpy()))
    return float(np.clip(ratio, 1.2, 2.5))


def independence_bits(
    seen: NDArray[np.float64], expected: NDArray[np.float64], prompts: NDArray[np.int64], burst: float
) -> NDArray[np.float64]:
    """Log2 likelihood ratio of exchangeable prompts against people's: Poisson counts with means ``expected``, ``burst * expected``.

    However long, a few prompts are a few changes of topic: at most ``A_CHANGE`` bits for each of the ``prompts`` after the first.
    """
    bits = (expected * (burst - 1.0) - seen * np.log(burst)) / BURST_DISPERSION / np.log(2.0)
    return np.where(expected > 0, np.minimum(bits, A_CHANGE * np.maximum(prompts - 1, 0)), 0.0)


def _independence(profiles: pl.DataFrame, burst: float) -> NDArray[np.float64]:
    """``independence_bits`` of each stream."""
    prompts = profiles["prompts"].to_numpy().astype(np.int64)
    return independence_bits(
        profiles["topic_words_seen"].to_numpy(), profiles["topic_words_expected"].to_numpy(), prompts, burst
    )


def by_content(profiles: pl.DataFrame) -> pl.DataFrame:
    """Profiles in which conversation ids are believed only where the prompts bear them out.

    Ids are cheap: a harvest may thread its list through one conversation. Where prompts follow one another like a shuffled list,
    by at least ``NO_TALK`` bits, ``conversing`` becomes 0 and an unframed conversation becomes single requests.
    """
    listed = pl.Series(_independence(profiles, people_burst(profiles)) >= NO_TALK)
    return profiles.with_columns(
        pl.when(listed & pl.col("conversing").is_not_null())
        .then(0.0)
        .otherwise(pl.col("conversing"))
        .alias("conversing"),
        pl.when(listed & (pl.col("family") == CONVERSATION)).then(SINGLE).otherwise(pl.col("family")).alias("family"),
    )


def _robust_z(
    values: NDArray[np.float64], reference: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance from the reference's median in units of its MAD (scaled to a normal's standard deviation) and of each value's own error."""
    middle = np.median(reference)
    spread = 1.4826 * np.median(np.abs(reference - middle))
    return np.where(np.isnan(values), np.nan, 0.0) if spread <= 0 else (values - middle) / np.hypot(spread, error)


def elicitation_bits(profiles: pl.DataFrame) -> NDArray[np.float64]:
    """Bits for outputs longer than the log's automated traffic gives; NaN where output tokens are missing."""
    output = np.log1p(profiles["output_tokens"].cast(pl.Float64).fill_null(np.nan).to_numpy())
    automated = ~np.isin(profiles["family"].to_numpy(), TURNS) & np.isfinite(output)
    if automated.sum() < 20:
        return np.full(output.size, np.nan)
    requests = profiles["requests"].to_numpy()
    # The spread of the reference holds the error of its own medians: what counts is how much larger that of a few answers is.
    error = np.maximum(1.0 / requests - 1.0 / np.median(requests[automated]), 0.0)
    return _robust_z(output, output[automated], OUTPUT_SPREAD * np.sqrt(np.pi / 2.0 * error))


@dataclass(frozen=True, slots=True)
class Patterns:
    """Bits of each pattern, float64 (streams); 0 where it does not show."""

    grid: NDArray[np.float64]
    enumerated: NDArray[np.float64]
    empty: NDArray[np.float64]
    flags: NDArray[np.float64]
    chained: NDArray[np.float64]
    resampled: NDArray[np.float64]
    returned: NDArray[np.float64]


def pattern_bits(profiles: pl.DataFrame) -> Patterns:
    """Bits of mechanical ways to ask. Each is rare in benign traffic of any one kind, none is proof: hence their caps."""
    requests = profiles["requests"].to_numpy()
    payloads = np.minimum(profiles["payloads"].to_numpy(), 512).astype(np.float64)
    pairs = profiles["distinct_word_pairs"].to_numpy()
    usable = (payloads >= MIN_GRID) & (profiles["payload_words"].to_numpy() >= 2.0) & (pairs > 0)
    grid = np.where(usable, np.log2(np.maximum(payloads, 1) / np.maximum(pairs, 1) / GRID_NATURAL), 0.0)
    nothing = (profiles["family"] == NEAR_EMPTY).to_numpy()
    output = profiles["output_tokens"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    many = nothing & (requests >= ASKS_NOTHING) & (requests >= SAME_NOTHING * profiles["payloads"].to_numpy())
    # Ten may be a try-out of one word; a hundred are not.
    empty = np.where(many, np.log2(np.maximum(output, 1.0) / GREETING) * (1.0 - ASKS_NOTHING / requests), 0.0)
    flags = HINT * profiles["harvest_flags"].fill_null(0.0).to_numpy()
    # A tenth of the prompts may well be an edited version of the one before; a harvest by evolution is mostly that.
    chained = np.where(payloads >= MIN_GRID, 4.0 * (profiles["chained"].to_numpy() - CHAINED_NATURAL), 0.0)
    resampled = np.where(
        profiles["payloads"].to_numpy() >= MIN_RESAMPLED,
        6.0 * (profiles["resampled"].to_numpy() - RESAMPLED_NATURAL),
        0.0,
    )
    seen, mean = profiles["repeats"].to_numpy(), profiles["repeats_expected"].to_numpy()
    enumerated = np.where(mean > 0.0, log_counts(seen, LEFT * mean) - log_counts(seen, mean), 0.0) / np.log(2.0)
    return Patterns(
        np.clip(grid, 0.0, HINT),
        np.maximum(enumerated, 0.0),
        np.nan_to_num(np.maximum(empty, 0.0)),
        flags,
        np.maximum(chained, 0.0),
        np.maximum(resampled, 0.0),
        # A client that packs what was said before into each prompt sends its own words back too: that is a conversation.
        np.maximum(4.0 * (profiles["returned"].fill_null(0.0).to_numpy() - CHAINED_NATURAL), 0.0)
        * (1.0 - profiles["chained"].to_numpy()),
    )


def stream_signals(profiles: pl.DataFrame) -> pl.DataFrame:
    """Evidence of each stream, a row a signal, with bits capped by signal but not yet by family.

    Columns: ``stream, signal, family, value, bits, assessed, detail``.
    """
    burst = people_burst(profiles)
    stream = profiles["stream"]
    parts: list[pl.DataFrame] = []

    def add(
        signal: str, family: str, value: pl.Series, bits: NDArray[np.float64], detail: pl.Expr, keep: NDArray[np.bool_]
    ) -> None:
        finite = np.isfinite(bits)
        capped = np.clip(np.where(finite, bits, 0.0), 0.0, CAPS[family])
        parts.append(
            profiles.with_columns(value.alias("value"))
            .select(
                stream,
                pl.lit(signal).alias("signal"),
                pl.lit(family).alias("family"),
                pl.col("value").cast(pl.Float64),
                pl.Series("bits", capped),
                pl.Series("assessed", finite),
                detail.alias("detail"),
            )
            .filter(pl.Series(keep))
        )

    expected = profiles["topic_words_expected"]
    ratio = profiles["topic_words_seen"] / expected
    single = (profiles["family"] == SINGLE).to_numpy()
    bits = _independence(profiles, burst)
    add(
        "exchangeable_prompts",
        "independence",
        ratio.fill_nan(None),
        bits,
        pl.format(
            "neighbours among the unframed single requests share topic words {} times as often as by chance (a shuffled list: 1; "
            "people's: {})",
            pl.col("value").round(2),
            pl.lit(round(burst, 2)),
        ),
        single & (expected.to_numpy() > 0),
    )
    talk = (~profiles["family"].is_in(TURNS)).to_numpy()
    elicited = elicitation_bits(profiles)
    add(
        "long_outputs",
        "elicitation",
        profiles["output_tokens"].cast(pl.Float64),
        elicited,
        pl.when(pl.Series(np.isfinite(elicited)))
        .then(
            pl.format(
                "median output {} tokens, {} robust standard deviations {} the middle of this log's automated traffic",
                pl.col("output_tokens").round(0).cast(pl.Int64),
                pl.Series(np.abs(np.nan_to_num(elicited))).round(1),
                pl.when(pl.Series(elicited) >= 0.0).then(pl.lit("above")).otherwise(pl.lit("below")),
            )
        )
        .otherwise(pl.lit("the log has no output token counts for it")),
        talk,
    )
    patterns = pattern_bits(profiles)
    grid, empty, flags = patterns.grid, patterns.empty, patterns.flags
    add(
        "slot_grid",
        # Templates over a catalogue that are answered at length: one innocent explanation, a content business, covers both.
        "elicitation",
        (profiles["payloads"].cast(pl.Float64).clip(upper_bound=512.0) / profiles["distinct_word_pairs"]),
        grid,
        pl.format("payloads fill a grid: {} distinct ones for each distinct pair of words", pl.col("value").round(2)),
        talk & (grid > 0),
    )
    add(
        "enumerated_grid",
        "pattern",
        profiles["repeats"],
        patterns.enumerated,
        pl.format(
            "prompts fill a grid and repeat {} times; {} would be expected if each were made up for itself",
            pl.col("value").cast(pl.Int64),
            pl.col("repeats_expected").round(0).cast(pl.Int64),
        ),
        talk & (patterns.enumerated > 0),
    )
    add(
        "near_empty_prompts",
        "pattern",
        profiles["requests"].cast(pl.Float64),
        empty,
        pl.format(
            "{} requests hold at most one word and are answered with {} tokens",
            pl.col("requests"),
            pl.col("output_tokens").round(0).cast(pl.Int64),
        ),
        talk & (empty > 0),
    )
    add(
        "harvest_flags",
        "pattern",
        profiles["harvest_flags"],
        flags,
        pl.format(
            "{}% of the requests ask for several samples or log-probabilities",
            (pl.col("harvest_flags") * 100).round(0).cast(pl.Int64),
        ),
        talk & (flags > 0),
    )
    add(
        "chained_prompts",
        "pattern",
        profiles["chained"],
        patterns.chained,
        pl.format("{}% of the payloads grow into one of the next", (pl.col("value") * 100).round(0).cast(pl.Int64)),
        talk & (patterns.chained > 0),
    )
    add(
        "returned_responses",
        "pattern",
        profiles["returned"],
        patterns.returned,
        pl.format(
            "{}% of the responses return inside one of the next prompts",
            (pl.col("value") * 100).round(0).cast(pl.Int64),
        ),
        talk & (patterns.returned > 0),
    )
    tagged = profiles["tagged"].fill_null(0.0).to_numpy()
    add(
        "tagged_responses",
        "elicitation",
        profiles["tagged"],
        HINT * np.maximum(tagged - TAGGED_NATURAL, 0.0) / (1.0 - TAGGED_NATURAL),
        pl.format(
            "{}% of the responses begin with a section in tags, as reasoning asked for in a form does",
            (pl.col("value") * 100).round(0).cast(pl.Int64),
        ),
        talk & (tagged > TAGGED_NATURAL),
    )
    add(
        "resampled_prompts",
        "pattern",
        profiles["resampled"],
        patterns.resampled,
        pl.format(
            "{}% of the requests repeat the one before within the hour, over {} different payloads",
            (pl.col("value") * 100).round(0).cast(pl.Int64),
            pl.col("payloads"),
        ),
        talk & (patterns.resampled > 0),
    )
    return pl.concat(parts).sort("stream", "signal")
