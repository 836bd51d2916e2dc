#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace padim {

/// Median over the positions that count (the upper of two); 0 where none does. counts: [P], 0 where a position is
/// ignored; empty: all count. scratch: keeps its memory from call to call.
[[nodiscard]] float median_distance(std::span<const float> distances, std::span<const std::uint8_t> counts,
                                    std::vector<float>& scratch);

/// A quarter of the values lie below it: the one of rank n / 4, from 0. Reorders them; there must be some.
[[nodiscard]] float lower_quartile(std::span<float> values);

/// The level that a later block's lower quartile of the frames' median distances must exceed to count as changed: the
/// largest lower quartile of the segments, each of whose frames was scored by a model of other segments. Segments
/// without frames are passed over; 0 where there are no others.
[[nodiscard]] double scene_limits(std::vector<std::vector<float>> medians_per_segment);

/// Frames that make up a block, after a fit of so many.
[[nodiscard]] int scene_block_frames(std::int64_t fitted);

/// Blocks j in a row above the level of K segments that happen by chance at most once in a thousand times. Where blocks
/// and segments are exchangeable, each choice of j of the K + j as the largest ones is equally likely: the least j with
/// C(K + j, j) >= 1000.
[[nodiscard]] int scene_blocks_needed(int segments);

}  // namespace padim
