// What users write: options and properties that are parsed by the library. What is accepted means the same when it is
// written back, and a region of a frame lies in the frame.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "padim/backbone.h"
#include "padim/error.h"
#include "padim/geometry.h"
#include "padim/model.h"
#include "padim/overlay.h"

namespace {

template <class Parse>
void reads_back(const std::string& text, const Parse& parse) {
  try {
    const auto value = parse(text);
    if (parse(to_string(value)) != value) std::abort();
  } catch (const padim::Error&) {
  }
}

void lies_in_the_frame(const std::string& text, padim::Size frame) {
  try {
    const padim::Rectangle at = to_pixels(padim::parse_roi(text), frame);
    if (at == padim::Rectangle{}) return;  // all of it
    if (at.x < 0 || at.y < 0 || at.width < 1 || at.height < 1) std::abort();
    if (at.x > frame.width - at.width || at.y > frame.height - at.height) std::abort();
  } catch (const padim::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const padim::Size frame{input.ConsumeIntegralInRange(1, 1 << 15), input.ConsumeIntegralInRange(1, 1 << 15)};
  const std::string text = input.ConsumeRemainingBytesAsString();
  lies_in_the_frame(text, frame);
  reads_back(text, [](const std::string& s) { return padim::parse_size(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_geometry(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_grid(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_reduction(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_augment_kind(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_precision(s); });
  reads_back(text, [](const std::string& s) { return padim::parse_colormap(s); });
  return 0;
}
