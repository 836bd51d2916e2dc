#include "guard.h"

namespace padim::gst {
namespace {

struct Code {
  GQuark domain;
  gint code;
};

Code code_of(ErrorCode error, Activity activity) {
  switch (error) {
    case ErrorCode::invalid_argument:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
    case ErrorCode::not_found:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::cannot_read:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ};
    case ErrorCode::cannot_write:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE};
    case ErrorCode::bad_format:
      if (activity != Activity::streaming) return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ};
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
    case ErrorCode::mismatch:
      if (activity != Activity::streaming) return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
    case ErrorCode::unsupported:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT};
    case ErrorCode::numeric:
    case ErrorCode::cancelled:
    case ErrorCode::internal:
      break;
  }
  return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
}

const char* name_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::invalid_argument:
      return "invalid argument";
    case ErrorCode::not_found:
      return "not found";
    case ErrorCode::cannot_read:
      return "cannot read";
    case ErrorCode::cannot_write:
      return "cannot write";
    case ErrorCode::bad_format:
      return "bad format";
    case ErrorCode::mismatch:
      return "mismatch";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::numeric:
      return "numeric";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

const char* name_of(Activity activity) {
  switch (activity) {
    case Activity::starting:
      return "starting";
    case Activity::streaming:
      return "streaming";
    case Activity::reloading:
      return "reloading the model";
    case Activity::learning:
      return "learning";
    case Activity::stopping:
      return "stopping";
  }
  return "running";
}

}  // namespace

void post_error(GstElement* element, GstMessageType type, const Error& error, Activity activity) noexcept {
  const Code code = code_of(error.code(), activity);
  gchar* cause = g_strdup_printf("libpadim: %s, while %s", name_of(error.code()), name_of(activity));
  gst_element_message_full(element, type, code.domain, code.code, g_strdup(error.what()), cause, __FILE__, GST_FUNCTION,
                           __LINE__);
}

}  // namespace padim::gst
