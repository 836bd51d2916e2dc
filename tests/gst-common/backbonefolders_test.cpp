#include "gst-common/backbonefolders.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace padim {
namespace {

using Paths = std::vector<std::filesystem::path>;

// The model's folder comes first, then the listed ones in their order; what is empty names no folder.
TEST(BackboneFoldersTest, BesideTheModelThenThoseOfTheEnvironment) {
  struct Case {
    const char* list;  // null: not set
    std::string model_file;
    Paths folders;
  };
  const std::vector<Case> cases = {
      {nullptr, "", {}},
      {"", "part.padim", {"."}},
      {"/one", "", {"/one"}},
      {"/one:two", "models/part.padim", {"models", "/one", "two"}},
      {":/one::/two:", "/part.padim", {"/", "/one", "/two"}},
      {":", "", {}},
  };
  for (const Case& c : cases) {
    c.list != nullptr ? setenv("PADIM_BACKBONES", c.list, 1) : unsetenv("PADIM_BACKBONES");
    EXPECT_EQ(gst::backbone_folders(c.model_file), c.folders) << (c.list != nullptr ? c.list : "unset");
  }
}

}  // namespace
}  // namespace padim
