from pathlib import Path

import formats_docs


def test_the_page_of_formats_is_what_the_mappings_say():
    page = Path(__file__).parents[2] / "docs" / "formats.md"
    assert page.read_text(encoding="utf-8") == formats_docs.text(), "run scripts/make_docs"


def test_the_mapping_in_the_page_is_one(tmp_path):
    from extractscan.logs.mapping import load

    path = tmp_path / "house.toml"
    path.write_text(formats_docs.MAPPING.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    assert load(path).name == "house"
