#include "terminal/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <utility>

namespace padim::tool {
namespace {

std::mutex terminal_mutex;
bool bar_is_shown = false;  // guarded by terminal_mutex

bool is_terminal() {
  static const bool kTerminal = isatty(STDERR_FILENO) == 1;
  return kTerminal;
}

void erase_bar() {
  if (bar_is_shown) std::fputs("\r\033[K", stderr);
  bar_is_shown = false;
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<long long>(std::lround(std::min(seconds, 1e9)));
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  }
  return text;
}

std::string bar(double fraction) {
  constexpr int kWidth = 28;
  const int filled = std::clamp(static_cast<int>(fraction * kWidth), 0, kWidth);
  return "[" + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kWidth - filled), '.') + "]";
}

}  // namespace

void notice(const std::string& message) {
  const std::lock_guard lock(terminal_mutex);
  erase_bar();
  std::fprintf(stderr, "padim: %s\n", message.c_str());
}

Progress::Progress(std::string label, std::string unit, std::int64_t total)
    : label_(std::move(label)), unit_(std::move(unit)), total_(total) {}

Progress::~Progress() {
  const std::lock_guard lock(terminal_mutex);
  erase_bar();
}

void Progress::update(std::int64_t done) {
  done_ = done;
  const auto now = Clock::now();
  const auto pause = is_terminal() ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30000);
  if (now - shown_ < pause) return;
  shown_ = now;
  const std::lock_guard lock(terminal_mutex);
  if (is_terminal()) {
    std::fprintf(stderr, "\r%s\033[K", line().c_str());
    bar_is_shown = true;
  } else {
    std::fprintf(stderr, "padim: %s\n", line().c_str());
  }
}

double Progress::elapsed_seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

std::string Progress::line() const {
  const double rate = static_cast<double>(done_) / std::max(elapsed_seconds(), 1e-3);
  std::string text = label_ + "  ";
  // The length of a video is an estimate: never claim more than what is done.
  const std::int64_t total = total_ > 0 ? std::max(total_, done_) : 0;
  if (total > 0) text += bar(static_cast<double>(done_) / static_cast<double>(total)) + "  ";
  text += std::to_string(done_);
  if (total > 0) text += "/" + std::to_string(total);
  text += " " + unit_ + "  " + three_digits(rate) + "/s";
  if (total > 0 && rate > 0) text += "  " + clock_time(static_cast<double>(total - done_) / rate) + " left";
  return text;
}

std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  return text;
}

}  // namespace padim::tool
