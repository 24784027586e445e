"""The pictures of docs/images, made from ``sample_logs/``. Run with a path to write them."""

import base64
import hashlib
import io
import re
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.progress import Silent
from extractscan.report.html_report import HtmlRenderer
from extractscan.report.interface import RenderOptions
from extractscan.report.table import TableRenderer

SAMPLE = "sample_logs/requests.parquet"
ROOT = Path(__file__).parents[2]
WIDTH = 120
TOP = 5
WINDOW = (1280, 960)
"""Pixels of the picture of the page."""


def report():
    """Return what ``extractscan score sample_logs/requests.parquet --top 5`` prints on a terminal, as SVG."""
    shown = io.StringIO()
    options = RenderOptions(top=TOP, width=WIDTH, colour=True)
    TableRenderer().render(judge_logs(LogSource((str(ROOT / SAMPLE),)), observer=Silent())[0], options, shown)
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False, _environ={}
    )
    console.print(Text.from_ansi(shown.getvalue()), soft_wrap=True)
    # Rich's own template fetches its font from the network; any monospace will do.
    template = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
        "Fira Code", "monospace"
    )
    title = f"extractscan score {SAMPLE} --top {TOP}"
    return console.export_svg(title=title, code_format=template, unique_id="report") + "\n"


def page():
    """Return the HTML report of the sample, whatever folder the repository lies in."""
    findings = judge_logs(LogSource((str(ROOT / SAMPLE),)), observer=Silent())[0]
    shown = io.StringIO()
    HtmlRenderer().render(findings, RenderOptions(), shown)
    return shown.getvalue().replace(f"{ROOT}/", "")


def page_hash():
    """Return the SHA-256 of the page that the picture shows."""
    return hashlib.sha256(page().encode()).hexdigest()


def picture(html, program):
    """Return the top of a page as PNG, in the light scheme."""
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from browser import chromium

    width, height = WINDOW
    with chromium(program) as browser:
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        browser.call("Emulation.setScrollbarsHidden", hidden=True)
        browser.open(html)
        browser.run("document.querySelector('details').open = true")
        return base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"])


def write(folder):
    """Write all pictures; that of the page only if there is a Chromium."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.svg").write_text(report(), encoding="utf-8")
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from browser import find_chromium

    program = find_chromium()
    if program is None:
        sys.exit("no Chromium was found, so that the picture of the page is not made; EXTRACTSCAN_CHROMIUM names one")
    with tempfile.TemporaryDirectory() as place:
        html = Path(place) / "report.html"
        html.write_text(page(), encoding="utf-8")
        (folder / "page.png").write_bytes(picture(html, program))
    (folder / "page.sha256").write_text(page_hash() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
