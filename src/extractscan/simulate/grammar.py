r"""A small engine for the grammars that write the simulated text.

A grammar is one or more ``.grammar`` files of a language. A line ``@name`` begins a symbol, every other line is one
alternative (``@name |``: many on a line, parted by `` | ``). ``#`` begins a comment line. In an alternative:

- ``{name}`` is a symbol, or what the caller bound to that name; ``{^name}`` has its first letter in upper case;
- ``{?40 name}`` is there in 40 of 100 cases; ``{2-50}`` is an integer; ``{name=x}`` binds the text to ``x`` from here on;
- ``\n`` is a line break, ``\s`` a space, ``{{`` and ``}}`` are braces; ``*3`` and a space in front triple the weight.

Two heads serve dialects (``dialect.py``) alone: ``@name ~ other`` says that beyond its alternatives ``name`` goes on without end
with words that ``other`` makes; ``@~`` begins a list of synonyms, ``word: other | other``, that one writer or another prefers.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from extractscan.simulate.dice import Dice

LANGUAGES: Final = {"en": "English", "zh": "Chinese", "es": "Spanish", "ja": "Japanese", "ar": "Arabic"}
"""Code to name of every language that has a grammar."""

_SLOT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)-(\d+)")
_INNER = re.compile(r"(\^)?(?:\?(\d+) )?(\w+)(?:=(\w+))?")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!us|uni|one|eur)[aeiou])")
_MANY = 6
"""Of so many plain alternatives none comes twice in one text, as a rule."""

_HEAD = re.compile(r"@(\w+|~)( \|| ~ (\w+))?")
_SYNONYMS = "~"


class GrammarError(ValueError):
    """A grammar file has a line that cannot be read."""


class _Slot(NamedTuple):
    name: str
    upper: bool
    percent: int
    bind: str
    low: int
    high: int


class Synonym(NamedTuple):
    """A word of a template in place of which a dialect may have another: ``words`` begins with the template's own."""

    words: tuple[str, ...]


Alternative = tuple["str | _Slot | Synonym", ...]
"""One way to write a symbol."""


class Grammar:
    """The compiled rules of one language."""

    def __init__(
        self, language: str, rules: Mapping[str, tuple[Alternative, ...]], endless: Mapping[str, str] | None = None
    ) -> None:
        self.language = language
        self._rules = rules
        self._endless = dict(endless or {})
        self._words = frozenset(
            name
            for name, rule in rules.items()
            if len(rule) >= _MANY and all(len(parts) == 1 and isinstance(parts[0], str) for parts in rule)
        )

    @property
    def rules(self) -> Mapping[str, tuple[Alternative, ...]]:
        """Every symbol's alternatives; one of a higher weight stands there more often."""
        return self._rules

    @property
    def symbols(self) -> frozenset[str]:
        """Names of all symbols."""
        return frozenset(self._rules)

    def slots(self) -> frozenset[str]:
        """Names that alternatives refer to and that are no symbol: the caller must bind them."""
        named = {
            part.name
            for rule in self._rules.values()
            for alternative in rule
            for part in alternative
            if isinstance(part, _Slot) and part.name
        }
        bound = {
            part.bind
            for rule in self._rules.values()
            for alternative in rule
            for part in alternative
            if isinstance(part, _Slot) and part.bind
        }
        return frozenset(named - bound - self._rules.keys())

    def count(self, symbol: str) -> int:
        """Return how many alternatives a symbol has, weights included."""
        return len(self._rules[symbol])

    def write(self, symbol: str, dice: Dice, context: Mapping[str, str] | None = None) -> str:
        """Expand ``symbol``; names in ``context`` are taken from there. Raises ``KeyError`` for an unknown name."""
        out: list[str] = []
        self._expand(symbol, dice, dict(context) if context else {}, out, set())
        return self._tidy("".join(out))

    def variant(self, symbol: str, number: int, dice: Dice, context: Mapping[str, str] | None = None) -> str:
        """Expand the alternative ``number`` (taken modulo their count) of ``symbol``."""
        rule = self._rules[symbol]
        out: list[str] = []
        self._fill(rule[number % len(rule)], dice, dict(context) if context else {}, out, set())
        return self._tidy("".join(out))

    def _tidy(self, text: str) -> str:
        return _ARTICLE.sub(r"\1n ", text) if self.language == "en" else text

    def all_of(self, symbol: str) -> list[str]:
        """Return the alternatives of a symbol of plain texts, in the order of the file."""
        return ["".join(part for part in alternative if isinstance(part, str)) for alternative in self._rules[symbol]]

    @property
    def endless(self) -> Mapping[str, str]:
        """Symbols that go on beyond their alternatives, and the symbols that make their words."""
        return self._endless

    def _expand(
        self, symbol: str, dice: Dice, context: dict[str, str], out: list[str], used: set[tuple[str, int]]
    ) -> None:
        self._fill(self._pick(symbol, dice, used), dice, context, out, used)

    def _pick(self, symbol: str, dice: Dice, used: set[tuple[str, int]]) -> Alternative:
        rule = self._rules[symbol]
        at = int(dice.unit() * len(rule))
        if symbol in self._words:
            if (symbol, at) in used:
                at = int(dice.unit() * len(rule))
            used.add((symbol, at))
        return rule[at]

    def _say(self, synonym: Synonym, _dice: Dice) -> str:
        return synonym.words[0]

    def _fill(
        self,
        alternative: Alternative,
        dice: Dice,
        context: dict[str, str],
        out: list[str],
        used: set[tuple[str, int]],
    ) -> None:
        for part in alternative:
            if isinstance(part, str):
                out.append(part)
                continue
            if isinstance(part, Synonym):
                out.append(self._say(part, dice))
                continue
            if part.percent and dice.unit() * 100 >= part.percent:
                continue
            if part.high:
                out.append(str(dice.between(part.low, part.high)))
                continue
            if part.name in context:
                text = context[part.name]
                out.append(text[:1].upper() + text[1:] if part.upper else text)
                continue
            if not part.upper and not part.bind:
                self._expand(part.name, dice, context, out, used)
                continue
            inner: list[str] = []
            self._expand(part.name, dice, context, inner, used)
            text = "".join(inner)
            if part.bind:
                context[part.bind] = text
            out.append(text[:1].upper() + text[1:] if part.upper else text)


def parse(language: str, texts: Iterable[str], plain: Iterable[str] = ()) -> Grammar:
    """Compile the files of a grammar; synonyms are not looked for in those that are ``plain``.

    Raises ``GrammarError`` for a line that cannot be read.
    """
    texts = list(texts)
    said = _synonyms(language, texts)
    rules: dict[str, list[Alternative]] = {}
    endless: dict[str, str] = {}
    for text, words in [*((text, None) for text in plain), *((text, said) for text in texts)]:
        _read(language, text, rules, endless, words)
    return Grammar(language, {name: tuple(rule) for name, rule in rules.items()}, endless)


def _lines(text: str) -> Iterator[str]:
    return (line for line in map(str.strip, text.split("\n")) if line and not line.startswith("#"))


def _read(
    language: str,
    text: str,
    rules: dict[str, list[Alternative]],
    endless: dict[str, str],
    said: _Said | None,
) -> None:
    current: list[Alternative] | None = None
    many = skipped = False
    for line in _lines(text):
        head = _HEAD.fullmatch(line)
        if head:
            skipped = head[1] == _SYNONYMS
            if skipped:
                continue
            current = rules.setdefault(head[1], [])
            if head[3]:
                endless[head[1]] = head[3]
            many = head[2] == " |"
            continue
        if skipped:
            continue
        if current is None:
            raise GrammarError(f"{language}: an alternative stands before the first symbol: {line[:40]}")
        for alternative in line.split(" | ") if many else (line,):
            weight, written = _weight(alternative)
            current.extend([_compile(written, None if many else said)] * weight)


_Said = tuple["re.Pattern[str]", "dict[str, Synonym]"]


def _synonyms(language: str, texts: Iterable[str]) -> _Said | None:
    """Return the pattern of all words that have synonyms, and these."""
    found: dict[str, Synonym] = {}
    for text in texts:
        inside = False
        for line in _lines(text):
            head = _HEAD.fullmatch(line)
            if head:
                inside = head[1] == _SYNONYMS
            elif inside:
                word, _, others = line.partition(": ")
                found[word] = Synonym((word, *others.split(" | ")))
    if not found:
        return None
    words = "|".join(map(re.escape, sorted(found, key=lambda word: (-len(word), word))))
    # Chinese and Japanese put no blanks between words.
    whole = words if language in ("zh", "ja") else rf"(?<!\w)(?:{words})(?!\w)"
    return re.compile(whole), found


def _weight(line: str) -> tuple[int, str]:
    found = re.match(r"\*(\d+) ", line)
    return (int(found[1]), line[found.end() :]) if found else (1, line)


def _compile(text: str, said: _Said | None = None) -> Alternative:
    text = text.replace("\\n", "\n").replace("\\s", " ")
    parts: list[str | _Slot | Synonym] = []
    at = 0
    literal = ""
    for found in _SLOT.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
            continue
        parts += _worded(literal, said)
        literal = ""
        parts.append(_slot(found[1]))
    parts += _worded(literal + text[at:], said)
    return tuple(parts)


def _worded(literal: str, said: _Said | None) -> list[str | Synonym]:
    """Cut the words that have synonyms out of a literal."""
    if said is None:
        return [literal] if literal else []
    pattern, known = said
    parts: list[str | Synonym] = []
    at = 0
    for found in pattern.finditer(literal):
        parts += [literal[at : found.start()], known[found[0]]]
        at = found.end()
    return [part for part in (*parts, literal[at:]) if part]


def _slot(text: str) -> _Slot:
    span = _RANGE.fullmatch(text)
    if span:
        return _Slot("", upper=False, percent=0, bind="", low=int(span[1]), high=int(span[2]))
    inner = _INNER.fullmatch(text)
    if not inner:
        raise GrammarError(f"no slot: {{{text}}}")
    return _Slot(inner[3], inner[1] is not None, int(inner[2] or 0), inner[4] or "", 0, 0)


@cache
def grammar(language: str) -> Grammar:
    """Return the grammar of a language code of ``LANGUAGES``; code, log lines and the like come from ``common``."""
    return parse(language, _texts(language), _texts("common"))


def _texts(folder: str) -> list[str]:
    entries = (resources.files("extractscan.simulate") / "grammars" / folder).iterdir()
    files = sorted((entry for entry in entries if entry.name.endswith(".grammar")), key=lambda entry: entry.name)
    return [entry.read_text(encoding="utf-8") for entry in files]
