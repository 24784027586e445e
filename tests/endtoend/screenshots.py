"""The pictures of docs/images, made from ``sample_logs/``. Run with a path to write them."""

import io
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.progress import Silent
from extractscan.report.interface import RenderOptions
from extractscan.report.table import TableRenderer

SAMPLE = "sample_logs/requests.parquet"
ROOT = Path(__file__).parents[2]
WIDTH = 120
TOP = 5


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


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    (Path(sys.argv[1]) / "report.svg").write_text(report(), encoding="utf-8")
