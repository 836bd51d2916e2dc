#include "backbone/engine_module.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/logging.h"
#include "padim/error.h"

namespace padim {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "libpadim-torch.so";

[[noreturn]] void fail(const EngineNeed& need, const std::string& cause, const std::string& remedy) {
  throw Error(ErrorCode::unsupported, need.what + " needs the LibTorch engine, " + kFile + ", which " + cause + "; " +
                                          remedy + ", or " + need.instead);
}

/// The folder of the file that holds this code; empty where it was loaded under a name that depends on the working
/// folder, which may have changed.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(kFile, &info) == 0 || info.dli_fname == nullptr || !fs::path(info.dli_fname).is_absolute()) return {};
  std::error_code failed;
  const fs::path folder = fs::canonical(fs::path(info.dli_fname).parent_path(), failed);
  return failed ? fs::path() : folder;
}

std::vector<fs::path> engine_folders() {
  std::vector<fs::path> folders;
  if (const fs::path own = own_folder(); !own.empty()) folders = {own / "padim" / "engines", own};
  if (std::ranges::find(folders, PADIM_ENGINES_DIR) == folders.end()) folders.emplace_back(PADIM_ENGINES_DIR);
  return folders;
}

fs::path find_module(const std::vector<fs::path>& folders, const EngineNeed& need) {
  std::string searched;
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (fs::exists(folder / kFile, ignored)) return folder / kFile;
    searched += (searched.empty() ? "" : ", ") + folder.string();
  }
  fail(need, "was found in none of: " + searched, "install it (padim built with -Dlibtorch=enabled)");
}

/// Modules stay loaded: backbones may live until the process ends.
void* load(const fs::path& file, const EngineNeed& need) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* cause = dlerror();
    fail(need, "cannot be loaded: " + std::string(cause == nullptr ? file.string() : cause),
         "install what it misses (Debian: the package of LibTorch)");
  }
  return handle;
}

const EngineModule& module_of(void* handle, const fs::path& file, const EngineNeed& need) {
  const std::string remedy = "install the one of this padim";
  auto* entry = reinterpret_cast<EngineEntry*>(dlsym(handle, kEngineEntry));
  if (entry == nullptr) fail(need, "is something else in '" + file.string() + "'", remedy);
  const EngineModule* module = entry();
  if (std::strcmp(module->interface, kEngineInterface) != 0) {
    fail(need,
         "is of another padim in '" + file.string() + "' (" + module->interface + "; this is " + kEngineInterface + ")",
         remedy);
  }
  return *module;
}

}  // namespace

const EngineModule& open_torch_engine(const std::vector<fs::path>& folders, const EngineNeed& need) {
  const fs::path file = find_module(folders, need);
  const EngineModule& module = module_of(load(file, need), file, need);
  log(LogLevel::info, std::string(module.name) + ", for " + need.what + ", from '" + file.string() + "'");
  return module;
}

const EngineModule& open_torch_engine(const EngineNeed& need) { return open_torch_engine(engine_folders(), need); }

}  // namespace padim
