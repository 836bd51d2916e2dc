#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "element_harness.h"
#include "padim/model.h"

namespace padim::test {
namespace {

/// While it lives, warnings of padimfilter's debug category are kept.
class DebugWarnings {
 public:
  DebugWarnings() {
    gst_debug_set_threshold_for_name("padimfilter", GST_LEVEL_WARNING);
    gst_debug_add_log_function(keep, this, nullptr);
  }
  ~DebugWarnings() {
    gst_debug_remove_log_function_by_data(this);
    gst_debug_unset_threshold_for_name("padimfilter");
  }
  DebugWarnings(const DebugWarnings&) = delete;
  DebugWarnings& operator=(const DebugWarnings&) = delete;

  /// Those since the last call.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(texts_, {});
  }

 private:
  static void keep(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint, GObject*,
                   GstDebugMessage* message, gpointer self) {
    if (level != GST_LEVEL_WARNING || gst_debug_category_get_name(category) != std::string("padimfilter")) return;
    auto* kept = static_cast<DebugWarnings*>(self);
    const std::lock_guard lock(kept->mutex_);
    kept->texts_.emplace_back(gst_debug_message_get(message));
  }

  std::mutex mutex_;
  std::vector<std::string> texts_;
};

bool may_change_while_playing(const GParamSpec* spec) {
  return (static_cast<unsigned>(spec->flags) & static_cast<unsigned>(GST_PARAM_MUTABLE_PLAYING)) != 0;
}

std::vector<GParamSpec*> writable_properties(GstElement* element) {
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  std::vector<GParamSpec*> own;
  for (guint i = 0; i < count; ++i) {
    const bool writable = (static_cast<unsigned>(specs[i]->flags) & static_cast<unsigned>(G_PARAM_WRITABLE)) != 0;
    if (specs[i]->owner_type == G_OBJECT_TYPE(element) && writable) own.push_back(specs[i]);
  }
  g_free(specs);
  return own;
}

/// Sets a property to its default.
void set_default(GstElement* element, const GParamSpec* spec) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_param_value_set_default(const_cast<GParamSpec*>(spec), &value);
  g_object_set_property(G_OBJECT(element), spec->name, &value);
  g_value_unset(&value);
}

// A value that waits for the next start says so, once; where it takes effect at once there is nothing to say.
TEST(SettingsTest, WhatWaitsForTheNextStartWarns) {
  ElementHarness harness("mode=off");
  harness.push_normal(0, 1);
  DebugWarnings warnings;
  for (const GParamSpec* spec : writable_properties(harness.element())) {
    set_default(harness.element(), spec);
    const auto said = warnings.take();
    ASSERT_EQ(said.size(), may_change_while_playing(spec) ? 0U : 1U) << spec->name;
    if (said.empty()) continue;
    EXPECT_EQ(said[0].find(spec->name), 0U) << said[0];
    EXPECT_NE(said[0].find("next start"), std::string::npos) << said[0];
  }
  gst_element_set_state(harness.element(), GST_STATE_READY);
  for (const GParamSpec* spec : writable_properties(harness.element())) set_default(harness.element(), spec);
  EXPECT_TRUE(warnings.take().empty()) << "a stopped element takes everything at its next start";
}

gboolean save_model(ElementHarness& harness, const std::string& file) {
  gboolean saved = FALSE;
  g_signal_emit_by_name(harness.element(), "save-model", file.c_str(), &saved);
  return saved;
}

// Whoever writes a model file while the element runs, the fit or the user, obeys the value that it started with.
TEST(SettingsTest, ModelFilesAreWrittenAsTheStartSaid) {
  for (const bool strips : {false, true}) {
    const TemporaryFolder folder;
    const std::string fitted = folder.file("fitted.padim");
    ElementHarness harness("mode=fit-then-detect refit=true fit-frames=16 overlay=0 strip-model=" +
                           std::string(strips ? "true" : "false") + " model-file=" + fitted);
    harness.push_normal(0, 8);
    harness.set("strip-model", strips ? "false" : "true");
    gboolean value = FALSE;
    g_object_get(harness.element(), "strip-model", &value, nullptr);
    EXPECT_NE(value != FALSE, strips) << "it reads back as set";
    harness.push_normal(8, 8);
    ASSERT_TRUE(harness.wait_for("padim-fitted"));
    ASSERT_TRUE(save_model(harness, folder.file("saved.padim")));
    EXPECT_EQ(Model::load(fitted).resumable(), !strips);
    EXPECT_EQ(Model::load(folder.file("saved.padim")).resumable(), !strips);

    gst_element_set_state(harness.element(), GST_STATE_READY);
    harness.set("refit", "true");
    gst_element_set_state(harness.element(), GST_STATE_PLAYING);
    harness.set_scene(harness.scene());
    harness.push_normal(0, 16);
    ASSERT_TRUE(harness.wait_for("padim-fitted"));
    ASSERT_TRUE(save_model(harness, folder.file("saved.padim")));
    EXPECT_EQ(Model::load(fitted).resumable(), strips) << "the next start obeys";
    EXPECT_EQ(Model::load(folder.file("saved.padim")).resumable(), strips) << "the next start obeys";
  }
}

}  // namespace
}  // namespace padim::test
