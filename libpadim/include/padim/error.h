#pragma once

#include <stdexcept>
#include <string>

#include "padim/export.h"

namespace padim {

/// What kind of failure an Error reports; hosts map it to their own codes.
enum class ErrorCode {
  invalid_argument,  ///< an option or argument is outside its range
  not_found,         ///< a file does not exist
  cannot_read,       ///< a file exists but cannot be read
  cannot_write,      ///< a file cannot be written; what was there before is untouched
  bad_format,        ///< a file or image is not what it should be (foreign, truncated, corrupted)
  mismatch,          ///< two things do not fit together (model and backbone, frame and model)
  unsupported,       ///< a valid request that this build or machine cannot serve
  numeric,           ///< the numbers do not allow a result (too few frames, not finite)
  cancelled,         ///< the caller asked to stop
  internal,          ///< a failure inside a library that padim uses
};

/// The one exception type that libpadim throws. what() is a sentence for the user that names the thing
/// and the remedy: "cannot read model 'x.padim': version 3 is newer than this library (2)".
class PADIM_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace padim
