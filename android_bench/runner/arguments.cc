#include "android_bench/runner/arguments.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

namespace mobilekit {
namespace {

constexpr double kMostSeconds = 1e6;
constexpr double kLeastSensorSeconds = 0.01;
constexpr int64_t kMostRuns = 1'000'000'000;

using Take = std::function<void(const std::string&)>;

// One option: its name, what its value looks like ("" for a flag), what it does.
struct Row {
  const char* name;
  const char* value;
  const char* help;
  Take take;
};

[[noreturn]] void Refuse(const std::string& text, const std::string& wanted) {
  throw UsageProblem("'" + text + "' is not " + wanted);
}

int64_t WholeNumber(const std::string& text, int64_t least, int64_t most) {
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != 0 || errno != 0 || value < least || value > most) {
    Refuse(text, "a whole number of " + std::to_string(least) + ".." + std::to_string(most));
  }
  return value;
}

uint64_t Seed(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (text.empty() || !digits || errno != 0) Refuse(text, "a seed: a whole number of 64 bits");
  return value;
}

double Number(const std::string& text, double most) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0 || !(value >= 0 && value <= most)) {
    Refuse(text, "a number of 0.." + std::to_string(static_cast<int64_t>(most)));
  }
  return value;
}

IntegerRange Range(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) Refuse(text, "LOW:HIGH");
  constexpr int64_t kMost = INT64_MAX, kLeast = INT64_MIN;
  const IntegerRange range = {WholeNumber(text.substr(0, colon), kLeast, kMost),
                              WholeNumber(text.substr(colon + 1), kLeast, kMost)};
  if (range.low > range.high) Refuse(text, "LOW:HIGH");
  return range;
}

std::string OneOf(const std::string& text, const std::vector<std::string>& choices) {
  std::string list;
  for (const std::string& choice : choices) {
    if (text == choice) return text;
    list += (list.empty() ? "" : ", ") + choice;
  }
  Refuse(text, "one of " + list);
}

double SensorSeconds(const std::string& text) {
  if (text == "off") return 0;
  const double seconds = Number(text, kMostSeconds);
  if (seconds < kLeastSensorSeconds) Refuse(text, "off, or a number of 0.01 or more");
  return seconds;
}

// What one option cannot say alone.
void Finish(Arguments* arguments) {
  TextOf(FindDelegate(arguments->delegate), arguments->options);  // which refuses what it lacks
  if (!arguments->weight_cache.empty() && arguments->delegate != "xnnpack") {
    throw UsageProblem("--weight-cache: only xnnpack has one");
  }
  if (!arguments->weight_cache.empty() && arguments->options.count("fp16") != 0) {
    // "An invalid pack identifier was created", and an abort.
    throw UsageProblem("--weight-cache: XNNPACK of LiteRT 2.3.0 crashes with one and fp16");
  }
  TimingOptions* time = &arguments->timing;
  if (arguments->sustained_secs <= 0) return;
  if (time->paced_fps > 0) throw UsageProblem("a run is either --paced or --sustained");
  time->num_runs = 1;
  time->min_secs = time->max_secs = arguments->sustained_secs;
}

void Option(const std::string& text, Arguments* to) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) Refuse(text, "NAME=VALUE");
  const bool fresh = to->options.emplace(text.substr(0, equals), text.substr(equals + 1)).second;
  if (!fresh) Refuse(text, "new: that option was given before");
}

std::vector<Row> Rows(Arguments* to) {
  InputOptions* in = &to->inputs;
  TimingOptions* time = &to->timing;
  const auto text = [](std::string* target) {
    return [target](const std::string& value) { *target = value; };
  };
  const auto flag = [](bool* target) { return [target](const std::string&) { *target = true; }; };
  const auto seconds = [](double* target) {
    return [target](const std::string& value) { *target = Number(value, kMostSeconds); };
  };
  const auto runs = [](size_t* target, int64_t least) {
    return [target, least](const std::string& value) {
      *target = static_cast<size_t>(WholeNumber(value, least, kMostRuns));
    };
  };
  return {
      {"--help", "", "print this", flag(&to->help)},
      {"--probe", "", "say which runtime this is, run nothing", flag(&to->probe)},
      {"--model", "FILE", "the .tflite file", text(&to->model)},
      {"--library", "FILE", "LiteRT's libLiteRt.so", text(&to->library)},
      {"--library-version", "VERSION", "what the library is; it does not say it itself",
       text(&to->library_version)},
      {"--context", "NAME", "where this runs: host, shell or app",
       [to](const std::string& v) { to->context = OneOf(v, {"host", "shell", "app"}); }},
      {"--libraries", "FOLDER", "where lies what delegates need beside the library",
       text(&to->libraries)},
      {"--delegate", "NAME", "xnnpack, none (LiteRT's built-in kernels), gpu-mldrift, or an NPU's",
       [to](const std::string& v) {
         FindDelegate(v);
         to->delegate = v;
       }},
      {"--option", "NAME=VALUE", "of the delegate", [to](const std::string& v) { Option(v, to); }},
      {"--weight-cache", "FILE", "XNNPACK's packed weights: read, or written where none are",
       text(&to->weight_cache)},
      {"--shape", "NAME=1,2,3", "of an input whose shape is not fixed",
       [to](const std::string& v) { AddShape(v, &to->shapes); }},
      {"--require-delegate", "", "a node that the delegate did not take is an error",
       flag(&to->require_delegate)},
      {"--num-threads", "N", "threads of the CPU",
       [to](const std::string& v) { to->num_threads = static_cast<int>(WholeNumber(v, 1, 1024)); }},
      {"--affinity", "WHICH", "processors: big, little, or a hexadecimal mask",
       text(&to->affinity)},
      {"--signature", "KEY", "which signature; the first where none is named",
       text(&to->signature)},
      {"--input", "[NAME=]FILE", "a stack of inputs as .npy; once for every model input",
       [in](const std::string& v) { in->files.push_back(v); }},
      {"--seed", "N", "of the inputs where none are given",
       [in](const std::string& v) { in->seed = Seed(v); }},
      {"--input-count", "N", "of seeded inputs", runs(&in->count, 1)},
      {"--input-range", "LOW:HIGH", "of seeded whole numbers",
       [in](const std::string& v) { in->range = Range(v); }},
      {"--outputs", "FOLDER", "write the outputs of all inputs there", text(&to->outputs)},
      {"--warmup-runs", "N", "invocations after the first one, at least",
       runs(&time->warmup_runs, 0)},
      {"--warmup-min-secs", "S", "and for that long, until successive windows agree within 2 %",
       seconds(&time->warmup_min_secs)},
      {"--num-runs", "N", "measured invocations, at least", runs(&time->num_runs, 1)},
      {"--min-secs", "S", "measured invocations last at least that long", seconds(&time->min_secs)},
      {"--max-secs", "S", "and end then, whatever their number", seconds(&time->max_secs)},
      {"--paced", "FPS", "invoke so many times a second, and count missed deadlines",
       [time](const std::string& v) { time->paced_fps = Number(v, 10'000); }},
      {"--sustained", "S", "one long run of that time, whatever the four options before say",
       seconds(&to->sustained_secs)},
      {"--load", "FILE", "a second model that runs all the time beside the measured one",
       text(&to->load)},
      {"--load-threads", "N", "threads of it",
       [to](const std::string& v) { to->load_threads = static_cast<int>(WholeNumber(v, 1, 1024)); }},
      {"--profile", "", "time every operator, which slows the run", flag(&to->profile)},
      {"--sensors", "S|off", "least time between two readings of the sensors during the run",
       [to](const std::string& v) { to->sensors_secs = SensorSeconds(v); }},
      {"--sysfs-root", "FOLDER", "for tests: read the sensors of FOLDER/sys", text(&to->sysfs_root)},
  };
}

}  // namespace

Arguments ParseArguments(int argc, const char* const* argv) {
  Arguments arguments;
  const std::vector<Row> rows = Rows(&arguments);
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const Row* found = nullptr;
    for (const Row& row : rows) {
      if (name == row.name) found = &row;
    }
    if (found == nullptr) throw UsageProblem("unknown option '" + name + "'; see --help");
    const bool takes_value = *found->value != 0;
    if (takes_value && i + 1 == argc) throw UsageProblem(name + " needs a value");
    try {
      found->take(takes_value ? argv[++i] : "");
    } catch (const UsageProblem& problem) {
      throw UsageProblem(name + ": " + problem.what());
    }
  }
  if (!arguments.help && !arguments.probe && arguments.model.empty()) {
    throw UsageProblem("--model is needed; see --help");
  }
  Finish(&arguments);
  return arguments;
}

std::string HelpText() {
  Arguments defaults;
  std::string text = "mobilekit_runner: runs one .tflite file, prints one JSON document.\n\n";
  for (const Row& row : Rows(&defaults)) {
    std::string left = std::string("  ") + row.name + " " + row.value;
    left.resize(left.size() < 30 ? 30 : left.size() + 1, ' ');
    text += left + row.help + "\n";
  }
  return text;
}

}  // namespace mobilekit
