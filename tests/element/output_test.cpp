#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "element_harness.h"

namespace padim::test {
namespace {

/// Share of the pixels of a BGR frame that are at most `limit` in red.
double share_without_red(GstBuffer* buffer, int limit) {
  const auto bytes = bytes_of(buffer);
  std::size_t count = 0;
  for (std::size_t i = 2; i < bytes.size(); i += 3) count += bytes[i] <= limit ? 1 : 0;
  return static_cast<double>(count) * 3 / static_cast<double>(bytes.size());
}

// output=map shows scores alone: two different normal frames look nearly alike, blue, and an object is red where it is.
TEST(OutputTest, MapShowsScoresAlone) {
  ElementHarness harness("output=map overlay=0 model-file=" + fitted_model());
  const auto normal = harness.run(1);
  ASSERT_TRUE(normal);
  EXPECT_GT(share_without_red(normal.get(), 40), 0.95);

  const auto anomalous = harness.run(2, Content::anomalous);
  const GstVideoRectangle object = object_of(harness.scene());
  const auto bytes = bytes_of(anomalous.get());
  const auto centre =
      static_cast<std::size_t>(((object.y + object.h / 2) * harness.scene().width + object.x + object.w / 2) * 3);
  EXPECT_GT(bytes[centre + 2], 100);
  EXPECT_LT(bytes[centre], 60);
}

// It may be switched while playing, and draws on a copy of what others hold.
TEST(OutputTest, SwitchesWhilePlayingAndSparesOthers) {
  ElementHarness harness("output=map overlay=0 model-file=" + fitted_model());
  Owned<GstBuffer> in = render(harness.scene(), 3);
  const auto original = bytes_of(in.get());
  const Owned<GstBuffer> held(gst_buffer_ref(in.get()));
  const auto out = harness.run(std::move(in));
  EXPECT_TRUE(bytes_of(out.get()) != original);
  EXPECT_TRUE(bytes_of(held.get()) == original);
  harness.set("output", "overlay");
  EXPECT_TRUE(bytes_of(harness.run(3).get()) == original);
}

// In every format, padded and odd, the whole picture changes and no filler does.
TEST(OutputTest, MapCoversEveryFormat) {
  for (const char* format : {"NV12", "I420", "YUY2", "UYVY", "BGR", "BGRx", "RGB", "RGBx", "GRAY8"}) {
    Scene scene;
    scene.format = format;
    scene.width = 385;
    scene.height = 289;
    scene.padding = 24;
    ElementHarness harness("output=map overlay=0 model-file=" + fitted_model(), scene);
    const auto first = harness.run(4);
    ASSERT_TRUE(first) << format;
    const auto after = bytes_of(first.get());
    const auto before = bytes_of(render(scene, 4).get());
    const auto is_pixel = pixel_bytes(scene);
    for (std::size_t i = 0; i < after.size(); ++i) {
      ASSERT_TRUE(is_pixel[i] || after[i] == before[i]) << format << " at " << i;
    }
    EXPECT_TRUE(after != before) << format;
  }
}

// The text says what overlay-text names, and nothing where it names nothing.
TEST(OutputTest, TextIsOptionalPartByPart) {
  ElementHarness harness("overlay=text model-file=" + fitted_model());
  const auto drawn = [&](const char* parts) {
    harness.set("overlay-text", parts);
    return bytes_of(harness.run(5).get());
  };
  const auto original = bytes_of(render(harness.scene(), 5).get());
  const auto both = drawn("score+state");
  EXPECT_TRUE(drawn("0") == original);
  EXPECT_TRUE(both != original);
  EXPECT_TRUE(drawn("score") != both);
  EXPECT_TRUE(drawn("state") != both);
  EXPECT_TRUE(drawn("score") != drawn("state"));
}

}  // namespace
}  // namespace padim::test
