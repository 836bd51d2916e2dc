#include "backbone/device.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "base/logging.h"
#include "padim/error.h"

namespace padim {
namespace {

/// LibTorch calls NVIDIA's and AMD's GPUs alike "cuda"; without the driver of one it finds none.
bool driver_is_there() {
  std::error_code ignored;
  if (std::filesystem::exists("/dev/kfd", ignored)) return true;  // AMD's
  void* nvidia = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (nvidia != nullptr) dlclose(nvidia);
  return nvidia != nullptr;
}

std::string processor(const std::string& reason) {
  log(LogLevel::info, "device 'auto' is cpu: " + reason);
  return "cpu";
}

std::string resolve_auto(const Gpus& gpus) {
  if (!gpus.possible()) return processor("no driver of a GPU is installed");
  try {
    const EngineModule& libtorch = gpus.libtorch({"a GPU", "use device cpu"});
    return libtorch.cuda_devices() > 0 ? "cuda:0" : processor(std::string(libtorch.name) + " finds no GPU");
  } catch (const Error& error) {
    return processor(error.what());
  }
}

/// N of "cuda:N", 0 of "cuda".
int index_of(const std::string& wanted) {
  const std::string prefix = "cuda:";
  const std::string digits = wanted == "cuda" ? "0" : wanted.starts_with(prefix) ? wanted.substr(prefix.size()) : "";
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "device '" + wanted + "' is unknown: use cpu, cuda, cuda:N or auto");
  }
  return std::stoi(digits);
}

}  // namespace

std::string resolve_device(const std::string& wanted, const Gpus& gpus) {
  if (wanted == "cpu") return wanted;
  if (wanted == "auto") return resolve_auto(gpus);
  const int index = index_of(wanted);
  const EngineModule& libtorch = gpus.libtorch({"device '" + wanted + "'", "use device cpu"});
  const int devices = libtorch.cuda_devices();
  if (devices == 0) {
    throw Error(ErrorCode::unsupported, "device '" + wanted +
                                            "' is not available: this machine has no usable CUDA device, or " +
                                            libtorch.name + " was built without CUDA; use cpu or auto");
  }
  if (index >= devices) {
    throw Error(ErrorCode::unsupported, "device '" + wanted + "' is not available: this machine has " +
                                            std::to_string(devices) + " CUDA device(s)");
  }
  return "cuda:" + std::to_string(index);
}

std::string resolve_device(const std::string& wanted) {
  const auto libtorch = [](const EngineNeed& need) -> const EngineModule& { return open_torch_engine(need); };
  return resolve_device(wanted, {driver_is_there, libtorch});
}

}  // namespace padim
