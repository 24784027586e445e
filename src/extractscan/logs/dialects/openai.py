"""OpenAI: chat completions, responses, completions; and the many that speak as it does."""

from __future__ import annotations

from typing import Final

REQUEST: Final = {
    # ``input`` of responses and ``prompt`` of completions: a text, or a list.
    "messages": ("messages", "input", "prompt"),
    "system": ("instructions",),
    "end_user": ("safety_identifier", "user"),
    "model": ("model",),
    "temperature": ("temperature",),
    "max_tokens": ("max_completion_tokens", "max_tokens", "max_output_tokens"),
    "n": ("n",),
    "logprobs": ("logprobs", "top_logprobs"),
    "stream": ("stream",),
    "conversation_id": ("conversation.id",),
}

_USAGE: Final = {
    "input_tokens": ("usage.prompt_tokens", "usage.input_tokens"),
    "output_tokens": ("usage.completion_tokens", "usage.output_tokens"),
    "cached_tokens": ("usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens"),
    "reasoning_tokens": (
        "usage.completion_tokens_details.reasoning_tokens",
        "usage.output_tokens_details.reasoning_tokens",
    ),
}

RESPONSE: Final = {
    # ``output`` of responses is a list of items, told by their roles; see ``body``.
    "text": ("choices[0].message.content", "choices[0].text", "output_text"),
    "items": ("output",),
    "calls": ("choices[0].message.tool_calls",),
    "finish_reason": ("choices[0].finish_reason", "incomplete_details.reason", "status"),
    "model": ("model",),
    "request_id": ("id",),
    "timestamp": ("created", "created_at"),
    **_USAGE,
}

EVENT: Final = {
    "delta": ("choices[0].delta.content", "choices[0].text"),
    "typed": ("delta",),
    "type": ("type",),
    "whole": ("response.output",),
    "call": ("choices[0].delta.tool_calls[0].id",),
    "finish_reason": ("choices[0].finish_reason", "response.incomplete_details.reason"),
    "model": ("model", "response.model"),
    "request_id": ("id", "response.id"),
    "timestamp": ("created", "response.created_at"),
    **{slot: (*paths, *(f"response.{path}" for path in paths)) for slot, paths in _USAGE.items()},
}
