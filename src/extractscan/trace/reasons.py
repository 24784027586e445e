"""The reasons for a finding in words: what was observed, and apart from it what is inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extractscan.trace.findings import AccountTrace, Channel
    from extractscan.trace.holdings import Holdings

NOUN: Final = {
    "pair": "by prompt and response of one request",
    "response": "by the response alone",
    "prompt": "by the prompt alone",
}
"""How an item is held, in words."""


def observed(account: AccountTrace) -> tuple[str, ...]:
    """Say what the log shows of an account, without judgement."""
    met = account.met
    said = [
        f"{_items(count)} of the set {'is' if count == 1 else 'are'} in its requests {NOUN[way]}."
        for way, count in (("pair", met.pair), ("response", met.response), ("prompt", met.prompt))
        if count
    ]
    if account.items:
        said.append(f"{account.only_here:,} of them are in the requests of nobody else.")
    if met.otherwise:
        said.append(f"{_items(met.otherwise)} it asked, and was answered otherwise each time.")
    if met.unclear:
        said.append(f"{_items(met.unclear)} it asked, and was answered alike in part.")
    if met.elsewhere:
        said.append(f"{_items(met.elsewhere)} it asked, but the answer in the set is the one that somebody else got.")
    return tuple(said)


def inferred(account: AccountTrace) -> tuple[str, ...]:
    """Say what follows from it, and what else could explain it."""
    if account.source:
        first = (
            f"Chance gives an account like this {account.expected:.2g} of such weight; it has {account.weight:,.1f}."
        )
        if account.way == "prompt":
            return (
                first,
                "Innocent explanation: it sends prompts of a collection that the data set was made from too, and that few others send.",
                "The responses of its requests would settle it.",
            )
        if account.way == "response":
            return (
                first,
                "Innocent explanation: answers that many get alike. Whether prompts and times fit would settle it.",
            )
        return (
            first,
            "Innocent explanation: it published its answers, or they were taken from it. Who else had access to them would settle it.",
        )
    if account.asked:
        return (
            "It sent more of the prompts than chance gives, but the set's answers are not those that it got.",
            "It draws on the same collection, or the answers were rewritten: --compare prompts judges by prompts alone.",
        )
    return ("No more than chance gives, or too little to say.",)


def caveats(items: int, holdings: Holdings, fitted: int, asked: int) -> tuple[str, ...]:
    """Say what the result as a whole cannot show."""
    out = ["Holding an item shows that the account took it, not that the data set was made from its requests."]
    if not holdings.responses_assessed:
        out.append(
            "Only prompts were compared: whoever sends the same public prompts holds them too. How few send them is all that "
            "tells a harvester from the others."
        )
    elif holdings.compared and not holdings.answered:
        out.append(
            "No answer of the data set is one that this log gave to its prompt: its answers were written elsewhere, or rewritten. "
            "--compare prompts judges by prompts alone."
        )
    if asked:
        out.append(
            f"{asked:,} more sent prompts of the set beyond chance, and were answered otherwise: they are marked, and not named as sources."
        )
    if fitted < 30:
        out.append(f"Chance was measured on {fitted} accounts only; p-values are rough.")
    if items < 100:
        out.append("The data set is small: few items can tell accounts apart.")
    return tuple(out)


def unassessed(noun: str, channel: Channel) -> str:
    """Say that prompts or responses could not be compared."""
    return f"{noun}: not assessed ({channel.reason})."


def _items(count: int) -> str:
    return f"{count:,} item" + ("" if count == 1 else "s")
