#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/model.h"

namespace padim::test {
namespace {

const GstStructure* padim_meta(GstBuffer* buffer) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, "GstPadimMeta");
  return meta == nullptr ? nullptr : gst_custom_meta_get_structure(meta);
}

/// A number in a region's structure "padim".
std::optional<double> parameter(const GstVideoRegionOfInterestMeta* roi, const char* name) {
  const GstStructure* parameters =
      gst_video_region_of_interest_meta_get_param(const_cast<GstVideoRegionOfInterestMeta*>(roi), "padim");
  return parameters == nullptr ? std::nullopt : double_field(parameters, name);
}

// All fields of the contract, with the types that readers rely on.
TEST(MetadataTest, ScoreMetaHasItsFields) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  harness.push_normal(0, 2);
  const auto out = harness.run(2, Content::anomalous);
  const GstStructure* meta = padim_meta(out.get());
  ASSERT_NE(meta, nullptr);
  const double score = double_field(meta, "score").value();
  const double raw = double_field(meta, "raw-score").value();
  const double calibrated = Model::load(fitted_model()).info().calibration.threshold;
  EXPECT_NEAR(score, raw / (raw + calibrated), 1e-6);
  EXPECT_EQ(double_field(meta, "threshold"), 0.5);
  gboolean anomalous = FALSE;
  gboolean reused = TRUE;
  EXPECT_TRUE(gst_structure_get_boolean(meta, "anomalous", &anomalous));
  EXPECT_TRUE(gst_structure_get_boolean(meta, "reused", &reused));
  EXPECT_TRUE(anomalous);
  EXPECT_FALSE(reused);
  EXPECT_EQ(uint64_field(meta, "inference-pts"), GST_BUFFER_PTS(out.get()));
  EXPECT_EQ(uint64_field(meta, "frame-id"), 2U);
  EXPECT_EQ(gst_structure_get_string(meta, "model-id"), Model::load(fitted_model()).id());
}

// One region-of-interest meta per region, inside the frame, with its score and area.
TEST(MetadataTest, RegionMetasCarryScoreAndArea) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  EXPECT_EQ(count_regions(harness.run(0).get()), 0U);
  const auto out = harness.run(1, Content::anomalous);
  ASSERT_GE(count_regions(out.get()), 1U);
  const auto* roi = gst_buffer_get_video_region_of_interest_meta_id(out.get(), 0);
  ASSERT_NE(roi, nullptr);
  EXPECT_STREQ(g_quark_to_string(roi->roi_type), "anomaly");
  EXPECT_LE(roi->x + roi->w, 384U);
  EXPECT_LE(roi->y + roi->h, 288U);
  EXPECT_EQ(parameter(roi, "score"), double_field(padim_meta(out.get()), "score"));
  EXPECT_GT(parameter(roi, "area").value(), 0);
  EXPECT_LE(parameter(roi, "area").value(), roi->w * roi->h);
}

// attach-meta chooses, while playing.
TEST(MetadataTest, AttachesWhatIsAskedFor) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  for (const auto& [flags, score, roi] : {std::tuple("score", true, false), std::tuple("roi", false, true),
                                          std::tuple("0", false, false), std::tuple("score+roi", true, true)}) {
    harness.set("attach-meta", flags);
    const auto out = harness.run(3, Content::anomalous);
    EXPECT_EQ(padim_meta(out.get()) != nullptr, score) << flags;
    EXPECT_EQ(count_regions(out.get()) > 0, roi) << flags;
  }
}

// Without an overlay no pixel is copied, not even where somebody else holds the buffer too.
TEST(MetadataTest, MetadataOnlySharesTheMemory) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  for (const bool held : {false, true}) {
    Owned<GstBuffer> in = render(harness.scene(), 4, Content::anomalous);
    const Owned<GstBuffer> other(held ? gst_buffer_ref(in.get()) : nullptr);
    const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
    const auto out = harness.run(std::move(in));
    ASSERT_TRUE(out);
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
    EXPECT_NE(padim_meta(out.get()), nullptr);
    if (held) {
      EXPECT_EQ(padim_meta(other.get()), nullptr);
    }
  }
}

// What another branch of a tee holds stays as it was, while this branch draws.
TEST(MetadataTest, DoesNotDrawOnWhatOthersHold) {
  ElementHarness harness("overlay=heatmap+text model-file=" + fitted_model());
  Owned<GstBuffer> in = render(harness.scene(), 5, Content::anomalous);
  const auto original = bytes_of(in.get());
  const Owned<GstBuffer> held(gst_buffer_ref(in.get()));
  const auto out = harness.run(std::move(in));
  ASSERT_TRUE(out);
  EXPECT_TRUE(bytes_of(out.get()) != original);
  EXPECT_TRUE(bytes_of(held.get()) == original);
  EXPECT_EQ(padim_meta(held.get()), nullptr);
}

// mode=off hands the very buffer on.
TEST(MetadataTest, OffPassesTheSameBuffer) {
  ElementHarness harness("mode=off");
  Owned<GstBuffer> in = render(harness.scene(), 6);
  GstBuffer* raw = in.get();
  const Owned<GstBuffer> held(gst_buffer_ref(raw));
  EXPECT_EQ(harness.run(std::move(in)).get(), raw);
}

// Times, offsets and flags belong to the stream.
TEST(MetadataTest, KeepsTimesOffsetsAndFlags) {
  const std::string modes[] = {"mode=fit-then-detect", "mode=off", "model-file=" + fitted_model()};
  for (const std::string& mode : modes) {
    ElementHarness harness(mode);
    for (const bool held : {false, true}) {
      harness.run(0);
      Owned<GstBuffer> in = render(harness.scene(), 7, Content::anomalous);
      GST_BUFFER_PTS(in.get()) = 12345;
      GST_BUFFER_DTS(in.get()) = 12000;
      GST_BUFFER_DURATION(in.get()) = 777;
      GST_BUFFER_OFFSET(in.get()) = 42;
      GST_BUFFER_OFFSET_END(in.get()) = 43;
      GST_BUFFER_FLAG_SET(in.get(), GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_CORRUPTED);
      const Owned<GstBuffer> other(held ? gst_buffer_ref(in.get()) : nullptr);
      const auto out = harness.run(std::move(in));
      ASSERT_TRUE(out) << mode;
      EXPECT_EQ(GST_BUFFER_PTS(out.get()), 12345U) << mode;
      EXPECT_EQ(GST_BUFFER_DTS(out.get()), 12000U) << mode;
      EXPECT_EQ(GST_BUFFER_DURATION(out.get()), 777U) << mode;
      EXPECT_EQ(GST_BUFFER_OFFSET(out.get()), 42U) << mode;
      EXPECT_EQ(GST_BUFFER_OFFSET_END(out.get()), 43U) << mode;
      EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_MARKER)) << mode;
      EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_DELTA_UNIT)) << mode;
      EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_CORRUPTED)) << mode;
    }
  }
}

// The installed library reads the same values as the structure, and finds nothing where there is nothing.
TEST(MetadataTest, LibraryReadsTheMeta) {
  ElementHarness harness("overlay=0 threshold=0.25 model-file=" + fitted_model());
  harness.push_normal(0, 3);
  const auto out = harness.run(3, Content::anomalous);
  GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
  ASSERT_NE(meta, nullptr);
  const GstStructure* structure = padim_meta(out.get());
  EXPECT_EQ(gst_padim_meta_get_score(meta), double_field(structure, "score"));
  EXPECT_EQ(gst_padim_meta_get_raw_score(meta), double_field(structure, "raw-score"));
  EXPECT_EQ(gst_padim_meta_get_threshold(meta), 0.25);
  EXPECT_TRUE(gst_padim_meta_is_anomalous(meta));
  EXPECT_EQ(gst_padim_meta_get_inference_pts(meta), GST_BUFFER_PTS(out.get()));
  EXPECT_FALSE(gst_padim_meta_is_reused(meta));
  EXPECT_EQ(gst_padim_meta_get_frame_id(meta), 3U);
  EXPECT_EQ(gst_padim_meta_get_model_id(meta), gst_structure_get_string(structure, "model-id"));  // not a copy

  gpointer state = nullptr;
  EXPECT_EQ(gst_buffer_iterate_meta_filtered(out.get(), &state, GST_PADIM_META_API_TYPE), &meta->meta);
  EXPECT_EQ(gst_buffer_get_padim_meta(render(harness.scene(), 4).get()), nullptr);
}

// What a program attaches it reads again, so that its own tests need no model.
TEST(MetadataLibraryTest, ProgramsAttachTheirOwn) {
  const Owned<GstBuffer> buffer(gst_buffer_new());
  GstPadimMeta* meta = gst_buffer_add_padim_meta(buffer.get(), 0.75, 30, 0.5, TRUE, 1000, TRUE, 17, "0123456789ab");
  ASSERT_NE(meta, nullptr);
  EXPECT_EQ(gst_buffer_get_padim_meta(buffer.get()), meta);
  EXPECT_EQ(gst_padim_meta_get_score(meta), 0.75);
  EXPECT_EQ(gst_padim_meta_get_raw_score(meta), 30);
  EXPECT_EQ(gst_padim_meta_get_threshold(meta), 0.5);
  EXPECT_TRUE(gst_padim_meta_is_anomalous(meta));
  EXPECT_TRUE(gst_padim_meta_is_reused(meta));
  EXPECT_EQ(gst_padim_meta_get_inference_pts(meta), 1000U);
  EXPECT_EQ(gst_padim_meta_get_frame_id(meta), 17U);
  EXPECT_STREQ(gst_padim_meta_get_model_id(meta), "0123456789ab");
}

/// What the region metas must still be behind an element; newer versions of GStreamer keep more than older ones.
enum class Roi {
  whole,  ///< with their parameters
  kept,
  halved,
  any,
};

struct Passage {
  const char* elements;
  Roi roi;
};

/// The anomalous frame after it went through padimfilter and `elements`; null where nothing came out.
Owned<GstBuffer> pass_through(const std::string& model, const char* elements) {
  GError* error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(
      ("padimfilter overlay=0 model-file=" + model + " ! " + elements).c_str(), TRUE, &error);
  EXPECT_EQ(error, nullptr) << error->message;
  const Owned<GstElement> owned(GST_ELEMENT(gst_object_ref_sink(bin)));
  const Owned<GstHarness> harness(gst_harness_new_with_element(bin, "sink", "src"));
  const Scene scene;
  const GstVideoInfo info = scene.info();
  gst_harness_set_src_caps(harness.get(), gst_video_info_to_caps(&info));
  for (int i = 0; i < 3; ++i) gst_harness_push(harness.get(), render(scene, i, Content::anomalous).release());
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  return Owned<GstBuffer>(gst_harness_pull(harness.get()));
}

void expect_survival(const Passage& passage, const std::string& model) {
  SCOPED_TRACE(passage.elements);
  const Owned<GstBuffer> plain = pass_through(model, "identity");
  const Owned<GstBuffer> out = pass_through(model, passage.elements);
  ASSERT_TRUE(plain);
  ASSERT_TRUE(out);
  GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
  ASSERT_NE(meta, nullptr);
  EXPECT_EQ(gst_padim_meta_get_score(meta), gst_padim_meta_get_score(gst_buffer_get_padim_meta(plain.get())));
  EXPECT_STREQ(gst_padim_meta_get_model_id(meta), gst_padim_meta_get_model_id(gst_buffer_get_padim_meta(plain.get())));
  if (passage.roi == Roi::any) return;

  const auto* before = gst_buffer_get_video_region_of_interest_meta_id(plain.get(), 0);
  const auto* after = gst_buffer_get_video_region_of_interest_meta_id(out.get(), 0);
  ASSERT_NE(before, nullptr);
  ASSERT_NE(after, nullptr);
  const guint factor = passage.roi == Roi::halved ? 2 : 1;
  EXPECT_NEAR(after->x * factor, before->x, factor);
  EXPECT_NEAR(after->y * factor, before->y, factor);
  EXPECT_NEAR(after->w * factor, before->w, factor);
  EXPECT_NEAR(after->h * factor, before->h, factor);
  if (passage.roi == Roi::whole) {
    EXPECT_EQ(parameter(after, "score"), parameter(before, "score"));
    EXPECT_EQ(parameter(after, "area"), parameter(before, "area"));
  }
}

// Behind the element the picture is converted, scaled, cropped and encoded: the score survives it all, and regions
// wherever they still mean something.
TEST(MetadataTest, SurvivesWhatFollows) {
  const Passage passages[] = {
      {"identity", Roi::whole},
      {"queue", Roi::whole},
      {"videorate", Roi::whole},
      {"videobalance saturation=0.5", Roi::whole},
      {"videoconvert ! capsfilter caps=video/x-raw,format=I420", Roi::kept},
      {"videoscale ! capsfilter caps=video/x-raw,width=192,height=144", Roi::halved},
      {"videoconvert ! video/x-raw,format=I420 ! videoscale ! capsfilter caps=video/x-raw,width=192,height=144",
       Roi::halved},
      {"videocrop left=16", Roi::any},
      {"videoconvert ! jpegenc", Roi::whole},
      {"videoconvert ! vp8enc deadline=1 lag-in-frames=0", Roi::kept},
  };
  for (const Passage& passage : passages) expect_survival(passage, fitted_model());
}

}  // namespace
}  // namespace padim::test
