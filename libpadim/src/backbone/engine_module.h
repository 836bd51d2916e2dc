#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "backbone/engine.h"

namespace padim {

/// What the library and its engine's module must have in common: the types that cross are the library's own.
inline constexpr char kEngineInterface[] = "padim " PADIM_VERSION ", engine 1";

/// An engine that is a library of its own, opened when it is asked for. Its entry point, kEngineEntry, is a C function
/// without arguments that returns a pointer to one of these; `interface` is a C string at its beginning in all
/// versions.
struct EngineModule {
  const char* interface;  ///< kEngineInterface of its build
  const char* name;       ///< with its version: "LibTorch 1.13.1"
  int (*cuda_devices)();  ///< that it can use

  /// device: "cpu" or "cuda:N". precision: not automatic.
  std::unique_ptr<const Engine> (*make)(std::shared_ptr<const Network> network, const std::string& device,
                                        Precision precision);
};
inline constexpr char kEngineEntry[] = "padim_engine";
using EngineEntry = const EngineModule*();

/// Who asks for the engine and what could be done instead, for errors: "device 'cuda'", "use device cpu".
struct EngineNeed {
  std::string what;
  std::string instead;
};

/// Opens libpadim-torch.so, the LibTorch engine, from the first of `folders` that has it; it stays open. Throws
/// unsupported (names the need, the file, every folder searched and the remedy) where there is none, where it cannot be
/// loaded and where it belongs to another padim.
[[nodiscard]] const EngineModule& open_torch_engine(const std::vector<std::filesystem::path>& folders,
                                                    const EngineNeed& need);

/// The same from the folders that belong to this library: padim/engines beside it, its own (the build tree), the
/// installed one.
[[nodiscard]] const EngineModule& open_torch_engine(const EngineNeed& need);

}  // namespace padim
