// A backbone's description: what is accepted is consistent, whatever the JSON says.

#include "backbone/description.h"

#include <cstdint>
#include <cstdlib>

#include "padim/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto description =
        padim::parse_backbone_description({reinterpret_cast<const char*>(data), size}, "'fuzz.json'");
    if (description.taps.empty() || description.blocks.back().tap != description.taps.back().name) std::abort();
  } catch (const padim::Error&) {
  }
  return 0;
}
