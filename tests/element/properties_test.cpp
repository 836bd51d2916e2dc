#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "element_harness.h"

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

std::string nicks_of(const GValue& flags) {
  auto* flags_class = static_cast<GFlagsClass*>(g_type_class_ref(G_VALUE_TYPE(&flags)));
  std::string nicks;
  for (guint i = 0; i < flags_class->n_values; ++i) {
    if ((g_value_get_flags(&flags) & flags_class->values[i].value) == 0) continue;
    nicks += (nicks.empty() ? "" : "+") + std::string(flags_class->values[i].value_nick);
  }
  g_type_class_unref(flags_class);
  return nicks;
}

std::string value_of(GstElement* element, const std::string& name) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str())->value_type);
  g_object_get_property(G_OBJECT(element), name.c_str(), &value);
  if (G_VALUE_HOLDS_FLAGS(&value)) return nicks_of(value);
  gchar* text = G_VALUE_HOLDS_STRING(&value) ? g_value_dup_string(&value) : gst_value_serialize(&value);
  std::string copy = text == nullptr ? "NULL" : text;
  g_free(text);
  g_value_unset(&value);
  return copy;
}

// The contract with the users' scripts: names and defaults.
TEST(PropertiesTest, HaveTheDocumentedDefaults) {
  const std::map<std::string, std::string> defaults = {
      {"mode", "detect"},
      {"model-file", "NULL"},
      {"strip-model", "false"},
      {"backbone", "NULL"},
      {"backbone-file", "NULL"},
      {"device", "cpu"},
      {"precision", "auto"},
      {"threads", "-1"},
      {"fit-frames", "0"},
      {"batch-size", "0"},
      {"grid", "coarsest"},
      {"search-radius", "0"},
      {"reduction", "none"},
      {"dimensions", "100"},
      {"seed", "1024"},
      {"geometry", "full"},
      {"input-size", "NULL"},
      {"epsilon", "0"},
      {"relative-epsilon", "0"},
      {"adapt-half-life", "0"},
      {"fit-augment", "0"},
      {"inference-interval", "1"},
      {"late-policy", "reuse"},
      {"threshold", "0.5"},
      {"overlay-opacity", "0.5"},
      {"output", "overlay"},
      {"overlay", "heatmap+text"},
      {"overlay-text", "score+state"},
      {"colormap", "jet"},
      {"attach-meta", "score+roi+analytics"},
      {"post-messages", "events"},
      {"json-location", "NULL"},
      {"mask-file", "NULL"},
      {"max-regions", "16"},
      {"roi", "NULL"},
      {"json-max-bytes", "0"},
      {"message-interval", "0"},
      {"last-score", "-1"},
      {"model-info", "NULL"},
      {"event-gap", "1000000000"},
      {"min-anomalous-frames", "1"},
      {"qos", "false"},
  };
  const auto element = make_element("");
  for (const auto& [name, expected] : defaults) EXPECT_EQ(value_of(element.get(), name), expected) << name;
  double number = 0;
  g_object_get(element.get(), "overlay-floor", &number, nullptr);
  EXPECT_DOUBLE_EQ(number, 0.3);
  g_object_get(element.get(), "min-region-area", &number, nullptr);
  EXPECT_DOUBLE_EQ(number, 0.0005);
  g_object_get(element.get(), "false-alarm-rate", &number, nullptr);
  EXPECT_DOUBLE_EQ(number, 0.001);
}

// Every writable property gives back what was set.
TEST(PropertiesTest, KeepWhatIsSet) {
  const std::map<std::string, std::string> values = {
      {"mode", "fit-then-detect"},
      {"model-file", "a.padim"},
      {"strip-model", "true"},
      {"backbone", "resnet18"},
      {"backbone-file", "w.safetensors"},
      {"device", "cuda:1"},
      {"precision", "bfloat16"},
      {"threads", "3"},
      {"fit-frames", "200"},
      {"batch-size", "4"},
      {"grid", "finest"},
      {"search-radius", "2"},
      {"reduction", "random"},
      {"dimensions", "55"},
      {"seed", "7"},
      {"geometry", "paper"},
      {"input-size", "320x192"},
      {"epsilon", "0.25"},
      {"relative-epsilon", "0.5"},
      {"false-alarm-rate", "0.125"},
      {"adapt-half-life", "500"},
      {"fit-augment", "3"},
      {"inference-interval", "5"},
      {"late-policy", "drop"},
      {"threshold", "0.75"},
      {"output", "map"},
      {"overlay", "contour+boxes"},
      {"overlay-text", "state+fps"},
      {"overlay-opacity", "0.25"},
      {"overlay-floor", "0.5"},
      {"colormap", "viridis"},
      {"attach-meta", "score"},
      {"post-messages", "all"},
      {"json-location", "-"},
      {"mask-file", "mask.png"},
      {"max-regions", "5"},
      {"min-region-area", "0.25"},
      {"roi", "0.1,0.1,0.5,0.5"},
      {"json-max-bytes", "1000000"},
      {"message-interval", "500000000"},
      {"min-anomalous-frames", "3"},
      {"event-gap", "2500000000"},
  };
  const auto element = make_element("");
  for (const auto& [name, value] : values) {
    gst_util_set_object_arg(G_OBJECT(element.get()), name.c_str(), value.c_str());
    EXPECT_EQ(value_of(element.get(), name), value) << name;
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
