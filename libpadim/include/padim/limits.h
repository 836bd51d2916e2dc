#pragma once

#include <cstdint>

namespace padim {

inline constexpr double kStreamFalseAlarmRate = 0.001;  ///< per frame of a video or stream
inline constexpr double kImageFalseAlarmRate = 0.01;    ///< per image of a folder of separate images

/// Memory that the statistics of a fit may take.
inline constexpr std::int64_t kMaximumStatisticsBytes = std::int64_t{3} << 30;

}  // namespace padim
