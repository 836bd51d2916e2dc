#pragma once

#include <algorithm>
#include <limits>

namespace padim {

/// How many threads the network of the next frame gets. Its threads (OpenMP's) spin while they wait for one another: on
/// idle cores a frame takes less time with more of them, but where another program holds one of the cores it takes a
/// hundred times as long (docs/decisions/0003). So frames on one thread tell what is normal; as soon as two frames in a
/// row took longer with more, one thread has to do for a while, and for twice as long each time that this happens
/// again. One thread at a time.
class ThreadChoice {
 public:
  /// most: threads that may be used, >= 1.
  explicit ThreadChoice(int most) : most_(most) {}

  /// For the next frame.
  [[nodiscard]] int threads() const { return on_one_ > 0 ? 1 : most_; }

  /// That frame took so long.
  void took(double ms) {
    if (on_one_ > 0) {
      alone_ms_ = std::min(alone_ms_, ms);
      --on_one_;
    } else if (ms <= kTolerated * alone_ms_) {
      slow_ = 0;
      if (quick_ < kTrusted && ++quick_ == kTrusted) pause_ = kShortest;
    } else if (++slow_ == kSlowFrames) {
      rest();
    }
  }

 private:
  static constexpr int kShortest = 64;  // frames on one thread
  static constexpr int kLongest = 4096;
  static constexpr int kFirst = 8;
  static constexpr int kSlowFrames = 2;  // one may be chance, or the first one that prepares what others use
  static constexpr int kTrusted = 256;   // frames without a rest after which the next one is short again
  static constexpr double kTolerated = 1.25;

  void rest() {
    on_one_ = pause_;
    pause_ = std::min(2 * pause_, kLongest);
    slow_ = quick_ = 0;
    alone_ms_ = std::numeric_limits<double>::infinity();
  }

  int most_;
  int on_one_ = kFirst;  // frames that are left on one thread
  int pause_ = kShortest;
  int slow_ = 0;
  int quick_ = 0;
  double alone_ms_ = std::numeric_limits<double>::infinity();  // least of the latest frames on one thread
};

}  // namespace padim
