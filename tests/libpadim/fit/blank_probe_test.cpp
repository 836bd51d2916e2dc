#include "fit/blank_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "drifting_scene.h"
#include "padim/detector.h"
#include "padim/log.h"

namespace padim::test {
namespace {

std::vector<std::uint8_t> flat(std::uint8_t level) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(kFrame.width * kFrame.height * 3), level);
}

// Pictures whose light goes up and down between darkness and glare.
std::vector<std::uint8_t> flashing(int time) {
  auto pixels = picture(time);
  const int percent = 5 + 30 * (time % 5);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(std::min(value * percent / 100, 255));
  return pixels;
}

template <class Content>
Model fitted(const Content& content, FitOptions options) {
  Fitter fitter(backbone(), options);
  for (int i = 0; i < 40; ++i) fitter.add(view_of(content(i)));
  return fitter.finish();
}

// The warnings of a fit that are about blank frames.
template <class Work>
std::vector<std::string> warnings_of(const Work& work) {
  std::vector<std::string> warnings;
  set_log_handler([&](LogLevel level, const std::string& message) {
    const bool of_blank_frames = message.starts_with("A black") || message.starts_with("A white");
    if (level == LogLevel::warning && of_blank_frames) warnings.push_back(message);
  });
  work();
  set_log_handler({});
  return warnings;
}

void expect_as_detected(const Model& model) {
  ASSERT_TRUE(model.info().scene);
  Detector detector(backbone(), model);
  EXPECT_EQ(model.info().scene->black_found, detector.detect(view_of(flat(0))).anomalous);
  EXPECT_EQ(model.info().scene->white_found, detector.detect(view_of(flat(255))).anomalous);
}

MaskPicture left_half() {
  MaskPicture mask{64, 48, std::vector<std::uint8_t>(64 * 48, 255)};
  for (std::size_t i = 0; i < mask.values.size(); ++i) mask.values[i] = i % 64 < 32 ? 255 : 0;
  return mask;
}

// What a fit records of blank frames is what a detector finds in them, with a mask too; what is not found is said.
TEST(BlankProbe, FindsWhatADetectorFinds) {
  const auto steady = [](int time) { return picture(time); };
  FitOptions masked = options();
  masked.mask = left_half();
  for (const FitOptions& fit : {options(), masked}) {
    const auto said = warnings_of([&] {
      const Model model = fitted(steady, fit);
      expect_as_detected(model);
      EXPECT_TRUE(model.info().scene->black_found && model.info().scene->white_found);
      EXPECT_EQ(describe(model).find("would not be reported"), std::string::npos);
    });
    EXPECT_TRUE(said.empty());
  }
  const auto said = warnings_of([&] {
    const Model model = fitted(flashing, options());
    expect_as_detected(model);
    EXPECT_FALSE(model.info().scene->black_found);
    EXPECT_NE(describe(model).find("A black frame would not be reported by its score"), std::string::npos);
  });
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].find("A black frame"), 0U);
}

// A threshold that is not calibrated promises nothing: no warning.
TEST(BlankProbe, WarnsOfCalibratedThresholdsOnly) {
  FitOptions uncalibrated = options();
  uncalibrated.false_alarm_rate = std::nullopt;
  const auto said = warnings_of([&] { expect_as_detected(fitted(flashing, uncalibrated)); });
  EXPECT_TRUE(said.empty());
}

// The tensors, and so the id and the scores, stay as they were; the fit can go on.
TEST(BlankProbe, ChangesNothingElse) {
  Fitter probed(backbone(), options());
  Fitter once(backbone(), options());
  add(probed, 0, 20);
  const std::string id = probed.finish().id();
  add(probed, 20, 40);
  add(once, 0, 40);
  EXPECT_EQ(probed.frames(), 40);
  const Model model = probed.finish();
  EXPECT_EQ(model.id(), once.finish().id());
  EXPECT_NE(model.id(), id);
  EXPECT_EQ(model.info().scene, once.finish().info().scene);
}

}  // namespace
}  // namespace padim::test
