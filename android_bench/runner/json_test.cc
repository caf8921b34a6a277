#include "android_bench/runner/json.h"

#include <cmath>

#include "android_bench/runner/check.h"

using mobilekit::Json;

int main() {
  CHECK(Json().Text() == "null");
  CHECK(Json(true).Text() == "true");
  CHECK(Json(-5).Text() == "-5");
  CHECK(Json(~0ull).Text() == "18446744073709551615");
  CHECK(Json(0.5).Text() == "0.5");
  CHECK(Json(std::nan("")).Text() == "null");
  CHECK(Json(INFINITY).Text() == "null");
  CHECK(Json::MicrosecondsOf(1234567).Text() == "1234.567");
  CHECK(Json::MicrosecondsOf(7).Text() == "0.007");
  CHECK(Json::MicrosecondsOf(-1001).Text() == "-1.001");

  CHECK(Json("a\"b\\c").Text() == "\"a\\\"b\\\\c\"");
  CHECK(Json("line\nend\x01").Text() == "\"line\\u000aend\\u0001\"");
  CHECK(Json("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80").Text() ==
        "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  // Bytes that are no UTF-8: alone, cut off, overlong, half of a surrogate pair, too large.
  const char replaced[] = "\"\xEF\xBF\xBD\"";
  CHECK(Json("\xFF").Text() == replaced);
  CHECK(Json("\xC3").Text() == replaced);
  CHECK(Json(std::string("\xC0\xAF")).Text() == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(Json("\xED\xA0\x80").Text().find("\xED") == std::string::npos);
  CHECK(Json("\xF4\x90\x80\x80").Text().find("\xF4") == std::string::npos);
  CHECK(Json(std::string("a\0b", 3)).Text() == "\"a\\u0000b\"");

  Json object = Json::Object();
  CHECK(object.Text() == "{}" && object.empty());
  object["z"] = 1;
  object["list"] = Json::Array();
  object["list"].Push("x");
  object["list"].Push(nullptr);
  object["z"] = 2;
  object["inner"]["deep"] = false;
  CHECK(object.Text() == "{\"z\": 2, \"list\": [\"x\", null], \"inner\": {\"deep\": false}}");
  CHECK(Json::Array().Text() == "[]");
  CHECK(Json::MicrosecondsOf(std::vector<int64_t>{}).Text() == "[]");
  CHECK(Json::MicrosecondsOf(std::vector<int64_t>{1'234'567, -5}).Text() == "[1234.567, -0.005]");
  return Failures();
}
