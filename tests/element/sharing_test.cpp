#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backbonefactory.h"
#include "element_harness.h"
#include "padim/backbone.h"
#include "support/fake_backbone.h"

namespace padim::test {
namespace {

// Memory of this process that is its own: libraries do not count.
double anonymous_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib / 1024;
  }
  return 0;
}

std::filesystem::path weights_of(const std::string& backbone) {
  for (const char* variable : {"PADIM_MODELS", "PADIM_TEST_CACHE"}) {
    const char* folder = std::getenv(variable);
    const auto file = std::filesystem::path(folder == nullptr ? "" : folder) / (backbone + ".safetensors");
    if (std::filesystem::is_regular_file(file)) return file;
  }
  return {};
}

class SharingTest : public testing::TestWithParam<const char*> {
 protected:
  // The network of every element is the library's, and is noted.
  void SetUp() override {
    gst::set_backbone_factory([this](BackboneOptions options) {
      const char* descriptions = std::getenv("PADIM_MODELS");
      options.search_path.emplace_back(descriptions == nullptr ? "models" : descriptions);
      auto backbone = open_backbone(options);
      opened_.insert(backbone.get());
      return backbone;
    });
  }
  void TearDown() override {
    gst::set_backbone_factory(
        [](const BackboneOptions& options) { return std::make_shared<FakeBackbone>(options.name); });
  }

  std::set<const Backbone*> opened_;
};

// Four cameras cost the memory of one network, whichever of its channels they use: each further element adds less than
// half of the weights.
TEST_P(SharingTest, FourElementsHaveOneNetwork) {
  const std::string backbone = "resnet18";
  const auto weights = weights_of(backbone);
  if (weights.empty()) GTEST_SKIP() << backbone << ".safetensors is not there: the models' tests make it";
  const double weights_mib = static_cast<double>(std::filesystem::file_size(weights)) / (1 << 20);
  ASSERT_GT(weights_mib, 8);
  const TemporaryFolder folder;
  const Scene scene{.width = 64, .height = 64};
  const std::string common = "threads=1 precision=float32 input-size=64x64 backbone=" + backbone +
                             " backbone-file=" + weights.string() + " model-file=" + folder.file("m.padim") + " ";
  {
    ElementHarness fit(common + GetParam() + " mode=fit", scene);
    fit.push_normal(0, 8);
    fit.send_eos();
    ASSERT_TRUE(fit.failures().empty());
  }
  opened_.clear();
  std::vector<std::unique_ptr<ElementHarness>> elements;
  std::vector<double> growth;
  for (int i = 0; i < 4; ++i) {
    const double before = anonymous_mib();
    elements.push_back(std::make_unique<ElementHarness>(common, scene));
    ASSERT_TRUE(elements.back()->run(20));
    growth.push_back(anonymous_mib() - before);
  }
  EXPECT_EQ(opened_.size(), 1U);
  for (std::size_t i = 1; i < growth.size(); ++i) EXPECT_LT(growth[i], weights_mib / 2) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(Channels, SharingTest, testing::Values("reduction=none", "reduction=random dimensions=60"));

}  // namespace
}  // namespace padim::test
