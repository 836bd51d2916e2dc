// A model's description and what it says of its segments: what is accepted is written back and read the same.

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>

#include "model/info_json.h"
#include "model/segments_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = nlohmann::ordered_json::parse(data, data + size, nullptr, false);
  try {
    static_cast<void>(padim::segments_from_json(json));
  } catch (const std::exception&) {
  }
  padim::ModelInfo info;
  try {
    info = padim::info_from_json(json);
  } catch (const std::exception&) {
    return 0;
  }
  if (padim::info_from_json(nlohmann::ordered_json::parse(padim::info_to_json(info).dump())) != info) std::abort();
  return 0;
}
