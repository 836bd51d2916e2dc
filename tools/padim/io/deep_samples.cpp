// The headers: PNG has its depth in IHDR, and sBIT tells how many of the bits matter; TIFF has BitsPerSample and
// [S]MaxSampleValue; PGM and PPM state their largest value. What is stated is believed where no value lies above it: a
// PNG's samples ought to be scaled up to all 16 bits, but cameras' programs leave them as they are.

#include "io/deep_samples.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <future>
#include <limits>
#include <string_view>
#include <thread>

#include "io/image_source.h"
#include "io/tiff_file.h"
#include "terminal/interrupt.h"

namespace padim::tool {
namespace {

constexpr int kDeep = 16;

int bits_for(std::uint64_t value) { return static_cast<int>(std::bit_width(value)); }

// A maximum of all 16 bits is what programs write that do not know better.
int bits_below_all(std::uint64_t maximum) {
  const int bits = bits_for(maximum);
  return bits < kDeep ? bits : 0;
}

std::uint32_t big_endian(std::istream& stream) {
  std::array<unsigned char, 4> bytes{};
  stream.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  std::uint32_t number = 0;
  for (const unsigned char byte : bytes) number = number << 8 | byte;
  return number;
}

// Chunks of a length, a name, that many bytes and a checksum. Of several channels the deepest counts.
int significant_bits(std::istream& stream) {
  while (stream) {
    const std::uint32_t length = big_endian(stream);
    std::array<char, 4> name{};
    stream.read(name.data(), name.size());
    const std::string_view chunk(name.data(), name.size());
    if (chunk == "IDAT" || chunk == "IEND") return 0;
    if (chunk != "sBIT") {
      stream.seekg(std::streamoff{length} + 4, std::ios::cur);
      continue;
    }
    int most = 0;
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(length, 4); ++i) most = std::max(most, stream.get());
    return most < kDeep ? most : 0;
  }
  return 0;
}

DeepHeader read_png(std::istream& stream) {
  constexpr std::streamoff kDepth = 24;
  constexpr std::streamoff kSecondChunk = 33;
  stream.seekg(kDepth);
  if (stream.get() != kDeep) return {};
  stream.seekg(kSecondChunk);
  return {true, significant_bits(stream)};
}

DeepHeader read_tiff(const std::filesystem::path& file) {
  constexpr std::uint64_t kUnsigned = 1;
  if (tiff_value(file, TiffTag::bits_per_sample) != kDeep) return {};
  if (tiff_value(file, TiffTag::sample_format).value_or(kUnsigned) != kUnsigned) return {};
  const auto maximum = [&](TiffTag tag) { return tiff_value(file, tag).value_or(0); };
  return {true, bits_below_all(std::max(maximum(TiffTag::max_sample_value), maximum(TiffTag::s_max_sample_value)))};
}

// Width, height and the largest value, with comments between them.
DeepHeader read_pnm(std::istream& stream) {
  std::uint64_t number = 0;
  stream.seekg(2);
  for (int i = 0; i < 3; ++i) {
    while ((stream >> std::ws).peek() == '#') stream.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    stream >> number;
  }
  if (!stream || number <= 255 || number > 65535) return {};
  return {true, bits_below_all(number)};
}

int bits_needed(const std::filesystem::path& file) {
  const DeepHeader header = read_deep_header(file);
  if (!header.deep) return 0;
  try {
    return std::max({1, header.stated_bits, bits_for(static_cast<std::uint64_t>(largest_sample(file)))});
  } catch (const std::exception&) {
    return 0;  // it is named when its turn comes
  }
}

// 8-bit pictures are hardly stored in 16, but a dark one of 10 bits looks like that.
int rounded_up(int bits) { return std::clamp((bits + 1) / 2 * 2, 10, kDeep); }

}  // namespace

DeepHeader read_deep_header(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 4> start{};
  stream.read(start.data(), start.size());
  const std::string_view magic(start.data(), start.size());
  if (magic == "\x89PNG") return read_png(stream);
  if (magic.starts_with("II") || magic.starts_with("MM")) return read_tiff(file);
  const bool pnm = magic[0] == 'P' && std::string_view("2356").find(magic[1]) != std::string_view::npos;
  return pnm ? read_pnm(stream) : DeepHeader{};
}

SampleRange find_sample_range(const std::vector<std::filesystem::path>& files) {
  std::atomic<int> bits = 0;
  std::atomic<std::size_t> next = 0;
  const auto look = [&] {
    for (std::size_t i = next++; i < files.size() && bits < kDeep - 1 && !interrupted(); i = next++) {
      const int needed = bits_needed(files[i]);
      for (int known = bits; needed > known && !bits.compare_exchange_weak(known, needed);) {
      }
    }
  };
  {
    std::vector<std::future<void>> others;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
      others.push_back(std::async(std::launch::async, look));
    }
    look();
  }
  if (bits == 0) return {};
  const int used = rounded_up(bits);
  return {used, used < kDeep ? "the range that they use (--bits sets another)" : ""};
}

std::string to_string(const SampleRange& range) {
  return "16-bit pictures are read as " + std::to_string(range.bits) + "-bit ones, " + range.reason;
}

}  // namespace padim::tool
