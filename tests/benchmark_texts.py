"""What Google's benchmark tools print, and a program that prints it in their place.

Files under golden/benchmark_tools say by their names where they are from: "recorded-<version>" was
printed here by that version of LiteRT (litert-benchmark; LiteRtGetProfileSummary for the profile);
"documented" was written after the tools' documentation and sources, and was not recorded.
"""

import sys
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "benchmark_tools"
TEXT = (GOLDEN / "documented-benchmark_model.txt").read_text()
LITERT = (GOLDEN / "documented-benchmark_litert_model.txt").read_text()
LITERT_BENCHMARK = (GOLDEN / "recorded-2.3.0-litert_benchmark.txt").read_text()
# A very old build has no logger, one line of counts, and other words in the last line.
VERY_OLD = """\
STARTING!
count=75 first=12840 curr=11853 min=11787 max=13649 avg=12167.6 std=325
Average inference timings in us: Warmup: 27917.4, Init: 21528106, no stats: 23313.5
"""


def plain(text):
    return "\n".join(
        line.removeprefix("VERBOSE: ").removeprefix("INFO: ") for line in text.split("\n")
    )


def each_line(before):
    return lambda text: "\n".join(before + line for line in text.split("\n"))


STYLES = {
    "logger": lambda text: text,
    "plain": plain,
    "threadtime": lambda text: each_line("05-30 15:16:46.365  3380  3380 I tflite  : ")(
        plain(text)
    ),
    "time": lambda text: each_line("07-08 15:34:26.202 I/tflite  ( 5395): ")(plain(text)),
    "logcat_and_logger": each_line("05-30 15:16:46.365  3380  3380 I tflite  : "),
    "carriage_returns": lambda text: text.replace("\n", "\r\n"),
    "indented": each_line("   "),
}

# Prints TEXT with what the tool would repeat; {body} comes first and may change `text` or `code`.
FAKE = """#!{python}
import sys, time
from pathlib import Path
flags = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
text, code = {text!r}, 0
text = text.replace("Graph: [net.tflite]", "Graph: [" + flags["graph"] + "]")
text = text.replace("Num threads: [2]", "Num threads: [" + flags["num_threads"] + "]")
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
{body}
print(text)
sys.exit(code)
"""


def fake_tool(path, text=TEXT, body=""):
    """A program at `path` that prints `text`; its command lines go to `path`.log."""
    path.write_text(FAKE.format(python=sys.executable, text=text, log=f"{path}.log", body=body))
    return path


def flags_of(path):
    """The flags of every start of the fake, without dashes."""
    return [
        dict(word.removeprefix("--").split("=", 1) for word in line.split())
        for line in Path(f"{path}.log").read_text().splitlines()
    ]
