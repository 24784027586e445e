"""A simulated log in the shape of a LiteLLM gateway's SpendLogs: one JSON object a line."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import polars as pl

_LONGEST: Final = 2048
"""Characters of a stored text; the gateway cuts the middle out of longer ones."""

_REMEMBERED: Final = 20_000
"""Conversations whose earlier turns are kept for the ``messages`` of the next."""

_TURNS: Final = 6
"""Earlier messages that are sent along."""

_ENDPOINTS: Final = {"chat": "acompletion", "batch": "acreate_batch"}


class SpendLogs:
    """Turns canonical rows, in the order of time, into lines."""

    def __init__(self) -> None:
        self._history: OrderedDict[str, list[dict[str, str]]] = OrderedDict()

    def lines(self, table: pl.DataFrame) -> Iterator[str]:
        """Yield one line, with its line break, for each row."""
        for row in table.iter_rows(named=True):
            yield json.dumps(self._record(row), ensure_ascii=False, separators=(",", ":")) + "\n"

    def _record(self, row: dict[str, Any]) -> dict[str, Any]:
        start: datetime = row["timestamp"]
        end = start + timedelta(milliseconds=row["latency_ms"])
        failed = row["status"] != 200
        total = row["input_tokens"] + row["output_tokens"]
        parameters = {"temperature": row["temperature"], "max_tokens": row["max_tokens"], "stream": row["stream"]}
        if row["n"] != 1:
            parameters["n"] = row["n"]
        if row["logprobs"]:
            parameters["logprobs"] = True
        metadata = {
            "user_api_key_user_id": row["account_id"],
            "user_api_key_org_id": row["org_id"],
            "requester_ip_address": row["ip"],
            "user_agent": row["user_agent"],
            "status": "failure" if failed else "success",
        }
        return {
            "request_id": row["request_id"].replace("req_", "chatcmpl-"),
            "call_type": _ENDPOINTS[row["endpoint"]],
            "api_key": hashlib.sha256(row["api_key_id"].encode()).hexdigest(),
            "spend": row["cost"],
            "total_tokens": total,
            "prompt_tokens": row["input_tokens"],
            "completion_tokens": row["output_tokens"],
            "startTime": _time(start),
            "endTime": _time(end),
            "model": row["model"],
            "user": row["account_id"],
            "organization_id": row["org_id"],
            "team_id": "",
            "end_user": row["end_user"] or "",
            "session_id": row["conversation_id"] or row["request_id"],
            "cache_hit": "False",
            "request_tags": "[]",
            "requester_ip_address": row["ip"],
            "custom_llm_provider": "openai",
            "metadata": _dump(metadata),
            "messages": _dump(self._messages(row)),
            "response": _dump(_response(row)),
            "proxy_server_request": _dump(parameters),
            "status": "failure" if failed else "success",
        }

    def _messages(self, row: dict[str, Any]) -> list[dict[str, str]]:
        mine = {"role": "user", "content": _cut(row["prompt"])}
        system = [{"role": "system", "content": _cut(row["system"])}] if row["system"] else []
        conversation = row["conversation_id"]
        if conversation is None:
            return [*system, mine]
        before = self._history.pop(conversation, [])
        answer = [{"role": "assistant", "content": _cut(row["response"])}] if row["response"] else []
        self._history[conversation] = [*before, mine, *answer][-_TURNS:]
        if len(self._history) > _REMEMBERED:
            self._history.popitem(last=False)
        return [*system, *before, mine]


def _response(row: dict[str, Any]) -> dict[str, Any]:
    if row["response"] is None:
        return {}
    message = {"role": "assistant", "content": _cut(row["response"])}
    return {"choices": [{"index": 0, "finish_reason": row["finish_reason"], "message": message}]}


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    head = _LONGEST * 35 // 100
    tail = _LONGEST - head
    return f"{text[:head]}... (litellm_truncated skipped {len(text) - _LONGEST} chars) ...{text[-tail:]}"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
