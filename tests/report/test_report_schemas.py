"""The published schemas: valid, closed, in step with each other, and printed by the command."""

import json
import subprocess
import sys

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from extractscan.cli.schema import schema as schema_command
from extractscan.errors import UsageError
from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.render import to_json
from extractscan.evaluate.tables import match_files
from extractscan.report import schemas
from extractscan.verdict.findings import SCHEMA_VERSION, SEVERITIES

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(schema_command)


def objects(node):
    """Return every object schema within, at any depth."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for child in node.values():
            yield from objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child)


@pytest.mark.parametrize("name", schemas.names())
def test_schemas_are_valid_and_closed(name):
    document = schemas.schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for each in objects(document):
        assert "additionalProperties" in each
        if "properties" in each:
            assert each["additionalProperties"] is False


def test_the_report_holds_the_same_account():
    account = schemas.schema("account")
    report = schemas.schema("report")
    for key in ("type", "properties", "required", "additionalProperties"):
        assert report["$defs"]["account"][key] == account[key]
    for name, definition in account["$defs"].items():
        assert report["$defs"][name] == definition
    assert account["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert account["$defs"]["severity"]["enum"] == list(SEVERITIES)


@pytest.mark.parametrize("part", ["time", "severity", "evidence", "gate", "coverage", "tie"])
def test_what_schemas_share_is_the_same_in_each(part):
    found = [schemas.schema(name).get("$defs", {}).get(part) for name in schemas.names()]
    held = [definition for definition in found if definition is not None]
    assert len(held) > 1
    assert all(definition == held[0] for definition in held)


LABELS = "account_id,label,archetype,campaign\na,1,sweep,x\nb,1,sweep,x\nc,0,,\nd,0,shop,\n"
RANKED = (
    "account_id,score,severity,campaign_id\na,0.9,high,k\nb,0.8,medium,k\nc,0.85,medium,\ne,0.1,none,\n",
    "account_id,score\na,0.9\nc,0.1\n",
    "account_id,score,severity\na,0.5,none\nc,0.5,low\n",
)


@pytest.mark.parametrize("ranked", RANKED)
@pytest.mark.parametrize("labels", [LABELS, "account_id,label\na,1\n", "account_id,label\nc,0\n"])
def test_an_evaluation_meets_its_schema(tmp_path, ranked, labels):
    (tmp_path / "ranked.csv").write_text(ranked, encoding="utf-8")
    (tmp_path / "labels.csv").write_text(labels, encoding="utf-8")
    evaluation = evaluate(match_files(str(tmp_path / "ranked.csv"), str(tmp_path / "labels.csv")))
    jsonschema.Draft202012Validator(schemas.schema("evaluate")).validate(json.loads(to_json(evaluation)))


def test_unknown_names():
    with pytest.raises(UsageError, match=r"account, .*report"):
        schemas.schema_text("../account")


def test_the_command_prints_them():
    runner = CliRunner()
    listed = runner.invoke(app, ["--list"])
    assert [line.split()[0] for line in listed.output.splitlines()] == schemas.names()
    one = runner.invoke(app, ["account"])
    assert one.output == schemas.schema_text("account")
    everything = runner.invoke(app, [])
    assert json.loads(everything.output) == {name: schemas.schema(name) for name in schemas.names()}
    assert isinstance(runner.invoke(app, ["nonsense"]).exception, UsageError)


def test_the_cli_modules_import_nothing_heavy():
    code = (
        "import sys; import extractscan.cli.schema, extractscan.cli.console; "
        "heavy = {'polars', 'numba', 'rich', 'datasketch', 'pyarrow', 'scipy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
