#include "android_bench/runner/said.h"

#include <unistd.h>

#include <cstdio>

#include "android_bench/runner/check.h"

using namespace mobilekit;

int main() {
  Listening listening;
  std::fputs("one\n", stderr);
  CHECK(write(STDERR_FILENO, "two\n", 4) == 4);
  CHECK(listening.Stop() == "one\ntwo\n");
  CHECK(listening.Stop().empty());

  CHECK(HardwareOf("INFO: x\nI0000 environment.cc:532] Selected adapter: A, type=CPU\nrest\n") ==
        "A, type=CPU");
  CHECK(!HardwareOf("INFO: nothing of the kind"));
  CHECK(HardwareOf("INFO: [x.cc:77] Using Intel OpenVINO device: CPU\n") == "OpenVINO device CPU");
  CHECK(ErrorOf("ERROR: first\nERROR: [a.cc:12] second\nINFO: x\n") == "second");
  CHECK(ErrorOf("ERROR: no place") == "no place");
  CHECK(ErrorOf("INFO: fine\n").empty());
  return Failures();
}
