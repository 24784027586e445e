"""From a format's name to its renderer; only the chosen one's module is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from extractscan.report.interface import Format

if TYPE_CHECKING:
    from extractscan.report.interface import Renderer


def renderer(chosen: Format) -> Renderer:
    """Return the renderer of a format. Raises ``UsageError`` if it needs a package that is not installed."""
    # ruff: noqa: PLC0415 -- Rich and pyarrow are slow to import, and one format is used at a time
    match chosen:
        case Format.TABLE:
            from extractscan.report.table import TableRenderer

            return TableRenderer()
        case Format.JSON:
            from extractscan.report.json_report import JsonRenderer

            return JsonRenderer()
        case Format.JSONL:
            from extractscan.report.jsonl_report import JsonLinesRenderer

            return JsonLinesRenderer()
        case Format.CSV:
            from extractscan.report.csv_report import CsvRenderer

            return CsvRenderer()
        case Format.PARQUET:
            from extractscan.report.parquet_report import ParquetRenderer

            return ParquetRenderer()
        case Format.MARKDOWN:
            from extractscan.report.markdown_report import MarkdownRenderer

            return MarkdownRenderer()
        case Format.HTML:
            from extractscan.report.html_report import HtmlRenderer

            return HtmlRenderer()
        case Format.OCSF:
            from extractscan.report.ocsf_report import OcsfRenderer

            return OcsfRenderer()
        case Format.STIX:
            from extractscan.report.stix_report import StixRenderer

            return StixRenderer()
        case _:
            assert_never(chosen)
