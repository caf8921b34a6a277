#include "android_bench/runner/shapes.h"

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

InputShapes Parsed(const std::string& text) {
  InputShapes shapes;
  AddShape(text, &shapes);
  return shapes;
}

}  // namespace

int main() {
  CHECK(Parsed("image=1,192,192,3").at("image") == (Shape{1, 192, 192, 3}));
  CHECK(Parsed("a=b=7").at("a=b") == (Shape{7}));
  for (const char* wrong : {"", "image", "=1", "image=", "image=1,", "image=,1", "image=0",
                            "image=-1", "image=1x", "image= 1", "image=1,,2", "image=+1",
                            "image=99999999999999999999", "image=1,1,1,1,1,1,1,1,1"}) {
    CHECK_THROWS(Parsed(wrong), "is not NAME=1,192,192,3");
  }
  InputShapes twice = Parsed("image=1");
  CHECK_THROWS(AddShape("image=2", &twice), "was given a shape before");

  CheckNames({{"a", {1}}}, {"b", "a"});
  CHECK_THROWS((CheckNames({{"c", {1}}}, {"b", "a"}), 0), "no input 'c'; it has b, a");
  CheckShape("x", {-1, -1, 3}, {4, 5, 3});
  CHECK_THROWS((CheckShape("x", {1, -1, 3}, {1, 5, 4}), 0),
               "the shape [1, 5, 4] does not fit input 'x', which takes [1, -1, 3]");
  CHECK_THROWS((CheckShape("x", {1, -1}, {1, 5, 3}), 0), "does not fit");
  CHECK(!NeedsShape({-1, 224, 224, 3}) && !NeedsShape({}) && !NeedsShape({1, 2}));
  CHECK(NeedsShape({1, -1, 224, 3}));
  return Failures();
}
