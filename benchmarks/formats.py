"""How fast gateways' logs become canonical requests, beside a bare Polars scan of the same fields, in one run.

    python benchmarks/formats.py [--rows 60000]

Writes JSON lines in the shapes of LiteLLM SpendLogs, Bedrock invocation logs and OTLP traces, with the project's own
simulated text, and prints for each: rows and megabytes a second of ``pl.scan_ndjson(schema).collect()`` with a schema of
the fields that the mapping reads (bodies as String where they may be any JSON), the same for the reader of this package,
and the ratios of their medians, by the clock and by processor time (both use all cores). The scan only splits records into
columns; the reader also decodes the bodies, checks types, and hashes the file. The two take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from extractscan.logs.read import read_logs
from extractscan.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable

S, COUNT = pl.String(), pl.Int64()
VALUE = pl.Struct({"stringValue": S, "intValue": S, "doubleValue": pl.Float64()})
ATTRIBUTES = pl.List(pl.Struct({"key": S, "value": VALUE}))

SCHEMAS = {
    "litellm": dict.fromkeys(
        [
            "request_id", "call_type", "api_key", "startTime", "endTime", "model", "user", "organization_id", "team_id",
            "end_user", "session_id", "requester_ip_address", "metadata", "messages", "response", "proxy_server_request",
            "status",
        ],
        S,
    )
    | {"spend": pl.Float64(), "prompt_tokens": COUNT, "completion_tokens": COUNT},
    "bedrock": {
        "timestamp": S, "accountId": S, "identity": pl.Struct({"arn": S}), "requestId": S, "operation": S, "modelId": S,
        "input": pl.Struct({"inputBodyJson": S, "inputTokenCount": COUNT}),
        "output": pl.Struct({"outputBodyJson": S, "outputTokenCount": COUNT}),
    },
    "otlp": {
        "resourceSpans": pl.List(pl.Struct({
            "resource": pl.Struct({"attributes": ATTRIBUTES}),
            "scopeSpans": pl.List(pl.Struct({"spans": pl.List(pl.Struct({
                "spanId": S, "name": S, "startTimeUnixNano": S, "endTimeUnixNano": S, "attributes": ATTRIBUTES,
                "status": pl.Struct({"code": COUNT}),
            }))})),
        })),
    },
}  # fmt: skip


def simulate(folder: Path, rows: int) -> list[dict]:
    words = [sys.executable, "-m", "extractscan", "simulate", str(folder), "--requests", str(rows), "--responses", "-q"]
    subprocess.run(words, check=True)
    subprocess.run([*words[:4], str(folder / "l"), *words[5:], "--format", "litellm"], check=True)
    (folder / "l" / "spendlogs.jsonl").rename(folder / "litellm.jsonl")
    return pl.read_parquet(folder / "requests.parquet").sort("timestamp").to_dicts()


def bedrock(row: dict) -> dict:
    body = {
        "max_tokens": row["max_tokens"],
        "messages": [{"role": "user", "content": [{"type": "text", "text": row["prompt"]}]}],
    }
    if row["system"]:
        body["system"] = row["system"]
    answer = {
        "type": "message",
        "content": [{"type": "text", "text": row["response"] or ""}],
        "stop_reason": "end_turn",
    }
    return {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": row["timestamp"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accountId": "1", "identity": {"arn": f"arn:aws:iam::1:user/{row['account_id']}"}, "region": "us-east-1",
        "requestId": row["request_id"], "operation": "InvokeModel", "modelId": row["model"],
        "input": {"inputContentType": "application/json", "inputBodyJson": body, "inputTokenCount": row["input_tokens"]},
        "output": {"outputContentType": "application/json", "outputBodyJson": answer, "outputTokenCount": row["output_tokens"]},
    }  # fmt: skip


def span(row: dict) -> dict:
    start = int(row["timestamp"].timestamp() * 1e6) * 1000
    said = [{"role": "user", "parts": [{"type": "text", "content": row["prompt"]}]}]
    answer = [
        {"role": "assistant", "parts": [{"type": "text", "content": row["response"] or ""}], "finish_reason": "stop"}
    ]
    values = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": row["model"],
        "user.id": row["account_id"], "gen_ai.input.messages": json.dumps(said, ensure_ascii=False),
        "gen_ai.output.messages": json.dumps(answer, ensure_ascii=False),
    }  # fmt: skip
    counts = {"gen_ai.usage.input_tokens": row["input_tokens"], "gen_ai.usage.output_tokens": row["output_tokens"]}
    return {
        "traceId": "0" * 32, "spanId": row["request_id"], "name": "chat", "kind": 3, "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(row["latency_ms"] * 1e6)), "status": {"code": 1},
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in values.items()]
        + [{"key": k, "value": {"intValue": str(v)}} for k, v in counts.items()],
    }  # fmt: skip


def write(path: Path, records: list[dict]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def ours(path: Path) -> int:
    return sum(batch.frame.height for batch in read_logs([str(path)], observer=Silent()).batches())


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    begin, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(description="Gateway logs to requests, beside a bare scan.")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = simulate(folder, options.rows)
        write(folder / "bedrock.jsonl", [bedrock(row) for row in rows])
        some = [rows[i : i + 20] for i in range(0, len(rows), 20)]
        write(
            folder / "otlp.jsonl",
            [
                {
                    "resourceSpans": [
                        {"resource": {"attributes": []}, "scopeSpans": [{"spans": [span(r) for r in part]}]}
                    ]
                }
                for part in some
            ],
        )
        print(f"{'':<10}{'MB':>6}{'scan MB/s':>11}{'ours MB/s':>11}{'ours rows/s':>13}{'ratio':>8}{'cpu ratio':>11}")
        for shape, schema in SCHEMAS.items():
            path = folder / f"{shape}.jsonl"
            size = path.stat().st_size / 1e6
            count = ours(path)
            scan = pl.scan_ndjson(path, schema=schema).collect
            pairs = [(timed(scan), timed(partial(ours, path))) for _ in range(options.runs)]
            wall, cpu = (
                [statistics.median(run[i] for run in side) for side in zip(*pairs, strict=True)] for i in (0, 1)
            )
            print(
                f"{shape:<10}{size:>6.0f}{size / wall[0]:>11.0f}{size / wall[1]:>11.0f}{count / wall[1]:>13,.0f}"
                f"{wall[0] / wall[1]:>8.2f}{cpu[0] / cpu[1]:>11.2f}"
            )


if __name__ == "__main__":
    main()
