"""What a settings file may say, and what is said of one that is wrong."""

import re
import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractscan.config.check import check, line_of
from extractscan.config.default import default_file, settings_table
from extractscan.config.file import MOST_BYTES, find, read
from extractscan.config.settings import BY_KEY, SETTINGS
from extractscan.errors import UsageError

RIGHT = {
    "log_format": "litellm",
    "mapping": ["a.toml", "b c.toml"],
    "account_from": "field=key.user",
    "column": ["account_id=customer"],
    "max_bad_rows": "5%",
    "format": "ocsf",
    "top": 7,
    "allow": "allow.toml",
    "show_allowed": True,
    "fail_on": "medium",
    "window": "30d",
    "keep": "90d",
    "spool": "ocsf",
    "refuse_changed": True,
    "baseline": ["clean/*.parquet"],
    "alpha": 0.1,
    "jobs": 2,
    "memory": "6G",
    "quiet": True,
    "verbose": False,
    "no_progress": True,
    "messages": "json",
}


def test_all_settings_that_are_right():
    values, problems = check("\n".join(f"{key} = {toml(value)}" for key, value in RIGHT.items() if key in BY_KEY))
    assert not problems
    assert values == {key: value for key, value in RIGHT.items() if key in BY_KEY}


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else repr(value).replace("'", '"')


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("top = 0", "top must be a whole number from 1 on, not 0"),
        ("top = 1.5", "top must be a whole number from 1 on, not 1.5"),
        ("top = true", "top must be a whole number from 1 on, not true"),
        ('top = "7"', "top must be a whole number from 1 on, not '7'"),
        ("top = 99999999999", "top must be a whole number from 1 on, not 99999999999"),
        ("jobs = -1", "jobs must be a whole number from 0 on, not -1"),
        ("alpha = 1", "alpha must be a number between 0 and 1, as in 0.05, not 1"),
        ("alpha = nan", "alpha must be a number between 0 and 1, as in 0.05, not nan"),
        ("max_bad_rows = -2", 'max_bad_rows must be a count (100), a share (0.05) or a percentage ("5%"), not -2'),
        (
            'max_bad_rows = "few"',
            "max_bad_rows must be a count (100), a share (0.05) or a percentage (\"5%\"), not 'few'",
        ),
        ("max_bad_rows = nan", 'max_bad_rows must be a count (100), a share (0.05) or a percentage ("5%"), not nan'),
        ("quiet = 1", "quiet must be true or false, not 1"),
        ('fail_on = "hihg"', "fail_on must be one of high, medium, low, not 'hihg'; did you mean 'high'?"),
        ("fail_on = []", "fail_on must be one of high, medium, low, not []"),
        ('mapping = "m.toml"', "mapping must be a list of texts, as in [\"mapping.toml\"], not 'm.toml'"),
        ("mapping = [1]", 'mapping must be a list of texts, as in ["mapping.toml"], not [1]'),
        ('allow = ""', "allow must be a text, as in \"allow.toml\", not ''"),
        ('allow = "a\\u0000b"', "allow must be a text, as in \"allow.toml\", not 'a\\x00b'"),
        ("fail-on = 1", "unknown setting 'fail-on'; did you mean 'fail_on'?"),
        ("FAIL_ON = 1", "unknown setting 'FAIL_ON'; did you mean 'fail_on'?"),
        ("zebra = 1", "unknown setting 'zebra'"),
        ('"\\u001b[2J" = 1', "unknown setting '\\x1b[2J'"),
        ("[score]\ntop = 3", "unknown table 'score'; settings stand in no table: write top above it"),
        ("score.top = 3", "unknown table 'score'; settings stand in no table: write top above it"),
        ("[empty]", "unknown table 'empty'; there are no tables"),
        ("top = 1\ntop = 2", "not valid TOML: Cannot overwrite a value"),
        ("top = ", "not valid TOML: Invalid value"),
        ("top = " + "[" * 5000, "is not valid TOML: "),
        ("top = " + "9" * 5000, "is not valid TOML: "),
        ("top = 0x" + "f" * 4000, "top must be a whole number from 1 on, not a number of very many digits"),
        ("max_bad_rows = 0x" + "f" * 4000, "max_bad_rows must be a count"),
    ],
    ids=lambda value: re.sub(r"\W+", "_", value)[:30],
)
def test_what_is_wrong_is_said(line, said):
    values, problems = check(line)
    assert len(problems) == 1
    assert problems[0].message.startswith(said)
    assert not values


def test_everything_at_once_by_line():
    text = """# a comment
mapping = [
  "a",
]
top = 0
quiet = \"\"\"
jobs = 3
\"\"\"
'jobs' = "many"
"alpha"=2
qiet = true
verbose = true
"""
    values, problems = check(text)
    assert [problem.line for problem in problems] == [5, 6, 9, 10, 11]
    assert values == {"mapping": ["a"], "verbose": True}
    assert str(problems[-1]) == "line 11: unknown setting 'qiet'; did you mean 'quiet'?"


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\n\nb == 2\n", 3), ('top = 3\n\nx = """', 3), ("top = 3\r\n\r\nx = ", 3)]
)
def test_a_mistake_in_the_grammar_has_its_line(text, line):
    assert check(text)[1][0].line == line


@given(st.text(st.sampled_from("top=\n\"'[]#.alpha 1{}\\-,"), max_size=40))
def test_any_text_is_either_read_or_complained_of(text):
    values, problems = check(text)
    assert set(values) <= set(BY_KEY)
    for problem in problems:
        assert problem.message
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1


@given(st.permutations(list(RIGHT)), st.integers(0, 3))
def test_a_setting_is_found_where_it_stands(order, blank):
    lines = [line for key in order for line in [f"{key} = {toml(RIGHT[key])}", *["# top = 1"] * blank]]
    for key in order:
        assert lines[line_of("\n".join(lines), key) - 1].startswith(f"{key} ")


@given(st.binary(max_size=300))
def test_any_bytes_are_either_read_or_complained_of(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with suppress(UsageError):
        read(path)


def test_paths_are_those_from_the_file(tmp_path):
    path = tmp_path / "night.toml"
    path.write_text('allow = "a.toml"\nmapping = ["/abs/m.toml", "m.toml"]\nlog_format = "table"\n')
    file = read(path)
    assert file.values == {
        "allow": str(tmp_path / "a.toml"),
        "mapping": ["/abs/m.toml", str(tmp_path / "m.toml")],
        "log_format": "table",
    }
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)


def test_the_byte_order_mark_of_an_editor_is_no_error(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbftop = 3\r\n")
    assert read(path).values == {"top": 3}


def test_what_is_no_file_of_settings(tmp_path, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    (tmp_path / "big.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    (tmp_path / "binary.toml").write_bytes(b"top = 3\n\xff\xfe\n")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    many = "".join(f"x{n} = {n}\n" for n in range(200))
    (tmp_path / "many.toml").write_text(many)
    from pathlib import Path

    for name, said in [
        ("big.toml", "big.toml has more than 65,536 bytes"),
        ("binary.toml", "binary.toml: line 2: is not UTF-8 text"),
        ("loop.toml", "cannot read the settings loop.toml"),
        ("pipe.toml", "pipe.toml is no regular file"),
        (".", "cannot read the settings .: Is a directory"),
        ("none.toml", "cannot read the settings none.toml: No such file"),
        ("/dev/zero", "/dev/zero is no regular file"),
        ("many.toml", "many.toml has 200 errors:\nline 1: unknown setting 'x0'"),
    ]:
        with pytest.raises(UsageError) as raised:
            read(Path(name))
        assert str(raised.value).startswith(said)
        assert len(str(raised.value).splitlines()) < 60


def test_which_file_is_read(tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    assert find(None) is None
    (tmp_path / "extractscan.toml").symlink_to("nowhere")  # a broken link is not passed over in silence
    assert find(None) == Path("extractscan.toml")
    assert find(Path("other.toml")) == Path("other.toml")
    assert find(Path("/dev/null")) is None


def test_the_default_file_sets_nothing_and_holds_everything(tmp_path):
    assert check(default_file()) == ({}, [])
    uncommented = re.sub(r"(?m)^#(?=\w+ = )", "", default_file())
    values, problems = check(uncommented)
    assert not problems
    assert list(values) == list(BY_KEY)
    for setting in SETTINGS:
        assert setting.variable in default_file()
        if setting.default is not None:
            assert tomllib.loads(f"x = {setting.example}")["x"] == setting.default
    assert max(map(len, default_file().splitlines())) <= 140


def test_the_table_names_every_setting_once():
    assert re.findall(r"^\| `(\w+)`", settings_table(), re.MULTILINE) == list(BY_KEY)


def test_settings_are_options_of_their_commands():
    from enum import Enum

    from extractscan.cli.lazy import LazyCommand

    for setting in SETTINGS:
        for command in setting.commands:
            options = {name: p for p in LazyCommand(command, "").loaded().params for name in p.opts}
            option = options[setting.option]
            default = option.default.value if isinstance(option.default, Enum) else option.default
            assert default == setting.default, (setting.key, command)
            assert option.envvar == setting.variable
            assert bool(option.is_flag) == (setting.kind == "flag")
            assert bool(option.multiple) == (setting.kind in ("texts", "paths"))
            annotation = option.type_descriptor.annotation
            choices = tuple(annotation) if isinstance(annotation, type) and issubclass(annotation, Enum) else ()
            assert tuple(map(str, choices)) == setting.choices
            if setting.kind == "count":
                assert option.min == setting.least
