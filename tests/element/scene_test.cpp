#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"

namespace padim::test {
namespace {

constexpr std::uint64_t frame_time(std::uint64_t frame) { return frame * GST_SECOND / 30; }
constexpr int kEnough = 80;  // frames, for a model of 24: blocks of 4, at most 10 of them

/// Frame `index` with `percent` of its light.
Owned<GstBuffer> lit(const Scene& scene, int index, int percent) {
  Owned<GstBuffer> buffer = render(scene, index);
  GstMapInfo map;
  EXPECT_TRUE(gst_buffer_map(buffer.get(), &map, GST_MAP_READWRITE));
  for (gsize i = 0; i < map.size; ++i) map.data[i] = static_cast<guint8>(map.data[i] * percent / 100);
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

void push_lit(ElementHarness& harness, int first, int count, int percent) {
  for (int i = first; i < first + count; ++i) ASSERT_TRUE(harness.run(lit(harness.scene(), i, percent)));
}

std::string text_field(const GstStructure* structure, const char* name) {
  const gchar* text = gst_structure_get_string(structure, name);
  return text == nullptr ? "" : text;
}

/// What was posted of the scene, in order: "+cause" and "-cause".
std::vector<std::string> scene_messages(ElementHarness& harness) {
  std::vector<std::string> said;
  for (const auto& message : harness.messages(GST_MESSAGE_ELEMENT)) {
    const GstStructure* structure = gst_message_get_structure(message.get());
    const std::string cause = text_field(structure, "cause");
    if (gst_message_has_name(message.get(), "padim-scene-changed-begin")) said.push_back("+" + cause);
    if (gst_message_has_name(message.get(), "padim-scene-changed-end")) said.push_back("-" + cause);
  }
  return said;
}

using Said = std::vector<std::string>;

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Light that falls to a half and comes back: one begin and one end, which say when, what, and what to do.
TEST(SceneTest, SaysThatTheLightHasChanged) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  harness.push_normal(0, 8);
  push_lit(harness, 8, kEnough, 50);
  harness.push_normal(8 + kEnough, 8);
  const auto messages = harness.messages(GST_MESSAGE_ELEMENT);
  std::vector<const GstStructure*> changes;
  for (const auto& message : messages) {
    const GstStructure* structure = gst_message_get_structure(message.get());
    if (gst_structure_get_string(structure, "cause") != nullptr) changes.push_back(structure);
  }
  ASSERT_EQ(changes.size(), 2U);
  const GstStructure* begin = changes[0];
  const GstStructure* end = changes[1];
  EXPECT_TRUE(gst_structure_has_name(begin, "padim-scene-changed-begin"));
  EXPECT_EQ(text_field(begin, "cause"), "light");
  EXPECT_NE(text_field(begin, "what-to-do").find("fit again"), std::string::npos);
  EXPECT_EQ(uint64_field(begin, "begin-running-time"), frame_time(8));
  EXPECT_GT(uint64_field(begin, "running-time"), frame_time(8 + 15));
  EXPECT_TRUE(gst_structure_has_name(end, "padim-scene-changed-end"));
  EXPECT_EQ(text_field(end, "cause"), "light");
  EXPECT_EQ(uint64_field(end, "begin-running-time"), frame_time(8));
  EXPECT_EQ(uint64_field(end, "end-running-time"), frame_time(8 + kEnough - 1));
  EXPECT_EQ(uint64_field(end, "running-time"), frame_time(8 + kEnough + 3));
}

// The metadata of every frame says while it lasts what the picture looks like, and nothing before and after.
TEST(SceneTest, IsInTheMetadata) {
  ElementHarness harness("overlay=0 inference-interval=2 model-file=" + fitted_model());
  const auto scene_of = [&](const Owned<GstBuffer>& buffer) {
    const gchar* scene = gst_padim_meta_get_scene(gst_buffer_get_padim_meta(buffer.get()));
    return scene == nullptr ? std::string() : scene;
  };
  EXPECT_EQ(scene_of(harness.run(0)), "");
  std::vector<std::string> dark;
  for (int i = 1; i <= 8; ++i) dark.push_back(scene_of(harness.run(lit(harness.scene(), i, 0))));
  EXPECT_EQ(std::ranges::count(dark, "black"), 8 - 3) << "from the second black frame on that was scored";
  for (int i = 9; i < 14; ++i) harness.run(i);
  EXPECT_EQ(scene_of(harness.run(14)), "");
}

// Neither normal frames nor a foreign object that stays in a corner change the scene.
TEST(SceneTest, StaysSilentOtherwise) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  harness.push_normal(0, kEnough);
  for (int i = 0; i < kEnough; ++i) harness.run(kEnough + i, Content::anomalous);
  EXPECT_EQ(scene_messages(harness), Said{});
}

// A black picture is said with its second frame; the caption says so as long as it lasts, and so do JSON lines.
TEST(SceneTest, SaysBlackAtOnce) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  ElementHarness harness("overlay=text overlay-text=state model-file=" + fitted_model() + " json-location=" + file);
  harness.push_normal(0, 4);
  std::vector<std::vector<std::uint8_t>> drawn;
  for (int i = 4; i < 7; ++i) drawn.push_back(bytes_of(harness.run(lit(harness.scene(), i, 0)).get()));
  EXPECT_EQ(scene_messages(harness), Said{"+black"});
  EXPECT_NE(drawn[0], drawn[1]);
  EXPECT_EQ(drawn[1], drawn[2]);
  harness.push_normal(7, 3);
  EXPECT_EQ(scene_messages(harness), Said{"-black"});
  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 10U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool says = lines[i].find(R"("scene":"black")") != std::string::npos;
    EXPECT_EQ(says, i >= 5 && i <= 7) << lines[i];
  }
}

// A camera that repeats its picture is frozen, which begins with the first of them.
TEST(SceneTest, SaysThatThePictureIsFrozen) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  harness.push_normal(0, 4);
  for (int i = 4; i < 40; ++i) {
    Owned<GstBuffer> buffer = render(harness.scene(), 3);
    GST_BUFFER_PTS(buffer.get()) = frame_time(static_cast<std::uint64_t>(i));
    ASSERT_TRUE(harness.run(std::move(buffer)));
  }
  const auto begun = harness.messages(GST_MESSAGE_ELEMENT, "padim-scene-changed-begin");
  ASSERT_EQ(begun.size(), 1U);
  const GstStructure* structure = gst_message_get_structure(begun[0].get());
  EXPECT_EQ(text_field(structure, "cause"), "frozen");
  EXPECT_EQ(uint64_field(structure, "begin-running-time"), frame_time(3));
}

// What is open does not stay open: a flush, mode=off, the end of the stream and the stop end it.
TEST(SceneTest, OpenChangesAreClosed) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  int frame = 0;
  const auto go_black = [&] { push_lit(harness, std::exchange(frame, frame + 2), 2, 0); };
  go_black();
  harness.flush();
  EXPECT_EQ(scene_messages(harness), (Said{"+black", "-black"}));
  go_black();
  harness.set("mode", "off");
  harness.push_normal(frame++, 1);
  EXPECT_EQ(scene_messages(harness), (Said{"+black", "-black"}));
  harness.set("mode", "detect");
  go_black();
  harness.send_eos();
  EXPECT_EQ(scene_messages(harness), (Said{"+black", "-black"}));
  harness.flush();
  go_black();
  EXPECT_EQ(scene_messages(harness), Said{"+black"});
  gst_element_set_state(harness.element(), GST_STATE_READY);
  EXPECT_EQ(scene_messages(harness), Said{"-black"});
}

// post-messages=none holds for the scene too.
TEST(SceneTest, PostsNothingWhereNothingIsWanted) {
  ElementHarness harness("overlay=0 post-messages=none model-file=" + fitted_model());
  push_lit(harness, 0, 4, 0);
  harness.flush();
  EXPECT_EQ(scene_messages(harness), Said{});
}

// The operator's word ends a change: what is shown is not observed, and is normal once it is learned.
TEST(SceneTest, EndsWithWhatIsLearned) {
  const TemporaryFolder folder;
  const std::string file = folder.file("model.padim");
  fit_model(file);
  ElementHarness harness("overlay=0 model-file=" + file);
  push_lit(harness, 0, kEnough, 50);
  EXPECT_EQ(scene_messages(harness), Said{"+light"});
  gboolean accepted = FALSE;
  g_signal_emit_by_name(harness.element(), "learn", 24U, &accepted);
  ASSERT_TRUE(accepted);
  Said said;
  EXPECT_TRUE(step_until([&](int i) {
    EXPECT_NE(harness.run(lit(harness.scene(), kEnough + i, 50)), nullptr);
    for (const std::string& word : scene_messages(harness)) said.push_back(word);
    return !said.empty();
  }));
  EXPECT_EQ(said, Said{"-light"});
  push_lit(harness, 1000, kEnough, 50);
  EXPECT_EQ(scene_messages(harness), Said{});
}

}  // namespace
}  // namespace padim::test
