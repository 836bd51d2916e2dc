#pragma once

#include <gst/gst.h>

#include <exception>

#include "padim/error.h"

namespace padim::gst {

/// What the element was doing when it failed: frames that do not fit the model are a stream error, files that do not
/// fit each other one of the settings.
enum class Activity { starting, streaming, reloading, learning, stopping };

/// Posts `error` on the bus as an error or a warning. No lock may be held.
void post_error(GstElement* element, GstMessageType type, const Error& error, Activity activity) noexcept;

/// Runs body() at the border to C: whatever it throws becomes one message on the bus, and `otherwise` is returned.
template <class Result, class Body>
Result guarded(GstElement* element, GstMessageType type, Activity activity, Result otherwise, Body&& body) noexcept {
  try {
    return body();
  } catch (const Error& error) {
    post_error(element, type, error, activity);
  } catch (const std::bad_alloc&) {
    post_error(element, type, Error(ErrorCode::internal, "out of memory"), activity);
  } catch (const std::exception& error) {
    post_error(element, type, Error(ErrorCode::internal, error.what()), activity);
  } catch (...) {
    post_error(element, type, Error(ErrorCode::internal, "unknown failure"), activity);
  }
  return otherwise;
}

}  // namespace padim::gst
