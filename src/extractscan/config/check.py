"""What is wrong with the text of a settings file: everything at once, each with its line and what may have been meant."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from extractscan.config.settings import BY_KEY, OTHER_VARIABLES, PREFIX
from extractscan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.config.settings import Setting, Value

_AT: Final = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)\Z")
_SHOWN: Final = 60
"""Characters of a key or a value in a message."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, in the line where it stands (from 1; None: nowhere in particular)."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


def check(text: str) -> tuple[dict[str, Value], list[Problem]]:
    """Return the settings of a file that are right, and what is wrong, by line."""
    text = _plain(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [_syntax(text, str(error))]
    except (ValueError, RecursionError) as error:  # a date that is none; brackets without end
        return {}, [Problem(None, f"is not valid TOML: {error}")]
    values: dict[str, Value] = {}
    problems = []
    places = _Places(text)
    for key, value in document.items():
        setting = BY_KEY.get(key)
        if setting is None:
            problems.append(Problem(places.of(key), _unknown(key, value)))
            continue
        try:
            values[key] = _value(setting, value)
        except UsageError as error:
            problems.append(Problem(places.of(key), f"{key} {error}"))
    return values, sorted(problems, key=lambda problem: problem.line or 0)


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return what to say of variables of the environment that are named like settings and are none."""
    known = [*(setting.variable for setting in BY_KEY.values()), *OTHER_VARIABLES]
    return [
        f"{name} in the environment is no setting{_guess(name, known)}"
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in known
    ]


def line_of(text: str, key: str) -> int | None:
    """Return the line (from 1) in which a setting of a file that is right stands."""
    return _Places(_plain(text)).of(key)


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _value(setting: Setting, value: Any) -> Value:
    """Return the value as the command takes it. Raises ``UsageError`` that says what it must be."""
    match setting.kind:
        case "flag":
            if isinstance(value, bool):
                return value
            raise _wrong("true or false", value)
        case "count":
            if isinstance(value, int) and not isinstance(value, bool) and setting.least <= value < 2**31:
                return value
            raise _wrong(f"a whole number from {setting.least} on", value)
        case "rate":
            if isinstance(value, float) and 0.0 < value < 1.0:
                return value
            raise _wrong("a number between 0 and 1, as in 0.05", value)
        case "amount":
            return _amount(value)
        case "choice":
            if isinstance(value, str) and value in setting.choices:
                return value
            guess = _guess(value, setting.choices) if isinstance(value, str) else ""
            raise _wrong("one of " + ", ".join(setting.choices), value, guess)
        case "text" | "path":
            if _is_text(value):
                return str(value)
            raise _wrong(f"a text, as in {setting.example}", value)
        case "texts" | "paths":
            if isinstance(value, list) and all(_is_text(one) for one in value):
                return [str(one) for one in value]
            raise _wrong(f"a list of texts, as in {setting.example}", value)


def _amount(value: Any) -> str:
    from extractscan.logs.quarantine import parse_max_bad_rows  # noqa: PLC0415 -- only where a file has it

    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            parse_max_bad_rows(str(value))
        except (UsageError, ValueError):  # ValueError: an integer of ten thousand digits
            pass
        else:
            return str(value)
    raise _wrong('a count (100), a share (0.05) or a percentage ("5%")', value)


def _is_text(value: Any) -> bool:
    """Tell whether it is a text that a command line could have held."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _wrong(wanted: str, value: Any, guess: str = "") -> UsageError:
    return UsageError(f"must be {wanted}, not {_shown(value)}{guess}")


def _shown(value: Any) -> str:
    try:
        text = f"{value!r}" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    except ValueError:  # Python does not print an integer of ten thousand digits
        return "a number of very many digits"
    if isinstance(value, dict):
        return "a table"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _unknown(key: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = next((name for name in value if name in BY_KEY), None)
        hint = f"; settings stand in no table: write {inner} above it" if inner else "; there are no tables"
        return f"unknown table {_shown(key)}{hint}"
    return f"unknown setting {_shown(key)}{_guess(key.replace('-', '_').lower(), BY_KEY)}"


def _guess(word: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 -- only where something is wrong

    near = difflib.get_close_matches(word[:_SHOWN], list(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _syntax(text: str, said: str) -> Problem:
    """Return what the parser said, with the line where it says so."""
    found = _AT.search(said)
    if found is None:
        return Problem(None, f"is not valid TOML: {said}")
    line = int(found["line"]) if found["line"] else text.count("\n", 0, len(text.rstrip())) + 1
    return Problem(line, f"not valid TOML: {said[: found.start()]}")


class _Places:
    """Where keys stand. ``tomllib`` does not say; a key's line is one that looks like it and before which the text is whole."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def of(self, key: str) -> int | None:
        """Return the line of a key or table of the top level; None if it is written in a way that is not understood."""
        name = re.escape(key)
        written = re.compile(rf"""\s*\[*\s*(?:{name}|"{name}"|'{name}')\s*[=.\]]""")
        for number, line in enumerate(self._lines):
            if written.match(line) and self._whole(number):
                return number + 1
        return None

    def _whole(self, lines: int) -> bool:
        """Tell whether the first ``lines`` lines end outside of any list or long text."""
        try:
            tomllib.loads("\n".join(self._lines[:lines]))
        except (ValueError, RecursionError):
            return False
        return True
