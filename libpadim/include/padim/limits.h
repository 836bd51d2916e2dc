#pragma once

#include <cstdint>
#include <limits>

namespace padim {

/// The values that an option may have, and the one that it has where nothing is said.
template <class T>
struct Range {
  T least;
  T most;
  T fallback;

  [[nodiscard]] constexpr bool contains(T value) const { return value >= least && value <= most; }  // no NaN
};

inline constexpr double kStreamFalseAlarmRate = 0.001;  ///< per frame of a video or stream
inline constexpr double kImageFalseAlarmRate = 0.05;    ///< per image of a folder of separate images

/// Memory that the statistics of a fit may take.
inline constexpr std::int64_t kMaximumStatisticsBytes = std::int64_t{3} << 30;

// The options that library, tool and element share: each is checked, and has its default, by what stands here.

// Of a fit: FitOptions says what they mean.
inline constexpr Range<int> kDimensions{1, 65535, 100};  ///< and at most the channels of the backbone
inline constexpr Range<std::uint64_t> kSeed{0, std::numeric_limits<std::int64_t>::max(), 1024};
inline constexpr Range<double> kEpsilon{1e-30, 1e30, 0};  ///< absolute and relative; 0: not given
inline constexpr Range<double> kPrior{0, 1e6, 0};         ///< frames
inline constexpr Range<int> kSearchRadius{0, 4, 0};
inline constexpr Range<double> kFalseAlarmRate{1e-9, 0.5, kStreamFalseAlarmRate};
inline constexpr Range<int> kBatchSize{0, 256, 0};
inline constexpr Range<int> kAugment{-1, 32, -1};
inline constexpr Range<int> kSampleBits{8, 16, 0};   ///< 0: not given
inline constexpr Range<int> kThreads{-1, 1024, -1};  ///< also of a detector

// Of detection: Detector, RegionLimits, OverlayOptions and LearnerOptions say what they mean.
inline constexpr Range<double> kThreshold{0, 1, 0.5};
inline constexpr Range<int> kRegionCount{1, 64, 16};
inline constexpr Range<double> kRegionArea{0, 1, 0.0005};
inline constexpr Range<double> kOverlayOpacity{0, 1, 0.5};
inline constexpr Range<double> kOverlayFloor{0, 1, 0.3};
inline constexpr Range<double> kHalfLife{0, std::numeric_limits<std::int32_t>::max(), 0};

}  // namespace padim
