// LibTorch and oneDNN execute the same network and must agree: each is the other's oracle. The networks are small and
// random, and hold every kind of layer, shortcut, activation and padding that a description can ask for.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backbone/network.h"
#include "backbone/network_backbone.h"
#include "backbone/onednn.h"
#include "random_numbers.h"
#include "torch_engine.h"

namespace padim {
namespace {

using test::normal_floats;
using test::random_bytes;
using test::torch_backbone;

struct Input {
  int batch;
  int height;
  int width;
  int threads;
};

class NetworkMaker {
 public:
  Network make(Padding padding) {
    Network network;
    network.description.name = "random";
    network.description.padding = padding;
    network.description.mean = {120, 110, 100};
    network.description.std = {60, 50, 70};
    network.blocks = {
        block({convolution(3, 16, 3, 2, 1, Activation::relu6), pool(16, 3, 2)}, Activation::none, "first"),
        block({convolution(16, 48, 1, 1, 1, Activation::relu6), convolution(48, 48, 5, 2, 48, Activation::relu6),
               convolution(48, 24, 1, 1, 1, Activation::none)},
              Activation::none, ""),
        block({convolution(24, 24, 3, 1, 1, Activation::relu), convolution(24, 24, 3, 1, 1, Activation::none)},
              Activation::relu, "second"),
        block({convolution(24, 16, 1, 1, 1, Activation::relu), convolution(16, 16, 3, 2, 4, Activation::relu),
               convolution(16, 40, 1, 1, 1, Activation::none)},
              Activation::relu, ""),
        block({convolution(40, 40, 7, 1, 1, Activation::none)}, Activation::relu6, "third"),
    };
    network.blocks[2].shortcut = Shortcut::identity;
    network.blocks[3].shortcut = Shortcut::convolution;
    network.blocks[3].shortcut_layer = convolution(24, 40, 1, 2, 1, Activation::none);
    network.blocks[4].shortcut = Shortcut::identity;
    network.description.taps = {{"first", 16, 4}, {"second", 24, 8}, {"third", 40, 16}};
    return network;
  }

 private:
  Layer convolution(int inputs, int outputs, int kernel, int stride, int groups, Activation activation) {
    Layer layer;
    layer.description = {LayerKind::convolution, "", "", inputs, outputs, kernel, stride, groups, activation};
    const int fan_in = inputs / groups * kernel * kernel;
    layer.weight = normal_floats(static_cast<std::size_t>(outputs) * static_cast<std::size_t>(fan_in), ++seed_, 0,
                                 std::sqrt(2.0F / static_cast<float>(fan_in)));
    layer.bias = normal_floats(static_cast<std::size_t>(outputs), ++seed_, 0.1F, 0.2F);
    return layer;
  }

  static Layer pool(int channels, int kernel, int stride) {
    Layer layer;
    layer.description = {LayerKind::max_pool, "", "", channels, channels, kernel, stride, 1, Activation::none};
    return layer;
  }

  static Block block(std::vector<Layer> layers, Activation activation, const std::string& tap) {
    Block block;
    block.layers = std::move(layers);
    block.activation = activation;
    block.tap = !tap.empty();
    return block;
  }

  std::uint32_t seed_ = 0;
};

std::vector<TapMaps> taps_of(const Backbone& backbone, const Input& input, std::uint32_t seed = 7) {
  const auto bytes = static_cast<std::size_t>(input.batch) * static_cast<std::size_t>(input.height) *
                     static_cast<std::size_t>(input.width) * 3;
  std::vector<TapMaps> taps;
  backbone.run(random_bytes(bytes, seed), input.batch, input.height, input.width, taps, input.threads);
  return taps;
}

// Largest difference as a fraction of the largest value.
double error_of(const std::vector<float>& values, const std::vector<float>& expected) {
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    error = std::max(error, std::abs(static_cast<double>(values[i]) - static_cast<double>(expected[i])));
  }
  return error / largest;
}

void expect_same(const std::vector<TapMaps>& ours, const std::vector<TapMaps>& expected, double tolerance) {
  ASSERT_EQ(ours.size(), expected.size());
  for (std::size_t t = 0; t < ours.size(); ++t) {
    SCOPED_TRACE("tap " + std::to_string(t));
    ASSERT_EQ(ours[t].batch, expected[t].batch);
    ASSERT_EQ(ours[t].height, expected[t].height);
    ASSERT_EQ(ours[t].width, expected[t].width);
    ASSERT_EQ(ours[t].channels, expected[t].channels);
    ASSERT_EQ(ours[t].values.size(), expected[t].values.size());
    EXPECT_LT(error_of(ours[t].values, expected[t].values), tolerance);
  }
}

std::shared_ptr<const Backbone> onednn_backbone(const std::shared_ptr<const Network>& network, Precision precision) {
  return make_network_backbone(network, "cpu", precision, [precision](std::shared_ptr<const Network> part) {
    return make_onednn_engine(std::move(part), precision);
  });
}

std::shared_ptr<const Network> network_with(Padding padding) {
  return std::make_shared<const Network>(NetworkMaker().make(padding));
}

class BackboneEngines : public testing::TestWithParam<Padding> {};
INSTANTIATE_TEST_SUITE_P(BothPaddings, BackboneEngines, testing::Values(Padding::symmetric, Padding::same));

// Taps agree for every shape of input, number of images and number of threads.
TEST_P(BackboneEngines, Agree) {
  const auto network = network_with(GetParam());
  const auto torch = torch_backbone(network, Precision::float32);
  const auto onednn = onednn_backbone(network, Precision::float32);
  EXPECT_EQ(onednn->info().taps, torch->info().taps);
  for (const Input& input :
       {Input{1, 64, 64, 1}, Input{1, 16, 16, 1}, Input{3, 48, 80, 2}, Input{1, 64, 64, 2}, Input{2, 112, 16, 1}}) {
    SCOPED_TRACE(std::to_string(input.batch) + "x" + std::to_string(input.height) + "x" + std::to_string(input.width));
    expect_same(taps_of(*onednn, input), taps_of(*torch, input), 1e-5);
  }
}

// The last tap with some of its channels equals those channels of the whole tap, whatever the block's shortcut.
TEST_P(BackboneEngines, SelectTheLastTapsChannels) {
  const std::vector<int> channels{0, 3, 17, 18, 39};
  Network network = NetworkMaker().make(GetParam());
  for (const std::size_t blocks : {std::size_t{4}, std::size_t{5}}) {  // ends in a convolved shortcut, in an identity
    network.blocks.resize(blocks);
    network.blocks.back().tap = true;
    const auto shared = std::make_shared<const Network>(network);
    for (const auto& backbone :
         {torch_backbone(shared, Precision::float32), onednn_backbone(shared, Precision::float32)}) {
      const Input input{2, 48, 32, 1};
      const auto whole = taps_of(*backbone, input);
      const auto narrow = taps_of(*backbone->with_last_tap_channels(channels), input);
      ASSERT_EQ(narrow.back().channels, 5);
      std::vector<float> expected;
      for (std::size_t cell = 0; cell < whole.back().values.size(); cell += 40) {
        for (const int c : channels) expected.push_back(whole.back().values[cell + static_cast<std::size_t>(c)]);
      }
      ASSERT_EQ(narrow.back().values.size(), expected.size());
      EXPECT_LT(error_of(narrow.back().values, expected), 1e-5);
      expect_same({narrow.begin(), narrow.end() - 1}, {whole.begin(), whole.end() - 1}, 1e-5);
    }
    network = NetworkMaker().make(GetParam());
  }
}

// A subset of taps equals those of all, and nothing past the last of them is kept.
TEST_P(BackboneEngines, SelectTaps) {
  const auto network = network_with(GetParam());
  const auto count = static_cast<int>(network->description.taps.size());
  const Input input{2, 48, 32, 1};
  for (const auto& backbone :
       {torch_backbone(network, Precision::float32), onednn_backbone(network, Precision::float32)}) {
    const auto whole = taps_of(*backbone, input);
    std::int64_t parameters = 0;
    for (int tap = 0; tap < count; ++tap) {
      const std::vector<int> chosen = tap == 0 ? std::vector<int>{0} : std::vector<int>{0, tap};
      const auto narrow = backbone->with_taps(chosen);
      if (tap + 1 < count) {  // each further block has weights of its own
        EXPECT_GT(narrow->info().parameters, parameters);
        parameters = narrow->info().parameters;
      }
      ASSERT_EQ(narrow->info().taps.size(), chosen.size());
      EXPECT_EQ(narrow->info().taps.back(), backbone->info().taps[static_cast<std::size_t>(tap)]);
      std::vector<TapMaps> expected;
      for (const int index : chosen) expected.push_back(whole[static_cast<std::size_t>(index)]);
      expect_same(taps_of(*narrow, input), expected, 1e-5);
    }
  }
}

// bfloat16 has 8 significant bits; after eleven layers a few percent of the largest value are lost.
TEST_P(BackboneEngines, AgreeInBfloat16) {
  const auto network = network_with(GetParam());
  if (onednn_backbone(network, Precision::automatic)->info().precision != "bfloat16") {
    GTEST_SKIP() << "this processor does not compute in bfloat16";
  }
  const Input input{1, 64, 96, 1};
  const auto exact = taps_of(*onednn_backbone(network, Precision::float32), input);
  expect_same(taps_of(*onednn_backbone(network, Precision::bfloat16), input), exact, 0.05);
  expect_same(taps_of(*torch_backbone(network, Precision::bfloat16), input), exact, 0.05);
}

// Who asks for the same part of a backbone gets the same one, as long as it is in use.
TEST(BackboneEngine, PartsAreShared) {
  const auto network = std::make_shared<const Network>(NetworkMaker().make(Padding::symmetric));
  for (const auto& backbone :
       {torch_backbone(network, Precision::float32), onednn_backbone(network, Precision::float32)}) {
    const std::vector<int> some{1, 5, 7};
    const std::vector<int> others{1, 5, 8};
    const auto first = backbone->with_last_tap_channels(some);
    EXPECT_EQ(backbone->with_last_tap_channels(some), first);
    EXPECT_NE(backbone->with_last_tap_channels(others), first);
    const std::vector<int> taps{0, 1};
    const auto shallow = backbone->with_taps(taps);
    EXPECT_EQ(backbone->with_taps(taps), shallow);
    EXPECT_EQ(shallow->info().taps.size(), 2U);

    const std::weak_ptr<const Backbone> gone = backbone->with_last_tap_channels(others);
    EXPECT_TRUE(gone.expired());
  }
}

// Threads that run one backbone at once, with inputs of different shapes, each get what a thread alone gets.
TEST(BackboneEngine, IsSharedByThreads) {
  const auto backbone = onednn_backbone(network_with(Padding::same), Precision::float32);
  const std::vector<Input> inputs{{1, 64, 64, 1}, {1, 64, 64, 1}, {1, 32, 80, 1}, {2, 64, 64, 1}};
  std::vector<std::vector<TapMaps>> expected;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expected.push_back(taps_of(*backbone, inputs[i], static_cast<std::uint32_t>(i)));
  }
  std::vector<std::thread> threads;
  std::vector<double> errors(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 20; ++repeat) {
        const auto taps = taps_of(*backbone, inputs[i], static_cast<std::uint32_t>(i));
        for (std::size_t t = 0; t < taps.size(); ++t) {
          errors[i] = std::max(errors[i], error_of(taps[t].values, expected[i][t].values));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const double error : errors) EXPECT_EQ(error, 0);
}

}  // namespace
}  // namespace padim
