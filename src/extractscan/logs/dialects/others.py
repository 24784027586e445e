"""What tools wrap around a body, or call by names of their own: tried after the dialects of the providers."""

from __future__ import annotations

from typing import Final

REQUEST: Final = {
    "messages": ("inputs", "query", "question", "text", "content"),
    "temperature": ("parameters.temperature", "options.temperature"),
    "max_tokens": ("parameters.max_new_tokens", "options.num_predict"),
}

RESPONSE: Final = {
    "text": ("message.content", "response", "generated_text", "answer"),
    "input_tokens": ("prompt_eval_count",),
    "output_tokens": ("eval_count",),
    "finish_reason": ("done_reason", "finish_reason"),
    "calls": ("message.tool_calls",),
    "closed": ("base64", "role", "error"),  # known, and no text: bytes, a message without content, a failure
}

EVENT: Final = {
    "delta": ("message.content", "response"),
    "input_tokens": ("prompt_eval_count",),
    "output_tokens": ("eval_count",),
    "finish_reason": ("done_reason",),
}
