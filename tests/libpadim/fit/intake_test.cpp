#include "fit/intake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "plain_model.h"

namespace padim::test {
namespace {

constexpr std::int64_t kMostFrames = 128;
// At which image scores of noise hardly differ, as those of real embeddings.
constexpr Size kGrid{6, 5};
constexpr int kDimensions = 48;
constexpr std::size_t kSize = 6 * 5 * kDimensions;

// A fit's intake and what comes out of it.
struct Line {
  explicit Line(Intake::OutlierPolicy policy, SourceKind source = SourceKind::stream)
      : info(plain_info(kGrid, kDimensions, source)), intake(policy), segments(30, kDimensions, {8, 2048}) {}

  void show(const std::vector<float>& frame, const std::string& name = {}, const std::vector<float>& copy = {},
            bool blank = false) {
    if (intake.full()) intake.release(false, segments, info, examination, pool);
    intake.add(frame, Segments::Kind::real, {name, blank});
    if (!copy.empty()) intake.add(copy, Segments::Kind::augmented, {});
    most = std::max(most, intake.frames());
  }

  void finish() { intake.release(true, segments, info, examination, pool); }

  // The embeddings that came out, in order.
  [[nodiscard]] Frames stored() const {
    Frames frames;
    for (int k = 0; k < segments.size(); ++k) {
      const SegmentView view = segments.view(k);
      for (std::size_t at = 0; at < view.stored.size(); at += kSize) {
        auto& frame = frames.emplace_back();
        for (std::size_t j = 0; j < kSize; ++j) frame.push_back(half_to_float(view.stored[at + j]));
      }
    }
    return frames;
  }

  ModelInfo info;
  Intake intake;
  Segments segments;
  Examination examination;
  WorkerPool pool{1};
  std::int64_t most = 0;
};

std::string name_of(int i) { return "00:" + std::to_string(i); }

std::vector<float> dark(std::vector<float> frame) { return shifted(std::move(frame), -30); }

// Frames come out in their order, with their copies, and no more than 128 with a copy each wait at a time, however long
// the stream is; half of them stay for comparison with what follows.
TEST(Intake, ReleasesTheOlderHalf) {
  Line line(Intake::OutlierPolicy::drop);
  const Frames frames = noisy_frames(line.info, 300);
  Frames expected;
  for (int i = 0; i < 300; ++i) {
    const auto& frame = frames[static_cast<std::size_t>(i)];
    const std::vector<float> copy = shifted(frame, 0.25F);
    line.show(frame, name_of(i), copy);
    expected.push_back(frame);
    expected.push_back(copy);
    EXPECT_EQ(line.intake.frames() + line.segments.frames(), i + 1);
    EXPECT_GT(line.intake.frames(), i < 128 ? i : kMostFrames / 2);
  }
  EXPECT_EQ(line.most, kMostFrames);
  EXPECT_EQ(line.segments.frames(), 192);
  line.finish();
  EXPECT_EQ(line.intake.frames(), 0);
  EXPECT_EQ(line.segments.frames(), 300);
  EXPECT_EQ(line.stored(), expected);
  EXPECT_EQ(line.examination, Examination{});
}

// Frames unlike all others are left out with their copies, or kept; named once, with their number in the whole stream.
TEST(Intake, NamesOutliersAcrossReleases) {
  const std::vector<int> odd = {0, 1, 63, 64, 100, 127, 128, 200, 259};
  for (const auto policy : {Intake::OutlierPolicy::drop, Intake::OutlierPolicy::name}) {
    const bool dropped = policy == Intake::OutlierPolicy::drop;
    Line line(policy);
    const Frames frames = noisy_frames(line.info, 260);
    Frames expected;
    std::vector<OddFrame> named;
    for (int i = 0; i < 260; ++i) {
      const bool is_odd = std::ranges::find(odd, i) != odd.end();
      const auto& normal = frames[static_cast<std::size_t>(i)];
      const std::vector<float> frame = is_odd ? dark(normal) : normal;
      const std::vector<float> copy = shifted(frame, 0.25F);
      line.show(frame, i == 64 ? "" : name_of(i), copy);
      if (is_odd) named.push_back({i, i == 64 ? "" : name_of(i), dropped});
      if (is_odd && dropped) continue;
      expected.push_back(frame);
      expected.push_back(copy);
    }
    line.finish();
    EXPECT_EQ(line.stored(), expected);
    std::ranges::sort(line.examination.outliers, {}, &OddFrame::frame);
    EXPECT_EQ(line.examination.outliers, named);
    EXPECT_EQ(line.examination.dropped, dropped ? 9 : 0);
    EXPECT_EQ(line.examination.kept, dropped ? 0 : 9);
    EXPECT_FALSE(line.examination.inconsistent);
  }
}

// Whoever asks for it gets rid of every separate image that is named, also of one that is little unlike the others.
TEST(Intake, DropsOddImages) {
  Line line(Intake::OutlierPolicy::drop, SourceKind::images);
  Frames frames = noisy_frames(line.info, 60);
  frames[10] = shifted(frames[10], 1.2F);
  frames[40] = dark(frames[40]);
  for (int i = 0; i < 60; ++i) line.show(frames[static_cast<std::size_t>(i)], name_of(i));
  line.finish();
  EXPECT_EQ(line.examination.outliers, (std::vector<OddFrame>{{10, name_of(10), true}, {40, name_of(40), true}}));
  EXPECT_EQ(line.examination.dropped, 2);
  EXPECT_EQ(line.examination.kept, 0);
  EXPECT_EQ(line.segments.frames(), 58);
}

// Blank frames are no scene, be they nearly half of what is shown and all alike; where they are most of it, they are.
TEST(Intake, DropsBlankFrames) {
  for (const int blanks : {1, 9, 12, 13, 20}) {
    Line line(Intake::OutlierPolicy::drop);
    for (int i = 0; i < blanks; ++i) line.show(dark(noisy_frame(line.info, 7)), name_of(i), {}, true);
    for (std::uint32_t i = 0; i < 13; ++i) line.show(noisy_frame(line.info, 100 + i));
    line.finish();
    EXPECT_EQ(line.examination.dropped, blanks < 13 ? blanks : 0) << blanks;
    EXPECT_EQ(line.segments.frames(), blanks < 13 ? 13 : 13 + blanks);
    if (blanks < 13) {
      EXPECT_EQ(line.examination.outliers.front().name, name_of(0));
    }
  }
}

// A clip that is shown again and again counts once, across releases; the same pictures among separate images stay.
TEST(Intake, LeavesRepeatsOut) {
  for (const auto source : {SourceKind::stream, SourceKind::images}) {
    Line line(Intake::OutlierPolicy::name, source);
    Frames clip{noisy_frame(line.info, 0)};
    for (std::uint32_t i = 1; i < 40; ++i) {
      clip.push_back(clip.back());
      const std::vector<float> step = normal_floats(kSize, 40 + i, 0, 0.3F);
      for (std::size_t j = 0; j < kSize; ++j) clip.back()[j] = half_to_float(float_to_half(clip.back()[j] + step[j]));
    }
    for (int i = 0; i < 240; ++i) line.show(clip[static_cast<std::size_t>(i % 40)]);
    line.finish();
    if (source == SourceKind::images) {
      EXPECT_EQ(line.segments.frames(), 240);
      EXPECT_EQ(line.examination.repeats, 0);
    } else {
      EXPECT_EQ(line.stored(), clip);
      EXPECT_EQ(line.examination.repeats, 200);
    }
  }
}

// Frames that do not agree with each other are all kept, and the report says so.
TEST(Intake, KeepsAllWhereTheyDisagree) {
  Line line(Intake::OutlierPolicy::drop);
  const Frames frames = noisy_frames(line.info, 40);
  for (int i = 0; i < 40; ++i) {
    line.show(shifted(frames[static_cast<std::size_t>(i)], i % 3 == 0 ? 100.0F + static_cast<float>(20 * i) : 0.0F));
  }
  line.finish();
  EXPECT_TRUE(line.examination.inconsistent);
  EXPECT_EQ(line.segments.frames(), 40);
  EXPECT_TRUE(line.examination.outliers.empty());
}

// A copy of an intake has the same frames and goes its own way.
TEST(Intake, CopiesAreIndependent) {
  Line line(Intake::OutlierPolicy::drop);
  const Frames frames = noisy_frames(line.info, 30);
  for (int i = 0; i < 20; ++i) line.show(frames[static_cast<std::size_t>(i)]);
  Intake look = line.intake;
  Segments seen(30, kDimensions, {8, 2048});
  Examination examination;
  look.release(true, seen, line.info, examination, line.pool);
  EXPECT_EQ(seen.frames(), 20);
  EXPECT_EQ(line.intake.frames(), 20);
  for (int i = 20; i < 30; ++i) line.show(frames[static_cast<std::size_t>(i)]);
  line.finish();
  EXPECT_EQ(line.stored(), frames);
}

// The list of what was unlike the others has an end; the counts have none.
TEST(Intake, ListsTheFirstHundred) {
  Line line(Intake::OutlierPolicy::drop);
  for (std::uint32_t i = 0; i < 1200; ++i) {
    const std::vector<float> frame = noisy_frame(line.info, i);
    line.show(i % 10 == 5 ? dark(frame) : frame);
  }
  line.finish();
  EXPECT_EQ(line.examination.outliers.size(), Examination::kListed);
  EXPECT_EQ(line.examination.dropped, 120);
  EXPECT_EQ(line.segments.frames(), 1080);
}

}  // namespace
}  // namespace padim::test
