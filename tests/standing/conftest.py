"""What makes many nights cheap: each test does dozens of them on much the same logs."""

from __future__ import annotations

import pytest

from extractscan.logs import choose
from extractscan.standing import update


@pytest.fixture(scope="session", autouse=True)
def _recognised_once():
    """Recognise the format of like first rows once a session: it hangs on nothing else, and is most of what a small night costs."""
    whole, held = choose.recognise, {}

    def recognise(sample, formats, *, table):
        key = (repr(sample), tuple(each.name for each in formats), table)
        if key not in held:
            held[key] = whole(sample, formats, table=table)
        return held[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "recognise", recognise)
        yield


@pytest.fixture(scope="session", autouse=True)
def _judged_once():
    """Judge like fingerprints once a session, where a night judges them: judging writes nothing. What ``one_run`` does is done anew."""
    whole, held = update.assess_prints, {}

    def assess_prints(prints, summary, *, jobs=1, **how):
        rows = prints.requests.hash_rows().to_numpy().tobytes()
        texts = [each.tobytes() for kind in (prints.prompts, prints.systems) for each in (kind.hashes, kind.tokens)]
        names = {column: values.to_list() for column, values in prints.names.items()}
        key = (
            rows,
            *texts,
            repr((prints.accounts.to_list(), names, prints.duplicates, sorted(prints.present), summary, jobs)),
        )
        if key not in held:
            held[key] = whole(prints, summary, jobs=jobs, **how)
        return held[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "assess_prints", assess_prints)
        yield
