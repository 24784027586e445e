"""Google's Gemini and Vertex. ``promptTokenCount`` has cached tokens in; thoughts are counted beside the candidates."""

from __future__ import annotations

from typing import Final

REQUEST: Final = {
    "messages": ("contents", "instances[0].prompt", "instances[0].content"),
    "system": ("systemInstruction.parts", "systemInstruction", "system_instruction.parts", "system_instruction"),
    "temperature": ("generationConfig.temperature", "generation_config.temperature", "parameters.temperature"),
    "max_tokens": (
        "generationConfig.maxOutputTokens", "generation_config.max_output_tokens", "parameters.maxOutputTokens",
    ),
    "n": ("generationConfig.candidateCount", "generation_config.candidate_count"),
    "logprobs": ("generationConfig.responseLogprobs",),
}  # fmt: skip

_SLOTS: Final = {
    "finish_reason": ("candidates[0].finishReason", "candidates[0].finish_reason"),
    "input_tokens": ("usageMetadata.promptTokenCount", "usage_metadata.prompt_token_count"),
    "output_tokens": ("usageMetadata.candidatesTokenCount", "usage_metadata.candidates_token_count"),
    "cached_tokens": ("usageMetadata.cachedContentTokenCount", "usage_metadata.cached_content_token_count"),
    "reasoning_tokens": ("usageMetadata.thoughtsTokenCount", "usage_metadata.thoughts_token_count"),
    "model": ("modelVersion",),
    "request_id": ("responseId",),
    "timestamp": ("createTime",),
}

RESPONSE: Final = {
    "text": ("candidates[0].content.parts", "predictions[0].content"),
    **_SLOTS,
}

EVENT: Final = {"delta": ("candidates[0].content.parts",), **_SLOTS}
