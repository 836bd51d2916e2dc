#include "backbone/built_in.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "scratch_folder.h"

namespace padim::test {
namespace {

// Each description of the source tree is in the library, byte for byte, and nothing else.
TEST(BuiltIn, HoldsTheFilesOfTheSourceTree) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::getenv("PADIM_MODELS"))) {
    if (entry.path().extension() == ".json") files[entry.path().stem()] = read_bytes(entry.path());
  }
  std::map<std::string, std::string> built_in;
  for (const BuiltInDescription& description : built_in_descriptions()) {
    built_in[std::string(description.name)] = description.text;
  }
  EXPECT_EQ(built_in, files);
  EXPECT_EQ(built_in.count("efficientnet_lite0"), 1U);
}

}  // namespace
}  // namespace padim::test
