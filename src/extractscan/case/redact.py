"""Text that is shown: addresses, keys and card numbers of whoever wrote it taken out.

A precaution, and no anonymisation: names, places and what is written in words stay.
"""

from __future__ import annotations

import re
from typing import Final

EMAIL: Final = "[e-mail]"
KEY: Final = "[key]"
CARD: Final = "[card]"

_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_KEYS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk|xai|gsk|hf|ghp|gho|ghu|ghs|ghr|glpat|npm|pypi|dop_v1|shpat|whsec|tok|key|api)[-_][A-Za-z0-9_\-]{12,}"
    r"|github_pat_[A-Za-z0-9_]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-]{20,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"
    r")"
)
_LONG: Final = re.compile(r"(?<![A-Za-z0-9+/=_\-])[A-Za-z0-9+/_\-]{32,}={0,2}")
_BEARER: Final = re.compile(
    r"(?i)\b(bearer|basic|password|passwd|secret|token|api[ _-]?key)(\s*[:=]\s*|\s+)(?=[^\s\[]{0,200}\d)[^\s\[]{6,}"
)
_EMAIL: Final = re.compile(r"[\w.+%'\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}")
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ .\-\u00a0\u2010-\u2013]{0,2}\d){12,18}(?!\d)")


def redact(text: str) -> str:
    """Return the text with e-mail addresses, keys and tokens, and card numbers (by their check digit) replaced by a word for each."""
    text = _BLOCK.sub(KEY, text)
    text = _EMAIL.sub(EMAIL, text)
    text = _KEYS.sub(KEY, text)
    text = _BEARER.sub(lambda m: m[1] + m[2] + KEY, text)
    text = _LONG.sub(_random, text)
    return _DIGITS.sub(lambda m: CARD if luhn(m[0]) else m[0], text)


def luhn(digits: str) -> bool:
    """Tell whether the decimal digits in a text end in the check digit of a card number (ISO/IEC 7812-1)."""
    numbers = [int(c) for c in reversed(digits) if c.isdecimal()]
    doubled = (2 * d - 9 * (d > 4) for d in numbers[1::2])
    return bool(numbers) and (sum(numbers[::2]) + sum(doubled)) % 10 == 0


def _random(match: re.Match[str]) -> str:
    """Replace what has letters and digits mixed: no word of any language, and no path of words, does."""
    piece = match[0]
    letters = sum(c.isalpha() for c in piece)
    digits = sum(c.isdecimal() for c in piece)
    return KEY if letters and digits >= 4 else piece
