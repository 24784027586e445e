"""Bytes of a buffer sixty-four at a time: which of them are wanted, as the bits of one word.

Written in the compiler's own terms, since it makes no such words of a loop: a comparison of 64 bytes is one or a few
instructions on any processor, and their bits say where to go on without looking at each byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba import types

from extractscan.jit import inline, instruction

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH: Final = 64
"""Bytes that are looked at together. A buffer is looked into only where so many are left of it."""

_BYTES: Final = ir.VectorType(ir.IntType(8), WIDTH)
_WORD: Final = ir.IntType(WIDTH)
_ODD: Final = np.uint64(0xAAAAAAAAAAAAAAAA)


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Where the block at an index of an array lies; the index is not checked."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _BYTES.as_pointer())


def _all(builder: Any, byte: Any) -> Any:
    """A block of the same byte."""
    none = ir.Constant(_BYTES, ir.Undefined)
    first = builder.insert_element(none, byte, ir.IntType(32)(0))
    return builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


@instruction
def same(_: Any, buf: Any, at: Any, byte: Any) -> tuple[Any, Callable[..., Any]]:
    """Which of the bytes from ``at`` on are ``byte``: the lowest bit stands for the first."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block = builder.load(_place(context, builder, signature.args[0], args[0], args[1]), align=1)
        return builder.bitcast(builder.icmp_unsigned("==", block, _all(builder, args[2])), _WORD)

    return types.uint64(buf, types.int64, types.uint8), made


@instruction
def beyond_ascii(_: Any, buf: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """Which of the bytes from ``at`` on are no ASCII, as ``same``."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block = builder.load(_place(context, builder, signature.args[0], args[0], args[1]), align=1)
        return builder.bitcast(builder.icmp_signed("<", block, ir.Constant(_BYTES, [0] * WIDTH)), _WORD)

    return types.uint64(buf, types.int64), made


@instruction
def alike(_: Any, buf: Any, at: Any, other: Any) -> tuple[Any, Callable[..., Any]]:
    """Which of the bytes from ``at`` on are the same as those from ``other`` on, as ``same``."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two = (
            builder.load(_place(context, builder, signature.args[0], args[0], place), align=1) for place in args[1:]
        )
        return builder.bitcast(builder.icmp_unsigned("==", one, two), _WORD)

    return types.uint64(buf, types.int64, types.int64), made


@instruction
def copy(_: Any, buf: Any, at: Any, out: Any, to: Any) -> tuple[Any, Callable[..., Any]]:
    """Copy the bytes from ``at`` on, all of them, to ``out`` from ``to`` on."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block = builder.load(_place(context, builder, signature.args[0], args[0], args[1]), align=1)
        builder.store(block, _place(context, builder, signature.args[2], args[2], args[3]), align=1)
        return context.get_dummy_value()

    return types.void(buf, types.int64, out, types.int64), made


@instruction
def lowest(_: Any, bits: Any) -> tuple[Any, Callable[..., Any]]:
    """The number of the lowest bit that is set; there must be one."""

    def made(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), made


@inline
def below(n: int) -> Any:
    """A word with the lowest ``n`` bits set, at most 63."""
    return (np.uint64(1) << np.uint64(n)) - np.uint64(1)


@inline
def escapes(slashes: Any) -> tuple[Any, Any]:
    """Of the backslashes in a block that begins outside of an escape: those that begin one, and the bytes that they escape.

    Of a run every other backslash begins an escape. Taking the run from itself, one byte on, tells them apart without a loop
    (as simdjson does it).
    """
    after = slashes << np.uint64(1)
    codes = ((after | _ODD) - slashes) ^ _ODD
    return codes & slashes, codes ^ slashes
