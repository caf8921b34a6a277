"""Where programs and libraries come from, and which runner measures where."""

import json
import platform
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from android_bench.devices import DEVICE_KINDS
from android_bench.devices.host import HostDevice
from android_bench.folders import cache_dir
from android_bench.runners import RUNNERS
from android_bench.runners.artifacts import (
    DOWNLOADS,
    PLATFORMS,
    Library,
    MissingBinaryError,
    find_binary,
    find_library,
    find_placed,
    find_tool,
    placing,
    version_of,
)
from android_bench.runners.choosing import baseline_of, open_runner_for, with_baselines
from mobilekit.cli import main
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import RunConfig
from tests.adb_scene import adb_server, attach, modern_adb, simulated
from tests.benchmark_texts import TEXT, fake_tool, flags_of
from tests.native_scene import LIBRARY, ROOT, build_runner
from tests.sample_results import MEASUREMENT, RUN
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.tiny_models import tiny_float

OWN = platform.machine()
ARM = "arm64-v8a"
UNBUILT = "armeabi-v7a"  # `make test-arm64` leaves a runner for the other


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    for name in ("MOBILEKIT_RUNNER", "MOBILEKIT_LITERT_LIBRARY", "MOBILEKIT_LITERT_VERSION"):
        monkeypatch.delenv(name, raising=False)


def place(name, abi, version, content=b"x"):
    """A file of the cache."""
    path = cache_dir() / "binaries" / PLATFORMS[abi] / version / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# --- programs and libraries -----------------------------------------------------------------------


def test_the_program_is_found_by_its_variable_or_in_the_folder(monkeypatch):
    monkeypatch.setenv("MOBILEKIT_RUNNER", str(build_runner()))
    assert find_binary() == find_binary(ARM) == build_runner()
    monkeypatch.setenv("MOBILEKIT_RUNNER", "/no/such")
    with pytest.raises(UsageError, match="names /no/such, which is no file"):
        find_binary()
    monkeypatch.delenv("MOBILEKIT_RUNNER")
    assert find_binary() == find_binary(OWN) == ROOT / "build" / "runner" / "mobilekit_runner"


def test_a_program_that_was_built_for_an_abi_comes_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingBinaryError, match="not built for riscv64: run `make runner ABI=ris"):
        find_binary("riscv64")
    placed = place("mobilekit_runner", "armeabi-v7a", "2.3.0")
    assert find_binary("armeabi-v7a") == placed
    built = tmp_path / "build" / "runner" / "armeabi-v7a" / "mobilekit_runner"
    built.parent.mkdir(parents=True)
    built.write_bytes(b"x")
    assert find_binary("armeabi-v7a") == built


def test_the_library_of_this_computer_is_that_of_the_installed_package():
    assert find_library() == find_library(OWN) == LIBRARY
    assert (LIBRARY.path.name, LIBRARY.version) == ("libLiteRt.so", "2.3.0")


def test_the_library_of_another_abi_is_that_of_the_cache():
    with pytest.raises(MissingBinaryError, match="place it in the cache with `curl --fail"):
        find_library(ARM)
    with pytest.raises(MissingBinaryError, match=r"place it in .*/<version>/libLiteRt\.so"):
        find_library("riscv64")
    path = place("libLiteRt.so", ARM, "2.3.0")
    assert find_library(ARM) == Library(path=path, version="2.3.0")


def test_the_newest_version_is_taken_and_a_nightly_one_only_alone():
    nightly = place("benchmark_model", ARM, "nightly")
    assert find_tool("benchmark_model", ARM) == nightly
    place("benchmark_model", ARM, "2.9.0")
    newest = place("benchmark_model", ARM, "2.10.0")
    assert find_tool("benchmark_model", ARM) == newest
    assert (version_of(nightly), version_of(newest)) == ("nightly", "2.10.0")
    assert find_placed("benchmark_model", "no-such-abi") is None


@pytest.mark.parametrize(
    ("folder", "beside", "version"),
    [
        ("site/ai_edge_litert", "site/ai_edge_litert-2.3.0.dist-info", "2.3.0"),
        ("binaries/2.4.1/android_arm64", None, "2.4.1"),
    ],
)
def test_the_version_of_a_named_library_is_told_by_where_it_lies(
    tmp_path, monkeypatch, folder, beside, version
):
    path = tmp_path / folder / "libLiteRt.so"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    if beside:
        (tmp_path / beside).mkdir()
    monkeypatch.setenv("MOBILEKIT_LITERT_LIBRARY", str(path))
    assert find_library() == Library(path=path, version=version)
    monkeypatch.setenv("MOBILEKIT_LITERT_VERSION", "2.3.0")
    assert find_library().version == "2.3.0"


def test_a_library_of_unknown_version_or_none_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "libLiteRt.so"
    monkeypatch.setenv("MOBILEKIT_LITERT_LIBRARY", str(path))
    with pytest.raises(UsageError, match="which is no file"):
        find_library()
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="name it in MOBILEKIT_LITERT_VERSION"):
        find_library()


@pytest.mark.parametrize("name", DOWNLOADS)
def test_the_command_places_a_file_where_it_is_found(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_CACHE_DIR", str(tmp_path / "my cache"))
    words = shlex.split(placing(DOWNLOADS[name]))
    assert words[0] == "curl"
    assert words[-1].startswith("https://storage.googleapis.com/")
    target = Path(words[words.index("-Lo") + 1])
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")
    assert find_placed(name, ARM) == target


def test_doctor_prints_whole_commands_for_what_is_missing_and_none_for_what_is_there(capsys):
    placed = place("benchmark_model", ARM, "nightly")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert placing(DOWNLOADS["libLiteRt.so"]) in lines
    assert placing(DOWNLOADS["benchmark_model"]) not in lines
    assert main(["doctor", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found[f"benchmark_model, {ARM}"]["found"] == str(placed)
    assert found[f"libLiteRt.so, {ARM}"]["command"] == placing(DOWNLOADS["libLiteRt.so"])
    assert f"make runner ABI={ARM}" in found[f"native runner, {ARM}"]["remedy"]


# --- which runner ---------------------------------------------------------------------------------


def test_every_kind_of_device_has_a_runner_that_gives_raw_latencies():
    assert {kind.name: kind.runner for kind in DEVICE_KINDS.values()} == {
        "host": "litert_python",
        "adb": "native",
        "ssh": "litert_python",
    }
    assert all(RUNNERS[kind.runner].gives_outputs for kind in DEVICE_KINDS.values())


def test_a_computer_is_measured_by_python_unless_another_runner_is_named(tmp_path):
    device = HostDevice(workspace=tmp_path / "work")
    assert open_runner_for(device).name == "litert_python"
    assert open_runner_for(device, "native", binary=build_runner()).name == "native"
    with pytest.raises(UsageError, match=r"^--runner-binary names /none, which is no file\.$"):
        open_runner_for(device, "native", binary=Path("/none"))
    with pytest.raises(MissingBinaryError, match="host: There is no benchmark_model for"):
        open_runner_for(device, "benchmark_model")
    place("benchmark_model", OWN, "2.17.0")
    assert open_runner_for(device, "benchmark_model").program().version == "2.17.0"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with adb_server(modern_adb(), tmp_path_factory.mktemp("server")) as adb:
        yield adb


def phone_of(abi):
    return Phone(Profile(model="Left", properties={"ro.product.cpu.abi": abi}))


def test_a_phone_without_our_runner_is_told_what_would_run_and_nothing_takes_its_place(server):
    with simulated(server, phone_of(UNBUILT)) as device:
        with pytest.raises(MissingBinaryError, match="doctor` lists what else") as caught:
            open_runner_for(device)
        assert str(caught.value).startswith("left: The native runner was not built for armeabi-v7a")
        placed = place("benchmark_model", UNBUILT, "nightly")
        with pytest.raises(MissingBinaryError) as caught:
            open_runner_for(device)
        assert str(caught.value).endswith(
            f"{placed} is there and would run, for statistics without raw samples or outputs: ask"
            " for it with --runner benchmark_model."
        )
        assert open_runner_for(device, "benchmark_model").name == "benchmark_model"
        place("mobilekit_runner", UNBUILT, "2.3.0")
        with pytest.raises(MissingBinaryError, match=r"No libLiteRt\.so for armeabi-v7a"):
            open_runner_for(device)
        place("libLiteRt.so", UNBUILT, "2.3.0")
        assert open_runner_for(device).name == "native"


# --- baselines ------------------------------------------------------------------------------------

CPU = RunConfig(num_threads=2)
NNAPI = replace(CPU, delegate="nnapi@30", require_delegate=True)


@pytest.mark.parametrize(
    ("runner", "asked", "given"),
    [
        ("benchmark_model", [NNAPI], (NNAPI, CPU)),
        ("benchmark_model", [CPU, NNAPI], (CPU, NNAPI)),
        (
            "benchmark_model",
            [NNAPI, replace(NNAPI, num_threads=4)],
            (NNAPI, replace(NNAPI, num_threads=4), CPU, replace(CPU, num_threads=4)),
        ),
        ("benchmark_model", [replace(CPU, delegate="gpu")], (replace(CPU, delegate="gpu"),)),
        ("native", [CPU], (CPU,)),
    ],
)
def test_nnapi_brings_the_cpu_in_the_same_runner(runner, asked, given):
    assert with_baselines(asked, runner) == given


def of_tool(**config):
    run = replace(RUN, runner=replace(RUN.runner, name="benchmark_model"))
    settings = replace(MEASUREMENT.config, **config)
    return replace(MEASUREMENT, config=settings, runs=(run,))


def test_the_baseline_has_the_same_file_and_settings():
    candidate = of_tool(delegate="nnapi@30", require_delegate=True)
    own, four = of_tool(delegate="xnnpack"), of_tool(delegate="xnnpack", num_threads=4)
    assert baseline_of(candidate, [four, candidate, own]) == own
    assert baseline_of(candidate, [four, candidate]) is None
    assert baseline_of(own, [candidate, own]) is None
    assert baseline_of(replace(candidate, runs=()), [own]) is None


def test_the_command_measures_nnapi_and_its_cpu_and_compares_them(
    server, tmp_path, monkeypatch, capsys
):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(server.path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.port))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    said = "INFO: Replacing 60 out of 66 node(s) with delegate (TfLiteNnapiDelegate) node, yielding"
    body = "if 'use_nnapi' in flags: text = text.replace('12100.5', '11950.5')"
    binary = fake_tool(tmp_path / "tool", f"{said} 2 partitions for subgraph 0.\n{TEXT}", body)
    (tmp_path / "net.tflite").write_bytes(tiny_float())
    with phone_of(OWN) as phone:
        attach(server, phone)
        words = ["--delegate", "nnapi", "--runner", "benchmark_model", "--repetitions", "6"]
        words += ["--cool-to", "none"]
        words += ["--runner-binary", str(binary), "--device", phone.address]
        assert main(["benchmark", "net.tflite", *words]) == 0
        server.run(["disconnect", phone.address], device="test", timeout_s=20)
    printed = " ".join(capsys.readouterr().out.split())
    assert "benchmark_model alone applies nnapi@fl8, so it measured the CPU too" in printed
    assert "nnapi@fl8 against xnnpack on left (simulated)" in printed
    assert "no raw samples: the mean over its invocations stands for the median" in printed
    started = flags_of(binary)
    assert sum("use_nnapi" in flags for flags in started) == 6
    assert sum("use_xnnpack" in flags for flags in started) == 6
