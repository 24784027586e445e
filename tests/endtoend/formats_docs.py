"""The text of docs/formats.md, made from the mappings of the package. Run with a path to write it."""

import sys
from pathlib import Path

from extractscan.logs.mapping import builtin

INTRODUCTION = """# Log formats

The table is made by `scripts/make_docs` from the mappings in `src/extractscan/logs/formats/`; do not edit.

## How a file is read

A file is first told apart by its bytes (Parquet, Arrow, JSON, CSV; gz, zst, bz2), whatever its name. Then up to 40 records
of its first 200 are held against every format: the signs that a record shows are its points, and the average decides. The
choice and the runner-up are told on standard error and by `extractscan inspect`. A runner-up with at least 85 % of the points
is a tie: an error that names `--log-format`. A plain table with the usual column names comes last.

What a format lacks stays empty, and the signals that need it are *not assessed*; they are never zero. `extractscan inspect`
lists them for a log. What cannot be read goes to quarantine with file, line and reason.

* **Bodies** are told by their keys, row by row: OpenAI chat, responses and completions; Anthropic; Bedrock Converse and the
  older Titan, Llama, Mistral, Cohere and AI21 bodies; Gemini; OpenTelemetry parts; role/content and from/value lists.
  Server-sent events and lists of events are put together to one answer. Thoughts, calls and results of tools are no text.
* **Tokens**: `input_tokens` is the whole prompt. Where a record leaves cached tokens out of its count (Anthropic, Bedrock),
  they are added; `cached_tokens` holds those that were read from a cache.
* **Turns** may begin at 0 or at 1: each account's least one is its first, and within a `conversation_id` the order counts.
* **Accounts** that the records do not name: `--account-from constant=NAME`, `path=N` (a part of the file's path, -1 is its
  name; or the key of a part like `tenant=x`), `field=PATH`, `header=NAME`.
* **Tables joined**: Langfuse observations take users and sessions from exported traces, batch outputs their prompts from
  batch inputs, OpenTelemetry spans their messages from log events, when both are read in one run. Azure's rows are put together
  by `CorrelationId`. Such files are held in memory, one at a time.
* **Bodies in files of their own** (Bedrock, over about 100 KB) are read if they lie where the log says; else the request is
  marked as truncated.

## Where logs may lie

Files, folders, globs, `-` for standard input, and object stores: `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY` or
`abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`. A key is an object, or a prefix that is taken as a folder, or a pattern (`*`, `**`,
`?`, `[...]`), as it stands: nothing is percent-decoded. Names that begin with `.` or `_` are passed over, as in folders.

Credentials and endpoints come from the environment, in the names that the vendors' tools use, and from nowhere else:

| store | variables |
|---|---|
| S3 and what is like it | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`; `AWS_SKIP_SIGNATURE=true` for a public bucket |
| Google Cloud Storage | `GOOGLE_APPLICATION_CREDENTIALS`, `STORAGE_EMULATOR_HOST`; `GOOGLE_SKIP_SIGNATURE=true` for a public bucket |
| Azure Blob Storage | `AZURE_STORAGE_ACCOUNT_NAME` with `AZURE_STORAGE_ACCOUNT_KEY` or `AZURE_STORAGE_SAS_TOKEN`, or what the Azure SDK finds; `AZURITE_BLOB_STORAGE_URL` |

A store is asked only for what a command names: `verify` and `--show-text` do not go back to one by themselves. An object that may not be
read, or is gone, is quarantined and warned of; a store that cannot be reached, or does not answer in time, ends the run with exit code
3, since a log read in part would mislead. Parquet is fetched to a temporary file, one at a time (`TMPDIR` says where).

**Damaged files.** Of text and of compressed text all is read up to the damage, and bad lines cost only themselves. Of Parquet the row
groups before a damaged one are read, and of that one the rows up to the damage; of Arrow the record batches before it. What comes
after it is lost, and the quarantine says after which row. A page of Parquet is lost whole, and so is a file whose footer cannot be read.

**Delta and Iceberg tables** (`pip install 'extractscan[delta]'`, `'extractscan[iceberg]'`) are told by their folder, on disk or in
a store, and read at their newest version: rows that were removed are not counted. Their files are never read one by one. Of an Iceberg
table without a catalog the newest metadata file counts. The SHA-256 of a table stands for the contents of the files of that version.

## Formats

"""

MAPPING = """
## A mapping of your own

`extractscan inspect` writes one to begin with for a shape that it does not know. Use it with `--mapping FILE`; it comes before
the formats of the package.

```toml
[format]
name = "house"
# extends = "otel-flat"          # take over the fields and bodies of another format; your own come first

[detect]                         # what a record looks like
all = ["req", "caller"]
any = ["when"]
none = []
equals = { kind = "llm" }

[input]
unwrap = ["message"]             # where the record may be wrapped, also as JSON in a string
explode = ["records[].calls[]"]  # lists whose elements are the requests
bare = false                     # a record without the list is a request itself
filter = ['type == "llm"']       # any of: PATH == "x", PATH != "x", PATH in ["x", "y"], PATH exists
text = ["metadata"]              # strings that are JSON, when fields lie inside
attributes = ["attributes"]      # lists of {key, value}
skip_paths = ["**/data/**"]      # files that hold no records

[fields]                         # canonical column = path, or paths, best first
account_id = ["caller.name", "caller.key"]
timestamp = { path = "when", as = "ms" }    # iso | epoch_s | ms | us | ns | auto
ended = "done"                   # gives latency_ms
status = { path = "ok", map = { true = "200", false = "500" } }

[outer]                          # fields on the way to the elements of explode
org_id = "tenant"

[body]
request = ["req.payload"]        # bodies, as objects or as JSON in strings
response = "resp"
# conversation = "turns"         # every message of the user becomes a request

[quality]
truncated = ["[cut]"]            # marks in texts
redacted = ["[redacted]"]
```

A path is `a.b.c`; `a[0]` is the first element of a list, `a[*]` any. A key may hold dots itself: `a.b.c` also finds `"a.b": {"c":
…}` and `"a.b.c"`. Names are compared without case and signs, so `startTime` and `start_time` are one.

## Not read

Text logs of vLLM, SGLang and TGI hold no prompts by default: put a gateway in front. Cloudflare's Logpush encrypts bodies.
Langfuse generations whose input was an upload, and event streams that a recorder kept as base64, have no text.
"""


def text():
    lines = ["| name | system | lacks | note |", "|---|---|---|---|"]
    lines += [
        f"| `{one.name}` | {one.title} | {one.lacks or '-'} | {one.unreadable or one.note or '-'} |"
        for one in builtin()
    ]
    return INTRODUCTION + "\n".join(lines) + "\n" + MAPPING


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
