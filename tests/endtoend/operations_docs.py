"""The table of settings in docs/operations.md. Run with the path to write it."""

import re
import sys
from pathlib import Path

from extractscan.config.default import settings_table

BEGIN, END = "<!-- settings: made by scripts/make_docs -->\n", "<!-- end of settings -->"


def text(page):
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{settings_table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(text(path.read_text(encoding="utf-8")), encoding="utf-8")
