"""`mobilekit run`: a whole plan."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_json

if TYPE_CHECKING:
    from mobilekit.report import Report

EXAMPLES = """\
  mobilekit run examples/quickstart.toml
  mobilekit run plan.toml --dry-run
  mobilekit run plan.toml --out results/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the plan and where its results go."""
    parser.add_argument("plan", type=Path, help="a plan: see docs/formats.md")
    parser.add_argument("--out", type=Path, help="folder of the results (default: the plan's)")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    add_json(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )


def run(args: argparse.Namespace) -> None:
    """Runs the plan, then prints the table, the verdicts and where the report is."""
    from mobilekit.cli.output import print_json, print_table
    from mobilekit.cli.progress import StartsBar
    from mobilekit.pipeline import outline, run_plan
    from mobilekit.plan import OutputPlan, read_plan

    plan = read_plan(args.plan)
    if args.out is not None:
        plan = replace(plan, output=OutputPlan(dir=str(args.out)))
    if args.dry_run:
        print("\n".join(outline(plan)))
        return
    command = ["mobilekit", "run", str(args.plan), *(["--out", str(args.out)] if args.out else [])]
    with StartsBar() as progress:
        outcome = run_plan(
            plan, command=shlex.join(command), progress=progress, say=progress.say, again=args.again
        )
    if outcome.report is None and args.json:
        print_json([candidate.model for candidate in outcome.candidates])
        return
    if outcome.report is None:
        print_table(
            ["file", "recipe", "bytes"],
            [[str(c.path), c.model.recipe, f"{c.model.size_bytes:,}"] for c in outcome.candidates],
        )
        return
    if args.json:
        print(outcome.report.json.read_text(), end="")
        return
    print_report(outcome.report)


def print_report(report: Report) -> None:
    """What was measured and answered, what that means, and where the page is."""
    from mobilekit.cli.output import print_notes, print_table
    from mobilekit.report import answers_table, sentences, terminal_table

    for table in (terminal_table(report.rows), answers_table(report.rows)):
        if table.rows:
            print(f"\n{table.title}")
            print_table(table.headers, table.rows)
    print()
    print_notes(sentence for comparison in report.comparisons for sentence in sentences(comparison))
    print("\nBefore you rely on this:")
    print_notes([*terminal_table(report.rows).notes, *report.notes])
    print(f"\nreport: {report.html}")
