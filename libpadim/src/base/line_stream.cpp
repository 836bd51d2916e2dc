#include "base/line_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>

#include "padim/error.h"

namespace padim {
namespace {

/// Keeps the signal of a broken pipe from this thread, and so from the process; the write fails all the same.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigset_t pending;
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoBrokenPipeSignal() {
    const timespec at_once{};
    while (!was_pending_ && sigtimedwait(&signal_, nullptr, &at_once) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  sigset_t signal_;
  sigset_t before_;
  bool was_pending_ = false;
};

int open_stream(const std::filesystem::path& path) {
  if (const auto open = open_descriptor(path)) return ::fcntl(*open, F_DUPFD_CLOEXEC, 0);
  return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

std::string cause_of(int error) {
  if (error == ENXIO) return "nobody reads from this pipe; start its reader first";
  if (error == EPIPE) return reason_of(error) + ": its reader has gone";
  return reason_of(error);
}

}  // namespace

LineStream::LineStream(const Output& output, const std::string& what)
    : name_(output.path == "-" ? "standard output" : what + " '" + output.path.string() + "'"),
      descriptor_(open_stream(output.path)) {
  if (descriptor_.get() < 0) fail(errno);
}

// In short steps, as nothing wakes it when it is to give up.
bool LineStream::wait_for_reader(const GiveUp& give_up) const {
  constexpr int kStep_ms = 50;
  pollfd stream{descriptor_.get(), POLLOUT, 0};
  while (::poll(&stream, 1, kStep_ms) <= 0) {
    if (give_up && give_up()) return false;
  }
  return true;
}

void LineStream::write(const std::string& line, const GiveUp& give_up) {
  const NoBrokenPipeSignal quiet;
  const std::string text = line + "\n";
  for (std::string_view left = text; !left.empty();) {
    if (!wait_for_reader(give_up)) return;
    const ssize_t written = ::write(descriptor_.get(), left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      fail(errno);
    }
  }
}

void LineStream::fail(int error) const {
  throw Error(ErrorCode::cannot_write, "cannot write " + name_ + ": " + cause_of(error));
}

}  // namespace padim
