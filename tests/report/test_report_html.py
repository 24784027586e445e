"""The HTML report, by a parser and, where there is one, in a real headless Chromium."""

import re
from dataclasses import replace

import pytest
from browser import chromium, find_chromium
from hostile import HOSTILE
from html_page import check_page
from made_up import account, calibrated, campaign, made_up, nothing_found, nothing_read
from test_report_formats import hostile_findings, render

from extractscan.report import charts, html_report
from extractscan.report.interface import Format
from extractscan.report.markup import Markup, element, join, verbatim
from extractscan.verdict.findings import Findings

CHROMIUM = find_chromium()
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; name one in EXTRACTSCAN_CHROMIUM")
INJECTED = "<script>window.owned=1</script><img src=x onerror='window.owned=1'><svg onload=window.owned=1>\" onfocus=window.owned=1 x=\""


@pytest.mark.parametrize(
    "findings",
    [made_up(), calibrated(), nothing_found(), nothing_read()],
    ids=["found", "calibrated", "nothing", "empty"],
)
def test_pages_are_well_formed_and_need_nothing(findings):
    text = render(findings, Format.HTML)
    check_page(text)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert "innerHTML" not in text


def test_what_a_page_says():
    page = check_page(render(calibrated(), Format.HTML))
    text = "".join(page.text)
    for phrase in (
        "2 campaigns and 23 accounts to look at",
        "Innocent explanation: ",
        "lone-harvester",
        "Compared with a baseline of 2 periods.",
        "AML.T0024.002",
        "logs/2026-03-01.jsonl.zst",
        "The line is not valid UTF-8.",
        "what the parts above do not explain",
        "unseen mass",
    ):
        assert phrase in text
    assert "quiet-1" not in text
    assert len(page.all("details")) == 25
    assert len([each for each in page.all("svg") if each["class"] == "graph"]) == 2


def test_links_have_targets():
    page = check_page(render(made_up(), Format.HTML))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [each["href"][1:] for each in page.all("a")]
    assert links
    assert set(links) <= ids


def test_headings_that_sort_are_buttons_in_headings():
    page = check_page(render(made_up(), Format.HTML))
    sorts = [each for each in page.all("th") if "aria-sort" in each]
    assert len(page.all("button")) == len(sorts)
    assert {each["type"] for each in page.all("button")} == {"button"}
    assert [each["aria-sort"] for each in sorts].count("ascending") == 2
    assert all(each["scope"] == "col" for each in page.all("th"))
    assert {each["data-kind"] for each in sorts} == {"number", "text"}
    for each in page.all("svg"):
        assert each.get("aria-hidden") == "true" or each.get("aria-label")


def test_accounts_beyond_top_are_counted(monkeypatch):
    monkeypatch.setattr(html_report, "DEFAULT_TOP", 2)
    text = render(made_up(), Format.HTML)
    assert len(check_page(text).all("details")) == 4
    assert "21 more accounts with a finding; --top 23 shows all." in text


def test_a_campaign_of_thousands_stays_small():
    names = [f"acct-{number:05}" for number in range(20_000)]
    accounts = tuple(account(rank, name) for rank, name in enumerate(names[:2000], 1))
    text = render(Findings(made_up().run, accounts, (campaign(1, "c", names),)), Format.HTML, top=10)
    check_page(text)
    assert len(text) < 200_000
    assert "The 150 busiest of 20,000 members" in text
    assert "and 19,800 more" in text


def test_markup_cannot_be_broken_out_of():
    assert element("p", "<b>&\"'", data_value='"><script>').text == (
        '<p data-value="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&quot;&#x27;</p>'
    )
    assert join("a", None, Markup("<b>"), "<").text == "a<b>&lt;"
    assert element("rect", x=1.5).text == '<rect x="1.5"/>'
    for bad in ({"onclick": "x"}, {"style": "x"}, {"src": "x"}, {"href": "javascript:x"}, {"href": "https://x"}):
        with pytest.raises(ValueError, match="no attribute"):
            element("a", **bad)
    with pytest.raises(ValueError, match="must not end"):
        verbatim("</script>")


def test_strips_and_bars_stay_inside():
    each = account(1, "a")
    for first, last in (
        (each.first_seen, each.last_seen),
        (each.last_seen, each.first_seen),
        (each.first_seen, each.first_seen),
    ):
        drawn = charts.strip(first, last, each.first_seen, each.last_seen, "high").text
        left, width = (float(value) for value in re.findall(r'<rect x="([\d.-]+)" y="0" width="([\d.-]+)"', drawn)[0])
        assert 0 <= left <= left + max(width, 0) <= 1000.1
    drawn = charts.bar(5.0, -1.0, -1.0, 7.0, "less").text
    assert '<rect x="0" y="1" width="750"' in drawn
    assert 'x1="125"' in drawn
    assert 'width="2"' in charts.bar(3.0, 3.0, 0.0, 0.0, "evidence").text


@pytest.fixture(scope="module")
def browser():
    with chromium(CHROMIUM) as page:
        yield page


@pytest.fixture
def shown(browser, tmp_path):
    def show(findings, width=1280):
        path = tmp_path / "report.html"
        path.write_text(render(findings, Format.HTML), encoding="utf-8")
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.open(path)
        return browser

    return show


def complaints(page):
    return page.said(
        "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"
    )


@needs_chromium
def test_it_loads_sorts_and_asks_for_nothing(shown):
    page = shown(calibrated())
    column = "[...document.querySelectorAll('main > table')].at(1).tBodies[0].rows"
    names = f"[...{column}].map(row => row.cells[1].textContent)"
    head = "[...document.querySelectorAll('main > table')].at(1).tHead.rows[0].cells"
    before = page.run(names)
    requests = next(number for number in range(9) if page.run(f"{head}[{number}].textContent") == "Requests")
    page.run(f"{head}[{requests}].querySelector('button').focus()")
    page.press("Enter", 13)
    values = page.run(f"[...{column}].map(row => Number(row.cells[{requests}].dataset.value))")
    assert values == sorted(values)
    assert page.run(f"{head}[{requests}].getAttribute('aria-sort')") == "ascending"
    assert page.run(f"{head}[0].getAttribute('aria-sort')") == "none"
    page.press(" ", 32)
    values = page.run(f"[...{column}].map(row => Number(row.cells[{requests}].dataset.value))")
    assert values == sorted(values, reverse=True)
    page.run(f"{head}[0].querySelector('button').click()")
    assert page.run(names) == before
    page.run(f"{head}[1].querySelector('button').click()")
    assert page.run(names) == sorted(before)
    assert [each["request"]["url"].rsplit("/", 1)[1] for each in page.said("Network.requestWillBeSent")] == [
        "report.html"
    ]
    assert complaints(page) == []


@needs_chromium
def test_links_open_the_evidence_and_print_opens_all(shown):
    page = shown(made_up())
    assert page.run("document.querySelectorAll('details[open]').length") == 0
    page.run("document.querySelector('a[href=\"#account-1\"]').click()")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.run("document.querySelector('details[open]').id") == "account-1"
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    assert len(page.call("Page.printToPDF")["data"]) > 10_000


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_pages_do_not_scroll_sideways_and_text_stands_out(shown, scheme):
    page = shown(replace(made_up(), accounts=(*made_up().accounts, account(26, "x" * 300))), width=400)
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.run("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.run("document.documentElement.scrollWidth") <= 400
    assert (
        page.run(
            "Math.min(...[...document.querySelectorAll('td, p, dd')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
        )
        >= 12
    )
    contrast = """(() => {
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
        return .2126 * r + .7152 * g + .0722 * b; };
      const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } };
      return Math.min(...[...document.querySelectorAll('p, td span, th, a, summary span, dt')].map(e => {
        const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x); return (a + .05) / (b + .05); }));
    })()"""
    assert page.run(contrast) >= 4.5  # WCAG 2.2, AA


@needs_chromium
def test_hostile_text_does_not_run(shown):
    for text in (INJECTED, *HOSTILE.values()):
        page = shown(hostile_findings(text))
        page.run("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.run("typeof window.owned") == "undefined"
        assert page.run("document.querySelectorAll('script, img, iframe, object, embed, link, form').length") == 1
        assert len(page.said("Network.requestWillBeSent")) == 1
        assert complaints(page) == []


@needs_chromium
def test_the_policy_stops_what_should_have_been_escaped(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render(made_up(), Format.HTML).replace("lone-harvester", INJECTED), encoding="utf-8")
    browser.open(path)
    assert browser.run("typeof window.owned") == "undefined"
    browser.run("new Promise(done => setTimeout(done, 50))")
    failed = {each["requestId"]: each.get("blockedReason") for each in browser.said("Network.loadingFailed")}
    sent = [each["requestId"] for each in browser.said("Network.requestWillBeSent")][1:]
    assert [failed.get(each) for each in sent] == ["csp"] * len(sent)  # asked for, and stopped before it left
    assert complaints(browser) != []
