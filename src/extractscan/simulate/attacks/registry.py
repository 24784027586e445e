"""The hostile archetypes by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.simulate.attacks import evasion, harvest, synthesis
from extractscan.simulate.settings import Archetype

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractscan.simulate.settings import Actor, Call


def _attack(
    write: Callable[[Actor], list[Call]],
    description: str,
    members: tuple[int, int] = (1, 1),
    requests: float = 120.0,
    *,
    cover: float = 0.0,
    share: float = 1.0,
    sigma: float = 0.4,
) -> Archetype:
    """Return a hostile archetype.

    Shards of a campaign are uneven (MAD of ln n about 0.27), as a rule less than real use.
    """
    return Archetype(write.__name__, "attack", description, write, members, requests, sigma, share, cover)


ATTACKS: Final = (
    _attack(harvest.replay, "one account walks a corpus of tasks, without a frame", requests=600),
    _attack(harvest.hydra_replay, "a corpus of tasks sharded over accounts, without a frame", (20, 50), 100),
    _attack(harvest.hydra_cot, "a sharded corpus inside one fixed reasoning prompt", (20, 60), 90, share=1.5),
    _attack(harvest.hydra_cover, "shards that hide behind ordinary multi-turn talk", (20, 40), 60, cover=0.6),
    _attack(synthesis.self_instruct, "a meta-prompt with seed tasks that asks for more tasks", (3, 6), 250),
    _attack(synthesis.evolve, "response i comes back inside prompt i+1, ever harder", (4, 8), 200),
    _attack(synthesis.rubric, "a grader's rubric over questions and responses", (6, 12), 150),
    _attack(synthesis.preference, "two responses to a question, to be ranked", (6, 12), 150),
    _attack(synthesis.persona, "tasks in the voice of ever new characters", (6, 12), 130),
    _attack(synthesis.roleplay_grid, "characters by scenes by tones, combined without repeats", (8, 16), 150),
    _attack(synthesis.sweep, "one template, its slots walk a grid", (1, 3), 600),
    _attack(synthesis.magpie, "near-empty prompts at temperature 1, long outputs", (3, 8), 250),
    _attack(synthesis.multi_sample, "each prompt many times within minutes", (2, 4), 450),
    _attack(harvest.label_harvest, "items with options, answered by one word", (10, 24), 180),
    _attack(synthesis.questionnaire, "a list of statements walked in order", (4, 10), 200),
    _attack(harvest.safe_rewrite, "answers to risky prompts rewritten into examples", (5, 12), 150),
    _attack(harvest.rationale, "reasoning asked for in tags", (10, 24), 120),
    _attack(evasion.slow_drip, "one or two requests a day and account, one frame", (25, 60), 30),
    _attack(evasion.rotate, "accounts in succession, one frame", (8, 16), 140),
    _attack(evasion.ban_succession, "a pool stops at one hour, a second goes on", (16, 40), 90),
    _attack(evasion.paraphrased_frames, "eight wordings of one reasoning prompt", (12, 30), 100),
    _attack(evasion.probe_then_scale, "many wordings tried by two accounts, the best used by all", (12, 30), 110),
    _attack(evasion.release_pivot, "the corpus asked anew on the day of a release", (10, 24), 120),
    _attack(harvest.logprobs, "short items with token probabilities", (4, 10), 200),
    _attack(harvest.multilingual, "one reasoning prompt in every language of the log", (10, 24), 120),
    _attack(harvest.language_pools, "one operator, every account in one language", (10, 24), 120),
    _attack(harvest.tool_harvest, "functions and wishes, answered by tool calls", (8, 20), 130),
    _attack(harvest.lone_framed, "one account walks a corpus inside its own reasoning prompt", requests=500),
    _attack(synthesis.system_grid, "the grid of characters in the system prompt, few prompts", (8, 16), 150),
    _attack(synthesis.best_of_n, "several samples asked for in each request", (4, 10), 180),
    _attack(evasion.uneven_load, "shards whose loads differ as customers' do", (16, 40), 90, sigma=0.8),
    _attack(evasion.synchronised, "accounts whose requests come in the same waves", (16, 40), 90),
)
"""All hostile archetypes, in the order of ``--list``."""
