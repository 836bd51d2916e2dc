// Modules in the place of the LibTorch engine's, from $PADIM_FAKE_ENGINES.

#include "backbone/engine_module.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "expect_error.h"
#include "padim/log.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

namespace fs = std::filesystem;

const EngineNeed kNeed{"device 'cuda'", "use device cpu"};

class Module : public testing::Test {
 protected:
  /// A folder with the fake `name` as the engine.
  fs::path folder_with(const std::string& name) {
    const fs::path folder = folder_ / name;
    fs::create_directory(folder);
    fs::copy_file(fs::path(std::getenv("PADIM_FAKE_ENGINES")) / ("lib" + name + ".so"), folder / kFile);
    return folder;
  }

  static constexpr char kFile[] = "libpadim-torch.so";
  ScratchFolder folder_;
};

// Where there is none, every folder searched, who asks for it and what else could be done are named.
TEST_F(Module, IsMissing) {
  expect_error(
      ErrorCode::unsupported,
      {"device 'cuda' needs the LibTorch engine, libpadim-torch.so, which was found in none of: /nonexistent/a, " +
           folder_.path().string() + "; install it",
       "or use device cpu"},
      [&] {
        (void)open_torch_engine({"/nonexistent/a", folder_.path()}, kNeed);
      });
}

// The first folder that has one counts; what it is called is logged with where it lies.
TEST_F(Module, IsOpened) {
  std::string said;
  set_log_handler([&](LogLevel, const std::string& message) { said += message; });
  const fs::path folder = folder_with("fake-engine");
  const std::vector<std::filesystem::path> folders{"/nonexistent/a", folder, folder_with("foreign-engine")};
  const EngineModule& module = open_torch_engine(folders, kNeed);
  set_log_handler({});
  EXPECT_STREQ(module.name, "Fake 1.0");
  EXPECT_EQ(module.cuda_devices(), 3);
  EXPECT_NE(said.find("Fake 1.0"), std::string::npos) << said;
  EXPECT_NE(said.find((folder / kFile).string()), std::string::npos) << said;
}

// What a module throws arrives as what it is.
TEST_F(Module, ThrowsErrors) {
  const std::vector<std::filesystem::path> folders{folder_with("fake-engine")};
  const EngineModule& module = open_torch_engine(folders, kNeed);
  auto network = std::make_shared<Network>();
  network->description.name = "small";
  expect_error(ErrorCode::numeric, {"no engine for small on cuda:1"},
               [&] { (void)module.make(network, "cuda:1", Precision::float32); });
}

// Modules of another padim, other libraries and files that are none are refused by name, and nothing of them is used.
TEST_F(Module, RefusesOthers) {
  const fs::path old = folder_with("old-engine");
  expect_error(ErrorCode::unsupported,
               {"device 'cuda'", (old / kFile).string(), "another padim", "padim 0.0.1, engine 0", kEngineInterface,
                "use device cpu"},
               [&] { (void)open_torch_engine({old}, kNeed); });
  const fs::path foreign = folder_with("foreign-engine");
  expect_error(ErrorCode::unsupported, {"device 'cuda'", (foreign / kFile).string(), "something else"},
               [&] { (void)open_torch_engine({foreign}, kNeed); });
  write_bytes(folder_ / kFile, "this is no library");
  expect_error(ErrorCode::unsupported, {"device 'cuda'", (folder_ / kFile).string(), "cannot be loaded"},
               [&] { (void)open_torch_engine({folder_.path()}, kNeed); });
}

}  // namespace
}  // namespace padim::test
