"""Bodies of every dialect, whole and streamed."""

import json

import polars as pl
import pytest

from extractscan.logs.cells import of_series
from extractscan.logs.dialects.body import read_request, read_response


def rows(reader, *bodies):
    texts = [b if isinstance(b, str) else json.dumps(b, ensure_ascii=False) for b in bodies]
    read = reader(of_series(pl.Series(texts)))
    return [{k: v[i] for k, v in read.items() if v[i] is not None} for i in range(len(texts))]


ASK = "Why is ice slippery?"
SAY = "A thin film of water."

REQUESTS = {
    "openai.chat": (
        {"model": "m", "messages": [{"role": "developer", "content": "S"}, {"role": "user", "content": [{"type": "text", "text": ASK}, {"type": "image_url", "image_url": {"url": "x"}}]}], "max_completion_tokens": 5, "n": 2, "logprobs": True, "user": "u"},
        {"system": "S", "prompt": ASK, "max_tokens": "5", "n": "2", "logprobs": "true", "end_user": "u", "model": "m", "turn": 0},
    ),
    "openai.responses text": ({"input": ASK, "instructions": "S", "max_output_tokens": 5}, {"system": "S", "prompt": ASK, "max_tokens": "5"}),
    "openai.responses list": (
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": ASK}]}, {"type": "function_call", "name": "f"}]},
        {"prompt": ASK, "turn": 0},
    ),
    "openai.completions": ({"prompt": ASK, "max_tokens": 5}, {"prompt": ASK, "max_tokens": "5"}),
    "openai.completions list": ({"prompt": [ASK, "b"]}, {"prompt": f"{ASK}\nb"}),
    "anthropic": (
        {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": ASK}, {"role": "assistant", "content": [{"type": "tool_use", "name": "f"}]}, {"role": "user", "content": [{"type": "tool_result", "content": "42"}]}], "metadata": {"user_id": "u"}},
        {"system": "S", "prompt": ASK, "end_user": "u", "turn": 0},
    ),
    "bedrock.converse": (
        {"system": [{"text": "S"}], "messages": [{"role": "user", "content": [{"text": ASK}]}], "inferenceConfig": {"maxTokens": 5, "temperature": 0.5}},
        {"system": "S", "prompt": ASK, "max_tokens": "5", "temperature": "0.5", "turn": 0},
    ),
    "bedrock.titan": ({"inputText": ASK, "textGenerationConfig": {"maxTokenCount": 5}}, {"prompt": ASK, "max_tokens": "5"}),
    "bedrock.cohere": ({"message": ASK, "preamble": "S"}, {"prompt": ASK, "system": "S"}),
    "gemini": (
        {"contents": [{"role": "user", "parts": [{"text": ASK}]}], "systemInstruction": {"parts": [{"text": "S"}]}, "generationConfig": {"maxOutputTokens": 5, "candidateCount": 2}},
        {"system": "S", "prompt": ASK, "max_tokens": "5", "n": "2", "turn": 0},
    ),
    "otel.parts": ([{"role": "user", "parts": [{"type": "text", "content": ASK}]}], {"prompt": ASK, "turn": 0}),
    "sharegpt": ([{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": ASK}], {"prompt": ASK, "turn": 1, "opening": "a"}),
    "langchain": ([[{"lc": 1, "type": "constructor", "id": ["x"], "kwargs": {"type": "human", "content": ASK}}]], {"prompt": ASK, "turn": 0}),
    "a text": (ASK, {"prompt": ASK}),
    "a text in a text": (json.dumps(json.dumps(ASK)), {"prompt": ASK}),
    "unknown": ({"foo": ASK}, {"prompt": json.dumps({"foo": ASK})}),
    "looks like JSON": ("{not json}", {"prompt": "{not json}"}),
    "nothing": ({}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_request(name):
    body, wanted = REQUESTS[name]
    assert rows(read_request, body) == [wanted]


def test_requests_of_all_dialects_in_one_column():
    read = rows(read_request, *(body for body, _ in REQUESTS.values()))
    assert read == [wanted for _, wanted in REQUESTS.values()]


RESPONSES = {
    "openai.chat": (
        {"choices": [{"message": {"content": SAY, "tool_calls": [{"id": 1}, {"id": 2}]}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 2}}},
        {"response": SAY, "finish_reason": "stop", "tool_calls": 2, "input_tokens": "3", "reasoning_tokens": "2"},
    ),
    "openai.completions": ({"choices": [{"text": SAY}]}, {"response": SAY}),
    "openai.responses": (
        {"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "no"}]}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAY}]}, {"type": "function_call", "name": "f"}], "usage": {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 1}}},
        {"response": SAY, "tool_calls": 1, "input_tokens": "3", "cached_tokens": "1"},
    ),
    "anthropic": (
        {"type": "message", "content": [{"type": "thinking", "thinking": "no"}, {"type": "text", "text": SAY}, {"type": "tool_use", "name": "f"}], "stop_reason": "tool_use", "usage": {"input_tokens": 3, "cache_read_input_tokens": 2}},
        {"response": SAY, "tool_calls": 1, "finish_reason": "tool_use", "input_tokens": "3", "cache_read_tokens": "2"},
    ),
    "anthropic old": ({"completion": SAY, "stop_reason": "stop_sequence"}, {"response": SAY, "finish_reason": "stop_sequence"}),
    "bedrock.converse": (
        {"output": {"message": {"role": "assistant", "content": [{"text": SAY}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 3}, "metrics": {"latencyMs": 9}},
        {"response": SAY, "finish_reason": "end_turn", "input_tokens": "3", "latency_ms": "9"},
    ),
    "titan": ({"inputTextTokenCount": 3, "results": [{"outputText": SAY, "tokenCount": 4, "completionReason": "FINISH"}]}, {"response": SAY, "input_tokens": "3", "output_tokens": "4", "finish_reason": "FINISH"}),
    "llama": ({"generation": SAY, "prompt_token_count": 3, "stop_reason": "stop"}, {"response": SAY, "input_tokens": "3", "finish_reason": "stop"}),
    "cohere": ({"generations": [{"text": SAY}]}, {"response": SAY}),
    "ai21": ({"completions": [{"data": {"text": SAY}}]}, {"response": SAY}),
    "mistral": ({"outputs": [{"text": SAY, "stop_reason": "stop"}]}, {"response": SAY, "finish_reason": "stop"}),
    "gemini": ({"candidates": [{"content": {"parts": [{"text": "no", "thought": True}, {"text": SAY}]}, "finishReason": "STOP"}]}, {"response": SAY, "finish_reason": "STOP"}),
    "otel.parts": ([{"role": "assistant", "parts": [{"type": "text", "content": SAY}, {"type": "tool_call", "name": "f"}], "finish_reason": "stop"}], {"response": SAY, "finish_reason": "stop", "tool_calls": 1}),
    "an answer in JSON": ({"choices": [{"message": {"content": '{"messages": []}'}}]}, {"response": '{"messages": []}'}),
    "an empty answer": ({"role": "assistant", "content": ""}, {}),
    "a failure": ({"error": {"message": "no"}}, {}),
    "nothing": ({}, {}),
    "a text": (SAY, {"response": SAY}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_response(name):
    body, wanted = RESPONSES[name]
    assert rows(read_response, body) == [wanted]


def test_responses_of_all_dialects_in_one_column():
    assert rows(read_response, *(body for body, _ in RESPONSES.values())) == [
        wanted for _, wanted in RESPONSES.values()
    ]


def sse(*events, names=False):
    lines = []
    for event in events:
        if names and isinstance(event, dict):
            lines.append(f"event: {event.get('type', 'x')}")
        lines.append(f"data: {event if isinstance(event, str) else json.dumps(event)}\n")
    return "\n".join(lines)


STREAMS = {
    "openai.chat": (
        sse({"id": "c1", "choices": [{"delta": {"role": "assistant", "content": ""}}]}, {"id": "c1", "choices": [{"delta": {"content": "A thin "}}]}, {"id": "c1", "choices": [{"delta": {"content": "film of water."}, "finish_reason": "stop"}]}, {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 6}}, "[DONE]"),
        {"response": SAY, "finish_reason": "stop", "input_tokens": "3", "output_tokens": "6", "request_id": "c1"},
    ),
    "openai.responses": (
        sse({"type": "response.created", "response": {"id": "r", "output": []}}, {"type": "response.reasoning_summary_text.delta", "delta": "no"}, {"type": "response.output_text.delta", "delta": "A thin "}, {"type": "response.output_text.delta", "delta": "film of water."}, {"type": "response.completed", "response": {"id": "r", "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAY}]}], "usage": {"input_tokens": 3}}}, names=True),
        {"response": SAY, "input_tokens": "3", "request_id": "r"},
    ),
    "anthropic": (
        sse({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 3, "output_tokens": 1}}}, {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "no"}}, {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "A thin "}}, {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "film of water."}}, {"type": "content_block_start", "content_block": {"type": "tool_use", "name": "f"}}, {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 6}}, names=True),
        {"response": SAY, "finish_reason": "tool_use", "input_tokens": "3", "output_tokens": "6", "tool_calls": 1, "request_id": "m"},
    ),
    "converse events": (
        [{"messageStart": {"role": "assistant"}}, {"contentBlockDelta": {"delta": {"text": "A thin "}}}, {"contentBlockDelta": {"delta": {"text": "film of water."}}}, {"messageStop": {"stopReason": "end_turn"}}, {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 6}}}],
        {"response": SAY, "finish_reason": "end_turn", "input_tokens": "3", "output_tokens": "6"},
    ),
    "gemini list": (
        [{"candidates": [{"content": {"parts": [{"text": "A thin "}]}}]}, {"candidates": [{"content": {"parts": [{"text": "film of water."}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 3}}],
        {"response": SAY, "finish_reason": "STOP", "input_tokens": "3"},
    ),
    "titan events": ([{"outputText": "A thin "}, {"outputText": "film of water.", "completionReason": "FINISH"}], {"response": SAY, "finish_reason": "FINISH"}),
    "cut short": ('data: {"choices":[{"delta":{"content":"A thin "}}]}\n\ndata: {"choices":[{"delta":{"cont', {"response": "A thin "}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_stream(name):
    body, wanted = STREAMS[name]
    assert rows(read_response, body) == [wanted]


def test_streams_and_whole_answers_in_one_column():
    mixed = {**RESPONSES, **STREAMS}
    assert rows(read_response, *(body for body, _ in mixed.values())) == [wanted for _, wanted in mixed.values()]
