#include "image/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "expect_error.h"
#include "fake_backbone.h"
#include "model/info_json.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "random_numbers.h"
#include "score/upsampling.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

constexpr Size kFrame{192, 128};
constexpr Rectangle kIgnored{64, 48, 50, 34};  // nothing of it is a multiple of anything
constexpr Rectangle kDefect{130, 90, 30, 24};

bool inside(const Rectangle& r, int x, int y) {
  return x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
}

/// Dark where kIgnored is.
MaskPicture mask() {
  MaskPicture mask{kFrame.width, kFrame.height};
  for (int y = 0; y < kFrame.height; ++y) {
    for (int x = 0; x < kFrame.width; ++x) mask.values.push_back(inside(kIgnored, x, y) ? 127 : 128);
  }
  return mask;
}

/// A normal NV12 frame: a gradient and noise of seed `number`. What lies in kIgnored is noise of seed `foreign`; a
/// defect is white.
class Picture {
 public:
  explicit Picture(int number, int foreign = 0, const Rectangle& defect = {}) {
    const auto noise = random_bytes(kSamples, static_cast<std::uint32_t>(number));
    const auto other = random_bytes(kSamples, 1000U + static_cast<std::uint32_t>(foreign));
    for (std::size_t i = 0; i < kSamples; ++i) {
      const int row = static_cast<int>(i) / kFrame.width;
      const int column = static_cast<int>(i) % kFrame.width;
      const bool luma = row < kFrame.height;
      const int y = luma ? row : (row - kFrame.height) * 2;
      const int x = luma ? column : column / 2 * 2;
      int value = luma ? 60 + x / 4 + y / 3 + noise[i] % 8 : 128 + noise[i] % 4;
      if (inside(kIgnored, x, y)) value = other[i];
      if (inside(defect, x, y) && luma) value = 235;
      bytes_.push_back(static_cast<std::uint8_t>(value));
    }
  }

  [[nodiscard]] ImageView view() const {
    ImageView view{PixelFormat::nv12, kFrame.width, kFrame.height};
    view.data[0] = bytes_.data();
    view.data[1] = bytes_.data() + std::ptrdiff_t{kFrame.width} * kFrame.height;
    view.stride = {kFrame.width, kFrame.width};
    return view;
  }

 private:
  static constexpr std::size_t kSamples = std::size_t{kFrame.width} * kFrame.height * 3 / 2;
  std::vector<std::uint8_t> bytes_;
};

FitOptions options_with(const MaskPicture& mask, const Roi& roi = {}) {
  FitOptions options;
  options.threads = 1;
  options.augment = 0;
  options.mask = mask;
  options.roi = roi;
  return options;
}

/// foreign: what passes by in the ignored place differs from frame to frame, and from one value to another.
Model fit(const FitOptions& options, int foreign) {
  Fitter fitter(std::make_shared<FakeBackbone>(), options);
  for (int i = 0; i < 24; ++i) fitter.add(Picture(i, foreign + i).view());
  return fitter.finish();
}

Detection detect(const Model& model, const Picture& picture, const MaskPicture& more = {}) {
  Detector detector(std::make_shared<FakeBackbone>(), model, {.threads = 1, .mask = more});
  return detector.detect(picture.view());
}

// Whatever happens in an ignored place, score and map are the same to the last bit, and so is the whole fit.
TEST(MaskTest, IgnoredPlacesChangeNothing) {
  for (const GeometryMode mode : {GeometryMode::full, GeometryMode::paper}) {
    for (const Roi& roi : {Roi{}, Roi{33, 17, 151, 103}}) {
      FitOptions options = options_with(mask(), roi);
      options.geometry = mode;
      options.augment = roi == Roi{} ? 0 : 1;
      const Model model = fit(options, 100);
      const Model other = fit(options, 500);
      EXPECT_EQ(model.id(), other.id());
      EXPECT_EQ(model.info(), other.info());
      const Detection one = detect(model, Picture(30, 1));
      const Detection two = detect(model, Picture(30, 2));
      EXPECT_EQ(one.map.values, two.map.values);
      EXPECT_EQ(one.raw_score, two.raw_score);
      EXPECT_FALSE(one.anomalous);
    }
  }
}

// Without the mask the same frames are full of anomalies, so that the test above tests something.
TEST(MaskTest, WithoutItTheyWouldMatter) {
  Fitter fitter(std::make_shared<FakeBackbone>(), options_with({}));
  for (int i = 0; i < 24; ++i) fitter.add(Picture(i, 7).view());
  EXPECT_TRUE(detect(fitter.finish(), Picture(30, 8)).anomalous);
}

// A defect beside the ignored place is found where it is; inside, the map is 0.
TEST(MaskTest, DefectsElsewhereAreFound) {
  const Model model = fit(options_with(mask()), 100);
  const Detection detection = detect(model, Picture(30, 1, kDefect));
  ASSERT_TRUE(detection.anomalous);
  const Region& region = detection.regions.at(0);
  EXPECT_LT(std::abs(region.x + region.width / 2 - (kDefect.x + kDefect.width / 2)), 12);
  EXPECT_LT(std::abs(region.y + region.height / 2 - (kDefect.y + kDefect.height / 2)), 12);
  for (int v = 0; v < detection.map.height; ++v) {
    for (int u = 0; u < detection.map.width; ++u) {
      const double x = detection.mapping.offset_x + detection.mapping.scale_x * (u + 0.5);
      const double y = detection.mapping.offset_y + detection.mapping.scale_y * (v + 0.5);
      if (inside(kIgnored, static_cast<int>(x), static_cast<int>(y))) {
        ASSERT_EQ(detection.map.at(u, v), 0) << u << "," << v;
      }
    }
  }
}

// Equal distances everywhere give an equal map: beside ignored places nothing is thinned out.
TEST(MaskTest, ScoresAreNotThinnedOutAtItsBorder) {
  const Size positions{12, 8};
  const auto ignored = resolve_mask(mask(), choose_geometry(GeometryMode::full, kFrame, kFrame, 16));
  Upsampler upsampler(positions, kFrame, ignored);
  ScoreMap map;
  EXPECT_NEAR(upsampler.run(std::vector<float>(96, 3.0F), map), 3.0F, 1e-4F);
  for (std::size_t i = 0; i < ignored.size(); ++i) ASSERT_NEAR(map.values[i], ignored[i] != 0 ? 3.0F : 0.0F, 1e-4F);
}

// A mask that comes with the detector narrows further, and only there.
TEST(MaskTest, DetectorsIgnoreMore) {
  const Model model = fit(options_with({}), 100);
  MaskPicture more{kFrame.width, kFrame.height};
  more.values.assign(std::size_t{kFrame.width} * kFrame.height, 255);
  for (int y = kDefect.y - 16; y < kFrame.height; ++y) {
    for (int x = kDefect.x - 16; x < kFrame.width; ++x) {
      more.values[static_cast<std::size_t>(y) * kFrame.width + static_cast<std::size_t>(x)] = 0;
    }
  }
  const Picture defective(30, 100, kDefect);
  EXPECT_TRUE(detect(model, defective).anomalous);
  const Detection narrowed = detect(model, defective, more);
  EXPECT_FALSE(narrowed.anomalous);
  EXPECT_EQ(*std::max_element(narrowed.map.values.begin(), narrowed.map.values.end()),
            static_cast<float>(narrowed.raw_score));
  EXPECT_TRUE(detect(model, Picture(30, 100, {20, 20, 30, 24}), more).anomalous);
}

// Pixels of the network's input count where all that they see counts; pictures of any resolution say the same.
TEST(MaskTest, FollowsThePictureAtAnySize) {
  for (const int factor : {1, 2, 5}) {
    MaskPicture picture{kFrame.width * factor, kFrame.height * factor};
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        picture.values.push_back(inside(kIgnored, x / factor, y / factor) ? 0 : 255);
      }
    }
    const Geometry geometry = choose_geometry(GeometryMode::full, {}, kFrame, 16);
    const auto resolved = resolve_mask(picture, geometry);
    const FrameMapping at = map_to_frame(geometry, kFrame);
    const auto distance = [](double centre, int begin, int length) {
      return std::max({begin - centre, centre - (begin + length), 0.0});
    };
    for (int v = 0; v < geometry.input.height; ++v) {
      for (int u = 0; u < geometry.input.width; ++u) {
        const double far = std::max(distance(at.scale_x * (u + 0.5), kIgnored.x, kIgnored.width),
                                    distance(at.scale_y * (v + 0.5), kIgnored.y, kIgnored.height));
        const bool counts = resolved[static_cast<std::size_t>(v * geometry.input.width + u)] != 0;
        // The filter reaches a sample of chroma, two pixels, and a sample may lie half outside.
        if (far < 1.99) {
          ASSERT_FALSE(counts) << u << "," << v << " at " << factor;
        }
        if (far > 4.01) {
          ASSERT_TRUE(counts) << u << "," << v << " at " << factor;
        }
      }
    }
  }
}

// Masks that cannot be meant.
TEST(MaskTest, RejectsUnusableMasks) {
  const auto choose = [](const MaskPicture& mask) {
    return [mask] { (void)choose_geometry(GeometryMode::full, {}, kFrame, 16, {}, mask); };
  };
  expect_error(ErrorCode::invalid_argument, {"100x100", "192x128"},
               choose({100, 100, std::vector<std::uint8_t>(10000, 255)}));
  expect_error(ErrorCode::invalid_argument, {"everything"}, choose({96, 64, std::vector<std::uint8_t>(96 * 64, 127)}));
  expect_error(ErrorCode::invalid_argument, {"size"}, choose({96, 64, std::vector<std::uint8_t>(96, 255)}));
}

// ROI and mask are part of the model: a saved one detects as the fitted one did, and says so.
TEST(MaskTest, TheModelRecordsThem) {
  const ScratchFolder folder;
  const Model model = fit(options_with(mask(), {33, 17, 151, 103}), 100);
  model.save(folder.path() / "look.padim");
  const Model loaded = Model::load(folder.path() / "look.padim");
  EXPECT_EQ(loaded.info(), model.info());
  EXPECT_EQ(loaded.info().geometry.roi, (Rectangle{33, 17, 151, 103}));
  EXPECT_FALSE(loaded.info().geometry.mask.empty());
  const Picture defective(31, 3, kDefect);
  EXPECT_EQ(detect(loaded, defective).map.values, detect(model, defective).map.values);
  EXPECT_NE(describe(loaded).find("151x103 pixels from (33, 17)"), std::string::npos);
  EXPECT_NE(describe(loaded).find("A mask ignores"), std::string::npos);
  EXPECT_EQ(describe(fit(options_with({}), 1)).find("mask"), std::string::npos);
}

// Models that looked elsewhere do not merge.
TEST(MaskTest, ModelsThatLookedElsewhereDoNotMerge) {
  const Model plain = fit(options_with({}), 1);
  FitOptions options = options_with({}, {32, 16, 144, 96});  // of the frame's shape, so that the input is the same
  const Model other = fit(options, 1);
  expect_error(ErrorCode::mismatch, {"regions of interest", "none", "144x96 at 32,16"},
               [&] { (void)merge(plain, other); });
  expect_error(ErrorCode::mismatch, {"masks"}, [&] { (void)merge(plain, fit(options_with(mask()), 1)); });
}

// A model file whose ROI or mask makes no sense is refused.
TEST(MaskTest, HostileDescriptionsAreRefused) {
  const auto good = info_to_json(fit(options_with(mask(), {33, 17, 151, 103}), 100).info());
  EXPECT_NO_THROW((void)info_from_json(good));
  const auto refuse = [&](const char* key, const nlohmann::ordered_json& value) {
    auto bad = good;
    bad["geometry"][key] = value;
    EXPECT_ANY_THROW((void)info_from_json(bad)) << key << " " << value;
  };
  for (const auto& roi : {"[0,0,193,128]", "[-1,0,20,20]", "[100,0,2147483647,20]", "[5,5,0,0]", "[1,2,3]", "[]"}) {
    refuse("roi", nlohmann::ordered_json::parse(roi));
  }
  for (const auto& runs :
       {"[1]", "[]", "[-1,70000]", "[9223372036854775807,9223372036854775807]", "[4000000000]", "7"}) {
    refuse("mask", nlohmann::ordered_json::parse(runs));
  }
}

}  // namespace
}  // namespace padim::test
