// A whole model file, signed as an attacker would: input is the header's JSON up to the first line feed, then the data.
// Whatever loads can be used: it scores a frame and its fit goes on.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "base/sha256.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "padim/fitter.h"
#include "padim/model.h"
#include "scratch_file.h"
#include "support/drifting_scene.h"

namespace {

namespace test = padim::test;

std::string file_of(std::span<const std::uint8_t> input) {
  const auto line = std::ranges::find(input, '\n');
  const std::uint64_t length = static_cast<std::uint64_t>(line - input.begin());
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  file.append(input.begin(), line);
  if (line != input.end()) file.append(line + 1, input.end());
  const padim::Digest digest = padim::sha256(std::as_bytes(std::span(file)));
  return file.append(digest.begin(), digest.end());
}

void use(const padim::Model& model) {
  const auto frame = test::picture(1);
  padim::Detector(test::backbone(), model).detect(test::view_of(frame));
  static_cast<void>(describe(model));
  padim::Fitter fitter(test::backbone(), model, test::options());
  test::add(fitter, 20, 23);
  static_cast<void>(fitter.finish());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = file_of({data, size});
  const test::ScratchFile file(std::as_bytes(std::span(bytes)));
  try {
    use(padim::Model::load(file.path()));
  } catch (const padim::Error&) {
  }
  return 0;
}
