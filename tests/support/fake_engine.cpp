// A module in the place of an engine's. FAKE_INTERFACE is what it says it is; all that it makes fails.

#include "backbone/engine_module.h"
#include "padim/error.h"

namespace {

std::unique_ptr<const padim::Engine> fail(std::shared_ptr<const padim::Network> network, const std::string& device,
                                          padim::Precision) {
  throw padim::Error(padim::ErrorCode::numeric, "no engine for " + network->description.name + " on " + device);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const padim::EngineModule* FAKE_ENTRY() {
  static constexpr padim::EngineModule kModule{FAKE_INTERFACE, "Fake 1.0", [] { return 3; }, fail};
  return &kModule;
}
