// A file of weights, read as a network of two layers needs them.

#include <cstdint>
#include <span>

#include "backbone/network.h"
#include "padim/error.h"
#include "scratch_file.h"

namespace {

constexpr char kDescription[] = R"({
  "name": "tiny", "input": {"mean": [0, 0, 0], "std": [1, 1, 1]},
  "blocks": [{"layers": [{"conv": "a", "norm": "n", "kernel": 1, "channels": 1},
                         {"conv": "b", "kernel": 1, "channels": 2}], "tap": "t"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto description = padim::parse_backbone_description(kDescription, "'tiny'");
  const padim::test::ScratchFile file(std::as_bytes(std::span(data, size)));
  try {
    static_cast<void>(padim::read_network(description, file.path()));
  } catch (const padim::Error&) {
  }
  return 0;
}
