#include "backbone/description.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "expect_error.h"
#include "random_numbers.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

using Json = nlohmann::json;

// A valid description with every kind of layer.
Json small() {
  return Json::parse(R"({
    "name": "small",
    "input": {"mean": [127, 127, 127], "std": [64, 64, 64]},
    "epsilon": {"relative": 0.1},
    "weights": {"source": "nowhere"},
    "blocks": [
      {"name": "stem", "layers": [{"conv": "c1", "norm": "n1", "kernel": 3, "channels": 8, "stride": 2,
                                   "activation": "relu"}, {"max_pool": 3, "stride": 2}], "tap": "one"},
      {"name": "body", "layers": [{"conv": "c2", "kernel": 3, "channels": 16, "stride": 2, "groups": 8}],
       "shortcut": {"conv": "s2", "kernel": 1, "channels": 16, "stride": 2}, "activation": "relu6"},
      {"name": "tail", "layers": [{"conv": "c3", "kernel": 5, "channels": 16}], "shortcut": "identity", "tap": "two"},
      {"name": "beyond", "layers": [{"conv": "c4", "kernel": 1, "channels": 4}]}
    ]})");
}

class Description : public testing::Test {
 protected:
  BackboneDescription load(const std::string& text) {
    return load_backbone_description(write_bytes(folder_ / "small.json", text));
  }

  void expect_refused(const std::string& text, std::initializer_list<std::string> words) {
    const std::string sentence = expect_error(ErrorCode::bad_format, words, [&] { load(text); });
    EXPECT_NE(sentence.find("small.json'"), std::string::npos) << sentence;
  }

  ScratchFolder folder_;
};

// The fields arrive; what lies beyond the last tap is dropped.
TEST_F(Description, ReadsEveryField) {
  const BackboneDescription description = load(small().dump());
  EXPECT_EQ(description.name, "small");
  EXPECT_EQ(description.padding, Padding::symmetric);
  EXPECT_EQ(description.epsilon, 0.1);
  EXPECT_TRUE(description.epsilon_is_relative);
  ASSERT_EQ(description.blocks.size(), 3U);
  EXPECT_EQ(description.taps, (std::vector<TapInfo>{{"one", 8, 4}, {"two", 16, 8}}));
  EXPECT_EQ(description.blocks[0].layers[1].kind, LayerKind::max_pool);
  EXPECT_EQ(description.blocks[1].layers[0].groups, 8);
  EXPECT_EQ(description.blocks[1].shortcut, Shortcut::convolution);
  EXPECT_EQ(description.blocks[2].shortcut, Shortcut::identity);
}

// The descriptions that are shipped have the taps that the documentation gives.
TEST_F(Description, ReadsTheShippedOnes) {
  struct Case {
    const char* name;
    std::vector<int> channels;
    std::vector<int> strides;
  };
  for (const Case& c :
       {Case{"efficientnet_lite0", {24, 40, 80, 112}, {4, 8, 16, 16}}, Case{"resnet18", {64, 128, 256}, {4, 8, 16}},
        Case{"wide_resnet50_2", {256, 512, 1024}, {4, 8, 16}}}) {
    const auto description =
        load_backbone_description(std::filesystem::path(std::getenv("PADIM_MODELS")) / (std::string(c.name) + ".json"));
    EXPECT_EQ(description.name, c.name);
    ASSERT_EQ(description.taps.size(), c.channels.size());
    for (std::size_t i = 0; i < c.channels.size(); ++i) {
      EXPECT_EQ(description.taps[i].channels, c.channels[i]);
      EXPECT_EQ(description.taps[i].stride, c.strides[i]);
    }
  }
}

// One wrong field each, by JSON pointer; the sentence names the file, the place and what is wrong with it.
TEST_F(Description, RefusesWrongFields) {
  struct Case {
    const char* pointer;
    const char* value;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"/name", "7", {"type"}},
      {"/input", "{}", {"mean"}},
      {"/input/mean", "[1, 2]", {}},
      {"/input/std", "[1, 0, 1]", {"'std'"}},
      {"/input/std", "[1, -1, 1]", {"'std'"}},
      {"/epsilon", R"({"relative": 0})", {"'epsilon'"}},
      {"/epsilon", R"({"absolute": -1})", {"'epsilon'"}},
      {"/epsilon", "{}", {"absolute"}},
      {"/batch_norm_epsilon", "-1", {"'batch_norm_epsilon'"}},
      {"/padding", R"("valid")", {"'padding'", "symmetric, same"}},
      {"/blocks", "[]", {"'tap'"}},
      {"/blocks", "7", {}},
      {"/blocks/0/layers", "[]", {"block 0", "'layers'"}},
      {"/blocks/0/layers/0/kernel", "2", {"block 0", "odd"}},
      {"/blocks/0/layers/0/kernel", "33", {"block 0", "'kernel'"}},
      {"/blocks/0/layers/0/kernel", "-3", {"block 0", "'kernel'"}},
      {"/blocks/0/layers/0/channels", "0", {"block 0", "'channels'"}},
      {"/blocks/0/layers/0/channels", "4294967304", {"block 0", "'channels'"}},
      {"/blocks/0/layers/0/channels", "8.5", {"block 0", "'channels'"}},
      {"/blocks/0/layers/0/channels", R"("8")", {"block 0", "'channels'"}},
      {"/blocks/0/layers/0/stride", "9", {"block 0", "'stride'"}},
      {"/blocks/0/layers/0/stride", "0", {"block 0", "'stride'"}},
      {"/blocks/0/layers/0/conv", "null", {"block 0"}},
      {"/blocks/0/layers/0/activation", R"("gelu")", {"block 0", "'activation'", "relu6"}},
      {"/blocks/0/layers/1/max_pool", "4", {"block 0", "odd"}},
      {"/blocks/1/layers/0/groups", "3", {"block 1", "'groups'"}},
      {"/blocks/1/shortcut/channels", "8", {"block 1", "shortcut"}},
      {"/blocks/1/shortcut/stride", "1", {"block 1", "shortcut"}},
      {"/blocks/1/shortcut", R"("identity")", {"block 1", "shortcut"}},
      {"/blocks/1/shortcut", R"("sideways")", {"block 1"}},
      {"/blocks/1/shortcut", R"({"max_pool": 3, "stride": 2})", {"block 1", "shortcut"}},
      {"/blocks/2/tap", R"("one")", {"tap 'one' is named twice"}},
      {"/blocks/2/tap", "3", {"block 2"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.pointer) + " = " + c.value);
    Json json = small();
    json[Json::json_pointer(c.pointer)] = Json::parse(c.value);
    expect_refused(json.dump(), {"models/README.md"});
    for (const std::string& word : c.words) expect_refused(json.dump(), {word});
  }
}

// A field that there is not is misspelt, at whatever level, and says which there are.
TEST_F(Description, RefusesUnknownFields) {
  struct Case {
    const char* pointer;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"/paddding", {"'paddding'", "padding"}},
      {"/input/means", {"'input'", "'means'", "mean, std"}},
      {"/epsilon/relativ", {"'epsilon'", "'relativ'", "relative"}},
      {"/epsilon/absolute", {"'epsilon'", "either"}},
      {"/weights/license", {"'weights'", "'license'", "licence"}},
      {"/blocks/0/tapp", {"block 0", "'tapp'", "tap"}},
      {"/blocks/0/layers/0/kernal", {"block 0", "'kernal'", "kernel"}},
      {"/blocks/0/layers/1/channels", {"block 0", "pooling", "'channels'", "max_pool, stride"}},
      {"/blocks/1/shortcut/tap", {"block 1", "'tap'"}},
      {"/blocks/3/tapp", {"block 3", "'tapp'"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.pointer);
    Json json = small();
    json[Json::json_pointer(c.pointer)] = 1;
    for (const std::string& word : c.words) expect_refused(json.dump(), {word});
  }
  for (const char* text : {"[]", "7", "null", R"({"blocks": [[]]})"}) expect_refused(text, {});
}

// Strides that multiply beyond reason, blocks without end and files without end are refused before they cost anything.
TEST_F(Description, RefusesAbsurdSizes) {
  Json json = small();
  for (int i = 0; i < 4; ++i)
    json["blocks"].push_back({{"layers", {{{"conv", "x"}, {"kernel", 1}, {"channels", 4}, {"stride", 8}}}}});
  json["blocks"].back()["tap"] = "far";
  expect_refused(json.dump(), {"strides"});
  json = small();
  for (int i = 0; i < 1000; ++i) json["blocks"].push_back(json["blocks"][3]);
  expect_refused(json.dump(), {"more than 1000 blocks"});
  expect_refused(small().dump() + std::string(2U << 20, ' '), {"larger"});
  expect_refused(std::string(500'000, '['), {});
  expect_refused("", {"empty"});
}

// Bytes changed at random: refused with a sentence, or a description that holds together; never a crash.
TEST_F(Description, SurvivesRandomDamage) {
  const std::string good = small().dump(1);
  std::mt19937 generator(6);
  for (int round = 0; round < 1000; ++round) {
    std::string text = good;
    for (int i = random_int(generator, 1, 3); i > 0; --i) {
      const auto at = static_cast<std::size_t>(random_int(generator, 0, static_cast<int>(text.size()) - 1));
      if (random_int(generator, 0, 2) == 0) {
        text.erase(at, static_cast<std::size_t>(random_int(generator, 1, 20)));
      } else {
        text[at] = static_cast<char>("0123456789-{}[]\",:x"[random_int(generator, 0, 18)]);
      }
      if (text.empty()) text = " ";
    }
    try {
      const BackboneDescription description = load(text);
      EXPECT_FALSE(description.taps.empty());
      EXPECT_FALSE(description.blocks.back().tap.empty());
      for (const TapInfo& tap : description.taps) {
        EXPECT_TRUE(tap.channels >= 1 && tap.stride >= 1 && tap.stride <= 256) << text;
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_format) << error.what();
    }
  }
}

}  // namespace
}  // namespace padim::test
