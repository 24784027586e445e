"""Every format: recognised as itself, and read."""

import io
import json
import sys

import polars as pl
import pytest
from logs_help import Heard, jsonl, read, row, write
from lookalikes import ANSWER, CHAT, GENAI, SAID, SHAPES, kv, otlp, span, text

from extractscan.errors import InputError, UsageError
from extractscan.logs.choose import AccountFrom, FormatOptions, parse_account_from
from extractscan.logs.detect import NEAR, recognise
from extractscan.logs.mapping import builtin, load
from extractscan.logs.read import read_logs

BY_NAME = {f.name: f for f in builtin()}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_recognised_as_itself_with_a_clear_margin(name):
    found = recognise(SHAPES[name][0], builtin(), table=True)
    assert found.name == name
    assert found.runner_up_points < NEAR * found.points
    assert not found.tie


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_read_as_json_lines(name, tmp_path):
    records, wanted = SHAPES[name]
    frame, summary, _ = read(write(tmp_path / "log.jsonl", records), complete=False)
    first = frame.row(0, named=True)
    assert {k: first[k] for k in wanted} == wanted
    assert summary.files[0].format == f"{name} jsonl"
    assert not summary.quarantine


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_read_as_one_pretty_json_array(name, tmp_path):
    records, wanted = SHAPES[name]
    path = tmp_path / "export"
    path.write_text(json.dumps(records, indent=2), encoding="utf-8")
    frame, _, _ = read(path, complete=False)
    first = frame.row(0, named=True)
    assert {k: first[k] for k in wanted} == wanted


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"otlp", "langfuse-trace"}))
def test_read_as_parquet(name, tmp_path):
    records, wanted = SHAPES[name]
    path = tmp_path / "log.parquet"
    full = [{k: {"none": None} if v == {} else v for k, v in record.items()} for record in records]
    if name == "http-pairs":
        full[0]["response"]["headers"] = {"none": None}
    pl.DataFrame(full).write_parquet(path)
    frame, summary, _ = read(path, complete=False)
    first = frame.row(0, named=True)
    assert {k: first[k] for k in wanted} == wanted
    assert summary.files[0].format == f"{name} parquet"


def test_a_table_from_a_pipe_is_recognised_too(tmp_path, monkeypatch):
    records, wanted = SHAPES["langsmith"]
    data = io.BytesIO()
    pl.DataFrame(records).write_parquet(data)
    data.seek(0)
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": data}))
    frame, summary, _ = read("-", complete=False)
    first = frame.row(0, named=True)
    assert {k: first[k] for k in wanted} == wanted
    assert summary.files[0].format == "langsmith parquet"


@pytest.mark.parametrize(
    "name", ["litellm-spendlogs", "langfuse-blob", "langsmith", "databricks", "envoy", "otel-flat"]
)
def test_read_as_csv(name, tmp_path):
    records, wanted = SHAPES[name]
    path = tmp_path / "log.csv"
    pl.DataFrame(records).write_csv(path)
    frame, summary, _ = read(path, complete=False)
    first = frame.row(0, named=True)
    assert {k: first[k] for k in wanted} == wanted
    assert summary.files[0].format == f"{name} csv"


def test_a_plain_table_stays_one(tmp_path):
    frame, summary, _ = read(write(tmp_path / "a.jsonl", [row(i, response="x", model="m") for i in range(5)]))
    assert (frame.height, summary.files[0].format, summary.files[0].runner_up) == (5, "jsonl", "")


def test_the_choice_and_the_runner_up_are_told(tmp_path):
    write(tmp_path / "a.jsonl", SHAPES["litellm-spendlogs"][0])
    heard = Heard()
    list(read_logs([str(tmp_path)], observer=heard).batches())
    assert heard.notes == ["1 file read as litellm-spendlogs (next best: table)"]


def test_rows_of_a_format_that_are_bad_go_to_quarantine_with_their_line(tmp_path):
    good = json.dumps(SHAPES["bedrock"][0][0])
    lost = json.dumps({k: v for k, v in SHAPES["bedrock"][0][0].items() if k not in ("identity", "timestamp")})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([good, "{broken", good, "[1]", lost, '{"a":' * 2000, ""]), encoding="utf-8")
    frame, summary, _ = read(path)
    assert frame.height == 2
    assert [(q.line, q.reason) for q in summary.quarantine] == [
        (2, "not valid JSON"),
        (4, "not a JSON object"),
        (5, "no account"),
        (6, "nested more than 512 deep"),
    ]


def test_redacted_and_truncated_texts_are_marked(tmp_path):
    record = {**SHAPES["litellm-spendlogs"][0][0]}
    cut = {**record, "messages": text([{"role": "user", "content": "a (litellm_truncated skipped 99 chars) b"}])}
    gone = {**record, "messages": text([{"role": "user", "content": "redacted-by-litellm"}]), "response": "{}"}
    frame, _, _ = read(write(tmp_path / "a.jsonl", [record, cut, gone]))
    assert frame["truncated"].to_list() == [None, True, None]
    assert frame["redacted"].to_list() == [None, None, True]


def test_litellm_reads_the_proxied_request_where_messages_are_not_stored(tmp_path):
    record = {**SHAPES["litellm-spendlogs"][0][0], "messages": "{}", "response": "{}"}
    record["proxy_server_request"] = text({"messages": CHAT, "max_tokens": 7})
    frame, _, _ = read(write(tmp_path / "a.jsonl", [record]))
    assert frame.select("prompt", "system", "response", "max_tokens").row(0) == (SAID["prompt"], "Be brief.", None, 7)


def test_bedrock_in_its_bucket(tmp_path):
    import gzip

    folder = tmp_path / "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/2026/03/01/21"
    (folder / "data").mkdir(parents=True)
    record = json.loads(json.dumps(SHAPES["bedrock"][0][0]))
    big = json.loads(json.dumps(record))
    big["requestId"] = "r2"
    body = big["input"].pop("inputBodyJson")
    big["input"]["inputBodyS3Path"] = "s3://logs/AWSLogs/111122223333/x/data/r2_input.json.gz"
    lost = json.loads(json.dumps(record))
    lost["requestId"] = "r3"
    lost["output"].pop("outputBodyJson")
    lost["output"]["outputBodyS3Path"] = "s3://logs/AWSLogs/111122223333/x/data/r3_output.json.gz"
    (folder / "data" / "r2_input.json.gz").write_bytes(gzip.compress(json.dumps(body).encode()))
    (folder / "a.json.gz").write_bytes(gzip.compress(jsonl(record, big, lost)))
    (tmp_path / "AWSLogs/111122223333/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check").write_text("ok")
    frame, summary, _ = read(tmp_path)
    assert frame["prompt"].to_list() == [SAID["prompt"]] * 3
    assert frame["response"].to_list() == [SAID["response"], SAID["response"], None]
    assert frame["truncated"].to_list() == [None, None, True]
    assert len(summary.files) == 1


def test_bedrock_out_of_cloudwatch(tmp_path):
    records = [{"timestamp": 1, "message": json.dumps(r)} for r in SHAPES["bedrock"][0]]
    frame, summary, _ = read(write(tmp_path / "a.jsonl", records))
    assert frame["account_id"].to_list() == [SHAPES["bedrock"][1]["account_id"]]
    assert summary.files[0].format == "bedrock jsonl"


def subscription(*messages):
    events = [{"id": str(k), "timestamp": 1, "message": message} for k, message in enumerate(messages)]
    kind = "DATA_MESSAGE" if messages[0][:1] == "{" else "CONTROL_MESSAGE"
    around = {"owner": "1", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"]}
    return {"messageType": kind, **around, "logEvents": events}


@pytest.mark.parametrize("between", ["\n", ""])
def test_bedrock_out_of_a_cloudwatch_subscription(tmp_path, between):
    record = SHAPES["bedrock"][0][0]
    several = [json.dumps({**record, "requestId": f"q{i}"}) for i in range(3)]
    told = [
        subscription("CWL CONTROL MESSAGE: Checking health"),
        subscription(*several[:2]),
        subscription(several[2], '{"other": 1}'),
    ]
    (tmp_path / "firehose").write_text(
        between.join(json.dumps(one) for one in told)
    )  # one after another, as Firehose joins them
    frame, summary, warnings = read(tmp_path / "firehose")
    assert frame["request_id"].to_list() == ["q0", "q1", "q2"]
    assert frame["prompt"].to_list() == [SAID["prompt"]] * 3
    assert summary.files[0].format.startswith("bedrock-cloudwatch")
    assert not summary.quarantine
    assert not warnings


def test_bedrock_out_of_a_cloudwatch_export(tmp_path):
    record = SHAPES["bedrock"][0][0]
    lines = [f"2026-03-01T00:00:0{i}.123Z {json.dumps({**record, 'requestId': f'q{i}'})}\n" for i in range(3)]
    (tmp_path / "export").write_text(
        "".join([*lines, "2026-03-01T00:00:04.123Z no record\n", "2026-\n", json.dumps(record), "\n"])
    )
    frame, summary, _ = read(tmp_path / "export")
    assert frame["request_id"].to_list() == ["q0", "q1", "q2", record["requestId"]]
    assert summary.files[0].format == "bedrock jsonl"
    assert [q.line for q in summary.quarantine] == [4, 5]


def test_a_mapping_may_extend_any_format(tmp_path):
    for one in builtin():
        if one.unreadable:
            continue
        (tmp_path / "m.toml").write_text(f'[format]\nname = "x"\nextends = "{one.name}"\n[detect]\nall = ["a"]\n')
        assert {key: set(paths) for key, paths in load(tmp_path / "m.toml").bodies.items()} == {
            key: set(paths) for key, paths in one.bodies.items()
        }


@pytest.mark.parametrize("name", ["sharegpt", "lmsys", "anthropic-batch"])
def test_what_lacks_accounts_and_times_is_told_the_way_out(tmp_path, name):
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "x"}],
    }
    batch = [{"custom_id": "a", "result": {"type": "succeeded", "message": message}}]
    path = write(tmp_path / "a.jsonl", SHAPES[name][0] if name in SHAPES else batch)
    with pytest.raises(InputError, match="extractscan convert --incomplete"):
        read(path)
    assert read(path, complete=False)[0].height


def test_bedrock_streams_are_lists_of_events(tmp_path):
    record = json.loads(json.dumps(SHAPES["bedrock"][0][0]))
    record["output"]["outputBodyJson"] = [
        {"type": "message_start", "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 8}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "A thin "}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "film of water."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 8, "outputTokenCount": 6}},
    ]
    frame, _, _ = read(write(tmp_path / "a.jsonl", [record]))
    assert frame.select("response", "finish_reason").row(0) == (SAID["response"], "end_turn")


OLD = [{"name": "gen_ai.content.prompt", "attributes": kv({"gen_ai.prompt": text(CHAT)})},
       {"name": "gen_ai.content.completion", "attributes": kv({"gen_ai.completion": text([{"role": "assistant", "content": "A thin film of water."}])})}]  # fmt: skip
LLMETRY = {
    "gen_ai.system": "OpenAI", "gen_ai.request.model": "halden-2", "llm.request.type": "chat", "user.id": "acct-1",
    "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief.", "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Why is ice slippery?", "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "A thin film of water.", "gen_ai.completion.0.finish_reason": "stop",
}  # fmt: skip
INFERENCE = {
    "openinference.span.kind": "LLM", "llm.model_name": "halden-2", "user.id": "acct-1",
    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "Why is ice slippery?",
    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "A thin film of water.",
}  # fmt: skip


@pytest.mark.parametrize(
    "one",
    [span(GENAI, events=OLD), span(LLMETRY), span(INFERENCE)],
    ids=["span-events", "openllmetry", "openinference"],
)
def test_the_generations_of_opentelemetry(one, tmp_path):
    frame, _, _ = read(write(tmp_path / "a.jsonl", [otlp(one)]))
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID
    assert frame["account_id"].to_list() == ["acct-1"]


@pytest.mark.parametrize("attributes", [{}, {"user.id": "acct-1"}], ids=["empty", "some"])
def test_numbered_names_after_an_object_of_attributes(attributes, tmp_path):
    record = {"name": "chat", "attributes": attributes, **INFERENCE}
    frame, summary, _ = read(write(tmp_path / "a.jsonl", [record]), complete=False)
    assert summary.files[0].format == "openinference jsonl"
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID


def test_every_turn_of_a_conversation_is_a_request(tmp_path):
    frame, _, _ = read(write(tmp_path / "a.jsonl", SHAPES["wildchat"][0]))
    assert frame.select("prompt", "response", "turn").rows() == [
        (SAID["prompt"], SAID["response"], 0),
        ("And snow?", "Less so.", 1),
    ]


@pytest.mark.parametrize(
    ("way", "account"),
    [("constant=who", "who"), ("header=x-account", "acct-1"), ("field=request.body.messages[0].role", "system"),
     ("path=-1", "log"), ("path=tenant", "t7")],
)  # fmt: skip
def test_account_from(way, account, tmp_path):
    folder = tmp_path / "tenant=t7"
    folder.mkdir()
    path = write(folder / "log.jsonl", SHAPES["http-pairs"][0])
    frame, _, _ = read(path, formats=FormatOptions(account=parse_account_from(way)))
    assert frame["account_id"].to_list() == [account]


def test_the_users_own_place_of_the_messages(tmp_path):
    path = write(tmp_path / "log.jsonl", [{**SHAPES["envoy"][0][0], "chat": {"of": CHAT}}])
    frame, summary, _ = read(path, columns={"messages": "chat.of"}, complete=False)
    assert summary.files[0].format == "envoy jsonl"
    assert frame.select("prompt", "system").row(0) == (SAID["prompt"], SAID["system"])


def test_pairs_without_an_account_say_what_to_do(tmp_path):
    path = write(tmp_path / "log.jsonl", SHAPES["http-pairs"][0])
    with pytest.raises(InputError, match="--account-from constant=NAME"):
        read(path)
    with pytest.raises(UsageError, match="--account-from takes"):
        parse_account_from("nobody")
    assert AccountFrom("path", "0").constant("a/b.json") == "a"


def test_encrypted_logs_are_named_and_passed_over(tmp_path):
    secret = {"type": "encrypted", "key": "k", "iv": "i", "data": "d"}
    record = {"Gateway": "g", "Metadata": secret, "RequestBody": secret, "ResponseBody": secret}
    path = write(tmp_path / "log.jsonl", [record])
    with pytest.raises(InputError, match="encrypts bodies"):
        read(path)


MAPPING = """
[format]
name = "house"
[detect]
all = ["req", "caller"]
[input]
text = ["req"]
[fields]
timestamp = {path = "when", as = "ms"}
account = "caller.name"
status = {path = "ok", map = {true = "200", false = "500"}}
[body]
request = "req.payload"
response = "resp"
"""


def test_a_mapping_of_the_users_own(tmp_path):
    (tmp_path / "house.toml").write_text(MAPPING, encoding="utf-8")
    record = {"req": text({"payload": {"messages": CHAT}}), "caller": {"name": "acct-1"}, "when": 1772400000000,
              "ok": True, "resp": ANSWER}  # fmt: skip
    path = write(tmp_path / "log.jsonl", [record])
    with pytest.raises(InputError, match="--mapping FILE"):
        read(path)
    frame, summary, _ = read(path, formats=FormatOptions(mappings=(str(tmp_path / "house.toml"),)))
    assert {k: frame.row(0, named=True)[k] for k in SAID} == SAID
    assert frame.select("account_id", "status").row(0) == ("acct-1", 200)
    assert frame["timestamp"].dt.epoch("ms").to_list() == [1772400000000]
    assert summary.files[0].format == "house jsonl"


def test_all_that_is_wrong_with_a_mapping_is_said_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(
        '[format]\nname = "No!"\n[detect]\nall = ["a..b"]\n[fields]\nnothing = "x"\n[more]\nx = 1\n', encoding="utf-8"
    )
    with pytest.raises(UsageError) as error:
        load(path)
    for part in ("no section [more]", "no 'nothing'", "name must be", "'a..b' is not a path"):
        assert part in str(error.value)
    with pytest.raises(UsageError, match="no format is called"):
        read(path, formats=FormatOptions(log_format="nope"))


def test_what_may_be_two_formats_is_an_error(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(MAPPING.replace("house", name), encoding="utf-8")
    folder = tmp_path / "logs"
    folder.mkdir()
    write(folder / "log.jsonl", [{"req": {}, "caller": {"name": "a"}, "when": 1772400000000}])
    both = FormatOptions(mappings=(str(tmp_path / "one.toml"), str(tmp_path / "two.toml")))
    with pytest.raises(InputError, match="--log-format one"):
        read(folder, formats=both)
    frame, _, _ = read(folder, formats=FormatOptions(mappings=both.mappings, log_format="two"))
    assert frame.height == 1


def test_the_order_of_rows_and_the_size_of_batches_do_not_matter(tmp_path):
    records = [json.loads(json.dumps(SHAPES["bedrock"][0][0])) for _ in range(700)]
    for i, record in enumerate(records):
        record["requestId"] = f"r{i}"
        record["input"]["inputBodyJson"]["messages"] = [
            {"role": "user", "content": f"question {i}" if i % 3 else [{"text": f"q {i}"}]}
        ]
    path = write(tmp_path / "a.jsonl", records)
    whole, _, _ = read(path)
    pieces, _, _ = read(path, batch_rows=97)
    assert whole.equals(pieces)
    turned, _, _ = read(write(tmp_path / "b.jsonl", records[::-1]))
    assert turned.sort("request_id").equals(whole.sort("request_id"))


def test_every_format_says_what_it_lacks():
    for one in builtin():
        assert one.title
        assert one.unreadable or one.lacks, one.name
        assert one.unreadable or one.fields or one.bodies, one.name
    assert set(SHAPES) <= set(BY_NAME)
