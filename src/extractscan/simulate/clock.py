"""When requests are sent: habits of people and of machines, all in seconds after the start of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from extractscan.simulate.settings import DAY

if TYPE_CHECKING:
    from extractscan.simulate.dice import Dice

HOUR: Final = 3600.0
_AWAKE: Final = np.array([1, 1, 1, 1, 1, 2, 5, 9, 14, 16, 16, 15, 13, 14, 15, 15, 14, 13, 13, 15, 16, 13, 8, 3], float)
_OFFICE: Final = np.array([0, 0, 0, 0, 0, 1, 3, 8, 16, 20, 20, 18, 12, 16, 20, 19, 16, 9, 4, 2, 1, 1, 0, 0], float)
_WEEKEND: Final = (5, 6)
_FEWEST_BATCHES: Final = 6


@dataclass(frozen=True, slots=True)
class Habit:
    """What a day and a week look like.

    ``hours``: 24 weights, UTC. ``weekend``: how busy a weekend day is beside others. ``batch``: requests that follow
    each other within ``gap`` seconds (1: none do).
    """

    hours: tuple[float, ...]
    weekend: float
    batch: float
    gap: float


def person_habit(dice: Dice) -> Habit:
    """A person of some time zone."""
    return Habit(tuple(np.roll(_AWAKE, dice.below(24))), dice.pick((0.4, 0.8, 1.0, 1.5)), 1.0, 60.0)


def machine_habit(dice: Dice) -> Habit:
    """A program: all day, in office hours, by night, or tied to people; steady or in batches. Attacks draw it too."""
    style = dice.weighted(("flat", "office", "night", "people"), (0.35, 0.25, 0.15, 0.25))
    hours = np.ones(24)
    if style == "office":
        hours = np.roll(_OFFICE, dice.below(24)) + 0.2
    elif style == "night":
        hours[:] = 0.1
        hours[np.arange(dice.between(2, 5)) + dice.below(18)] = 10
    elif style == "people":
        hours = np.roll(_AWAKE, dice.below(24))
    batch = dice.weighted((1.0, 6.0, 30.0), (0.45, 0.3, 0.25))
    return Habit(tuple(hours), 0.3 if style == "office" else 1.0, batch, dice.lognormal(12.0, 0.8))


def window(dice: Dice, seconds: float) -> tuple[float, float]:
    """Return when an account is active: most from the first day to the last, some arrive or leave on the way."""
    begin = 0.0 if dice.chance(0.6) else dice.unit() * 0.5 * seconds
    end = seconds if dice.chance(0.6) else begin + (0.3 + 0.7 * dice.unit()) * (seconds - begin)
    return begin, end


def moments(dice: Dice, count: int, span: tuple[float, float], habit: Habit, weekday: int) -> list[float]:
    """Return ``count`` sorted times within ``span``; ``weekday`` is that of the log's first day (Monday 0)."""
    if count <= 0:
        return []
    begin, end = span
    end = max(end, begin + 60.0)
    generator = dice.generator
    # A sender of few requests comes back a few times all the same: else short loads, many of them hostile, were one burst.
    groups = max(min(count, _FEWEST_BATCHES), round(count / habit.batch))
    days = np.arange(int(begin // DAY), int(np.ceil(end / DAY)))
    weights = np.where(np.isin((days + weekday) % 7, _WEEKEND), habit.weekend, 1.0)
    # A day that the span covers in part gets its part of the requests.
    weights *= np.minimum((days + 1) * DAY, end) - np.maximum(days * DAY, begin)
    weights = np.maximum(weights, 1e-9)
    hours = np.array(habit.hours)
    # Weights of hours fade where the span cuts a day, so one more draw replaces what falls outside.
    starts = _draw(generator, groups, days, weights, hours)
    for _ in range(4):
        outside = (starts < begin) | (starts >= end)
        if not outside.any():
            break
        starts[outside] = _draw(generator, int(outside.sum()), days, weights, hours)
    outside = (starts < begin) | (starts >= end)
    starts[outside] = begin + generator.random(int(outside.sum())) * (end - begin)
    if groups == count:
        times = starts
    else:
        which = np.sort(generator.integers(0, groups, count))
        first = np.r_[True, which[1:] != which[:-1]]
        gaps = generator.exponential(habit.gap, count)
        total = np.cumsum(gaps)
        times = starts[which] + total - np.maximum.accumulate(np.where(first, total, 0.0))
        times = np.where(times < end, times, begin + (times - begin) % (end - begin))
    out: list[float] = np.sort(times).tolist()
    return out


def _draw(
    generator: np.random.Generator, count: int, days: np.ndarray, weights: np.ndarray, hours: np.ndarray
) -> np.ndarray:
    day = generator.choice(days, count, p=weights / weights.sum())
    hour = generator.choice(24, count, p=hours / hours.sum())
    return day * DAY + (hour + generator.random(count)) * HOUR
