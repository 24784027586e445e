"""Requests whose parts lie in two files."""

from __future__ import annotations

import json

import polars as pl
from logs_help import Heard, read, write
from lookalikes import ANSWER, CHAT, GENAI, SAID, SHAPES, kv, otlp, span

from extractscan.logs.choose import FormatOptions, parse_account_from
from extractscan.logs.discover import discover
from extractscan.logs.parts import PartedReader
from extractscan.logs.setup import ReadOptions

FORMATS = FormatOptions(account=parse_account_from("constant=acct"))


def asked(i):
    messages = [{"role": "user", "content": f"question {i}"}]
    body = {"model": "gpt-4o", "messages": messages}
    return json.dumps({"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions", "body": body})


def answered(i):
    message = {"role": "assistant", "content": f"answer {i}"}
    body = {
        "id": f"c{i}",
        "object": "chat.completion",
        "created": 1_772_000_000 + i,
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    response = {"status_code": 200, "request_id": f"q{i}", "body": body}
    return json.dumps({"id": f"b{i}", "custom_id": f"r{i}", "response": response, "error": None})


def units(folder):
    reader = PartedReader(
        discover([str(folder)], print), ReadOptions(None, None, None, 100, {}, complete=True), FORMATS, Heard()
    )
    return [[item.path.rpartition("/")[2] for item in unit] for unit in reader.units(unit_bytes=1)]


def test_a_bad_record_of_a_side_file_is_set_aside_alone(tmp_path):
    (tmp_path / "in.jsonl").write_text("\n".join([asked(0), '{"custom_id": broken', asked(2)]))
    (tmp_path / "out.jsonl").write_text("\n".join(answered(i) for i in range(3)))
    frame, summary, _ = read(tmp_path / "in.jsonl", tmp_path / "out.jsonl", formats=FORMATS)
    assert frame["prompt"].to_list() == ["question 0", None, "question 2"]
    assert frame["response"].to_list() == ["answer 0", "answer 1", "answer 2"]
    assert [(q.line, q.reason) for q in summary.quarantine] == [(2, "not valid JSON")]


def test_files_are_one_unit_only_if_they_refer_to_one_another(tmp_path):
    for k in range(3):
        (tmp_path / f"out{k}.jsonl").write_text(answered(k))
    assert units(tmp_path) == [["out0.jsonl"], ["out1.jsonl"], ["out2.jsonl"]]
    (tmp_path / "in.jsonl").write_text(asked(1))
    assert units(tmp_path) == [["in.jsonl", "out0.jsonl", "out1.jsonl", "out2.jsonl"]]


def test_log_events_are_joined_to_their_spans(tmp_path):
    def event(name, content, **more):
        body = kv({"content": content})
        return {"spanId": "s1", "timeUnixNano": "1772400000000000000", "eventName": name,
                "body": {"kvlistValue": {"values": body}}, **more}  # fmt: skip

    records = [
        event("gen_ai.system.message", "Be brief."),
        event("gen_ai.user.message", "Why is ice slippery?"),
        event("gen_ai.choice", "A thin film of water."),
        {"spanId": "s9", "eventName": "other", "body": {"stringValue": "noise"}},
    ]
    write(tmp_path / "logs.jsonl", [{"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}])
    write(tmp_path / "spans.jsonl", [otlp(span(GENAI), resource={"tenant.id": "org-1"})])
    frame, summary, _ = read(tmp_path)
    assert frame.height == 1
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID
    assert frame.select("account_id", "org_id", "turn").row(0) == ("acct-1", "org-1", 0)
    assert summary.rows_kept == 1


def test_langfuse_observations_take_users_from_the_traces(tmp_path):
    observation = {k: v for k, v in SHAPES["langfuse-blob"][0][0].items() if k != "user_id"}
    trace = {"id": "t1", "user_id": "acct-9", "session_id": "c9", "environment": "default", "bookmarked": False,
             "project_id": "p", "timestamp": "2026-03-01 21:20:00.000", "input": "x", "output": "y"}  # fmt: skip
    write(tmp_path / "observations.jsonl", [observation])
    pl.DataFrame([trace]).write_csv(tmp_path / "traces.csv")
    frame, _, _ = read(tmp_path)
    assert frame.select("account_id", "conversation_id", "prompt").rows() == [("acct-9", "c9", SAID["prompt"])]


def test_openai_batches_are_joined(tmp_path):
    write(tmp_path / "in.jsonl", [{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
                                   "body": {"model": "halden-2", "messages": CHAT, "temperature": 0.5}}])  # fmt: skip
    write(tmp_path / "out.jsonl", [{"id": "b1", "custom_id": "a", "error": None,
                                    "response": {"status_code": 200, "request_id": "q1", "body": ANSWER}}])  # fmt: skip
    options = FormatOptions(account=parse_account_from("constant=acct-1"))
    frame, _, _ = read(tmp_path, formats=options)
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID
    assert frame.select("account_id", "temperature", "status", "request_id").row(0) == ("acct-1", 0.5, 200, "q1")


def test_anthropic_batches_are_joined(tmp_path):
    write(
        tmp_path / "in.jsonl",
        [{"custom_id": "a", "params": {"system": "Be brief.", "messages": CHAT[1:], "max_tokens": 9}}],
    )
    message = {"id": "m1", "type": "message", "content": [{"type": "text", "text": "A thin film of water."}],
               "usage": {"input_tokens": 8, "cache_read_input_tokens": 4, "output_tokens": 6}}  # fmt: skip
    write(tmp_path / "out.jsonl", [{"custom_id": "a", "result": {"type": "succeeded", "message": message}}])
    frame, _, _ = read(tmp_path, complete=False)
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID
    assert frame.select("input_tokens", "cached_tokens", "max_tokens", "status").row(0) == (12, 4, 9, 200)
