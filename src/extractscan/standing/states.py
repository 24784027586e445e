"""What every finding is called on a night: new, risen, unchanged, fallen or closed, beside the results and apart from them.

The results of a night say what one run over the same rows says; states depend on the nights before. They are kept in a file of
their own, which the next night reads.

A finding is *new* when it had none the night before, *closed* when it had one then and has none now. It has *risen* or *fallen*
when its severity, or its bits by ``LEAST``, has since it was last said to be new, risen or fallen: what creeps up is said too. A
campaign whose members changed has risen if as many joined as left, and else fallen.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from extractscan.case.diff import LEAST
from extractscan.errors import InputError
from extractscan.report.document import timestamp
from extractscan.report.neutralise import json_text
from extractscan.standing.identity import trace
from extractscan.verdict.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractscan.verdict.findings import AccountFinding, CampaignFinding, Findings

SCHEMA_VERSION: Final = "1.0"
State = Literal["new", "risen", "unchanged", "fallen", "closed"]
STATES: Final[tuple[State, ...]] = ("new", "risen", "unchanged", "fallen", "closed")
CHANGES: Final = ("new", "risen", "fallen", "closed")
RANK: Final = {str(severity): rank for rank, severity in enumerate(SEVERITIES)}
"""Severities from worst to none."""
REMEMBERED: Final = 90
"""Nights for which a closed campaign keeps its id, should its members come back: about the longest that logs are kept."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding on a night.

    ``key`` is an account id or a campaign's lasting id; ``in_results`` is the id that the results of the night give the campaign (or, of an
    account, its campaign), ``campaign`` an account's lasting one. ``severity``, ``bits`` and ``requests`` are of the night, of a closed
    finding as they were. ``said_*`` are what they were when the state last changed, ``old_*`` what they had been before that.
    ``since`` is the night on which the finding was new, ``changed`` that of its last change.
    """

    kind: Literal["campaign", "account"]
    key: str
    state: State
    severity: str
    bits: float
    requests: int
    since: int
    changed: int
    said_severity: str
    said_bits: float
    first_seen: str
    last_seen: str
    innocent_explanation: str
    old_severity: str | None = None
    old_bits: float | None = None
    in_results: str | None = None
    campaign: str | None = None
    members: tuple[str, ...] = ()
    said_members: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    split_from: str | None = None
    merged_into: str | None = None


def follow(before: Iterable[Standing], found: Findings, night: int) -> list[Standing]:
    """Return what every finding of a night is called, given the night before: campaigns first, then accounts, each by key.

    Closed campaigns are carried along for ``REMEMBERED`` nights; ``changed`` tells those of tonight from older ones.
    """
    held = list(before)
    campaigns = {s.key: s for s in held if s.kind == "campaign"}
    accounts = {s.key: s for s in held if s.kind == "account" and s.state != "closed"}
    tonight = {c.campaign_id: c for c in found.campaigns if c.severity != "none"}
    names = {key: {json_text(a) for a in c.accounts} for key, c in tonight.items()}
    lineage = trace(
        {key: set(s.members) for key, s in campaigns.items()},
        {key for key, s in campaigns.items() if s.state != "closed"},
        names,
    )
    out = [
        _campaign(campaigns.get(lineage.lasting[key]), c, lineage.lasting[key], night, lineage.split_from.get(key))
        for key, c in tonight.items()
    ]
    goes_on = set(lineage.lasting.values())
    for key, was in campaigns.items():
        if key in goes_on:
            continue
        if was.state != "closed":
            out.append(replace(_closed(was, night), merged_into=lineage.merged_into.get(key)))
        elif night - was.changed < REMEMBERED:
            out.append(was)
    for account in found.accounts:
        if account.severity != "none":
            key = json_text(account.account_id)
            lasting = lineage.lasting.get(account.campaign_id or "")
            out.append(_account(accounts.pop(key, None), account, key, lasting, night))
    out += [_closed(was, night) for was in accounts.values()]
    return sorted(out, key=lambda s: (s.kind != "campaign", s.key))


def tonight(standings: Iterable[Standing], night: int) -> list[Standing]:
    """Return those that the night has something to say of: not what had closed before."""
    return [s for s in standings if s.state != "closed" or s.changed == night]


def _campaign(was: Standing | None, found: CampaignFinding, key: str, night: int, split_from: str | None) -> Standing:
    members = tuple(sorted(json_text(a) for a in found.accounts))
    fresh = replace(
        _fresh("campaign", key, found, night),
        members=members,
        said_members=members,
        in_results=json_text(found.campaign_id),
        split_from=split_from,
    )
    if was is None or was.state == "closed":
        return fresh if was is None else replace(fresh, since=was.since)
    joined = tuple(sorted(set(members) - set(was.said_members)))
    left = tuple(sorted(set(was.said_members) - set(members)))
    return replace(_moved(was, fresh, joined, left), split_from=None)


def _account(was: Standing | None, found: AccountFinding, key: str, lasting: str | None, night: int) -> Standing:
    fresh = _fresh("account", key, found, night)
    fresh = replace(
        fresh, campaign=lasting, in_results=None if found.campaign_id is None else json_text(found.campaign_id)
    )
    return fresh if was is None else _moved(was, fresh, (), ())


def _fresh(
    kind: Literal["campaign", "account"], key: str, found: AccountFinding | CampaignFinding, night: int
) -> Standing:
    bits = round(found.bits, 6) + 0.0
    return Standing(
        kind,
        key,
        "new",
        found.severity,
        bits,
        found.requests,
        night,
        night,
        found.severity,
        bits,
        timestamp(found.first_seen),
        timestamp(found.last_seen),
        json_text(found.innocent_explanation),
    )


def _moved(was: Standing, fresh: Standing, joined: tuple[str, ...], left: tuple[str, ...]) -> Standing:
    """Hold a finding against what was last said of it."""
    step = RANK[was.said_severity] - RANK[fresh.severity]
    moved = fresh.bits - was.said_bits
    state: State = "unchanged"
    if step or abs(moved) >= LEAST:
        state = "risen" if step > 0 or (step == 0 and moved > 0) else "fallen"
    elif joined or left:
        state = "risen" if len(joined) >= len(left) else "fallen"
    now = replace(fresh, state=state, since=was.since)
    if state != "unchanged":
        return replace(now, old_severity=was.said_severity, old_bits=was.said_bits, joined=joined, left=left)
    return replace(
        now,
        changed=was.changed,
        said_severity=was.said_severity,
        said_bits=was.said_bits,
        said_members=was.said_members,
    )


def _closed(was: Standing, night: int) -> Standing:
    return replace(
        was,
        state="closed",
        changed=night,
        old_severity=was.severity,
        old_bits=was.bits,
        said_members=was.members,
        joined=(),
        left=(),
        split_from=None,
    )


def to_bytes(standings: Iterable[Standing], night: int, seal: str) -> bytes:
    """Return the file of a night's states (schema ``states``): a finding a line, so that ``diff`` is of use."""
    lines = ",\n".join(json.dumps(asdict(s), separators=(",", ":"), allow_nan=False) for s in standings)
    head = json.dumps({"schema_version": SCHEMA_VERSION, "night": night, "seal": seal}, separators=(",", ":"))
    return f'{head[:-1]},"findings":[\n{lines}\n]}}\n'.replace("\x7f", "\\u007f").encode("ascii")


def from_bytes(data: bytes, name: str) -> list[Standing]:
    """Read it. Raises ``InputError`` for what is none."""
    try:
        return list(_read(json.loads(data)["findings"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{name} is damaged: it is not what schema 'states' says") from error


def _read(entries: list[dict[str, Any]]) -> Iterator[Standing]:
    for entry in entries:
        lists = {name: tuple(entry[name]) for name in ("members", "said_members", "joined", "left")}
        yield Standing(**{**entry, **lists})
