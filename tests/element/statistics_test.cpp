#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "element_harness.h"
#include "framestatistics.h"

namespace padim::test {
namespace {

constexpr GstClockTime kFrame = GST_SECOND / 30;
constexpr const char* kStages[] = {"preprocess-ms", "network-ms", "embedding-ms", "distances-ms",
                                   "map-ms",        "regions-ms", "overlay-ms"};

struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};

std::unique_ptr<GstStructure, FreeStructure> stats_of(GstElement* element) {
  GstStructure* structure = nullptr;
  g_object_get(element, "stats", &structure, nullptr);
  return std::unique_ptr<GstStructure, FreeStructure>(structure);
}

// "frames reused dropped late"
std::string counts_of(GstElement* element) {
  const auto stats = stats_of(element);
  std::string counts;
  for (const char* name : {"frames", "reused", "dropped", "late"}) {
    const auto count = uint64_field(stats.get(), name);
    counts += (counts.empty() ? "" : " ") + (count ? std::to_string(*count) : "none");
  }
  return counts;
}

std::map<std::string, double> times_of(GstElement* element) {
  const auto stats = stats_of(element);
  std::map<std::string, double> times;
  for (const char* name : kStages) times[name] = double_field(stats.get(), name).value_or(NAN);
  return times;
}

// All fields are there before anything happened, and after the element stopped.
TEST(StatisticsTest, AreDefinedBeforeTheFirstFrame) {
  const auto element = make_element("");
  const auto stats = stats_of(element.get());
  ASSERT_NE(stats, nullptr);
  EXPECT_TRUE(gst_structure_has_name(stats.get(), "padim-stats"));
  EXPECT_EQ(gst_structure_n_fields(stats.get()), 13);
  EXPECT_EQ(counts_of(element.get()), "0 0 0 0");
  EXPECT_EQ(uint64_field(stats.get(), "latency"), 0U);
  for (const auto& [stage, time] : times_of(element.get())) EXPECT_EQ(time, 0) << stage;
}

struct Case {
  const char* name;
  const char* properties;
  const char* counts;  ///< of frames 0 to 5, of which 1 to 3 are late
};

// What became of each frame is counted, and frames that are late are, whatever became of them.
TEST(StatisticsTest, CountWhatBecameOfFrames) {
  const Case cases[] = {
      {"reused", "", "6 3 0 3"},
      {"scored all the same", "late-policy=block", "6 0 0 3"},
      {"dropped", "late-policy=drop", "6 0 3 3"},
      {"interval", "inference-interval=2", "6 4 0 3"},
  };
  for (const Case& c : cases) {
    ElementHarness harness("overlay=0 model-file=" + fitted_model() + " " + c.properties);
    harness.push_normal(0, 1);
    report_lateness(harness, 0, static_cast<GstClockTimeDiff>(3 * kFrame + kFrame / 2));
    for (int i = 1; i < 6; ++i) harness.run(i);
    EXPECT_EQ(counts_of(harness.element()), c.counts) << c.name;
  }
}

// Frames count in every mode; where nothing is detected, nothing is late and no stage took any time.
TEST(StatisticsTest, CountFramesInEveryMode) {
  const TemporaryFolder folder;
  for (const std::string& mode : {std::string("off"), "fit model-file=" + folder.file("model.padim")}) {
    ElementHarness harness("mode=" + mode);
    harness.push_normal(0, 1);
    report_lateness(harness, 0, static_cast<GstClockTimeDiff>(5 * kFrame));
    harness.push_normal(1, 3);
    EXPECT_EQ(counts_of(harness.element()), "4 0 0 0") << mode;
    for (const auto& [stage, time] : times_of(harness.element())) EXPECT_EQ(time, 0) << mode << ' ' << stage;
  }
}

// Every stage has a time once a frame was scored; only where something is drawn there is one of the overlay.
TEST(StatisticsTest, HaveATimePerStage) {
  for (const bool draws : {true, false}) {
    ElementHarness harness(std::string(draws ? "overlay=text" : "overlay=0") + " model-file=" + fitted_model());
    harness.push_normal(0, 3);
    const auto times = times_of(harness.element());
    for (const auto& [stage, time] : times) {
      EXPECT_TRUE(std::isfinite(time) && time >= 0) << stage << ' ' << time;
    }
    EXPECT_GT(times.at("network-ms"), 0);
    EXPECT_EQ(times.at("overlay-ms") > 0, draws);
  }
}

// A stopped element tells what was, a restarted one begins anew.
TEST(StatisticsTest, BeginAnewAtEachStart) {
  ElementHarness harness("overlay=0 inference-interval=2 model-file=" + fitted_model());
  harness.push_normal(0, 4);
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  EXPECT_EQ(counts_of(harness.element()), "4 2 0 0");
  gst_element_set_state(harness.element(), GST_STATE_PLAYING);
  EXPECT_EQ(counts_of(harness.element()), "0 0 0 0");
  for (const auto& [stage, time] : times_of(harness.element())) EXPECT_EQ(time, 0) << stage;
}

// Other threads read them at any time: what they see is whole.
TEST(StatisticsTest, AreReadWhileFramesFlow) {
  ElementHarness harness("overlay=0 inference-interval=1000 model-file=" + fitted_model());
  std::thread reader([&] {
    std::uint64_t frames = 0;
    while (frames < 50) {
      const auto stats = stats_of(harness.element());
      frames = uint64_field(stats.get(), "frames").value_or(0);
      const std::uint64_t reused = uint64_field(stats.get(), "reused").value_or(0);
      EXPECT_EQ(reused, frames == 0 ? 0 : frames - 1);
    }
  });
  for (int i = 0; i < 50; ++i) harness.run(i);
  reader.join();
}

// The mean of what there is, then of the latest: an old outlier is forgotten.
TEST(StatisticsTest, AverageTheLatestValues) {
  gst::MovingAverage average;
  EXPECT_EQ(average.value(), 0);
  average.add(3);
  EXPECT_DOUBLE_EQ(average.value(), 3);
  average.add(6);
  average.add(9);
  EXPECT_DOUBLE_EQ(average.value(), 6);
  average.add(1e6);
  for (int i = 0; i < 1000; ++i) average.add(5);
  EXPECT_NEAR(average.value(), 5, 1e-3);
}

}  // namespace
}  // namespace padim::test
