"""What one code point is: its kind, its case, and whether Unicode's normal form leaves it alone. Helpers of kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extractscan.jit import inline

if TYPE_CHECKING:
    from numpy.typing import NDArray


SPACE, BREAK, WORD, DIGIT, ALONE = range(5)
"""Classes of code points: white space, what ends a word, what is part of one, digits, and characters of scripts without word breaks."""


@inline
def kind_of(c: np.uint32) -> int:
    """Class of a code point, ``SPACE`` to ``ALONE``.

    Ranges rather than a table: a table of Unicode's size costs more start-up than it saves.
    """
    if c < 0x80:
        if 97 <= c <= 122 or 65 <= c <= 90 or c == 95:
            return WORD
        if 48 <= c <= 57:
            return DIGIT
        if c == 32 or 9 <= c <= 13:
            return SPACE
        return BREAK
    if c < 0x0370:
        if c < 0xC0:
            if c == 0xA0 or c == 0x85:
                return SPACE
            return WORD if c == 0xAA or c == 0xB5 or c == 0xBA else BREAK
        return BREAK if c == 0xD7 or c == 0xF7 else WORD
    if 0x2000 <= c <= 0x2BFF:
        if c <= 0x200A or c == 0x2028 or c == 0x2029 or c == 0x202F or c == 0x205F:
            return SPACE
        if c == 0x200C or c == 0x200D:
            return WORD
        return WORD if c >= 0x2C60 or 0x2070 <= c <= 0x209C or 0x2100 <= c <= 0x218F else BREAK
    if 0x0E00 <= c <= 0x0EFF or 0x1000 <= c <= 0x109F or 0x1780 <= c <= 0x17FF:
        if 0x0E50 <= c <= 0x0E59 or 0x0ED0 <= c <= 0x0ED9:
            return DIGIT
        return ALONE
    if 0x3000 <= c <= 0x30FF:
        if c == 0x3000:
            return SPACE
        if c < 0x3005 or 0x3008 <= c <= 0x3020 or c == 0x3030 or c == 0x303D or c == 0x30FB:
            return BREAK
        return ALONE
    if 0x3400 <= c <= 0x9FFF or 0xF900 <= c <= 0xFAFF or 0x20000 <= c <= 0x3FFFF:
        return ALONE
    if (
        c == 0x060C
        or c == 0x061B
        or c == 0x061F
        or 0x066A <= c <= 0x066D
        or c == 0x06D4
        or c == 0x0964
        or c == 0x0965
        or 0xFE10 <= c <= 0xFE6F
        or c == 0xFEFF
        or c == 0xFFFD
        or 0x1F000 <= c <= 0x1FAFF
    ):
        return BREAK
    if 0x0660 <= c <= 0x0669 or 0x06F0 <= c <= 0x06F9 or 0x0966 <= c <= 0x096F:
        return DIGIT
    return WORD


@inline
def follower(data: NDArray[np.uint8], p: int) -> np.uint32:
    """The six bits that the byte at ``p``, not the first of its code point, adds to it."""
    return np.uint32(data[np.uint64(p)]) & np.uint32(0x3F)  # an unsigned index needs no check for being negative


@inline
def decode(data: NDArray[np.uint8], p: int, b: np.uint32) -> tuple[np.uint32, int]:
    """Code point beyond ASCII at ``p``, whose first byte is ``b``, and the position after it."""
    if b < 0xE0:
        return ((b & np.uint32(0x1F)) << np.uint32(6)) | follower(data, p + 1), p + 2
    if b < 0xF0:
        return (
            ((b & np.uint32(0x0F)) << np.uint32(12)) | (follower(data, p + 1) << np.uint32(6)) | follower(data, p + 2)
        ), p + 3
    return (
        ((b & np.uint32(0x07)) << np.uint32(18))
        | (follower(data, p + 1) << np.uint32(12))
        | (follower(data, p + 2) << np.uint32(6))
        | follower(data, p + 3)
    ), p + 4


@inline
def is_plain(c: int) -> bool:
    """Whether ``fold`` does to this code point, wherever it stands, what NFKC and lower case do.

    Letters and signs that stand alone: nothing that decomposes, combines with a neighbour or has a special lower case. What is not
    in these ranges goes the long way; a test holds every one of them against the Unicode database.
    """
    if c < 0x80:
        return True
    if c < 0x0250:
        if c < 0xC0:
            return (
                c == 0xA0
                or c == 0xA1
                or c == 0xA3
                or c == 0xA7
                or c == 0xAB
                or c == 0xAE
                or c == 0xB0
                or c == 0xB1
                or c == 0xB7
                or c == 0xBB
                or c == 0xBF
            )
        if c < 0x0180:
            return not (
                c == 0x0130 or c == 0x0132 or c == 0x0133 or c == 0x013F or c == 0x0140 or c == 0x0149 or c == 0x017F
            )
        return c == 0x01A0 or c == 0x01A1 or c == 0x01AF or c == 0x01B0 or 0x0218 <= c <= 0x021B
    if c < 0x0400:  # Greek, but for the capital sigma, whose lower case depends on its place
        if c == 0x0386 or 0x0388 <= c <= 0x038A or c == 0x038C or c == 0x0390:
            return True
        return 0x0391 <= c <= 0x03A1 or 0x03A4 <= c <= 0x03A9 or 0x03AC <= c <= 0x03AF or 0x03B1 <= c <= 0x03CE
    if 0x0901 <= c <= 0x0928 or 0x092A <= c <= 0x0930 or 0x0935 <= c <= 0x0939 or 0x093E <= c <= 0x094C:
        return True
    if c == 0x0932 or c == 0x0933:
        return True
    if 0x0E01 <= c <= 0x0E37:
        return c != 0x0E33
    if 0x0E40 <= c <= 0x0E47 or c == 0x0E4C or 0x0E50 <= c <= 0x0E59:
        return True
    if 0x0964 <= c <= 0x096F or 0x1EA0 <= c <= 0x1EF9:
        return True
    if 0x0410 <= c <= 0x044F or c == 0x0401 or c == 0x0451 or 0x05D0 <= c <= 0x05EA:
        return True
    if 0x0621 <= c <= 0x063A or 0x0641 <= c <= 0x064A or 0x0660 <= c <= 0x0669 or c == 0x060C or c == 0x061F:
        return True
    if c == 0x061B or c == 0x0640:
        return True
    if 0x2010 <= c <= 0x2015:
        return c != 0x2011
    if 0x2018 <= c <= 0x2022 or c == 0x200B or c == 0x200F or c == 0x20AC or 0x2190 <= c <= 0x2193 or c == 0x25CF:
        return True
    if 0x3000 <= c <= 0x3002 or c == 0x3005 or 0x3008 <= c <= 0x3011 or 0x3041 <= c <= 0x3096 or 0x30A1 <= c <= 0x30FC:
        return True
    return bool(0x4E00 <= c <= 0x9FFF or 0xAC00 <= c <= 0xD7A3 or 0xFF01 <= c <= 0xFF5E or 0x1F300 <= c <= 0x1F64F)


@inline
def mark_of(c: int) -> int:
    """Canonical combining class of a mark that composes with nothing, Thai, Devanagari or Arabic; 0 for all else.

    Normalisation leaves such marks as they are, but for putting those that follow one another in the order of their classes.
    """
    if 0x064B <= c <= 0x0652:
        return c - 0x064B + 27
    if c == 0x094D:
        return 9
    if c == 0x0E38 or c == 0x0E39:
        return 103
    return 107 if 0x0E48 <= c <= 0x0E4B else 0


@inline
def fold(c: np.uint32) -> np.uint32:
    """NFKC and lower case of a plain code point beyond ASCII; others (normalised before) stay as they are."""
    if c < 0xC0:
        return np.uint32(32) if c == 0xA0 else c
    if c < 0x0180:
        if c < 0xDF:
            return c + np.uint32(32) if c != 0xD7 else c
        if c < 0x0100:
            return c
        if c < 0x0138 or (c >= 0x014A and c < 0x0178):
            return c | np.uint32(1) if c != 0x0130 else c
        if c >= 0x0139 and c < 0x0149:
            return c + (c & np.uint32(1))
        if c == 0x0178:
            return np.uint32(0xFF)
        return c + (c & np.uint32(1)) if c >= 0x0179 and c < 0x017F else c
    if c < 0x0250:
        if c == 0x01A0 or c == 0x01AF or c == 0x0218 or c == 0x021A:
            return c + np.uint32(1)
        return c
    if c < 0x0400:
        if c < 0x0391:
            if c == 0x0386:
                return np.uint32(0x03AC)
            if c == 0x038C:
                return np.uint32(0x03CC)
            return c + np.uint32(37) if c >= 0x0388 and c <= 0x038A else c
        return c + np.uint32(32) if c <= 0x03A9 else c
    if c < 0x0600:
        if c >= 0x0410 and c < 0x0430:
            return c + np.uint32(32)
        return np.uint32(0x0451) if c == 0x0401 else c
    if c >= 0x1EA0 and c <= 0x1EF9:
        return c | np.uint32(1)
    if c == 0x3000:
        return np.uint32(32)
    if c >= 0xFF01 and c <= 0xFF5E:
        c -= np.uint32(0xFEE0)
        return c + np.uint32(32) if c >= 65 and c <= 90 else c
    return c
