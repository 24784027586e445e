"""Messages as lines of JSON: nothing lost, one line each, safe to print."""

import io
import json
import time

import pytest
from hostile import HOSTILE

from extractscan.cli import console, messages
from extractscan.cli.console import Console, error, note


class Terminal(io.StringIO):
    encoding = "UTF-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _json(monkeypatch):
    monkeypatch.setattr(messages, "_chosen", None)  # what a command of an earlier test chose
    monkeypatch.setenv("EXTRACTSCAN_MESSAGES", "json")
    monkeypatch.setenv("TERM", "xterm")


def events(stream):
    text = stream.getvalue()
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_one_event(text):
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        observer.warn(text)
        observer.note(text)
    note(text, stream=stream)
    error(text, stream=stream)
    said = events(stream)
    assert [event["event"] for event in said] == ["warning", "note", "note", "error"]
    assert [event["level"] for event in said] == ["warning", "info", "info", "error"]
    wanted = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)[:8000]
    assert all(event["message"][:8000] == wanted for event in said)


def test_stages_and_where_a_warning_was():
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        observer.stage("read", 2)
        observer.advance(2)
        observer.warn("odd")
        observer.stage("write")
    said = events(stream)
    assert [(event["event"], event["stage"]) for event in said] == [
        ("warning", "read"),
        ("stage", "read"),
        ("stage", "write"),
    ]
    assert said[1]["steps"] == 2
    assert "steps" not in said[2]
    assert list(said[1]) == ["time", "level", "event", "message", "stage", "seconds", "steps"]


def test_nothing_is_drawn(monkeypatch):
    monkeypatch.setattr(console, "DELAY_SECONDS", 0.02)
    stream = Terminal()
    with Console(stream=stream) as observer:
        observer.stage("read")
        time.sleep(0.2)
    assert len(events(stream)) == 1


def test_without_progress_stages_are_not_told():
    stream = io.StringIO()
    with Console(stream=stream, progress=False) as observer:
        observer.stage("read")
    assert events(stream) == []


def test_warnings_that_differ_in_numbers_are_counted():
    stream = io.StringIO()
    with Console(stream=stream) as observer:
        for n in range(100):
            observer.warn(f"line {n}")
    said = events(stream)
    assert len(said) == console.REPEATS_SHOWN + 1
    assert said[-1]["message"].startswith("97 more like")


def test_an_error_of_several_lines_is_one_event():
    stream = io.StringIO()
    error("three\nlines\nhere", stream=stream)
    (event,) = events(stream)
    assert event["message"] == "three\nlines\nhere"
