#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace padim {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) over bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256& other);  ///< goes on from where the other is
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  [[nodiscard]] Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] Digest sha256(std::span<const std::byte> bytes);
[[nodiscard]] std::string to_hex(const Digest& digest);  ///< 64 lower-case digits

}  // namespace padim
