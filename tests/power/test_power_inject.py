import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from extractscan.coverage.streams import find_streams
from extractscan.fingerprint.requests import KEPT_TOKENS
from extractscan.power.draft import Spec, draft
from extractscan.power.inject import inject
from extractscan.power.kinds import KINDS


@pytest.fixture(scope="module")
def injected(lent):
    prints, _, _, lends = lent
    free, talkers = np.ones(lends.sizes.size, bool), np.ones(lends.talk_bounds.size - 1, bool)
    drafts = [
        draft(
            Spec(kind.name, 4, 24, 0.5, 0), kind, lends, free, talkers, np.random.default_rng([1, number]), spread=0.35
        )
        for number, kind in enumerate(KINDS)
    ]
    return drafts, inject(prints, lends, drafts, np.random.default_rng(4))


def new_rows(injected):
    return injected.prints.requests.filter(pl.col("account") >= injected.first_account)


def test_the_result_is_fingerprints_like_any(lent, injected):
    prints = injected[1].prints
    assert prints.requests.schema == lent[0].requests.schema
    assert prints.requests["time_us"].is_sorted()
    assert prints.accounts.is_sorted()
    assert prints.accounts.n_unique() == prints.accounts.len()
    assert (np.diff(prints.prompts.hashes.astype(object)) > 0).all()
    assert np.diff(prints.prompts.offsets).max() <= KEPT_TOKENS
    assert prints.prompts.offsets[-1] == prints.prompts.tokens.size
    assert prints.prompts.chars.size == len(prints.prompts)


def test_the_log_is_as_it_was_but_for_those_who_lent(lent, injected):
    prints, lends = lent[0], lent[3]
    drafts, done = injected
    lenders = np.unique(lends.source_account[np.concatenate([d.sources for d in drafts])])
    before = prints.requests.filter(~pl.col("account").is_in(lenders.tolist()))
    after = done.prints.requests.filter(pl.col("account") < done.first_account)
    assert_frame_equal(before.drop("prompt"), after.drop("prompt"))
    assert (
        prints.prompts.hashes[before["prompt"].to_numpy()] == done.prints.prompts.hashes[after["prompt"].to_numpy()]
    ).all()


def test_every_text_is_sent_once_by_its_account(injected):
    drafts, done = injected
    texts = done.prints.prompts
    single = new_rows(done)
    for campaign, drawn in enumerate(drafts):
        for i, account in enumerate(done.accounts_of(campaign)):
            sent = single.filter(pl.col("account") == account)["prompt"].to_numpy()
            held = sorted(texts.tokens[texts.offsets[p] : texts.offsets[p + 1]].tolist() for p in sent)
            lo, hi = (int(drawn.loads[:k].sum()) for k in (i, i + 1))
            own = [
                drawn.texts.tokens[drawn.texts.offsets[r] : drawn.texts.offsets[r + 1]].tolist() for r in range(lo, hi)
            ]
            assert len(sent) == drawn.loads[i] + np.diff(drawn.cover_bounds)[i]
            assert all(held.count(one) == 1 for one in own)


def test_nothing_but_the_prompts_ties_injected_accounts(lent, injected):
    done = injected[1]
    rows = new_rows(done)
    old = done.prints.requests.filter(pl.col("account") < done.first_account)
    for name in ("org_id", "payment_id", "ip", "end_user"):
        held = rows.group_by(name).agg(pl.col("account").n_unique()).drop_nulls(name)
        assert (held["account"] == 1).all()
        accounts = rows["account"].n_unique()
        assert held.height == accounts or lent[0].requests[name].null_count()
        assert rows.group_by("account").agg(pl.col(name).n_unique())[name].to_list() == [1] * accounts
        assert not set(held[name]) & set(old[name].drop_nulls())
    talks = rows.drop_nulls("conversation_id").group_by("conversation_id").agg(pl.col("account").n_unique())
    assert (talks["account"] == 1).all()
    assert not set(talks["conversation_id"]) & set(old["conversation_id"].drop_nulls())


def test_times_lie_in_the_span_of_the_log(lent, injected):
    rows, lends = new_rows(injected[1]), lent[3]
    assert rows["time_us"].min() >= lends.first_us
    assert rows["time_us"].max() <= lends.last_us
    spans = rows.group_by("account").agg((pl.col("time_us").max() - pl.col("time_us").min()).alias("span"))
    assert spans["span"].min() > 0.4 * (lends.last_us - lends.first_us)


def talks_of(requests, prompts):
    """What each conversation of several requests says and when: (time since its first request, hash of the prompt), in order."""
    rows = requests.drop_nulls("conversation_id").with_columns(
        text=pl.Series(prompts.hashes[np.maximum(requests.drop_nulls("conversation_id")["prompt"].to_numpy(), 0)])
    )
    held = (
        rows.sort("time_us", "text").group_by("account", "conversation_id", maintain_order=True).agg("time_us", "text")
    )
    return [
        tuple((time - times[0], text) for time, text in zip(times, texts, strict=True))
        for _, _, times, texts in held.iter_rows()
        if len(times) > 1
    ]


def test_copied_conversations_keep_their_words_and_their_pace(lent, injected):
    done = injected[1]
    log = talks_of(lent[0].requests, lent[0].prompts)
    begun = {talk[:length] for talk in log for length in range(2, len(talk) + 1)}
    copied = talks_of(new_rows(done), done.prints.prompts)
    assert len(copied) >= 10
    assert set(copied) <= begun
    assert max(talk[-1][0] for talk in copied) > 0


def test_injected_accounts_have_a_stream_of_their_campaign(injected):
    _drafts, done = injected
    streams = find_streams(done.prints)
    for number, kind in enumerate(KINDS):
        own = streams.table.filter(pl.col("account").is_in(done.accounts_of(number).tolist()))
        families = own.filter(pl.col("family") >= 0)["family"].unique()
        assert families.len() == (1 if kind.framed else 0), kind.name


def test_the_same_chance_gives_the_same_log(lent, injected):
    drafts, done = injected
    again = inject(lent[0], lent[3], drafts, np.random.default_rng(4))
    assert_frame_equal(again.prints.requests, done.prints.requests)
    assert (again.prints.prompts.tokens == done.prints.prompts.tokens).all()
