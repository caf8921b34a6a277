// Starts one .tflite file once and prints the runner's document as the last line of standard
// output; whatever LiteRT says goes to standard error. Exit codes: 0, 2 for a command line that
// cannot be read, 5 if the document has an error.
//
// What its numbers mean:
//
// - `init_us` is from the first byte of the file to buffers of inputs and outputs, with a warm page
//   cache: the file was read before, for its sha256.
// - Every timed invocation gets the first input of each stack: they are written into the runtime's
//   buffers, the model runs, and its outputs are copied out. `output_sha256` are the outputs of
//   that input. `--outputs` runs all inputs of the stacks once more, untimed.
// - `memory` is read before the profile that `actual` comes from, which compiles a second time.
// - `busy_share` is the part of all processors' time, from the start of this program to the end of
//   the measured runs, that neither this process nor idling took.

#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>

#include "android_bench/runner/arguments.h"
#include "android_bench/runner/crash.h"
#include "android_bench/runner/libraries.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/proc.h"
#include "android_bench/runner/run.h"

int main(int argc, char** argv) {
  using namespace mobilekit;
  const Proc proc;
  const BusyClock clock(proc);
  Arguments arguments;
  try {
    arguments = ParseArguments(argc, argv);
    if (!arguments.libraries.empty()) SearchIn(arguments.libraries, argv);
  } catch (const Problem& problem) {
    std::fprintf(stderr, "mobilekit_runner: %s\n", problem.what());
    return kExitError;
  } catch (const UsageProblem& problem) {
    std::fprintf(stderr, "mobilekit_runner: %s\n", problem.what());
    return kExitUsage;
  }
  if (arguments.help) return std::fputs(HelpText().c_str(), stdout) < 0 ? kExitError : 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed harness leaves no load behind
  Json document = Run(arguments, proc, clock);
  const bool failed = document["error"].Text() != "null";
  std::printf("%s\n", document.Text().c_str());
  if (std::fflush(stdout) != 0) return kExitError;
  return failed ? kExitError : 0;
}
