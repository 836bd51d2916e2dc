#include "padim/frame_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace padim {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Detection anomaly() {
  Detection detection;
  detection.raw_score = 30.25;
  detection.score = 0.75;
  detection.threshold = 0.5;
  detection.anomalous = true;
  detection.regions = {{1, 2, 30, 40, 812.5, 0.75}, {0, 7, 1, 1, 0.25, 0.5}};
  return detection;
}

// The whole line for a frame of a video, keys in their documented order.
TEST(FrameRecord, WritesAnAnomalousFrame) {
  const FrameRecord record{"cam \"1\"", 42, 1'400'000'000, FrameState::detect};
  const Detection detection = anomaly();
  EXPECT_EQ(to_json(record, &detection),
            R"({"source":"cam \"1\"","frame":42,"pts_ns":1400000000,"state":"detect","raw_score":30.25,"score":0.75,)"
            R"("threshold":0.5,"anomalous":true,"regions":[)"
            R"({"x":1,"y":2,"width":30,"height":40,"area":812.5,"score":0.75},)"
            R"({"x":0,"y":7,"width":1,"height":1,"area":0.25,"score":0.5}]})");
}

// Inside a pipeline a frame has three more times.
TEST(FrameRecord, WritesThePipelinesTimes) {
  FrameRecord record{"inspector", 7, 3'000, FrameState::fit};
  record.running_time_ns = 12'000;
  record.stream_time_ns = 8'000;
  record.wall_clock = "2026-03-01T06:30:00.250Z";
  EXPECT_EQ(to_json(record, nullptr),
            R"({"source":"inspector","frame":7,"wall_clock":"2026-03-01T06:30:00.250Z","pts_ns":3000,)"
            R"("running_time_ns":12000,"stream_time_ns":8000,)"
            R"("state":"fit"})");
}

// What does not exist (a still image's time, the score of a fitted frame) has no key.
TEST(FrameRecord, LeavesOutWhatDoesNotExist) {
  EXPECT_EQ(to_json({"a.png", 0, std::nullopt, FrameState::fit}, nullptr),
            R"({"source":"a.png","frame":0,"state":"fit"})");
  const Detection normal;
  EXPECT_EQ(to_json({"a.png", 0, std::nullopt, FrameState::detect}, &normal),
            R"({"source":"a.png","frame":0,"state":"detect","raw_score":0,"score":0,"threshold":0.5,)"
            R"("anomalous":false,"regions":[]})");
}

// A changed scene is said as long as it lasts.
TEST(FrameRecord, NamesWhatHasChanged) {
  const Detection normal;
  const FrameRecord record{.source = "cam", .frame = 0, .pts_ns = 0, .scene = SceneCause::light};
  EXPECT_EQ(nlohmann::json::parse(to_json(record, &normal))["scene"], "light");
}

// Any bytes make a valid JSON string: what is not UTF-8 is replaced, the rest survives a parser unchanged.
TEST(FrameRecord, EscapesStrings) {
  const struct {
    std::string source;
    std::string parsed;
  } cases[] = {
      {"", ""},
      {"C:\\x\t\"y\"\r\n", "C:\\x\t\"y\"\r\n"},
      {std::string("\0\x01\x1f\x7f", 4), std::string("\0\x01\x1f\x7f", 4)},
      {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a\x80z", "a\xEF\xBF\xBDz"},                                              // continuation without a lead
      {"\xC3", "\xEF\xBF\xBD"},                                                  // cut short
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // beyond U+10FFFF
  };
  for (const auto& c : cases) {
    const auto json = nlohmann::json::parse(to_json({c.source, 0, 0}, nullptr));
    EXPECT_EQ(json["source"], c.parsed);
  }
}

// Each state has a name of its own.
TEST(FrameRecord, NamesEachState) {
  const std::pair<FrameState, const char*> names[] = {
      {FrameState::detect, "detect"},       {FrameState::learn, "learn"},
      {FrameState::reuse, "reuse"},         {FrameState::fit, "fit"},
      {FrameState::finishing, "finishing"}, {FrameState::loading, "loading"},
      {FrameState::drop, "drop"},           {FrameState::off, "off"},
      {FrameState::broken, "broken"},
  };
  for (const auto& [state, name] : names) {
    const auto json = nlohmann::json::parse(to_json({"cam", 0, 0, state}, nullptr));
    EXPECT_EQ(json["state"], name);
    EXPECT_EQ(to_string(state), name);
  }
}

// A parser reads back exactly the doubles that were written; what JSON cannot say is null.
TEST(FrameRecord, NumbersRoundTrip) {
  for (const double value : {0.1, 1.0 / 3, 1e-300, 1.7976931348623157e308, 123456789.125, 5e-324}) {
    Detection detection = anomaly();
    detection.raw_score = value;
    detection.regions[0].area = value;
    const auto json = nlohmann::json::parse(to_json({}, &detection));
    EXPECT_EQ(json["raw_score"].get<double>(), value);
    EXPECT_EQ(json["regions"][0]["area"].get<double>(), value);
  }
  for (const double value : {kNan, kInfinity, -kInfinity}) {
    Detection detection = anomaly();
    detection.raw_score = detection.score = detection.threshold = detection.regions[1].score = value;
    const auto json = nlohmann::json::parse(to_json({}, &detection));
    EXPECT_TRUE(json["raw_score"].is_null());
    EXPECT_TRUE(json["score"].is_null());
    EXPECT_TRUE(json["threshold"].is_null());
    EXPECT_TRUE(json["regions"][1]["score"].is_null());
  }
}

}  // namespace
}  // namespace padim
