"""An HTML report read back by the standard library's parser, and what a page must not hold."""

import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "link", "hr", "base", "source", "embed"}
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "h3", "h4", "p", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "button", "a", "span", "strong", "div", "ul", "li", "dl", "dt", "dd", "details", "summary", "svg",
    "rect", "line", "circle", "script",
}  # fmt: skip


class Page(HTMLParser):
    """The page as tags with attributes, the text of rows by table, and all ids and links."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.raw = [], [], [], {"style": [], "script": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        assert "svg" in self.open

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def check_page(text):
    """Assert what holds for each page, whatever is in it; return the page."""
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= ALLOWED_TAGS
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on")} | (
            {"style", "src", "srcset"} & set(attributes)
        )
        if "href" in attributes:
            assert re.fullmatch(r"#(account|campaign)-\d+", attributes["href"])
    assert len(page.all("style")) == len(page.all("script")) == 1
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(page.raw[tag]).encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy
    assert set(rules) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    return page
