"""Bedrock: Converse (and Nova), and the bodies of the older models: Titan, Llama, Mistral, Cohere, AI21.

``inputTokens`` leave cached tokens out.
"""

from __future__ import annotations

from typing import Final

REQUEST: Final = {
    "messages": ("messages", "inputText", "prompt", "message"),
    "system": ("system", "preamble"),
    "temperature": ("inferenceConfig.temperature", "textGenerationConfig.temperature"),
    "max_tokens": (
        "inferenceConfig.maxTokens", "inferenceConfig.max_new_tokens", "textGenerationConfig.maxTokenCount", "max_gen_len",
        "maxTokens",
    ),
    "n": ("num_generations", "numResults"),
    "model": ("modelId",),
}  # fmt: skip

RESPONSE: Final = {
    "text": (
        "output.message.content", "results[0].outputText", "outputs[0].text", "generations[0].text",
        "completions[0].data.text", "generation", "outputText", "text",
    ),
    "finish_reason": (
        "stopReason", "results[0].completionReason", "outputs[0].stop_reason", "generations[0].finish_reason",
        "completions[0].finishReason.reason", "completionReason",
    ),
    "input_tokens": ("usage.inputTokens", "inputTextTokenCount", "prompt_token_count"),
    "output_tokens": ("usage.outputTokens", "results[0].tokenCount", "generation_token_count"),
    "cache_read_tokens": ("usage.cacheReadInputTokens",),
    "cache_write_tokens": ("usage.cacheWriteInputTokens",),
    "latency_ms": ("metrics.latencyMs",),
}  # fmt: skip

EVENT: Final = {
    "delta": ("contentBlockDelta.delta.text", "outputText", "generation", "outputs[0].text"),
    "call": ("contentBlockStart.start.toolUse.toolUseId",),
    "finish_reason": ("messageStop.stopReason", "stop_reason", "completionReason"),
    "input_tokens": (
        "metadata.usage.inputTokens", "amazon-bedrock-invocationMetrics.inputTokenCount", "inputTextTokenCount",
        "prompt_token_count",
    ),
    "output_tokens": (
        "metadata.usage.outputTokens", "amazon-bedrock-invocationMetrics.outputTokenCount",
        "totalOutputTextTokenCount", "generation_token_count",
    ),
    "cache_read_tokens": ("metadata.usage.cacheReadInputTokens",),
    "cache_write_tokens": ("metadata.usage.cacheWriteInputTokens",),
    "latency_ms": ("metadata.metrics.latencyMs", "amazon-bedrock-invocationMetrics.invocationLatency"),
}  # fmt: skip
