#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "expect_error.h"
#include "scratch_folder.h"

namespace {

std::atomic<int> umask_calls = 0;
bool every_file_has_a_name = false;

int open_unless_nameless(const char* path, int flags, mode_t mode) {
  if (every_file_has_a_name && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace

// Stands in for the C library's in this program, which may then lie on a file system without files that have no name.
extern "C" int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return open_unless_nameless(path, flags, mode);
}

// Stands in for the C library's in this program: who changes the mask, changes it for all threads.
extern "C" mode_t umask(mode_t mask) noexcept {
  ++umask_calls;
  return static_cast<mode_t>(::syscall(SYS_umask, mask));
}

namespace padim::test {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  AtomicFile file(path, "model");
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

mode_t permissions(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

int files_in(const std::filesystem::path& folder) {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// What was opened is read, whatever becomes of its name.
TEST(InputFile, ReadsWhatWasOpened) {
  const ScratchFolder folder;
  write(folder / "a", "0123456789");
  const InputFile file(folder / "a", "model");
  write(folder / "a", "something else");
  std::filesystem::remove(folder / "a");
  EXPECT_EQ(file.size(), 10U);
  std::string text(4, ' ');
  file.read(3, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "3456");
  file.check_unchanged();
}

// A file that somebody writes into is no longer what was opened; one that shrinks ends early.
TEST(InputFile, NoticesWriters) {
  const ScratchFolder folder;
  const auto path = folder / "a";
  std::string text(10, ' ');
  const auto bytes = std::as_writable_bytes(std::span(text));
  {
    write(path, "0123456789");
    const InputFile file(path, "model");
    std::ofstream(path, std::ios::app) << "more";
    file.read(0, bytes);
    EXPECT_EQ(text, "0123456789");
    expect_error(ErrorCode::cannot_read, {"model", path.string(), "try again"}, [&] { file.check_unchanged(); });
  }
  const InputFile file(path, "model");
  std::filesystem::resize_file(path, 5);
  expect_error(ErrorCode::cannot_read, {"model", path.string(), "shorter", "try again"}, [&] { file.read(0, bytes); });
}

// A pipe is refused at once, with or without a writer.
TEST(InputFile, TakesNoPipes) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error(ErrorCode::cannot_read, {"pipe", "not a file"}, [&] { InputFile(folder / "pipe", "model"); });
}

// A file appears whole under its name; until then what was there stays, and without commit() it stays for good.
TEST(AtomicFile, AppearsWholeOrNotAtAll) {
  for (const bool named : {false, true}) {
    every_file_has_a_name = named;
    const ScratchFolder folder;
    write(folder / "a", "first");
    {
      AtomicFile file(folder / "a", "model");
      file.write(std::as_bytes(std::span("second", 6)));
      EXPECT_EQ(read(file.unnamed()), "second");
      EXPECT_EQ(read(folder / "a"), "first");
      EXPECT_LE(files_in(folder / ""), named ? 2 : 1);
    }
    EXPECT_EQ(read(folder / "a"), "first");
    EXPECT_EQ(files_in(folder / ""), 1);
    write(folder / "a", "third");
    EXPECT_EQ(read(folder / "a"), "third");
    EXPECT_EQ(files_in(folder / ""), 1);
  }
  every_file_has_a_name = false;
}

// Who is killed while writing leaves what was there, and nothing besides.
TEST(AtomicFile, LeavesNothingOfWhoIsKilled) {
  const ScratchFolder folder;
  const int probe = ::open(folder.path().c_str(), O_WRONLY | O_TMPFILE, 0600);
  if (probe < 0) GTEST_SKIP() << "the file system of " << folder.path() << " has no files without a name";
  ::close(probe);
  write(folder / "a", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "a", "model");
    file.write(std::as_bytes(std::span("new", 3)));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read(folder / "a"), "old");
  EXPECT_EQ(files_in(folder / ""), 1);
}

// Permissions follow the mask of the process, which is never touched: files that other threads make meanwhile have the
// permissions that they should have.
TEST(AtomicFile, LeavesTheMaskOfTheProcessAlone) {
  const ScratchFolder folder;
  ::umask(027);
  umask_calls = 0;
  std::atomic<bool> over = false;
  mode_t others = 0;
  std::thread neighbour([&] {
    for (int i = 0; !over || i == 0; ++i) {
      const auto path = folder / ("neighbour" + std::to_string(i % 50));
      ::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666));
      others |= permissions(path);
      ::unlink(path.c_str());
    }
  });
  for (int i = 0; i < 100; ++i) {
    write(folder / "a", "model");
    EXPECT_EQ(permissions(folder / "a"), 0640U);
  }
  over = true;
  neighbour.join();
  EXPECT_EQ(umask_calls, 0);
  EXPECT_EQ(others, 0640U);
}

// A folder that cannot be written is named with the reason.
TEST(AtomicFile, SaysWhatCannotBeWritten) {
  const ScratchFolder folder;
  expect_error(ErrorCode::cannot_write, {"model", "nowhere", "does not exist"},
               [&] { AtomicFile(folder / "nowhere" / "a", "model"); });
}

// Nothing but a regular file is ever replaced: as root, a device would be gone for everybody.
TEST(AtomicFile, ReplacesFilesAlone) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "folder");
  std::filesystem::create_symlink("/dev/null", folder / "null");
  for (const char* name : {"pipe", "folder", "null"}) {
    expect_error(ErrorCode::cannot_write, {"model", name}, [&] { AtomicFile(folder / name, "model"); });
  }
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(files_in(folder / ""), 3);
}

// A link stays a link; the file behind it is replaced, in whatever folder it lies.
TEST(AtomicFile, ReplacesWhatALinkLeadsTo) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "real");
  write(folder / "real" / "a", "old");
  std::filesystem::create_symlink("real/a", folder / "link");
  std::filesystem::create_symlink("real/b", folder / "new");
  write(folder / "link", "first");
  write(folder / "new", "second");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "new"));
  EXPECT_EQ(read(folder / "real" / "a"), "first");
  EXPECT_EQ(read(folder / "real" / "b"), "second");
  EXPECT_EQ(files_in(folder / "real"), 2);
  EXPECT_EQ(files_in(folder / ""), 3);
}

// Who made a file private, or readable for all, finds it so again.
TEST(AtomicFile, KeepsPermissions) {
  const ScratchFolder folder;
  for (const mode_t mode : {0600U, 0664U, 0755U}) {
    write(folder / "a", "old");
    ASSERT_EQ(::chmod((folder / "a").c_str(), mode), 0);
    write(folder / "a", "new");
    EXPECT_EQ(permissions(folder / "a"), mode);
  }
}

// What is to be followed while it is written takes its name early; what was there stays until then.
TEST(AtomicFile, AppearsEarlyWhereAsked) {
  const ScratchFolder folder;
  write(folder / "a", "old");
  {
    AtomicFile file(folder / "a", "lines", Durability::quick);
    file.write(std::as_bytes(std::span("one", 3)));
    EXPECT_EQ(read(folder / "a"), "old");
    file.appear();
    EXPECT_EQ(read(folder / "a"), "one");
    file.write(std::as_bytes(std::span("two", 3)));
    EXPECT_EQ(read(folder / "a"), "onetwo");
  }
  EXPECT_EQ(read(folder / "a"), "onetwo");
  EXPECT_EQ(files_in(folder / ""), 1);
}

// Who changes his mind while the disk works finds what was there.
TEST(AtomicFile, MayBeUnwantedAtLast) {
  const ScratchFolder folder;
  write(folder / "a", "old");
  {
    AtomicFile file(folder / "a", "model");
    file.write(std::as_bytes(std::span("new", 3)));
    expect_error(ErrorCode::cancelled, {"model", "not wanted"}, [&] { file.commit([] { return false; }); });
  }
  EXPECT_EQ(read(folder / "a"), "old");
  EXPECT_EQ(files_in(folder / ""), 1);
}

// The longest name that the system has leaves no room for a longer one beside it.
TEST(AtomicFile, TakesTheLongestNames) {
  const ScratchFolder folder;
  const std::string name(255, 'x');
  write(folder / name, "model");
  EXPECT_EQ(read(folder / name), "model");
}

}  // namespace
}  // namespace padim::test
