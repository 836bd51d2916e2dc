#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace padim::tool {

/// How pictures with 16 bits per sample become 8-bit ones: value >> (bits - 8), at most 255. Cameras of 10 and 12 bits
/// store small numbers in them.
struct SampleRange {
  int bits = 0;        ///< in use, 8 to 16; 0: the range is to be found in all pictures of the input, or there is none
  std::string reason;  ///< for these bits, to be said with the first such picture; empty: nothing is said
};

/// What the header of a PNG, TIFF, PGM or PPM tells.
struct DeepHeader {
  bool deep = false;    ///< its samples are unsigned numbers of 16 bits
  int stated_bits = 0;  ///< less than 16, by the largest value that it states; 0 where it does not
};

/// Shallow where there is no such file or header.
[[nodiscard]] DeepHeader read_deep_header(const std::filesystem::path& file);

/// The range that all deep pictures among `files` need: 10, 12, 14 or 16 bits, none where none is deep. Deep ones that
/// do not state 16 bits by a value are decoded; those that cannot be read do not count.
[[nodiscard]] SampleRange find_sample_range(const std::vector<std::filesystem::path>& files);

/// "16-bit pictures are read as 12-bit ones, as in the fit"
[[nodiscard]] std::string to_string(const SampleRange& range);

}  // namespace padim::tool
