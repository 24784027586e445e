import re
from pathlib import Path

import command_docs

ROOT = Path(__file__).parents[2]


def test_the_command_reference_is_what_help_says():
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == command_docs.text(), "run scripts/make_docs"


def test_every_command_has_a_section_and_a_line_in_the_readme():
    listed = set(re.findall(r"^  (\w+) +\S", command_docs.help_of("").split("Commands:")[1], re.MULTILINE))
    assert listed == set(command_docs.COMMANDS) - {""}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in listed:
        assert f"`extractscan {command}" in readme


def test_the_readme_names_every_signal_and_gate_that_the_code_produces():
    from extractscan.verdict.explain import INNOCENT
    from extractscan.verdict.signals import CAPS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in (*INNOCENT, *CAPS):
        assert name in readme, name


def test_links_in_the_documents_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
