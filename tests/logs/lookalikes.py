"""Small records in the shapes that gateways, providers and tools write; all text is the project's own.

``SHAPES`` maps a format to (records, what the first request must hold).
"""

from __future__ import annotations

import json

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is ice slippery?"}]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1772400000,
    "model": "halden-2",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "A thin film of water."}, "finish_reason": "stop"}
    ],
    "usage": {
        "prompt_tokens": 12,
        "completion_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
SAID = {"prompt": "Why is ice slippery?", "response": "A thin film of water.", "system": "Be brief."}


def text(value):
    return json.dumps(value)


def attributes(**values):
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue", bool: "boolValue"}
    return [
        {"key": k.replace("__", "."), "value": {kinds[type(v)]: str(v) if type(v) is int else v}}
        for k, v in values.items()
    ]


def kv(table):
    return [
        {"key": k, "value": {"stringValue": v} if isinstance(v, str) else {"intValue": str(v)}}
        for k, v in table.items()
    ]


def span(table, **more):
    return {
        "traceId": "t1", "spanId": "s1", "name": "chat", "startTimeUnixNano": "1772400000000000000",
        "endTimeUnixNano": "1772400001500000000", "attributes": kv(table), **more,
    }  # fmt: skip


def otlp(*spans, resource=None):
    return {"resourceSpans": [{"resource": {"attributes": kv(resource or {})}, "scopeSpans": [{"spans": list(spans)}]}]}


GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "halden-2",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 6,
    "user.id": "acct-1",
}
PARTS_IN = text([{"role": "user", "parts": [{"type": "text", "content": "Why is ice slippery?"}]}])
PARTS_OUT = text(
    [{"role": "assistant", "parts": [{"type": "text", "content": "A thin film of water."}], "finish_reason": "stop"}]
)

SHAPES = {
    "litellm-spendlogs": (
        [
            {
                "request_id": "r1", "call_type": "acompletion", "api_key": "hash1", "spend": 0.001, "total_tokens": 18,
                "prompt_tokens": 12, "completion_tokens": 6, "startTime": "2026-03-01 21:20:00.000000",
                "endTime": "2026-03-01 21:20:01.500000", "model": "halden-2", "user": "acct-1", "team_id": "team-1",
                "organization_id": "", "end_user": "", "session_id": "s1", "requester_ip_address": "192.0.2.7",
                "metadata": text({"user_agent": "agent/1", "user_api_key_org_id": "org-1"}), "request_tags": "[]",
                "messages": text(CHAT), "response": text(ANSWER), "proxy_server_request": text({"temperature": 0.5}),
                "status": "success",
            }
        ],
        {**SAID, "account_id": "acct-1", "org_id": "org-1", "status": 200, "latency_ms": 1500.0, "temperature": 0.5,
         "user_agent": "agent/1", "ip": "192.0.2.7", "cost": 0.001, "finish_reason": "stop", "conversation_id": "s1"},
    ),
    "litellm-payload": (
        [
            {
                "id": "r1", "call_type": "acompletion", "response_cost": 0.001, "status": "failure", "stream": False,
                "startTime": 1772400000.0, "endTime": 1772400001.5, "model": "halden-2", "prompt_tokens": 12,
                "completion_tokens": 6, "end_user": "e1", "messages": CHAT, "response": ANSWER,
                "metadata": {"user_api_key_hash": "hash1", "user_api_key_user_id": "acct-1", "user_api_key_org_id": "org-1"},
                "model_parameters": {"temperature": 0.5, "max_tokens": 99, "n": 2}, "hidden_params": {},
                "error_information": {"error_code": "429"},
            }
        ],
        {**SAID, "account_id": "acct-1", "org_id": "org-1", "status": 429, "latency_ms": 1500.0, "n": 2, "max_tokens": 99,
         "end_user": "e1", "api_key_id": "hash1", "stream": False},
    ),
    "bedrock": (
        [
            {
                "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-03-01T21:20:00Z",
                "accountId": "111122223333", "identity": {"arn": "arn:aws:iam::111122223333:user/acct-1"},
                "region": "us-east-1", "requestId": "r1", "operation": "InvokeModel", "modelId": "anthropic.x",
                "input": {
                    "inputBodyJson": {"system": "Be brief.", "messages": CHAT[1:], "max_tokens": 99},
                    "inputTokenCount": 8, "cacheReadInputTokenCount": 4,
                },
                "output": {
                    "outputBodyJson": {
                        "type": "message", "content": [{"type": "text", "text": "A thin film of water."}],
                        "stop_reason": "end_turn",
                    },
                    "outputTokenCount": 6,
                },
            }
        ],
        {**SAID, "account_id": "arn:aws:iam::111122223333:user/acct-1", "org_id": "111122223333", "input_tokens": 12,
         "cached_tokens": 4, "output_tokens": 6, "finish_reason": "end_turn", "max_tokens": 99, "model": "anthropic.x"},
    ),
    "otlp": (
        [
            otlp(
                span({**GENAI, "gen_ai.input.messages": PARTS_IN, "gen_ai.output.messages": PARTS_OUT,
                      "gen_ai.system_instructions": text([{"type": "text", "content": "Be brief."}])}),
                span({"http.method": "GET"}),
            )
        ],
        {**SAID, "account_id": "acct-1", "model": "halden-2", "input_tokens": 12, "latency_ms": 1500.0,
         "finish_reason": "stop"},
    ),
    "otel-flat": (
        [{**GENAI, "start_time": "2026-03-01T21:20:00Z", "gen_ai.input.messages": PARTS_IN,
          "gen_ai.output.messages": PARTS_OUT, "gen_ai.system_instructions": "Be brief."}],
        {**SAID, "account_id": "acct-1", "model": "halden-2"},
    ),
    "openinference": (
        [
            {
                "name": "call", "start_time": "2026-03-01T21:20:00Z", "context.span_id": "s1",
                "attributes.openinference.span.kind": "LLM", "attributes.llm.model_name": "halden-2",
                "attributes.llm.input_messages.0.message.role": "system",
                "attributes.llm.input_messages.0.message.content": "Be brief.",
                "attributes.llm.input_messages.1.message.role": "user",
                "attributes.llm.input_messages.1.message.contents.0.message_content.text": "Why is ice slippery?",
                "attributes.llm.output_messages.0.message.role": "assistant",
                "attributes.llm.output_messages.0.message.content": "A thin film of water.",
                "attributes.llm.invocation_parameters": text({"temperature": 0.5}), "attributes.user.id": "acct-1",
                "attributes.session.id": "c1", "attributes.llm.token_count.prompt": 12,
            }
        ],
        {**SAID, "account_id": "acct-1", "conversation_id": "c1", "input_tokens": 12, "temperature": 0.5},
    ),
    "langfuse-trace": (
        [
            {
                "trace": {"id": "t1", "userId": "acct-1", "sessionId": "c1", "input": text(text("asked of the trace"))},
                "observations": [
                    {"id": "o0", "type": "SPAN", "startTime": "2026-03-01T21:20:00Z", "input": None, "output": None},
                    {"id": "o1", "type": "GENERATION", "startTime": "2026-03-01T21:20:00Z", "model": "halden-2",
                     "endTime": "2026-03-01T21:20:01.5Z", "input": text({"messages": CHAT}), "inputUsage": 12,
                     "output": text({"role": "assistant", "content": "A thin film of water."}), "level": "DEFAULT"},
                ],
            }
        ],
        {**SAID, "account_id": "acct-1", "conversation_id": "c1", "request_id": "o1", "input_tokens": 12,
         "latency_ms": 1500.0},
    ),
    "langfuse-blob": (
        [
            {
                "id": "o1", "trace_id": "t1", "type": "GENERATION", "start_time": "2026-03-01 21:20:00.000",
                "end_time": "2026-03-01 21:20:01.500", "provided_model_name": "halden-2", "user_id": "acct-1",
                "usage_details": text({"input": 12, "output": 6}), "cost_details": "{}", "model_parameters": "{}",
                "input": text(CHAT), "output": text({"role": "assistant", "content": "A thin film of water."}),
            }
        ],
        {**SAID, "account_id": "acct-1", "input_tokens": 12, "output_tokens": 6, "latency_ms": 1500.0},
    ),
    "langsmith": (
        [
            {
                "id": "x1", "run_type": "llm", "dotted_order": "2026", "session_id": "project", "status": "success",
                "start_time": "2026-03-01T21:20:00", "end_time": "2026-03-01T21:20:01.500", "prompt_tokens": 12,
                "extra": text({"metadata": {"user_id": "acct-1", "ls_model_name": "halden-2", "thread_id": "c1"}}),
                "inputs": text({"messages": CHAT}), "outputs": text(ANSWER),
            }
        ],
        {**SAID, "account_id": "acct-1", "model": "halden-2", "conversation_id": "c1", "status": 200},
    ),
    "helicone": (
        [
            {
                "request_id": "r1", "request_created_at": "2026-03-01T21:20:00Z", "request_body": {"messages": CHAT, "n": 3},
                "response_body": ANSWER, "request_user_id": "acct-1", "delay_ms": 1500, "response_status": 200,
                "request_properties": {"session_id": "c1"}, "request_model": "halden-2", "prompt_tokens": 12,
            }
        ],
        {**SAID, "account_id": "acct-1", "latency_ms": 1500.0, "n": 3, "conversation_id": "c1", "status": 200},
    ),
    "kong": (
        [
            {
                "started_at": 1772400000000, "client_ip": "192.0.2.7", "consumer": {"username": "acct-1", "id": "k1"},
                "request": {"id": "r1", "uri": "/v1/chat", "headers": {"user-agent": "agent/1"}},
                "response": {"status": 200}, "latencies": {"request": 1500},
                "ai": {"proxy": {"meta": {"request_model": "halden-2"}, "usage": {"prompt_tokens": 12},
                                 "payload": {"request": text({"messages": CHAT}), "response": text(ANSWER)}}},
            }
        ],
        {**SAID, "account_id": "acct-1", "ip": "192.0.2.7", "user_agent": "agent/1", "latency_ms": 1500.0},
    ),
    "cloudflare": (
        [
            {"id": "r1", "created_at": "2026-03-01T21:20:00Z", "provider": "openai", "model": "halden-2", "success": True,
             "tokens_in": 12, "tokens_out": 6, "step": 0, "cached": False, "duration": 1500,
             "metadata": text({"user_id": "acct-1"})}
        ],
        {"account_id": "acct-1", "input_tokens": 12, "output_tokens": 6, "status": 200, "latency_ms": 1500.0},
    ),
    "portkey": (
        [
            {"id": "r1", "created_at": "2026-03-01T21:20:00Z", "ai_org": "openai", "ai_model": "halden-2", "req_units": 12,
             "res_units": 6, "metadata": {"_user": "acct-1"}, "request": {"messages": CHAT}, "response": ANSWER,
             "response_status_code": 200, "response_time": 1500}
        ],
        {**SAID, "account_id": "acct-1", "input_tokens": 12, "latency_ms": 1500.0},
    ),
    "azure-apim": (
        [
            {"TimeGenerated": "2026-03-01T21:20:00Z", "CorrelationId": "r1", "SequenceNumber": 1, "UserId": "acct-1",
             "RequestMessages": [{"role": "user", "content": "slippery?"}], "ResponseMessages": None},
            {"TimeGenerated": "2026-03-01T21:20:00Z", "CorrelationId": "r1", "SequenceNumber": 0, "ModelName": "halden-2",
             "PromptTokens": 12, "RequestMessages": [CHAT[0], {"role": "user", "content": "Why is ice "}],
             "ResponseMessages": None},
            {"TimeGenerated": "2026-03-01T21:20:00Z", "CorrelationId": "r1", "SequenceNumber": 2, "RequestMessages": None,
             "ResponseMessages": [{"role": "assistant", "content": "A thin film of water."}]},
        ],
        {**SAID, "account_id": "acct-1", "input_tokens": 12, "model": "halden-2", "request_id": "r1"},
    ),
    "vertex": (
        [
            {
                "logging_time": "2026-03-01T21:20:00Z", "request_id": "7", "model": "gemini-x",
                "full_request": {
                    "contents": [{"role": "user", "parts": [{"text": "Why is ice slippery?"}]}],
                    "systemInstruction": {"parts": [{"text": "Be brief."}]}, "labels": {"account": "acct-1"},
                    "generationConfig": {"temperature": 0.5},
                },
                "full_response": {
                    "candidates": [{"content": {"role": "model", "parts": [{"text": "A thought", "thought": True},
                                                                         {"text": "A thin film of water."}]},
                                    "finishReason": "STOP"}],
                    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 6, "thoughtsTokenCount": 3},
                },
            }
        ],
        {**SAID, "account_id": "acct-1", "input_tokens": 12, "reasoning_tokens": 3, "temperature": 0.5,
         "finish_reason": "STOP"},
    ),
    "databricks": (
        [
            {"databricks_request_id": "r1", "timestamp_ms": 1772400000000, "status_code": 200, "execution_time_ms": 1500,
             "request": text({"messages": CHAT}), "response": text(ANSWER), "requester": "acct-1"}
        ],
        {**SAID, "account_id": "acct-1", "latency_ms": 1500.0, "status": 200},
    ),
    "envoy": (
        [
            {"start_time": "2026-03-01T21:20:00Z", "response_code": 200, "x-request-id": "r1", "duration": 1500,
             "gen_ai.request.model": "halden-2", "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 6,
             "user.id": "acct-1", "x-forwarded-for": "192.0.2.7", "user-agent": "agent/1", "method": "POST"}
        ],
        {"account_id": "acct-1", "input_tokens": 12, "ip": "192.0.2.7", "status": 200},
    ),
    "http-pairs": (
        [
            {"timestamp": "2026-03-01T21:20:00Z",
             "request": {"uri": "/v1/chat/completions", "headers": {"x-account": "acct-1"}, "body": {"messages": CHAT}},
             "response": {"status": 200, "headers": {}, "body": ANSWER}}
        ],
        {**SAID, "finish_reason": "stop", "cached_tokens": 4, "reasoning_tokens": 2},
    ),
    "wildchat": (
        [
            {"conversation_hash": "c1", "timestamp": "2026-03-01T21:20:00Z", "hashed_ip": "acct-1", "model": "halden-2",
             "toxic": False, "language": "English",
             "conversation": [*CHAT, {"role": "assistant", "content": "A thin film of water."},
                              {"role": "user", "content": "And snow?"}, {"role": "assistant", "content": "Less so."}]}
        ],
        {**SAID, "account_id": "acct-1", "conversation_id": "c1", "turn": 0},
    ),
    "lmsys": (
        [{"conversation_id": "c1", "model": "halden-2", "turn": 1, "language": "English", "redacted": False,
          "conversation": [*CHAT, {"role": "assistant", "content": "A thin film of water."}]}],
        {**SAID, "conversation_id": "c1", "turn": 0},
    ),
    "sharegpt": (
        [{"id": "c1", "conversations": [{"from": "system", "value": "Be brief."},
                                        {"from": "human", "value": "Why is ice slippery?"},
                                        {"from": "gpt", "value": "A thin film of water."}]}],
        {**SAID, "conversation_id": "c1", "turn": 0},
    ),
}  # fmt: skip
