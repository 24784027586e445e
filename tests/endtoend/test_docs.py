import re
from pathlib import Path

import command_docs
import pytest

ROOT = Path(__file__).parents[2]


def test_the_command_reference_is_what_help_says():
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == command_docs.text(), "run scripts/make_docs"


def test_every_command_has_a_section_and_a_line_in_the_readme():
    listed = set(re.findall(r"^  (\w+) +\S", command_docs.help_of("").split("Commands:")[1], re.MULTILINE))
    assert listed == {command.split()[0] for command in command_docs.COMMANDS if command}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `extractscan (\w+)", readme, re.MULTILINE)
    assert sorted(rows) == sorted(listed)


def test_the_readme_names_every_signal_and_gate_that_the_code_produces():
    from extractscan.verdict.explain import INNOCENT
    from extractscan.verdict.signals import CAPS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| (`[^|]+) \|", readme, re.MULTILINE)
    assert {family: float(most) for family, most, _ in rows} == CAPS
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "extractscan").rglob("*.py"))
    produced = set(re.findall(rf'^\s+"(\w+)",\n(?:\s+#.*\n)?\s+"(?:{"|".join(CAPS)})",$', source, re.MULTILINE))
    assert {name for _, _, cell in rows for name in re.findall(r"`(\w+)`", cell)} >= produced
    assert len(produced) >= 15
    for gate in INNOCENT:
        assert f"`{gate}`" in readme, gate


def test_links_in_the_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_in_the_readme_is_what_the_sample_gives():
    import importlib.metadata

    import screenshots

    pinned = re.search(r"^rich==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    if importlib.metadata.version("rich") != pinned:
        pytest.skip("another Rich than the pinned one draws otherwise")
    held = (ROOT / "docs" / "images" / "report.svg").read_text(encoding="utf-8")
    assert held == screenshots.report(), "run scripts/make_screenshots"
    assert "http" not in re.sub(r'xmlns="[^"]+"|<!-- .*? -->', "", held)


def test_the_picture_of_the_page_is_of_todays_page():
    import screenshots

    images = ROOT / "docs" / "images"
    assert (images / "page.sha256").read_text(encoding="utf-8").strip() == screenshots.page_hash(), (
        "run scripts/make_screenshots"
    )
    drawn = (images / "page.png").read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) < 300_000
    assert tuple(int.from_bytes(drawn[at : at + 4]) for at in (16, 20)) == screenshots.WINDOW
