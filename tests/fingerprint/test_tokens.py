import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractscan.fingerprint.codepoints import fold, is_plain, kind_of, mark_of
from extractscan.fingerprint.normalising import normal_forms, odd_texts, utf8_buffers
from extractscan.fingerprint.steps import CHAR, KIND, MARK, PLAIN, plane
from extractscan.fingerprint.tokens import tokenise


def tokens(*texts):
    t = tokenise(pl.Series(list(texts), dtype=pl.String))
    return [t.values[t.offsets[i] : t.offsets[i + 1]].tolist() for i in range(len(t))], t


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("   \n\t ", 0),
        ("!?.,;", 0),
        ("hello", 1),
        ("hello, world", 2),
        ("snake_case and kebab-case", 4),
        ("Straße ÉCOLE", 2),
        ("你好世界", 4),
        ("你好，世界。", 4),
        ("こんにちは", 5),
        ("สวัสดี", 6),
        ("안녕하세요 세계", 2),
        ("مرحبا بالعالم، كيف", 3),
        ("hi你好hi", 4),
        ("f(x) = 3.14", 4),
        ("a\u202eb", 2),
        ("🙂 ok 🙂", 1),
    ],
)
def test_what_a_token_is(text, count):
    (found,), _ = tokens(text)
    assert len(found) == count


def test_case_width_space_and_digits_are_folded_in_tokens():
    (a, b, c), _ = tokens("Item 12 OF  345", "item 7 of 9", "ＩＴＥＭ １ of 2")
    assert a == b == c


def test_the_hash_keeps_digits_and_punctuation_but_not_space_or_case():
    _, t = tokens("Item  12.", "item 12.", " item\n12. ", "item 13.", "item 12")
    assert t.hashes[0] == t.hashes[1] == t.hashes[2]
    assert len(set(t.hashes.tolist())) == 3


def test_null_is_the_empty_text():
    t = tokenise(pl.Series([None, ""], dtype=pl.String))
    assert t.hashes[0] == t.hashes[1]
    assert t.values.size == 0


def test_the_input_is_not_changed():
    texts = pl.Series(["ÀB", "cd", None])
    tokenise(texts)
    assert texts.to_list() == ["ÀB", "cd", None]


@given(st.lists(st.text(max_size=60), max_size=20))
def test_a_text_has_the_same_tokens_whatever_its_neighbours(texts):
    texts = [t.encode("utf-8", "replace").decode() for t in texts]
    together, whole = tokens(*texts)
    for i, text in enumerate(texts):
        (alone,), one = tokens(text)
        assert alone == together[i]
        assert one.hashes[0] == whole.hashes[i]


@given(st.text(max_size=200))
def test_offsets_are_in_order_and_inside(text):
    text = text.encode("utf-8", "replace").decode()
    t = tokenise(pl.Series([text, text]))
    assert np.all(np.diff(t.offsets) >= 0)
    assert t.offsets[-1] == t.values.size


def plain_code_points():
    rule = is_plain.py_func
    return [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF and rule(c)]


def test_what_the_kernel_folds_by_itself_is_what_unicode_says():
    import unicodedata

    plain = plain_code_points()
    assert len(plain) > 30_000
    for c in plain:
        if c < 0x80:
            continue
        char = chr(c)
        folded = unicodedata.normalize("NFKC", char).lower()
        assert unicodedata.combining(char) == 0, hex(c)
        assert chr(int(fold.py_func(np.uint32(c)))) == folded, hex(c)


def marks():
    return [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF and mark_of.py_func(c)]


def test_marks_have_the_class_that_unicode_gives_them_and_compose_with_nothing():
    import unicodedata

    known = marks()
    assert len(known) == 15
    canonical = [u.split() for u in map(unicodedata.decomposition, map(chr, range(0x110000))) if u and u[0] != "<"]
    # What ends a canonical decomposition may compose with what stands before it.
    assert not {int(parts[-1], 16) for parts in canonical} & set(known)
    for c in known:
        assert mark_of.py_func(c) == unicodedata.combining(chr(c))
        assert unicodedata.normalize("NFKC", chr(c)).lower() == chr(c)
        assert unicodedata.is_normalized("NFC", "ab" + chr(c))


@pytest.mark.parametrize(
    "text",
    [
        "\u0e17\u0e35\u0e48 \u0e1b\u0e39\u0e48",  # vowel, then tone: in order
        "\u0e1b\u0e48\u0e39 plain",  # tone, then vowel: out of order
        "\u0634\u0651\u064e",  # shadda, then fatha, as typed: out of order
        "\u0634\u064e\u0651 \u0915\u094d\u0937",
    ],
)
def test_marks_are_ordered_as_unicode_does(text):
    import unicodedata

    (a, b), t = tokens(text, unicodedata.normalize("NFKC", text).lower())
    assert a == b
    assert t.hashes[0] == t.hashes[1]


@given(
    st.lists(st.sampled_from([*plain_code_points()[::50], *marks() * 40]), min_size=1, max_size=30).map(
        lambda cs: "".join(map(chr, cs))
    )
)
def test_plain_text_gets_the_tokens_of_its_normal_form(text):
    import unicodedata

    (a, b), t = tokens(text, unicodedata.normalize("NFKC", text).lower())
    assert a == b
    assert t.hashes[0] == t.hashes[1]


@given(st.text(max_size=60))
def test_any_text_gets_the_tokens_of_its_normal_form(text):
    text = text.encode("utf-8", "replace").decode()
    normal = pl.Series([text]).str.normalize("NFKC").str.to_lowercase()[0]
    (a, b), t = tokens(text, normal)
    assert a == b
    assert t.hashes[0] == t.hashes[1]


ODD_LETTERS = "\u03a3\u03c3\u0391'\u00ad\u0130\u0301\u0327\u0345\u0e33\u0e48\u0e38\u0915\u093c\u1100\u1161\u11a8\u00b4\u00bd\ufb01\u2126\u3000\u00a0a1."


@given(st.text(alphabet=ODD_LETTERS + " \t\n" * 3, max_size=40))
def test_words_have_the_normal_form_that_they_have_in_their_text(text):
    def folded(string):
        return "".join(chr(int(fold.py_func(np.uint32(ord(c))))) if c >= "\x80" else c.lower() for c in string)

    column = pl.Series([text])
    odd = odd_texts(*utf8_buffers(column), np.zeros(1, np.int64))
    spliced, offsets = odd.spliced(normal_forms([odd])[0])
    assert offsets.tolist() == [0, spliced.size]
    whole = column.str.normalize("NFKC").str.to_lowercase()[0]
    assert folded(spliced.tobytes().decode()) == folded(whole)


def test_into_how_many_pieces_a_column_is_cut_changes_nothing(monkeypatch):
    texts = pl.Series(
        ["plain", None, "\u03a3\u03a3 odd \u00bd", "\u4f60\u597d", "", "na\u00efve  caf\u00e9 12", "\u0130"] * 9
    )
    one = tokenise(texts)
    monkeypatch.setattr("extractscan.fingerprint.tokens.WORTH", 8)
    monkeypatch.setattr("extractscan.fingerprint.normalising.WORTH", 8)
    for jobs in (2, 5):
        other = tokenise(texts, jobs=jobs)
        assert np.array_equal(one.offsets, other.offsets)
        assert np.array_equal(one.values, other.values)
        assert np.array_equal(one.hashes, other.hashes)
        assert np.array_equal(one.chars, other.chars)


def test_the_table_of_code_points_says_what_the_rules_say():
    table = plane()
    random = np.random.default_rng(1)
    for c in [*range(0x80), *random.integers(0x80, 0x10000, 2000).tolist()]:
        entry = int(table[c])
        folded = ord(chr(c).lower()) if c < 0x80 else int(fold.py_func(np.uint32(c)))
        kind = int(kind_of.py_func(folded))
        assert entry & CHAR == (folded if kind else 0x20)
        assert entry >> KIND & 7 == kind
        assert entry >> PLAIN & 1 == is_plain.py_func(c)
        assert entry >> MARK == mark_of.py_func(c)
