#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "padim/detector.h"
#include "padim/export.h"

namespace padim {

/// What is reported of one frame, as one line of JSON: the tool's --json and the element's json-location write the
/// same.
struct FrameRecord {
  std::string source;                  ///< file or element that the frame came from
  std::int64_t frame = 0;              ///< counts every input frame from 0
  std::optional<std::int64_t> pts_ns;  ///< presentation time; absent for still images
  std::string state = "detect";  ///< or "learn": shown by the operator as normal; "reuse": an earlier frame's result;
                                 ///< "fit", "drop", "off": no result
  std::optional<std::int64_t> running_time_ns = {};  ///< since the pipeline plays; absent outside of one
  std::optional<std::int64_t> stream_time_ns = {};   ///< position in the stream; likewise
};

/// {"source":..., "frame":..., "pts_ns":..., "running_time_ns":..., "stream_time_ns":..., "state":...,
///  "raw_score":..., "score":..., "threshold":..., "anomalous":...,
///  "regions":[{"x":,"y":,"width":,"height":,"area":,"score":}]} without line break; detection: null where there is no
///  result.
[[nodiscard]] PADIM_API std::string to_json(const FrameRecord& record, const Detection* detection);

}  // namespace padim
