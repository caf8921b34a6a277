#include "android_bench/runner/arguments.h"

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

Arguments Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "mobilekit_runner");
  return ParseArguments(static_cast<int>(words.size()), words.data());
}

}  // namespace

int main() {
  const Arguments all = Parse({"--model", "a b.tflite", "--num-threads", "4", "--input", "x=y.npy",
                               "--input", "z.npy", "--input-range", "-3:7", "--seed",
                               "18446744073709551615", "--paced", "29.97", "--min-secs", "1.5",
                               "--require-delegate", "--delegate", "none", "--context", "host"});
  CHECK(all.model == "a b.tflite" && all.num_threads == 4);
  CHECK(all.inputs.files == (std::vector<std::string>{"x=y.npy", "z.npy"}));
  CHECK(all.inputs.range->low == -3 && all.inputs.range->high == 7);
  CHECK(all.inputs.seed == UINT64_MAX);
  CHECK(all.timing.paced_fps == 29.97 && all.timing.min_secs == 1.5);
  CHECK(all.require_delegate && all.delegate == "none" && all.context == "host");
  CHECK(all.sensors_secs == 0.5 && !all.profile && all.load.empty());
  const Arguments modes = Parse({"--model", "m", "--sustained", "90", "--load", "n.tflite",
                                 "--load-threads", "2", "--profile", "--sensors", "off",
                                 "--num-runs", "7", "--max-secs", "5"});
  CHECK(modes.timing.num_runs == 1 && modes.timing.min_secs == 90 && modes.timing.max_secs == 90);
  CHECK(modes.load == "n.tflite" && modes.load_threads == 2 && modes.profile);
  CHECK(modes.sensors_secs == 0);
  CHECK(Parse({"--model", "m", "--sensors", "0.25"}).sensors_secs == 0.25);
  const Arguments few = Parse({"--model", "m"});
  CHECK(few.timing.warmup_runs == 10 && few.timing.num_runs == 50 && few.num_threads == 1);
  CHECK(Parse({"--probe"}).probe);
  CHECK(Parse({"--help"}).help);

  CHECK_THROWS(Parse({}), "--model is needed");
  CHECK_THROWS(Parse({"--modle", "x"}), "unknown option '--modle'");
  CHECK_THROWS(Parse({"net.tflite"}), "unknown option 'net.tflite'");
  CHECK_THROWS(Parse({"--model"}), "--model needs a value");
  CHECK_THROWS(Parse({"--num-threads", "0"}), "--num-threads: '0' is not a whole number of 1..1024");
  CHECK_THROWS(Parse({"--num-threads", "2x"}), "'2x' is not a whole number");
  CHECK_THROWS(Parse({"--num-threads", ""}), "'' is not a whole number");
  CHECK_THROWS(Parse({"--num-runs", "99999999999999999999"}), "not a whole number");
  CHECK_THROWS(Parse({"--seed", "-1"}), "not a seed");
  CHECK_THROWS(Parse({"--min-secs", "nan"}), "not a number");
  CHECK_THROWS(Parse({"--model", "m", "--sustained", "9", "--paced", "30"}), "either");
  CHECK_THROWS(Parse({"--sensors", "never"}), "not a number");
  CHECK_THROWS(Parse({"--sensors", "0"}), "not off, or a number of 0.01 or more");
  CHECK_THROWS(Parse({"--input-range", "7:3"}), "not LOW:HIGH");
  CHECK_THROWS(Parse({"--input-range", "7"}), "not LOW:HIGH");
  CHECK_THROWS(Parse({"--delegate", "nnapi"}), "one of xnnpack, none");
  CHECK(HelpText().find("--require-delegate") != std::string::npos);
  return Failures();
}
