"""Anthropic messages, and the older completions. Its ``input_tokens`` leave cached tokens out."""

from __future__ import annotations

from typing import Final

REQUEST: Final = {
    "messages": ("messages",),
    "system": ("system",),
    "end_user": ("metadata.user_id",),
    "max_tokens": ("max_tokens_to_sample",),
}

_CACHE: Final = {
    "cache_read_tokens": ("usage.cache_read_input_tokens",),
    "cache_write_tokens": ("usage.cache_creation_input_tokens",),
}

RESPONSE: Final = {
    "text": ("content", "completion"),
    "finish_reason": ("stop_reason",),
    **_CACHE,
}

EVENT: Final = {
    "delta": ("delta.text", "completion"),
    "call": ("content_block.name",),
    "finish_reason": ("delta.stop_reason", "stop_reason"),
    "model": ("message.model",),
    "request_id": ("message.id",),
    "input_tokens": ("message.usage.input_tokens",),
    "output_tokens": ("message.usage.output_tokens",),
    **{slot: (*paths, *(f"message.{path}" for path in paths)) for slot, paths in _CACHE.items()},
}
