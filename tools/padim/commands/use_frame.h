#pragma once

#include <string>

#include "io/file_io.h"
#include "io/frame_source.h"
#include "padim/error.h"

namespace padim::tool {

/// Returns use(view of frame); an error names the frame.
template <class Use>
decltype(auto) use_frame(const Frame& frame, const Use& use) {
  try {
    return use(frame.view);
  } catch (const Error& error) {
    const std::string place = in_quotes(frame.source) + (frame.pts_ns ? ", frame " + std::to_string(frame.number) : "");
    throw Error(error.code(), place + ": " + error.what());
  }
}

}  // namespace padim::tool
