"""The benign archetypes by name."""

from __future__ import annotations

from typing import Final

from extractscan.simulate.benign import people, programs
from extractscan.simulate.settings import Archetype

_A = Archetype

BENIGN: Final = (
    _A("real_person", "people", "somebody's own multi-turn use", people.real_person, requests=20, sigma=0.8, share=24),
    _A("chat_user", "people", "careful users with long conversations", people.chat_user, requests=45, sigma=0.9,
       share=6),
    _A("hobbyist", "people", "single unframed questions and odd jobs", people.hobbyist, requests=18, sigma=0.9,
       share=3),
    _A("popular_app", "automated", "an open-source app: one frame, many people", people.popular_app, (60, 200), 40,
       1.0, share=6),
    _A("coding_agent", "automated", "developers with an agent: tool results turn by turn", people.coding_agent,
       (20, 60), 50, 1.0, share=4),
    _A("agent_loop", "automated", "programs that ask for the next action", people.agent_loop, (1, 2), 200, 1.0, 2),
    _A("reseller", "automated", "a gateway with end users of its own", people.reseller, (1, 1), 1200, 0.8, 3),
    _A("course", "people", "a class: overlapping questions, one network, due dates", people.course, (20, 40), 16, 0.6,
       1),
    _A("enterprise", "automated", "a company with a library of prompts", people.enterprise, (10, 40), 45, 0.9, 3),
    _A("red_teamer", "automated", "testers of safeguards", people.red_teamer, (1, 1), 120, 1.0, 1),
    _A("pipeline_classification", "automated", "messages sorted by intent",
       programs.pipeline("pipe_intent", "utterance", "label"), (1, 3), 250, 1.2, 4),
    _A("pipeline_sentiment", "automated", "the mood of reviews", programs.pipeline("pipe_tone", "review", "label"),
       (1, 3), 250, 1.2, 4),
    _A("pipeline_translation", "automated", "a catalogue translated",
       programs.pipeline("pipe_translate", "product", "short"), (1, 3), 300, 1.2, 4),
    _A("pipeline_rag", "automated", "answers from retrieved passages",
       programs.pipeline("pipe_rag", "rag_payload", "short"), (1, 2), 220, 1.2, 3),
    _A("pipeline_summary", "automated", "tickets in one line", programs.pipeline("pipe_summary", "ticket", "short"),
       (1, 2), 220, 1.2, 3),
    _A("pipeline_sql", "automated", "questions turned into SQL",
       programs.pipeline("pipe_sql", "sql_payload", "code"), (1, 2), 250, 1.2, 3),
    _A("pipeline_code_review", "automated", "patches reviewed", programs.pipeline("pipe_review", "diff", "list"),
       (1, 2), 200, 1.2, 3),
    _A("pipeline_extraction", "automated", "fields pulled out of mails",
       programs.pipeline("pipe_extract", "ticket", "json"), (1, 2), 220, 1.2, 3),
    _A("content_business", "automated", "long texts on one narrow subject", programs.content_business, (1, 2), 180,
       1.2, 6),
    _A("benchmark_run", "automated", "a public test set, once or twice", programs.benchmark_run, (1, 1), 700, 0.8, 4),
    _A("ci_tests", "automated", "builds that repeat a few prompts", programs.ci_tests, (1, 2), 500, 1.0, 3),
    _A("load_test", "automated", "a few prompts at a high rate", programs.load_test, (1, 1), 500, 1.0, 2),
    _A("backfill", "automated", "a catalogue sent once through one frame", programs.backfill, (1, 1), 500, 1.0, 2),
    _A("synthetic_data", "automated", "licensed training data; only when named", programs.synthetic_data, (1, 3), 400,
       0.8, 3, asked=True),
)  # fmt: skip
"""All benign archetypes, in the order of ``--list``."""
