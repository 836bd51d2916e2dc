#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "backbonefactory.h"
#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/error.h"
#include "support/fake_backbone.h"

namespace padim::test {
namespace {

struct StartCase {
  const char* name;
  std::string properties;
  GQuark domain;
  int code;
  std::vector<std::string> words;  ///< the thing and the remedy
};

void expect_one(const std::vector<Failure>& failures, GQuark domain, int code, const std::vector<std::string>& words,
                const std::string& name) {
  ASSERT_EQ(failures.size(), 1U) << name;
  EXPECT_EQ(g_quark_to_string(failures[0].domain), std::string(g_quark_to_string(domain))) << name;
  EXPECT_EQ(failures[0].code, code) << name << ": " << failures[0].text;
  EXPECT_FALSE(failures[0].debug.empty()) << name;
  for (const std::string& word : words) {
    EXPECT_NE(failures[0].text.find(word), std::string::npos)
        << name << ": '" << failures[0].text << "' lacks " << word;
  }
}

void write_file(const std::string& path, const std::string& content) { std::ofstream(path) << content; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A start that cannot work says once what is wrong and what to do, and the element can be started again afterwards.
TEST(ErrorsTest, OfTheStart) {
  const TemporaryFolder folder;
  const std::string& good = fitted_model();
  const std::string content = read_file(good);
  write_file(folder.file("short.padim"), content.substr(0, content.size() / 2));
  std::string flipped = content;
  flipped[flipped.size() - 100] = static_cast<char>(flipped[flipped.size() - 100] ^ 0x10);
  write_file(folder.file("flipped.padim"), flipped);
  write_file(folder.file("foreign.padim"), "this is a letter, not a model");
  write_file(folder.file("empty.padim"), "");

  const StartCase cases[] = {
      {"no model", "", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, {"model-file"}},
      {"missing",
       "model-file=" + folder.file("gone.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_NOT_FOUND,
       {"gone.padim"}},
      {"short",
       "model-file=" + folder.file("short.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_READ,
       {"short.padim"}},
      {"flipped",
       "model-file=" + folder.file("flipped.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_READ,
       {"flipped.padim"}},
      {"foreign",
       "model-file=" + folder.file("foreign.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_READ,
       {"foreign.padim"}},
      {"empty",
       "model-file=" + folder.file("empty.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_READ,
       {"empty.padim"}},
      {"other backbone",
       "backbone=resnet18 model-file=" + good,
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"efficientnet_lite0", "resnet18", "normal.padim"}},
      {"fit without file",
       "mode=fit",
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"model-file", "fit-then-detect"}},
      {"fit into no folder",
       "mode=fit model-file=" + folder.file("no/where.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_WRITE,
       {"where.padim", "does not exist"}},
      {"two epsilons",
       "mode=fit-then-detect epsilon=0.1 relative-epsilon=0.1",
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"epsilon", "relative-epsilon", "one of them"}},
      {"input size", "mode=fit-then-detect input-size=wide", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, {"wide"}},
      {"threads", "mode=fit-then-detect threads=0", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, {"threads", "-1"}},
      {"json",
       "mode=off json-location=" + folder.file("no/lines.json"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_WRITE,
       {"lines.json", "json-location"}},
      {"json of something else",
       "mode=off json-location=" + folder.file("foreign.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_WRITE,
       {"foreign.padim", "json-location", "something else"}},
      {"json over the model",
       "model-file=" + good + " json-location=" + good,
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"json-location", "would overwrite model-file"}},
      {"json and model in one",
       "mode=fit model-file=" + folder.file("one") + " json-location=" + folder.file("./one"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"json-location", "would overwrite model-file"}},
      {"json moved over the model",
       "mode=fit json-max-bytes=1000 model-file=" + folder.file("two.1") + " json-location=" + folder.file("two"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"json-location", "two.1", "would overwrite model-file"}},
      {"fit over the mask",
       "mode=fit model-file=" + folder.file("empty.padim") + " mask-file=" + folder.file("empty.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"model-file", "would overwrite mask-file"}},
      {"fit over the weights",
       "mode=fit model-file=" + folder.file("empty.padim") + " backbone-file=" + folder.file("empty.padim"),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_SETTINGS,
       {"model-file", "would overwrite the backbone's file"}},
      {"fit into a folder",
       "mode=fit model-file=" + folder.path().string(),
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_WRITE,
       {"model-file", "a folder", "name a file"}},
      {"fit into a device",
       "mode=fit-then-detect refit=true model-file=/dev/null",
       GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_OPEN_WRITE,
       {"/dev/null", "name a file"}},
  };
  for (const StartCase& c : cases) {
    const auto element = make_element(c.properties);
    const Owned<GstBus> bus(gst_element_get_bus(element.get()));
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << c.name;
    expect_one(failures_on(bus.get()), c.domain, c.code, c.words, c.name);

    gst_element_set_state(element.get(), GST_STATE_NULL);
    gst_util_set_object_arg(G_OBJECT(element.get()), "mode", "off");
    g_object_set(element.get(), "json-location", nullptr, "mask-file", nullptr, "backbone-file", nullptr, nullptr);
    EXPECT_NE(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << c.name;
    gst_element_set_state(element.get(), GST_STATE_NULL);
  }
  EXPECT_EQ(read_file(good), content);
  EXPECT_EQ(read_file(folder.file("foreign.padim")), "this is a letter, not a model");
}

// What other elements of the pipeline read or write is theirs.
TEST(ErrorsTest, OfFilesOfThePipeline) {
  const TemporaryFolder folder;
  const std::string video = folder.file("video.mp4");
  write_file(video, "precious");
  for (const std::string property : {"mode=fit model-file=", "mode=off json-location="}) {
    const Owned<GstElement> pipeline(gst_parse_launch(
        ("filesrc location=" + video + " ! fakesink videotestsrc ! padimfilter " + property + video + " ! fakesink")
            .c_str(),
        nullptr));
    const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
    EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    expect_one(failures_on(bus.get()), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
               {"video.mp4", "would overwrite the file of element 'filesrc"}, property);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  }
  EXPECT_EQ(read_file(video), "precious");
}

// A fit that saw no frame, or too few, has nothing to save; the end of the stream goes on all the same.
TEST(ErrorsTest, OfAFitWithoutFrames) {
  for (const int frames : {0, 1}) {
    const TemporaryFolder folder;
    const std::string file = folder.file("few.padim");
    ElementHarness harness("mode=fit model-file=" + file);
    harness.push_normal(0, frames);
    harness.send_eos();
    harness.send_eos();
    expect_one(harness.failures(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, {"frame"}, std::to_string(frames));
    EXPECT_FALSE(std::filesystem::exists(file)) << frames;
    EXPECT_TRUE(GST_PAD_IS_EOS(harness.harness()->sinkpad)) << frames;
  }
}

// A model of wide pictures cannot judge tall ones: one error, however often the caps come.
TEST(ErrorsTest, OfAnotherAspectRatio) {
  const TemporaryFolder folder;
  const std::string file = folder.file("wide.padim");
  fit_model(file);
  ElementHarness harness("model-file=" + file);
  ASSERT_TRUE(harness.run(0));
  Scene tall = harness.scene();
  std::swap(tall.width, tall.height);
  for (int round = 0; round < 2; ++round) {
    harness.set_scene(tall);
    EXPECT_EQ(harness.push(1), GST_FLOW_NOT_NEGOTIATED);
    expect_one(harness.failures(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, {"aspect", "288x384"}, "tall");
    harness.set_scene(Scene{});
    EXPECT_TRUE(harness.run(2));
  }
}

Owned<GstBuffer> short_buffer() { return Owned<GstBuffer>(gst_buffer_new_allocate(nullptr, 100, nullptr)); }

// A buffer that is too small for its caps is passed on, counted, and said once: neither a fit nor detection ends with
// it.
TEST(ErrorsTest, OfABrokenBuffer) {
  const TemporaryFolder folder;
  ElementHarness harness("mode=fit-then-detect fit-frames=12 overlay=0 json-location=" + folder.file("s.jsonl"));
  harness.push_normal(0, 6);
  EXPECT_EQ(harness.push(short_buffer()), GST_FLOW_OK);
  EXPECT_EQ(harness.push(short_buffer()), GST_FLOW_OK);
  expect_one(harness.failures(GST_MESSAGE_WARNING), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
             {"frame 6", "100 bytes", "384x288"}, "small");
  harness.push_normal(8, 6);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_EQ(harness.push(short_buffer()), GST_FLOW_OK);
  harness.drain();
  const auto out = harness.run(14);
  ASSERT_TRUE(out);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
  const auto states = states_in(folder.file("s.jsonl"));
  EXPECT_EQ(std::ranges::count(states, "broken"), 3);
  EXPECT_EQ(std::ranges::count(states, "fit"), 12);
  GstStructure* stats = nullptr;
  g_object_get(harness.element(), "stats", &stats, nullptr);
  EXPECT_EQ(uint64_field(stats, "broken"), 3U);
  gst_structure_free(stats);
}

// A stream of nothing else has caps that are wrong: an error, not a crash.
TEST(ErrorsTest, OfBrokenBuffers) {
  ElementHarness harness("mode=fit-then-detect");
  for (int i = 0; i < 29; ++i) EXPECT_EQ(harness.push(short_buffer()), GST_FLOW_OK);
  EXPECT_EQ(harness.push(short_buffer()), GST_FLOW_ERROR);
  expect_one(harness.failures(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, {"100 bytes", "384x288"}, "small");
}

/// Runs `calls` times, then fails in the given way.
class FailingBackbone : public FakeBackbone {
 public:
  FailingBackbone(int calls, int kind) : calls_(calls), kind_(kind) {}

  // The channels are all used: a copy would forget what it counted.
  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int>) const override {
    return std::make_shared<FailingBackbone>(calls_, kind_);
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    if (calls_-- > 0) return FakeBackbone::run(images, batch, height, width, taps, threads);
    if (kind_ == 0) throw Error(ErrorCode::internal, "the network failed: restart the element");
    if (kind_ == 1) throw std::bad_alloc();
    if (kind_ == 2) throw std::runtime_error("foreign failure");
    throw 42;
  }

 private:
  mutable int calls_;
  int kind_;
};

class ErrorsBackboneTest : public testing::TestWithParam<int> {
 protected:
  void TearDown() override {
    gst::set_backbone_factory(
        [](const BackboneOptions& options) { return std::make_shared<FakeBackbone>(options.name); });
  }
};

// Whatever a network throws while frames flow: one error, GST_FLOW_ERROR from then on, and a restart works.
TEST_P(ErrorsBackboneTest, OfTheNetwork) {
  gst::set_backbone_factory([](const BackboneOptions&) { return std::make_shared<FailingBackbone>(3, GetParam()); });
  ElementHarness harness("mode=fit-then-detect");
  harness.push_normal(0, 3);
  EXPECT_EQ(harness.push(3), GST_FLOW_ERROR);
  EXPECT_EQ(harness.push(4), GST_FLOW_ERROR);
  harness.send_eos();
  expect_one(harness.failures(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, {}, std::to_string(GetParam()));

  TearDown();
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  EXPECT_EQ(gst_element_set_state(harness.element(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
}

// Weights that are not installed are named before the first frame.
TEST_F(ErrorsBackboneTest, OfMissingWeights) {
  gst::set_backbone_factory({});
  setenv("PADIM_BACKBONES", "/nonexistent/one:/nonexistent/two", 1);
  const auto element = make_element("mode=fit-then-detect backbone=resnet18");
  const Owned<GstBus> bus(gst_element_get_bus(element.get()));
  EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  expect_one(failures_on(bus.get()), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
             {"resnet18", "/nonexistent/one", "/nonexistent/two"}, "weights");
  gst_element_set_state(element.get(), GST_STATE_NULL);
  unsetenv("PADIM_BACKBONES");
}

INSTANTIATE_TEST_SUITE_P(Kinds, ErrorsBackboneTest, testing::Values(0, 1, 2, 3));

// A pipeline that failed goes to NULL and runs again with better settings.
TEST(ErrorsTest, FailingPipelineCanBeRestarted) {
  GError* error = nullptr;
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc num-buffers=12 ! video/x-raw,width=320,height=240 ! padimfilter name=p ! fakesink", &error));
  ASSERT_EQ(error, nullptr) << error->message;
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  for (const auto& [mode, expected] :
       {std::pair("detect", GST_MESSAGE_ERROR), std::pair("fit-then-detect", GST_MESSAGE_EOS),
        std::pair("detect", GST_MESSAGE_ERROR), std::pair("off", GST_MESSAGE_EOS)}) {
    const Owned<GstElement> filter(gst_bin_get_by_name(GST_BIN(pipeline.get()), "p"));
    gst_util_set_object_arg(G_OBJECT(filter.get()), "mode", mode);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const Owned<GstMessage> message(
        gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND,
                                   static_cast<GstMessageType>(static_cast<unsigned>(GST_MESSAGE_ERROR) |
                                                               static_cast<unsigned>(GST_MESSAGE_EOS))));
    ASSERT_TRUE(message) << mode;
    EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), expected) << mode;
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  }
}

}  // namespace
}  // namespace padim::test
