#pragma once

#include <vector>

#include "overlay/segment.h"

namespace padim {

inline constexpr char kFirstCharacter = ' ';
inline constexpr char kLastCharacter = '~';

/// A character as strokes of a pen, in units of which a capital is kCapitalUnits high. x grows to the right, y down.
struct CharacterOutline {
  double left = 0;  ///< where the character before it ends
  double right = 0;
  std::vector<std::vector<Point>> strokes;  ///< lines through two points and more
};
inline constexpr double kCapitalUnits = 21;
inline constexpr double kBaseLine = 9;  ///< y of the line that capitals stand on

/// c: kFirstCharacter..kLastCharacter.
[[nodiscard]] CharacterOutline outline_of(char c);

}  // namespace padim
