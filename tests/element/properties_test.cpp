#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "element_harness.h"
#include "gstpadimfilter.h"
#include "padim/limits.h"
#include "padimproperties.h"

namespace padim::test {
namespace {

// What gst-inspect shows must help: every property explains itself and its default is a value it accepts.
TEST(PropertiesTest, EachHasABlurbAndADefaultWithinRange) {
  const auto element = make_element("");
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count);
  for (guint i = 0; i < count; ++i) {
    const std::string name = specs[i]->name;
    if (specs[i]->owner_type != G_OBJECT_TYPE(element.get())) continue;
    EXPECT_GT(std::string(g_param_spec_get_blurb(specs[i])).size(), 10U) << name;
    EXPECT_FALSE(std::string(g_param_spec_get_nick(specs[i])).empty()) << name;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, specs[i]->value_type);
    g_object_get_property(G_OBJECT(element.get()), name.c_str(), &value);
    const bool has_default = !G_VALUE_HOLDS_BOXED(&value);  // structures have none
    EXPECT_TRUE(!has_default || g_param_value_defaults(specs[i], &value)) << name << " starts with another value";
    EXPECT_FALSE(g_param_value_validate(specs[i], &value)) << name << " has a default outside its range";
    g_value_unset(&value);
  }
  g_free(specs);
}

/// A property with its default, another value, and what that changes in the settings.
struct Row {
  const char* name;
  const char* fallback;
  const char* value;
  void (*change)(gst::Settings&);
};

// The contract with the users' scripts. Every writable property is in it.
const std::vector<Row>& rows() {
  using namespace gst;
  static const std::vector<Row> all = {
      {"mode", "detect", "fit-then-detect", [](Settings& s) { s.live.mode = Mode::fit_then_detect; }},
      {"model-file", "NULL", "a.padim", [](Settings& s) { s.fixed.model_file = "a.padim"; }},
      {"strip-model", "false", "true", [](Settings& s) { s.fixed.strip_model = true; }},
      {"backbone", "NULL", "resnet18", [](Settings& s) { s.fixed.backbone.name = "resnet18"; }},
      {"backbone-file", "NULL", "w.safetensors", [](Settings& s) { s.fixed.backbone.weights_file = "w.safetensors"; }},
      {"device", "cpu", "cuda:1", [](Settings& s) { s.fixed.backbone.device = "cuda:1"; }},
      {"precision", "auto", "bfloat16", [](Settings& s) { s.fixed.backbone.precision = Precision::bfloat16; }},
      {"threads", "-1", "3", [](Settings& s) { s.fixed.threads = 3; }},
      {"fit-frames", "0", "200", [](Settings& s) { s.fixed.fit_frames = 200; }},
      {"skip-frames", "0", "5", [](Settings& s) { s.fixed.skip_frames = 5; }},
      {"refit", "false", "true", [](Settings& s) { s.fixed.refit = true; }},
      {"source", "stream", "images", [](Settings& s) { s.fixed.fit.source = SourceKind::images; }},
      {"outliers", "auto", "keep", [](Settings& s) { s.fixed.outliers = Outliers::keep; }},
      {"prior", "-1", "12.5", [](Settings& s) { s.fixed.prior = 12.5; }},
      {"fit-augment", "-1", "3", [](Settings& s) { s.fixed.fit.augment = 3; }},
      {"fit-augment-kind", "light", "rotate", [](Settings& s) { s.fixed.fit.augment_kind = AugmentKind::rotate; }},
      {"batch-size", "0", "4", [](Settings& s) { s.fixed.fit.batch_size = 4; }},
      {"grid", "coarsest", "finest", [](Settings& s) { s.fixed.fit.grid = Grid::finest; }},
      {"search-radius", "0", "2", [](Settings& s) { s.fixed.fit.search_radius = 2; }},
      {"reduction", "none", "random", [](Settings& s) { s.fixed.fit.reduction = ReductionKind::random; }},
      {"dimensions", "100", "55", [](Settings& s) { s.fixed.fit.dimensions = 55; }},
      {"seed", "1024", "7", [](Settings& s) { s.fixed.fit.seed = 7; }},
      {"geometry", "full", "paper", [](Settings& s) { s.fixed.fit.geometry = GeometryMode::paper; }},
      {"input-size", "NULL", "320x192", [](Settings& s) { s.fixed.input_size = "320x192"; }},
      {"roi", "NULL", "0.1,0.1,0.5,0.5", [](Settings& s) { s.fixed.roi = "0.1,0.1,0.5,0.5"; }},
      {"mask-file", "NULL", "mask.png", [](Settings& s) { s.fixed.mask_file = "mask.png"; }},
      {"epsilon", "0", "0.25", [](Settings& s) { s.fixed.fit.epsilon = 0.25; }},
      {"relative-epsilon", "0", "0.5", [](Settings& s) { s.fixed.fit.relative_epsilon = 0.5; }},
      {"false-alarm-rate", "0.001", "0.125", [](Settings& s) { s.fixed.fit.false_alarm_rate = 0.125; }},
      {"adapt-half-life", "0", "500", [](Settings& s) { s.live.adapt_half_life = 500; }},
      {"inference-interval", "1", "5", [](Settings& s) { s.live.inference_interval = 5; }},
      {"late-policy", "reuse", "drop", [](Settings& s) { s.live.late_policy = LatePolicy::drop; }},
      {"threshold", "0.5", "0.75", [](Settings& s) { s.live.threshold = 0.75; }},
      {"overlay", "heatmap+text", "contour+boxes",
       [](Settings& s) { s.live.overlay = kOverlayContour | kOverlayBoxes; }},
      {"overlay-text", "score+state", "state+fps", [](Settings& s) { s.live.overlay_text = kTextState | kTextFps; }},
      {"output", "overlay", "map", [](Settings& s) { s.live.look.base = OverlayBase::map; }},
      {"overlay-opacity", "0.5", "0.25", [](Settings& s) { s.live.look.opacity = 0.25; }},
      {"overlay-floor", "0.3", "0.5", [](Settings& s) { s.live.look.floor = 0.5; }},
      {"colormap", "jet", "viridis", [](Settings& s) { s.live.look.colormap = Colormap::viridis; }},
      {"attach-meta", "score+roi+analytics", "score", [](Settings& s) { s.live.attach_meta = kMetaScore; }},
      {"post-messages", "events", "all", [](Settings& s) { s.live.post_messages = PostMessages::all; }},
      {"max-regions", "16", "5", [](Settings& s) { s.live.regions.count = 5; }},
      {"min-region-area", "0.0005", "0.25", [](Settings& s) { s.live.regions.area = 0.25; }},
      {"min-anomalous-frames", "1", "3", [](Settings& s) { s.live.min_anomalous_frames = 3; }},
      {"event-gap", "1000000000", "2500000000", [](Settings& s) { s.live.event_gap_ns = 2500000000; }},
      {"message-interval", "0", "500000000", [](Settings& s) { s.live.message_interval_ns = 500000000; }},
      {"json-location", "NULL", "-", [](Settings& s) { s.fixed.json_location = "-"; }},
      {"json-max-bytes", "0", "1000000", [](Settings& s) { s.fixed.json_max_bytes = 1000000; }},
  };
  return all;
}

/// A value of a property, "NULL" for the string that is none.
class Value {
 public:
  Value(GParamSpec* spec, const std::string& text) {
    g_value_init(&value_, spec->value_type);
    if (!G_VALUE_HOLDS_STRING(&value_)) {
      EXPECT_TRUE(gst_value_deserialize(&value_, text.c_str())) << spec->name << " " << text;
    } else if (text != "NULL") {
      g_value_set_string(&value_, text.c_str());
    }
  }
  Value(GParamSpec* spec, GstElement* element) {
    g_value_init(&value_, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value_);
  }
  ~Value() { g_value_unset(&value_); }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  bool operator==(const Value& other) const { return gst_value_compare(&value_, &other.value_) == GST_VALUE_EQUAL; }

  [[nodiscard]] std::string text() const {
    gchar* text = G_VALUE_HOLDS_STRING(&value_) ? g_value_dup_string(&value_) : gst_value_serialize(&value_);
    std::string copy = text == nullptr ? "NULL" : text;
    g_free(text);
    return copy;
  }

 private:
  GValue value_ = G_VALUE_INIT;
};

bool has_flag(const GParamSpec* spec, unsigned flag) { return (static_cast<unsigned>(spec->flags) & flag) != 0; }

// A property that is added without a row is not tested.
TEST(PropertiesTest, HaveARowEach) {
  std::vector<std::string> names;
  for (const Row& row : rows()) names.emplace_back(row.name);
  std::vector<std::string> writable;
  const auto element = make_element("");
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count);
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element.get()) || !has_flag(specs[i], G_PARAM_WRITABLE)) continue;
    writable.emplace_back(specs[i]->name);
  }
  g_free(specs);
  std::ranges::sort(names);
  std::ranges::sort(writable);
  EXPECT_EQ(names, writable);
}

// Each has its default, gives back what is set, and changes one member of the settings, which is its own: of those
// that are fixed while the element runs where it may change in READY only.
TEST(PropertiesTest, ChangeOneSettingEach) {
  const gst::Settings defaults;
  for (const Row& row : rows()) {
    const auto element = make_element("");
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), row.name);
    ASSERT_NE(spec, nullptr) << row.name;
    EXPECT_EQ(Value(spec, element.get()), Value(spec, row.fallback)) << row.name;
    EXPECT_EQ(gst::settings_of(GST_PADIM_FILTER(element.get())), defaults);

    gst_util_set_object_arg(G_OBJECT(element.get()), row.name, row.value);
    EXPECT_EQ(Value(spec, element.get()), Value(spec, row.value)) << row.name;
    gst::Settings changed;
    row.change(changed);
    EXPECT_NE(changed, defaults) << row.name << ": the row's value is the default";
    EXPECT_EQ(gst::settings_of(GST_PADIM_FILTER(element.get())), changed) << row.name << " changes something else";
    EXPECT_EQ(changed.live == defaults.live, !has_flag(spec, GST_PARAM_MUTABLE_PLAYING)) << row.name;
    EXPECT_EQ(changed.fixed == defaults.fixed, !has_flag(spec, GST_PARAM_MUTABLE_READY)) << row.name;
  }
}

// What an element says of itself before it has seen anything, and what the base class would do to late frames.
TEST(PropertiesTest, SayNothingBeforeTheFirstFrame) {
  const auto element = make_element("");
  for (const auto& [name, expected] : {std::pair("last-score", "-1"), {"model-info", "NULL"}, {"qos", "false"}}) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
    EXPECT_EQ(Value(spec, element.get()), Value(spec, expected)) << name;
  }
}

/// The numbers that a property accepts, and its default.
Range<double> range_of(GParamSpec* spec) {
  if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    const GParamSpecDouble* of = G_PARAM_SPEC_DOUBLE(spec);
    return {of->minimum, of->maximum, of->default_value};
  }
  if (G_IS_PARAM_SPEC_INT(spec)) {
    const GParamSpecInt* of = G_PARAM_SPEC_INT(spec);
    return {double(of->minimum), double(of->maximum), double(of->default_value)};
  }
  const GParamSpecUInt* of = G_PARAM_SPEC_UINT(spec);
  return {double(of->minimum), double(of->maximum), double(of->default_value)};
}

// The options that library, element and tool share accept the same values: tests/support/option_ranges.json.
TEST(PropertiesTest, HaveTheRangesOfTheLibrary) {
  const auto element = make_element("");
  for (const auto& row : nlohmann::json::parse(std::ifstream(std::getenv("PADIM_OPTION_RANGES")))) {
    if (!row.contains("element")) continue;
    const auto name = row.at("element").get<std::string>();
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name.c_str());
    ASSERT_NE(spec, nullptr) << name;
    const auto expected = [&](const char* what) {
      const std::string own = std::string("element_") + what;
      return row.at(row.contains(own) ? own : what).get<double>();
    };
    const Range<double> range = range_of(spec);
    EXPECT_EQ(range.least, expected("least")) << name;
    EXPECT_EQ(range.most, expected("most")) << name;
    EXPECT_EQ(range.fallback, expected("default")) << name;
  }
}

// Pictures are drawn by controllers in editing software: the values that vary with time can be bound.
TEST(PropertiesTest, ThresholdAndOverlayAreControllableAndChangeWhilePlaying) {
  const auto element = make_element("");
  for (const char* name : {"threshold", "overlay-opacity", "overlay-floor"}) {
    const GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
    EXPECT_NE(static_cast<unsigned>(spec->flags) & static_cast<unsigned>(GST_PARAM_CONTROLLABLE), 0U) << name;
    EXPECT_NE(static_cast<unsigned>(spec->flags) & static_cast<unsigned>(GST_PARAM_MUTABLE_PLAYING), 0U) << name;
  }
}

// Before a fit or a model there is nothing to finish or to save, and neither call stops a pipeline.
TEST(PropertiesTest, SignalsAnswerFalseWhereThereIsNothingToDo) {
  ElementHarness harness("mode=off");
  gboolean done = TRUE;
  g_signal_emit_by_name(harness.element(), "finish-fit", &done);
  EXPECT_FALSE(done);
  done = TRUE;
  g_signal_emit_by_name(harness.element(), "save-model", "/tmp/nothing.padim", &done);
  EXPECT_FALSE(done);
  const auto warnings = harness.failures(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].text.find("/tmp/nothing.padim"), std::string::npos);
}

}  // namespace
}  // namespace padim::test
