"""Prompts put beside the clusters of a document, when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractscan.case.redact import redact
from extractscan.case.text import texts_of
from extractscan.report.neutralise import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.case.read import Case
    from extractscan.progress import Observer


def add_texts(
    case: Case, clusters: Sequence[dict[str, Any]], logs: Sequence[str], observer: Observer, *, raw: bool
) -> None:
    """Give each cluster ``texts``: of its representative, and of the least similar prompt that was still merged.

    None stands for one that the logs do not hold any more. Redacted unless ``raw``. Raises ``InputError`` if no log is left.
    """
    wanted = {int(each["cluster"], 16) for each in clusters}
    wanted |= {int(key, 16) for each in clusters for key in each.get("least_similar_pair", ())}
    found = texts_of(case, logs, observer, sorted(wanted))
    for each in clusters:
        keys = each.get("least_similar_pair") or [each["cluster"]]
        texts = (found.get(int(key, 16)) for key in keys)
        each["texts"] = [None if t is None else json_text(t if raw else redact(t)) for t in texts]
