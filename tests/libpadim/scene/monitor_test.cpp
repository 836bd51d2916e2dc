#include "padim/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "scene/cause.h"
#include "scene/limits.h"

namespace padim::test {
namespace {

constexpr Appearance kUsual{110, 40, 0.3};
constexpr double kUsualDistance = 15;
constexpr double kLimit = 20;
constexpr int kSegments = 8;
constexpr int kFitted = 64;  // blocks of 8 frames, 5 of them

SceneReference reference() {
  SceneReference scene;
  scene.appearance = {{100, 36, 0.28}, {120, 44, 0.32}};
  scene.median_distance = kLimit;
  scene.segments = kSegments;
  scene.frames = kFitted;
  return scene;
}

// What a frame shows.
struct Shown {
  Appearance appearance = kUsual;
  bool other = false;  // unlike the fit, by its distances and by its score
  bool still = false;  // the picture of the frame before
};

// A monitor, and what it says as a line of "begin-frame:cause first" and "end-frame:cause first-last".
class Stream {
 public:
  explicit Stream(const std::optional<SceneReference>& scene) : monitor_(scene) {}

  Stream& show(int frames, const Shown& shown) {
    for (int i = 0; i < frames; ++i) {
      repeats_ = shown.still ? repeats_ + 1 : 0;
      const double distance = shown.other ? 2 * kLimit : kUsualDistance;
      note(monitor_.observe({next_, shown.appearance, repeats_, distance, shown.other}));
      ++next_;
    }
    return *this;
  }

  [[nodiscard]] std::string said() const { return said_; }
  SceneMonitor& monitor() { return monitor_; }

 private:
  void note(const SceneUpdate& update) {
    if (update.ended) {
      said_ += "-" + std::to_string(next_) + ":" + to_string(update.ended->cause) + " " +
               std::to_string(update.ended->first) + "-" + std::to_string(update.ended->last) + ";";
    }
    if (update.begun) {
      said_ += "+" + std::to_string(next_) + ":" + to_string(update.begun->cause) + " " +
               std::to_string(update.begun->first) + ";";
    }
  }

  SceneMonitor monitor_;
  std::int64_t next_ = 0;
  std::int64_t repeats_ = 0;
  std::string said_;
};

// What changes the level of the whole picture is said after five blocks of eight, from its first block on, and named by
// what it looks like; its end after one block.
TEST(SceneMonitor, NamesWhatChangedTheScene) {
  const std::vector<std::pair<Appearance, std::string>> cases{
      {{50, 18, 0.3}, "light"},   // a lower gain
      {{150, 54, 0.3}, "light"},  // a higher one
      {{115, 25, 0.3}, "light"},  // haze
      {{110, 36, 0.14}, "defocused"}, {{60, 5, 0.1}, "covered"},  {{110, 8, 0.3}, "covered"},
      {{111, 41, 0.3}, "moved"},      {{105, 70, 0.45}, "moved"},
  };
  for (const auto& [appearance, cause] : cases) {
    Stream stream(reference());
    stream.show(40, {}).show(80, {.appearance = appearance, .other = true}).show(40, {});
    EXPECT_EQ(stream.said(), "+79:" + cause + " 40;-127:" + cause + " 40-119;");
    EXPECT_FALSE(what_to_do(SceneCause::moved).empty());
  }
}

// Neither the level of the distances alone, nor alarms alone, nor four blocks change the scene.
TEST(SceneMonitor, NeedsLevelAlarmsAndTime) {
  Stream stream(reference());
  stream.show(16, {}).show(32, {.other = true}).show(8, {}).show(32, {.other = true}).show(8, {});
  EXPECT_EQ(stream.said(), "");
  SceneMonitor monitor(reference());
  for (int i = 0; i < 400; ++i) {
    EXPECT_FALSE(monitor.observe({i, kUsual, 0, 2 * kLimit, i % 8 < 3}).begun);  // three alarms of eight
    EXPECT_FALSE(monitor.observe({i, kUsual, 0, kUsualDistance, true}).begun);
  }
}

// Black, white and flat pictures are said with the second frame, and end with the second without.
TEST(SceneMonitor, SaysBlankPicturesAtOnce) {
  const std::vector<std::pair<Appearance, std::string>> cases{
      {{1, 0.5, 0.4}, "black"}, {{253, 1, 0.4}, "white"}, {{90, 0.2, 0}, "covered"}};
  for (const auto& [appearance, cause] : cases) {
    for (const auto& scene : {std::optional(reference()), std::optional<SceneReference>()}) {
      Stream stream(scene);
      stream.show(5, {}).show(1, {.appearance = appearance}).show(5, {}).show(9, {.appearance = appearance});
      stream.show(5, {});
      EXPECT_EQ(stream.said(), "+12:" + cause + " 11;-21:" + cause + " 11-19;");
    }
  }
}

// Fitted frames that were black, white or flat themselves are normal.
TEST(SceneMonitor, KnowsTheFitsOwnBlankPictures) {
  SceneReference scene = reference();
  scene.appearance = {{0, 0, 0}, {255, 44, 0.32}};
  Stream stream(scene);
  stream.show(9, {.appearance = {0, 0, 0}}).show(9, {.appearance = {255, 0, 0}});
  EXPECT_EQ(stream.said(), "");
  scene.appearance.least.luma = 4;  // a night scene
  Stream dark(scene);
  dark.show(9, {.appearance = {3, 2, 0.3}}).show(9, {.appearance = {1, 2, 0.3}});
  EXPECT_EQ(dark.said(), "+10:black 9;");
}

// A picture that comes again is frozen after 32 frames, and after twice what the fit had seen; a fit of still pictures
// knows no other.
TEST(SceneMonitor, SaysWhenThePictureIsFrozen) {
  Stream stream(reference());
  stream.show(10, {}).show(30, {.still = true}).show(10, {}).show(40, {.still = true}).show(6, {});
  EXPECT_EQ(stream.said(), "+80:frozen 49;-91:frozen 49-89;");

  SceneReference doubled = reference();
  doubled.longest_still = 20;
  Stream patient(doubled);
  patient.show(10, {}).show(38, {.still = true}).show(6, {}).show(39, {.still = true});
  EXPECT_EQ(patient.said(), "+92:frozen 53;");

  SceneReference still = reference();
  still.longest_still = kFitted / 2;
  Stream pattern(still);
  pattern.show(1, {}).show(500, {.still = true});
  EXPECT_EQ(pattern.said(), "");

  Stream unknown({});
  unknown.show(1, {}).show(40, {.still = true});
  EXPECT_EQ(unknown.said(), "+31:frozen 0;");
}

// A model without a reference, or whose threshold is not calibrated, has no level.
TEST(SceneMonitor, HasNoLevelWithoutSegments) {
  SceneReference uncalibrated = reference();
  uncalibrated.segments = 0;
  for (const auto& scene : {std::optional<SceneReference>(), std::optional(uncalibrated)}) {
    Stream stream(scene);
    stream.show(400, {.other = true});
    EXPECT_EQ(stream.said(), "");
    EXPECT_EQ(stream.monitor().blocks_needed(), 0);
  }
}

// One change gives way to another: what shows at once ends what blocks have said, and blocks begin anew after it.
TEST(SceneMonitor, ChangesFollowEachOther) {
  Stream stream(reference());
  stream.show(40, {.other = true}).show(10, {.appearance = {0, 0, 0}, .other = true}).show(42, {.other = true});
  EXPECT_EQ(stream.said(), "+39:moved 0;-41:moved 0-39;+41:black 40;-51:black 40-49;+91:moved 52;");
  ASSERT_TRUE(stream.monitor().change());
  EXPECT_EQ(stream.monitor().change()->cause, SceneCause::moved);
}

// An interruption ends what lasts, and nothing before it counts.
TEST(SceneMonitor, ForgetsAtAnInterruption) {
  Stream stream(reference());
  stream.show(44, {.other = true});
  const auto lasted = stream.monitor().reset();
  ASSERT_TRUE(lasted);
  EXPECT_EQ(lasted->last, 39);
  EXPECT_FALSE(stream.monitor().change());
  EXPECT_FALSE(stream.monitor().reset());
  stream.show(39, {.other = true});
  EXPECT_EQ(stream.said(), "+39:moved 0;");
  stream.show(1, {.other = true});
  EXPECT_EQ(stream.said(), "+39:moved 0;+83:moved 44;");
}

// A picture that stays frozen across an interruption begins anew with the first frame after it.
TEST(SceneMonitor, AFrozenPictureBeginsAnewAfterAnInterruption) {
  Stream stream(reference());
  stream.show(50, {}).show(32, {.still = true});
  EXPECT_TRUE(stream.monitor().reset());
  stream.show(2, {.still = true});
  EXPECT_EQ(stream.said(), "+80:frozen 49;+82:frozen 82;");
}

// Fits and the blocks after them from one distribution, with every frame an alarm: a change is declared in the window
// after the fit no more often than promised, once in a thousand times, for any shape of the distribution.
TEST(SceneMonitor, KeepsItsPromiseOnStationaryNoise) {
  std::mt19937 random(7);
  constexpr int kRuns = 20000;
  constexpr int kBlock = 8;
  std::normal_distribution<double> common(0, 1);  // of a block: frames of a stream are alike
  std::normal_distribution<double> own(0, 0.5);
  for (const int segments : {5, 7, 8}) {
    int declared = 0;
    for (int run = 0; run < kRuns; ++run) {
      const auto draw = [&, level = 0.0](int i) mutable {
        if (i % kBlock == 0) level = common(random);
        return std::exp(level + own(random));
      };
      auto next = draw;
      std::vector<std::vector<float>> medians(static_cast<std::size_t>(segments));
      for (auto& segment : medians) {
        for (int i = 0; i < kBlock; ++i) segment.push_back(static_cast<float>(next(i)));
      }
      SceneReference scene = reference();
      scene.segments = segments;
      scene.median_distance = scene_limits(medians);
      SceneMonitor monitor(scene);
      for (int i = 0; i < kBlock * monitor.blocks_needed(); ++i) {
        declared += monitor.observe({i, kUsual, 0, next(i), true}).begun ? 1 : 0;
      }
    }
    // 20 are expected at most, and five deviations of a Poisson variable more.
    EXPECT_LE(declared, 43) << segments;
    EXPECT_GE(declared, 1) << segments;
  }
}

// Each cause has a name of its own, and a sentence.
TEST(SceneCause, HasANameAndARemedy) {
  std::vector<std::string> names;
  std::vector<std::string> sentences;
  for (int cause = 1; cause <= static_cast<int>(SceneCause::moved); ++cause) {
    names.push_back(to_string(static_cast<SceneCause>(cause)));
    sentences.push_back(what_to_do(static_cast<SceneCause>(cause)));
    EXPECT_GT(sentences.back().size(), 30U);
  }
  EXPECT_EQ(to_string(SceneCause::none), "none");
  EXPECT_EQ(what_to_do(SceneCause::none), "");
  for (auto* texts : {&names, &sentences}) {
    std::ranges::sort(*texts);
    EXPECT_EQ(std::ranges::adjacent_find(*texts), texts->end());
  }
}

// Blank frames that no score reports are named, unless they were fitted.
TEST(BlankSentences, NameWhatScoresDoNotReport) {
  SceneReference scene = reference();
  EXPECT_NE(blank_sentences(scene).find("A black frame"), std::string::npos);
  EXPECT_NE(blank_sentences(scene).find(" A white frame"), std::string::npos);
  scene.black_found = true;
  EXPECT_EQ(blank_sentences(scene).find("A white frame"), 0U);
  scene.appearance.most.luma = 255;
  EXPECT_EQ(blank_sentences(scene), "");
}

}  // namespace
}  // namespace padim::test
