#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "padim/geometry.h"
#include "padim/scene.h"

namespace padim {

/// What a picture looks like beside the one before it.
struct Look {
  Appearance appearance;
  std::int64_t repeats = 0;  ///< pictures just before it that were the very same
};

/// Looks at the network's inputs of a stream, one after the other. Owns scratch memory; one thread at a time.
class Onlooker {
 public:
  /// mask: [input.height, input.width], 0 where a pixel is ignored; empty: everything counts.
  Onlooker(Size input, std::span<const std::uint8_t> mask);

  /// rgb: uint8 RGB [input.height, input.width, 3].
  Look look(std::span<const std::uint8_t> rgb);

 private:
  [[nodiscard]] Appearance measure(std::span<const std::uint8_t> rgb);

  Size input_;
  std::vector<std::uint8_t> counts_;    // [height, width], all bits of a pixel that counts
  std::uint64_t pixels_ = 0;            // that count
  std::uint64_t steps_ = 0;             // between two that count
  std::vector<std::uint8_t> luma_;      // [height, width]
  std::vector<std::uint8_t> previous_;  // the latest picture; empty before the first
  std::int64_t repeats_ = 0;
};

/// Takes a fitted frame's look, or all that another fit has seen, into what is known of a scene.
void widen(SceneReference& scene, const Look& look);
void widen(SceneReference& scene, const SceneReference& other);

}  // namespace padim
