#include "backbone/search.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "expect_error.h"
#include "padim/backbone.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

namespace fs = std::filesystem;

class Search : public testing::Test {
 protected:
  fs::path put(const std::string& place, const std::string& text = "x") {
    fs::create_directories((folder_ / place).parent_path());
    return write_bytes(folder_ / place, text);
  }

  [[nodiscard]] BackboneOptions options(const std::string& name) const {
    BackboneOptions options;
    options.name = name;
    options.search_path = {folder_ / "first", folder_ / "second"};
    return options;
  }

  ScratchFolder folder_;
};

// A description that is built in needs no file; its weights do.
TEST_F(Search, TakesTheBuiltInDescriptionWhereThereIsNoFile) {
  const fs::path weights = put("second/resnet18.safetensors");
  const BackboneFiles files = find_backbone_files(options("resnet18"));
  EXPECT_EQ(files.description, "");
  EXPECT_EQ(files.weights, weights);
}

// A file on the search path comes before the built-in description, a file that is named before both.
TEST_F(Search, PrefersFilesToTheBuiltInDescription) {
  put("second/resnet18.safetensors");
  const fs::path found = put("second/resnet18.json");
  EXPECT_EQ(find_backbone_files(options("resnet18")).description, found);
  BackboneOptions named = options("resnet18");
  named.description_file = put("elsewhere/any.json");
  EXPECT_EQ(find_backbone_files(named).description, named.description_file);
}

// Folders are searched in their order, beside a named file first.
TEST_F(Search, TakesTheFirstFolder) {
  BackboneOptions wanted = options("own");
  for (const char* folder : {"second", "first", "named"}) {
    const fs::path description = put(std::string(folder) + "/own.json");
    const fs::path weights = put(std::string(folder) + "/own.safetensors");
    if (std::string(folder) == "named") wanted.weights_file = weights;
    const BackboneFiles files = find_backbone_files(wanted);
    EXPECT_EQ(files.description, description);
    EXPECT_EQ(files.weights, weights);
  }
}

// What is missing is named with every place searched and what to do; the sentences know what is built in.
TEST_F(Search, NamesWhatIsMissing) {
  const std::string first = (folder_ / "first").string();
  const std::string second = (folder_ / "second").string();
  expect_error(ErrorCode::not_found, {"'resnet18.safetensors'", first, second, "python3 ", "models/convert "},
               [&] { (void)find_backbone_files(options("resnet18")); });
  put("second/convert/__main__.py");
  expect_error(ErrorCode::not_found, {"python3 " + second + "/convert "},
               [&] { (void)find_backbone_files(options("resnet18")); });
  expect_error(ErrorCode::not_found,
               {"'own.json'", first, second, "built-in", "efficientnet_lite0, resnet18, wide_resnet50_2"},
               [&] { (void)find_backbone_files(options("own")); });
  BackboneOptions named = options("resnet18");
  named.description_file = folder_ / "gone.json";
  expect_error(ErrorCode::not_found, {"gone.json"}, [&] { (void)find_backbone_files(named); });
  expect_error(ErrorCode::invalid_argument, {"'../resnet18'"},
               [&] { (void)find_backbone_files(options("../resnet18")); });
}

// The built-in descriptions are valid: without weights of that kind it is the weights that are refused.
TEST_F(Search, OpensBuiltInDescriptions) {
  for (const char* name : {"efficientnet_lite0", "resnet18", "wide_resnet50_2"}) {
    const std::string weights =
        put("first/" + std::string(name) + ".safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
    expect_error(ErrorCode::bad_format, {weights, name, "tensor", "missing"},
                 [&] { (void)open_backbone(options(name)); });
  }
}

}  // namespace
}  // namespace padim::test
