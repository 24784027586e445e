from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractscan.case.redact import luhn, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail jane.doe+x@mail.example.co.uk now", "mail [e-mail] now"),
        ("pay 4111 1111 1111 1111 or 4111-1111-1111-1111 or 378282246310005.", "pay [card] or [card] or [card]."),
        ("order 4111 1111 1111 1112 stays", "order 4111 1111 1111 1112 stays"),
        ("key sk-proj-abcdEFGH1234567890 ok", "key [key] ok"),
        ("AKIAIOSFODNN7EXAMPLE and ghp_0123456789abcdefghij0123456789abcdef", "[key] and [key]"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [key]"),
        ("password = hunter2hunter", "password = [key]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def", "[key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "[key]\nrest"),
        ("deadbeef0123456789deadbeef0123456789", "[key]"),
        ("the token economy is a basic idea, and 2026-03-02 a date", "the token economy is a basic idea, and 2026-03-02 a date"),
        ("src/extractscan/fingerprint/requests/and/so/on/with/words", "src/extractscan/fingerprint/requests/and/so/on/with/words"),
    ],
)  # fmt: skip
def test_what_is_taken_out(text, shown):
    assert redact(text) == shown
    assert redact(shown) == shown


@given(st.integers(10**11, 10**15), st.sampled_from(["", " ", "-"]))
def test_every_card_number_is(number, gap):
    body = str(number)
    check = next(d for d in "0123456789" if luhn(body + d))
    assert redact("x " + gap.join(body + check) + " y") == "x [card] y"


SECRETS = {
    "[e-mail]": "jane.doe@mail.example.org",
    "[key]": "sk-proj-abcdEFGH1234567890",
    "[card]": "4111 1111 1111 1111",
}


@given(st.text(max_size=200))
def test_any_text_is_taken_and_once_is_enough(text):
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(sorted(SECRETS)))
def test_a_secret_is_found_in_any_text(before, after, mark):
    # A line break on either side: what stands right beside a secret may be part of it.
    shown = redact(f"{before}\n{SECRETS[mark]}\n{after}")
    assert SECRETS[mark] not in shown
    assert mark in shown


@given(
    st.lists(st.sampled_from("the quick brown fox saw 12 or 2026-03-02 at 10:30 in §4 (a) of b/c".split()), max_size=30)
)
def test_what_is_no_secret_stays(words):
    text = " ".join(words)
    assert redact(text) == text


@pytest.mark.parametrize("piece", ["a@", "1 ", "a.", "-----BEGIN ", "token ", "eyJ", "A1", "x@y.", "0-"])
def test_no_text_takes_long(piece):
    began = time.perf_counter()
    redact(piece * 50_000)
    assert time.perf_counter() - began < 5.0
