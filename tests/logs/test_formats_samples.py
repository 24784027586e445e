"""Records that real systems wrote, where they are at hand."""

import polars as pl
import pytest
from logs_help import SAMPLES, read

from extractscan.errors import InputError
from extractscan.logs.detect import NEAR, recognise
from extractscan.logs.mapping import builtin
from extractscan.logs.names import name_table
from extractscan.logs.sniff import HEAD, sniff

WANTED = [
    ("litellm/litellm_spendlogs_row.json", "litellm-spendlogs", 1, {"input_tokens", "output_tokens", "cost", "status"}),
    ("litellm/litellm_standard_logging_payload.json", "litellm-payload", 1, {"prompt", "response", "finish_reason"}),
    ("gateways/kong_ai_gateway_http_log.json", "kong", 1, {"ip", "model", "input_tokens", "latency_ms", "user_agent"}),
    ("gateways/envoy_ai_gateway_access_log.jsonl", "envoy", 1, {"ip", "model", "input_tokens", "status"}),
    ("langfuse/claude-agent-2025-12-22.trace.json", "langfuse-trace", 4, {"prompt", "model", "output_tokens"}),
    (
        "langfuse/langgraph-python-2025-08-22.trace.json",
        "langfuse-trace",
        2,
        {"prompt", "temperature", "cached_tokens"},
    ),
    ("langfuse/pydantic-ai-2025-06-06.trace.json", "langfuse-trace", 1, {"prompt", "response", "account_id", "system"}),
    ("openinference/openinference_client_span_input_output_only.json", "openinference", 1, {"prompt", "response"}),
    ("openinference/openinference_client_span_tool_calls.json", "openinference", 1, {"prompt", "response", "turn"}),
    ("openinference/otel_genai_client_span_tool_calls.json", "otel-flat", 1, {"prompt", "response", "finish_reason"}),
    ("openinference/otel_genai_deprecated_client_span_tool_calls.json", "otel-flat", 1, {"prompt", "response"}),
    ("openinference/envoy_spans/chat-basic.json", "openinference", 1, {"prompt", "response", "reasoning_tokens"}),
    ("openinference/envoy_spans/chat-streaming.json", "openinference", 1, {"prompt", "response", "stream"}),
    ("openinference/envoy_spans/chat-parallel-tools.json", "openinference", 1, {"prompt", "tool_calls"}),
    ("otlp/openinference_envoy_wrapped.otlp.json", "otlp", 8, {"prompt", "response", "input_tokens"}),
    ("raw_http/anthropic_messages.jsonl", "http-pairs", 10, {"prompt", "response", "timestamp", "finish_reason"}),
    ("raw_http/bedrock.jsonl", "http-pairs", 14, {"prompt", "response", "timestamp"}),
    ("raw_http/google_genai.jsonl", "http-pairs", 1, {"prompt", "response", "reasoning_tokens"}),
    ("raw_http/openai_chat.jsonl", "http-pairs", 16, {"prompt", "response", "finish_reason", "request_id"}),
    ("raw_http/openai_responses.jsonl", "http-pairs", 8, {"prompt", "response", "cached_tokens"}),
    ("datasets/sharegpt_fastchat_dummy_head50.json", "sharegpt", 99, {"prompt", "response", "turn", "conversation_id"}),
]


def sample(name):
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the sample is not here")
    return path


@pytest.mark.parametrize(("name", "wanted", "rows", "fields"), WANTED, ids=[w[0].split("/")[-1] for w in WANTED])
def test_read(name, wanted, rows, fields):
    frame, summary, _ = read(sample(name), complete=False)
    assert summary.files[0].format.split(" ")[0] == wanted
    assert (frame.height, summary.rows_quarantined) == (rows, 0)
    for field in fields:
        assert frame[field].null_count() < rows, field


@pytest.mark.parametrize(("name", "wanted"), [w[:2] for w in WANTED], ids=[w[0].split("/")[-1] for w in WANTED])
def test_recognised_with_a_margin(name, wanted):
    seen = sniff(sample(name).read_bytes()[:HEAD], name_table())
    found = recognise(seen.sample, builtin(), table=True)
    assert found.name == wanted
    assert found.runner_up_points < NEAR * found.points


def test_every_recorded_answer_is_read():
    """Plain bodies and streams; what a recorder kept as base64 is no text."""
    for name, rows in [("anthropic_messages", 10), ("openai_responses", 8), ("openai_chat", 14)]:
        frame, _, _ = read(sample(f"raw_http/{name}.jsonl"), complete=False)
        assert frame["response"].drop_nulls().str.len_chars().gt(0).sum() == rows
        assert not frame["response"].str.contains("data:", literal=True).any()
    frame, _, _ = read(sample("raw_http/bedrock.jsonl"), complete=False)
    assert not frame["response"].str.contains("base64", literal=True).any()
    assert frame["response"].null_count() == 4


def test_a_span_of_a_tool_is_no_request():
    with pytest.raises(InputError, match="no readable requests"):
        read(sample("openinference/otel_genai_tool_execution_span.json"))


def test_counts_and_times_alone_lack_an_account():
    path = sample("datasets/azure_llm_inference_trace_conv_head.csv")
    with pytest.raises(InputError, match="no column gives account_id"):
        read(path)
    frame, _, _ = read(path, complete=False)
    assert frame.select(pl.col("input_tokens", "output_tokens").null_count()).row(0) == (0, 0)
