#include "base/line_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "expect_error.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

Output pipe_in(const ScratchFolder& folder) {
  const auto path = folder / "pipe";
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  return find_output(path, "lines");
}

int open_reader(const Output& pipe) { return ::open(pipe.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }

std::string read_all(int descriptor) {
  std::string text(1 << 16, '\0');
  const ssize_t count = ::read(descriptor, text.data(), text.size());
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

// A pipe without a reader is said at once; nobody waits for one.
TEST(LineStream, DoesNotWaitForAReader) {
  const ScratchFolder folder;
  const Output pipe = pipe_in(folder);
  expect_error(ErrorCode::cannot_write, {"lines", pipe.path.string(), "nobody reads"},
               [&] { LineStream(pipe, "lines"); });
}

TEST(LineStream, EndsEachLine) {
  const ScratchFolder folder;
  const Output pipe = pipe_in(folder);
  const int reader = open_reader(pipe);
  LineStream lines(pipe, "lines");
  lines.write("one");
  lines.write("two");
  EXPECT_EQ(read_all(reader), "one\ntwo\n");
  ::close(reader);
}

// The reader's end is an error that can be caught, not a signal that kills; a signal that the thread had waiting before
// is left to it.
TEST(LineStream, SurvivesItsReader) {
  ASSERT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  const ScratchFolder folder;
  const Output pipe = pipe_in(folder);
  const int reader = open_reader(pipe);
  LineStream lines(pipe, "lines");
  ::close(reader);
  for (int i = 0; i < 2; ++i) {
    expect_error(ErrorCode::cannot_write, {"pipe", "Broken pipe", "reader has gone"}, [&] { lines.write("lost"); });
  }
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

// A reader that sleeps is waited for until the writer is wanted elsewhere.
TEST(LineStream, WaitsForASlowReaderUnlessToldNotTo) {
  const ScratchFolder folder;
  const Output pipe = pipe_in(folder);
  const int reader = open_reader(pipe);
  LineStream lines(pipe, "lines");
  const std::string line(1000, 'x');
  int asked = 0;
  while (asked == 0) lines.write(line, [&] { return ++asked > 0; });
  EXPECT_EQ(asked, 1);

  std::thread late([&] {
    ::usleep(100000);
    while (read_all(reader).find("last") == std::string::npos) ::usleep(1000);
  });
  lines.write("last");
  late.join();
  ::close(reader);
}

// Lines longer than a pipe's room arrive whole.
TEST(LineStream, WritesLongLines) {
  const ScratchFolder folder;
  const Output pipe = pipe_in(folder);
  const int reader = open_reader(pipe);
  LineStream lines(pipe, "lines");
  std::string read;
  std::thread slow([&] {
    while (read.empty() || read.back() != '\n') read += read_all(reader);
  });
  lines.write(std::string(300000, 'x'));
  slow.join();
  EXPECT_EQ(read.size(), 300001U);
  ::close(reader);
}

// Nothing is lost of what stands in a file that a descriptor leads to, as after `program >>lines`.
TEST(LineStream, WritesOnWhereADescriptorStands) {
  const ScratchFolder folder;
  write_bytes(folder / "lines", "before\n");
  const int descriptor = ::open((folder / "lines").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const Output output = find_output("/dev/fd/" + std::to_string(descriptor), "lines");
  LineStream(output, "lines").write("after");
  ::close(descriptor);
  EXPECT_EQ(read_bytes(folder / "lines"), "before\nafter\n");
}

TEST(LineStream, NamesAFullDisk) {
  LineStream lines(find_output("/dev/full", "lines"), "lines");
  expect_error(ErrorCode::cannot_write, {"/dev/full", "No space left"}, [&] { lines.write("x"); });
}

}  // namespace
}  // namespace padim::test
