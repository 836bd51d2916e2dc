#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "padim/detector.h"
#include "padim/export.h"
#include "padim/scene.h"

namespace padim {

/// What was done with a frame.
enum class FrameState {
  detect,     ///< scored
  learn,      ///< scored while the operator shows what is normal
  reuse,      ///< the result of an earlier frame stands for it
  fit,        ///< folded into a fit
  finishing,  ///< passed while the model of a fit is computed
  loading,    ///< passed while the model is read, or the network of a fit is opened
  drop,       ///< not handed on: it came too late
  off,        ///< passed, as nothing is to be done
  broken,     ///< passed, as its buffer does not hold a whole frame
};

/// Its name above.
[[nodiscard]] PADIM_API std::string to_string(FrameState state);

/// What is reported of one frame, as one line of JSON: the tool's --json and the element's json-location write the
/// same.
struct FrameRecord {
  std::string source;                                ///< file or element that the frame came from
  std::int64_t frame = 0;                            ///< counts every input frame from 0
  std::optional<std::int64_t> pts_ns;                ///< presentation time; absent for still images
  FrameState state = FrameState::detect;             ///< only detect, learn and reuse have a result
  std::optional<std::int64_t> running_time_ns = {};  ///< since the pipeline plays; absent outside of one
  std::optional<std::int64_t> stream_time_ns = {};   ///< position in the stream; likewise
  SceneCause scene = SceneCause::none;               ///< how the whole picture has changed
  std::string wall_clock = {};  ///< when the frame came, RFC 3339; empty where that says nothing, as for a file's
};

/// {"source":..., "frame":..., "wall_clock":..., "pts_ns":..., "running_time_ns":..., "stream_time_ns":...,
/// "state":...,
///  "raw_score":..., "score":..., "threshold":..., "anomalous":...,
///  "regions":[{"x":,"y":,"width":,"height":,"area":,"score":}], "scene":...} without line break; "scene" only while it
/// has changed; detection: null where there is no result.
[[nodiscard]] PADIM_API std::string to_json(const FrameRecord& record, const Detection* detection);

}  // namespace padim
