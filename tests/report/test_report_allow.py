"""Allowlists: how they are read, what they hide, and that what they hide is counted in every format for people."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import jsonschema
import pytest
from hostile import HOSTILE
from made_up import START, account, campaign, made_up
from test_report_formats import render

from extractscan.errors import UsageError
from extractscan.report.allow import Entry, apply_allowlist, read_allowlist
from extractscan.report.framed import words
from extractscan.report.interface import Format
from extractscan.report.schemas import schema
from extractscan.verdict.findings import Findings

LATER = date(2026, 12, 31)


def entry(account=None, organisation=None, expiry=LATER, reason="agreed"):
    return Entry(account, organisation, reason, "trust team", expiry)


def written(tmp_path, text):
    path = tmp_path / "allow.toml"
    path.write_text(text, encoding="utf-8")
    return path


GOOD = '[[allow]]\naccount = "a"\nreason = "r"\nowner = "o"\nexpiry = 2026-06-30\n'


def test_a_list_is_read(tmp_path):
    text = GOOD + '\n[[allow]]\norganisation = "org_1"\nreason = "r2"\nowner = "o2"\nexpiry = "2026-07-01"\n'
    assert read_allowlist(written(tmp_path, text)) == [
        Entry("a", None, "r", "o", date(2026, 6, 30)),
        Entry(None, "org_1", "r2", "o2", date(2026, 7, 1)),
    ]
    assert read_allowlist(written(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x", "not valid TOML"),
        ("[deny]\n", "nothing else"),
        ("allow = 3\n", "nothing else"),
        (GOOD.replace('account = "a"\n', ""), "an account, an organisation or a frame"),
        (GOOD + 'organisation = "b"\n', "an account or an organisation, not both"),
        (GOOD + 'frame = "You are a helpful assistant"\n', "at least 8 different words"),
        (GOOD + "frame = []\n", "frame must be text"),
        (GOOD.replace('"a"', "3"), "account must be text"),
        (GOOD.replace('"a"', '" "'), "account must be text"),
        (GOOD.replace('reason = "r"\n', ""), "reason must be text"),
        (GOOD.replace('owner = "o"\n', ""), "owner must be text"),
        (GOOD.replace("expiry = 2026-06-30", ""), "expiry must be a date"),
        (GOOD.replace("2026-06-30", "2026-06-30T00:00:00Z"), "expiry must be a date"),
        (GOOD.replace("2026-06-30", '"soon"'), "expiry must be a date"),
        (GOOD + "acount = 1\n", "unknown key 'acount'"),
        (GOOD + '"\\u001b[2J" = 1\n', "unknown key"),
    ],
)
def test_a_bad_list_is_named(tmp_path, text, complaint):
    with pytest.raises(UsageError) as error:
        read_allowlist(written(tmp_path, text))
    assert complaint in str(error.value)
    assert "allow.toml" in str(error.value)
    assert str(error.value).isprintable()


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot read the allowlist"):
        read_allowlist(tmp_path / "none.toml")
    (tmp_path / "allow.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_allowlist(tmp_path / "allow.toml")


def test_an_account_is_hidden_and_counted():
    found = apply_allowlist(made_up(), [entry("lone-harvester"), entry("quiet-1"), entry("not there")])
    assert "lone-harvester" not in {each.account_id for each in found.accounts}
    assert "quiet-1" in {each.account_id for each in found.accounts}  # no finding, so nothing to hide
    assert len(found.accounts) == 24
    allowed = found.run.allowlist
    assert (allowed.entries, allowed.accounts, allowed.campaigns, allowed.shown) == (3, 1, 0, ())
    assert [each.rank for each in found.accounts if each.rank in (19, 20, 21)] == [19, 21]


def test_a_campaign_is_hidden_only_whole():
    members = ["org_8812/key-a", "org_8812/key-b", "org_8812/key-main"]
    some = apply_allowlist(made_up(), [entry(each) for each in members[:2]])
    assert len(some.campaigns) == 2
    assert some.campaigns[1].accounts == tuple(members)
    whole = apply_allowlist(made_up(), [entry(each, reason=each) for each in members], show=True)
    assert [each.campaign_id for each in whole.campaigns] == ["c-3f9a12"]
    assert whole.run.allowlist.campaigns == 1
    assert [(each.kind, each.subject) for each in whole.run.allowlist.shown][:2] == [
        ("campaign", "c-77b0e4"),
        ("account", "org_8812/key-main"),
    ]
    assert whole.run.allowlist.shown[0].reason == "; ".join(members)


def test_an_organisation_covers_accounts_of_its_own_alone():
    accounts = (
        account(1, "a", organisation="org", campaign_id="c"),
        account(2, "b", organisation=None, campaign_id="c"),
        account(3, "org", organisation="other", campaign_id=None),
    )
    findings = Findings(made_up().run, accounts, (campaign(1, "c", ["a", "b"]),))
    found = apply_allowlist(findings, [entry(organisation="org")])
    assert [each.account_id for each in found.accounts] == ["b", "org"]
    assert len(found.campaigns) == 1


@pytest.mark.parametrize(
    ("last", "covered"),
    [
        (datetime(2026, 3, 5, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 6, 0, 0, tzinfo=UTC), False),
    ],
    ids=["on the day", "the day after"],
)
def test_an_entry_covers_its_last_day(last, covered):
    findings = Findings(made_up().run, (account(1, "a", first_seen=START, last_seen=last),), ())
    found = apply_allowlist(findings, [entry("a", expiry=date(2026, 3, 5))])
    assert (found.accounts == ()) is covered
    (warning,) = found.run.allowlist.warnings
    assert warning == (
        "the entry for account a expired on 2026-03-05, before the log ends: later traffic is not hidden"
    )


FRAME = "You are Kestrel, a terminal helper of Halden. Answer briefly and never invent a file name."
FRAMES = {
    "its frame alone": (words(FRAME),),
    "a version of it": (words(FRAME.replace("terminal", "shell")), words(FRAME)),
    "its frame and another": (
        words(FRAME),
        words("Write ten more tasks like these and number each of them from one on."),
    ),
    "unframed": (None,),
    "its frame and unframed": (words(FRAME), None),
    "part of it": (words("You are Kestrel, a terminal helper of Halden."),),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_covers_what_rests_on_it_alone(name):
    findings = Findings(made_up().run, (account(1, "a", organisation="org"),), ())
    hidden = name in ("its frame alone", "a version of it")
    for given in (
        Entry(None, None, "product", "o", LATER, FRAME),
        Entry("a", None, "product", "o", LATER, FRAME),
        Entry(None, "org", "product", "o", LATER, FRAME),
    ):
        found = apply_allowlist(findings, [given], frames={"a": FRAMES[name]})
        assert (found.accounts == ()) is hidden
    for given in (
        Entry("b", None, "product", "o", LATER, FRAME),
        Entry(None, "other", "product", "o", LATER, FRAME),
        Entry(None, None, "product", "o", date(2026, 1, 1), FRAME),
    ):
        assert apply_allowlist(findings, [given], frames={"a": FRAMES[name]}).accounts
    assert apply_allowlist(findings, [Entry(None, None, "product", "o", LATER, FRAME)]).accounts


def test_two_frames_may_be_covered_by_two_entries():
    other = "Write ten more tasks like these and number each of them from one on."
    findings = Findings(made_up().run, (account(1, "a"),), ())
    both = [Entry(None, None, "r", "o", LATER, text) for text in (FRAME, other)]
    frames = {"a": (words(FRAME), words(other))}
    assert apply_allowlist(findings, both, frames=frames).accounts == ()
    assert apply_allowlist(findings, both[:1], frames=frames).accounts
    assert both[0].name().startswith("frame You are Kestrel")


def test_warnings_are_bounded_and_need_a_log():
    expired = [entry(f"a{number}", expiry=date(2026, 1, 1)) for number in range(50)]
    warnings = apply_allowlist(made_up(), expired).run.allowlist.warnings
    assert len(warnings) == 21
    assert warnings[-1] == "30 more entries expired before the log ends"
    empty = replace(made_up(), run=replace(made_up().run, last_seen=None))
    assert apply_allowlist(empty, expired).run.allowlist.warnings == ()


@pytest.mark.parametrize("chosen", [Format.TABLE, Format.MARKDOWN, Format.HTML, Format.JSON])
@pytest.mark.parametrize("show", [False, True])
def test_what_is_hidden_is_counted_and_listed_if_asked(chosen, show):
    found = apply_allowlist(made_up(), [entry("lone-harvester"), entry("x", expiry=date(2026, 1, 1))], show=show)
    text = render(found, chosen, width=200).replace("\\", "")
    assert ("lone-harvester" in text) is show
    if chosen is Format.JSON:
        document = json.loads(text)
        jsonschema.Draft202012Validator(schema("report")).validate(document)
        assert document["run"]["allowlist"]["accounts"] == 1
        return
    assert "Hidden by the allowlist: 0 campaigns and 1 account with a finding." in text
    assert "2,432 accounts without a finding" in text
    assert "the entry for account x expired on 2026-01-01" in text
    assert ("agreed (trust team, until 2026-12-31)" in text) is show


def test_with_all_hidden_the_report_says_so():
    ids = [each.account_id for each in made_up().accounts] + list(made_up().campaigns[0].accounts)
    findings = made_up()
    extra = tuple(account(30 + n, name, severity="none") for n, name in enumerate(findings.campaigns[0].accounts[18:]))
    found = apply_allowlist(replace(findings, accounts=findings.accounts + extra), [entry(each) for each in ids])
    assert found.campaigns == ()
    for chosen in (Format.TABLE, Format.MARKDOWN, Format.HTML):
        text = render(found, chosen, width=200).replace("\\", "")
        assert "Nothing found" in text
        assert "Hidden by the allowlist: 2 campaigns and 23 accounts with a finding." in text
    for chosen in (Format.OCSF, Format.STIX):
        if chosen is not Format.STIX or pytest.importorskip("stix2"):
            assert "lone-harvester" not in render(found, chosen)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_id_can_be_allowed(text):
    found = apply_allowlist(Findings(made_up().run, (account(1, text),), ()), [entry(text, expiry=date(2026, 3, 14))])
    assert found.accounts == ()
    assert found.run.allowlist.warnings[0].isprintable()
