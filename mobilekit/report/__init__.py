"""Results for people and machines: one page, Markdown, CSV and JSON from a folder of results."""

from mobilekit.report.pages import DEFAULT_BASELINE, Report, write_report
from mobilekit.report.results import Results, read_accuracy, read_measurement, read_results
from mobilekit.report.rows import HEADLINE, Row, rows
from mobilekit.report.terminal import TerminalTable, answers_table, terminal_table
from mobilekit.report.verdicts import Refused, comparisons, sentences

__all__ = [
    "DEFAULT_BASELINE",
    "HEADLINE",
    "Refused",
    "Report",
    "Results",
    "Row",
    "TerminalTable",
    "answers_table",
    "comparisons",
    "read_accuracy",
    "read_measurement",
    "read_results",
    "rows",
    "sentences",
    "terminal_table",
    "write_report",
]
