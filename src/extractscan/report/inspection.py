"""An inspection of log files as text for people, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from extractscan.report.document import timestamp
from extractscan.report.neutralise import json_text, terminal
from extractscan.report.phrases import tail
from extractscan.verdict.explain import not_assessed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.logs.inspection import FileInspection, Inspection

_PATH: Final = 60
"""Characters of a path that are shown, its last."""
_FILES: Final = 40
"""Files that are shown to people."""


def document(found: Inspection) -> dict[str, Any]:
    """The inspection as JSON: ``{files: [{path, format, runner_up, rows, quarantined, coverage}], gaps, not_assessed}``."""
    return {
        "files": [
            {
                "path": json_text(file.path),
                "format": json_text(file.format),
                "runner_up": json_text(file.runner_up) or None,
                "rows": file.rows,
                "quarantined": file.quarantined,
                "coverage": file.coverage,
            }
            for file in found.files
        ],
        "gaps": [
            {"start": timestamp(gap.start), "end": timestamp(gap.end), "expected_requests": gap.expected}
            for gap in found.gaps
        ],
        "not_assessed": [
            {"signal": missing.signal, "reason": missing.reason} for missing in not_assessed(found.present)
        ],
    }


def lines(found: Inspection, *, ascii_only: bool = False) -> Iterator[str]:
    """The inspection as lines of text, neutralised."""

    def safe(text: str, limit: int | None = None) -> str:
        return terminal(text, limit=limit, ascii_only=ascii_only)

    yield "Files"
    rows = [("file", "format", "next best", "rows", "quarantined")]
    rows += [
        (
            safe(tail(file.path, _PATH)),
            safe(file.format, 40),
            safe(file.runner_up, 24) or "-",
            f"{file.rows:,}",
            f"{file.quarantined:,}",
        )
        for file in found.files[:_FILES]
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(5)]
    for row in rows:
        cells = [cell.rjust(w) if k > 2 else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))]
        yield ("  " + "  ".join(cells)).rstrip()
    if len(found.files) > _FILES:
        yield f"  and {len(found.files) - _FILES:,} more (--format json lists them all)"
    yield ""
    if found.first is not None and found.last is not None:
        yield f"Time span  {timestamp(found.first)} to {timestamp(found.last)}, {found.requests:,} requests"
    else:
        yield f"Time span  none: no request has a time stamp ({found.requests:,} requests)"
    for gap in found.gaps:
        yield f"  gap      {timestamp(gap.start)} to {timestamp(gap.end)}: about {gap.expected:,.0f} requests are missing"
    if found.gaps:
        yield "  what falls into a gap is not there to be found, and coverage looks smaller than it was"
    if found.truncated or found.redacted:
        yield f"Bodies     {found.truncated:,} requests with texts that were cut, {found.redacted:,} with texts taken out"
    yield ""
    yield from _coverage(found, ascii_only=ascii_only)
    missing = not_assessed(found.present)
    if missing and found.requests:
        yield ""
        yield "Not assessed"
        for one in missing:
            yield f"  {one.signal}: {one.reason}"
    for file in found.files:
        if file.reason:
            yield ""
            yield f"Not read   {safe(file.reason, 400)}"
        if file.starter:
            yield "  A mapping to begin with (save it as FILE.toml, mend it, and use --mapping FILE.toml):"
            yield from (f"    {safe(line, 200)}" for line in file.starter.splitlines())


def _coverage(found: Inspection, *, ascii_only: bool) -> Iterator[str]:
    """Share of requests with each field, by format where there are several."""
    groups: dict[str, list[FileInspection]] = {}
    for file in found.files:
        if file.rows:
            groups.setdefault(file.format.split(" ")[0], []).append(file)
    if not groups:
        return
    yield "Fields present" + (
        f" ({', '.join(terminal(name, ascii_only=ascii_only) for name in groups)})" if len(groups) > 1 else ""
    )
    counted = [file for files in groups.values() for file in files]
    fields = list(counted[0].coverage)
    for field in fields:
        shares = []
        for files in groups.values():
            rows = sum(file.rows - file.quarantined for file in files)
            share = sum(file.coverage[field] * (file.rows - file.quarantined) for file in files) / max(rows, 1)
            shares.append("-" if not share else f"{share:.0%}" if share >= 0.01 else "<1%")
        if any(share != "-" for share in shares):
            yield f"  {field:<17}" + "".join(f"{share:>8}" for share in shares)
    lacking = [field for field in fields if not any(file.coverage[field] for file in counted)]
    yield f"  none has: {', '.join(lacking)}"
