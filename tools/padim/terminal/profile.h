#pragma once

#include <span>
#include <string>
#include <vector>

namespace padim::tool {

/// Collects how long each stage of a piece of work takes, frame by frame.
class Profile {
 public:
  explicit Profile(std::vector<std::string> stages);

  /// One frame: milliseconds of every stage, in the order of their names.
  void add(std::span<const double> ms);

  /// A line per stage, and one for all of them together: mean, median and 99th percentile over the frames, in
  /// milliseconds. Empty where no frame was added.
  [[nodiscard]] std::string table() const;

 private:
  struct Stage {
    std::string name;
    std::vector<float> ms;  ///< of each frame
  };
  std::vector<Stage> stages_;  ///< the last is the sum of the others
};

}  // namespace padim::tool
