"""Which source column feeds which canonical one: the usual other names, in a fixed order of preference.

A name is compared in its *folded* form: lower case, letters and digits only, so that ``startTime``, ``start_time``,
``Start Time`` and ``start.time`` are one name. Where several columns of a log could feed one canonical column, the
first in the order below that holds a value decides, row by row; so the outcome does not depend on how a log is split
over files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from extractscan.errors import UsageError
from extractscan.logs.schema import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MESSAGES: Final = "messages"
"""The slot of a conversation as an array of ``{role, content}``; it gives system, prompt, response and turn."""

LATENCY_S: Final = "latency_s"
"""The slot of a latency in seconds; it gives ``latency_ms``."""

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "request_id": (
        "request_id", "req_id", "x_request_id", "call_id", "uuid", "guid", "id", "message_id", "completion_id",
    ),
    "timestamp": (
        "timestamp", "time", "ts", "created_at", "created", "datetime", "request_time",
        "request_timestamp", "request_created_at", "event_time", "start_time", "started_at", "timestamp_ms",
        "timestamp_us", "timestamp_ns", "epoch", "epoch_ms", "unix_time", "logged_at", "date",
    ),
    "account_id": (
        "account_id", "account", "acct_id", "acct", "account_name", "user_id", "user", "username",
        "customer_id", "customer", "client_id", "tenant_id", "tenant", "subscriber_id", "consumer_id", "consumer",
        "principal", "caller", "api_key",
    ),
    "org_id": (
        "org_id", "org", "organization_id", "organization", "organisation_id", "organisation", "company_id", "company",
        "workspace_id", "workspace", "team_id", "team", "project_id",
    ),
    "end_user": ("end_user", "end_user_id", "safety_identifier", "metadata_user_id"),
    "api_key_id": ("api_key_id", "api_key_hash", "key_hash", "key_id", "api_key", "hashed_api_key", "token_id"),
    "payment_id": (
        "payment_id", "payment_fingerprint", "payment_method_fingerprint", "payment_method_id", "payment_method",
        "card_fingerprint", "card_id", "card_hash", "billing_id", "billing_account",
    ),
    "ip": (
        "ip", "client_ip", "ip_address", "client_ip_address", "remote_ip", "remote_addr", "remote_address",
        "source_ip", "src_ip", "requester_ip_address", "requester_ip", "caller_ip", "x_forwarded_for", "hashed_ip",
    ),
    "user_agent": ("user_agent", "ua", "http_user_agent", "client_user_agent", "agent"),
    "plan": ("plan", "tier", "plan_name", "subscription", "subscription_tier", "service_tier"),
    "model": ("model", "model_name", "model_id", "engine", "deployment", "deployment_id", "model_slug"),
    "endpoint": ("endpoint", "route", "request_path", "path", "uri", "url", "api", "operation", "call_type"),
    "conversation_id": (
        "conversation_id", "session_id", "thread_id", "chat_id", "conversation", "conversation_hash", "session",
        "thread", "dialog_id", "dialogue_id",
    ),
    "turn": ("turn", "turn_index", "turn_number", "turn_id", "message_index"),
    "system": ("system", "system_prompt", "system_message", "instructions", "system_instruction", "preamble"),
    "prompt": (
        "prompt", "prompt_text", "user_prompt", "user_message", "user_input", "input", "input_text", "query",
        "question", "request_text", "message", "text", "content",
    ),
    "response": (
        "response", "response_text", "completion", "completion_text", "output", "output_text", "answer", "assistant",
        "assistant_message", "generated_text", "generation", "reply", "model_output",
    ),
    "finish_reason": ("finish_reason", "stop_reason", "completion_reason", "done_reason"),
    "tool_calls": ("tool_calls", "tool_call_count", "num_tool_calls", "n_tool_calls"),
    "input_tokens": (
        "input_tokens", "prompt_tokens", "input_token_count", "prompt_token_count", "num_input_tokens", "tokens_in",
        "usage_input_tokens", "usage_prompt_tokens", "n_input_tokens", "context_tokens",
    ),
    "cached_tokens": (
        "cached_tokens", "cache_read_input_tokens", "cached_input_tokens", "cache_read_tokens",
        "prompt_cached_tokens", "cached_content_token_count",
    ),
    "reasoning_tokens": ("reasoning_tokens", "thinking_tokens", "thoughts_token_count", "output_reasoning_tokens"),
    "output_tokens": (
        "output_tokens", "completion_tokens", "output_token_count", "completion_token_count", "candidates_token_count",
        "num_output_tokens", "tokens_out", "usage_output_tokens", "usage_completion_tokens", "n_output_tokens",
        "generated_tokens",
    ),
    "temperature": ("temperature", "temp", "sampling_temperature"),
    "max_tokens": ("max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "max_tokens_to_sample"),
    "n": ("n", "num_completions", "n_completions", "num_samples", "candidate_count", "best_of"),
    "logprobs": ("logprobs", "top_logprobs", "return_logprobs"),
    "stream": ("stream", "streaming", "is_stream", "streamed"),
    "status": ("status", "status_code", "http_status", "http_status_code", "response_code", "response_status"),
    "latency_ms": (
        "latency_ms", "duration_ms", "response_time_ms", "elapsed_ms", "total_latency_ms", "request_duration_ms",
        "delay_ms", "total_time_ms",
    ),
    "cost": ("cost", "cost_usd", "total_cost", "spend", "price", "response_cost", "usd"),
    "truncated": ("truncated", "is_truncated", "prompt_truncated"),
    "redacted": ("redacted", "is_redacted", "prompt_redacted"),
    MESSAGES: ("messages", "request_messages", "input_messages", "chat_messages", "conversation_messages", "chat"),
    LATENCY_S: ("latency_s", "latency_seconds", "duration_s", "duration_seconds", "response_time_seconds",
                "elapsed_seconds"),
}  # fmt: skip
"""Slot (a canonical column, or one of the two above) to source names, best first. A latency of unknown unit
(``latency``, ``duration``) is not taken: name it with ``--column latency_ms=NAME``."""

SLOTS: Final = tuple(ALIASES)

TEXT_SLOTS: Final = frozenset({"system", "prompt", "response", MESSAGES})
"""Slots whose values are prose: an empty text is a value. In every other slot an empty text is an absent value."""

LOG_SIGNS: Final = frozenset({"timestamp", "prompt", "response", MESSAGES, "input_tokens", "output_tokens"})
"""A table with none of these is no request log (labels, a price list) and is passed over."""


@dataclass(frozen=True, slots=True, eq=False)
class NameTable:
    """Folded source name to the slots it feeds, with the rank of preference in each."""

    by_name: dict[str, tuple[tuple[str, int], ...]]
    override: dict[str, str]

    def feeds(self, name: str) -> tuple[tuple[str, int], ...]:
        """Slots that the source column ``name`` feeds, each with its rank."""
        return self.by_name.get(fold(name), ())

    def resolve(self, names: Iterable[str]) -> dict[str, list[str]]:
        """For each slot that ``names`` can feed: those source names, best first; equal names in sorted order."""
        found: dict[str, list[tuple[int, str]]] = {}
        for name in names:
            for slot, rank in self.feeds(name):
                found.setdefault(slot, []).append((rank, name))
        return {slot: [name for _, name in sorted(found[slot])] for slot in SLOTS if slot in found}


_DROPPED: Final = bytes(c for c in range(128) if not chr(c).isalnum())


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The form in which names are compared: of ASCII, letters in lower case and digits; all else as it is."""
    raw = name.encode("utf-8", "surrogatepass").lower()
    return raw.translate(None, _DROPPED).decode("utf-8", "surrogatepass")


def name_table(columns: Mapping[str, str] | None = None) -> NameTable:
    """Build the table of names; ``columns`` (canonical to source) overrides the usual names of the slots it holds.

    Raises UsageError for a slot that does not exist or an empty source name.
    """
    return _table(tuple((columns or {}).items()))


@lru_cache(maxsize=8)
def _table(columns: tuple[tuple[str, str], ...]) -> NameTable:
    override = dict(columns)
    for slot, name in override.items():
        if slot not in ALIASES:
            raise UsageError(f"no canonical column is called {slot!r}; there are {', '.join(CANONICAL)} and {MESSAGES}")
        if not fold(name):
            raise UsageError(f"the source column for {slot} is empty")
    table: dict[str, dict[str, int]] = {}
    for slot, aliases in ALIASES.items():
        for rank, name in enumerate((override[slot],) if slot in override else aliases):
            table.setdefault(fold(name), {}).setdefault(slot, rank)
    return NameTable({name: tuple(feeds.items()) for name, feeds in table.items()}, override)


def missing(found: Iterable[str]) -> list[str]:
    """The required slots that ``found`` lacks; a request id is made where there is none."""
    have = set(found)
    return [slot for slot in ("account_id", "timestamp") if slot not in have]
