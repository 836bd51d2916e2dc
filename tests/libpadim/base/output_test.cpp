#include "base/output.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "expect_error.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

namespace fs = std::filesystem;

void make_pipe(const fs::path& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }

void make_socket(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.native().size(), sizeof address.sun_path);
  std::ranges::copy(path.native(), address.sun_path);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(descriptor);
}

// A regular file and a new name are files; what a link leads to is what is written, even where it does not exist yet.
TEST(FindOutput, FollowsLinksToTheFile) {
  const ScratchFolder folder;
  write_bytes(folder / "file", "old");
  fs::create_directory(folder / "deep");
  fs::create_symlink(folder / "file", folder / "absolute");
  fs::create_symlink("../file", folder / "deep" / "relative");
  fs::create_symlink("deep/relative", folder / "twice");
  fs::create_symlink("deep/new", folder / "dangling");
  const struct {
    const char* name;
    fs::path leads_to;
  } cases[] = {{"file", folder / "file"},          {"new", folder / "new"},    {"absolute", folder / "file"},
               {"deep/relative", folder / "file"}, {"twice", folder / "file"}, {"dangling", folder / "deep" / "new"}};
  for (const auto& c : cases) {
    const Output output = find_output(folder / c.name, "model");
    EXPECT_EQ(output.kind, OutputKind::file) << c.name;
    EXPECT_EQ(output.path.lexically_normal(), c.leads_to) << c.name;
    EXPECT_EQ(fs::weakly_canonical(find_output_file(folder / c.name, "model")), c.leads_to) << c.name;
  }
}

// What keeps no bytes may take lines, but no whole file may take its place.
TEST(FindOutput, TellsStreamsFromFiles) {
  const ScratchFolder folder;
  make_pipe(folder / "pipe");
  fs::create_symlink("pipe", folder / "link");
  fs::create_symlink("/dev/stdout", folder / "standard");
  for (const fs::path& name : {folder / "pipe", folder / "link", folder / "standard", fs::path("/dev/null"),
                               fs::path("/dev/stdout"), fs::path("/dev/fd/1"), fs::path("-")}) {
    EXPECT_EQ(find_output(name, "model").kind, OutputKind::stream) << name;
    expect_error(ErrorCode::cannot_write, {"model", name.string(), "pipe or a device", "name a file"},
                 [&] { static_cast<void>(find_output_file(name, "model")); });
  }
}

TEST(FindOutput, RefusesWhatIsNoFile) {
  const ScratchFolder folder;
  make_socket(folder / "socket");
  write_bytes(folder / "file", "");
  fs::create_symlink("circle", folder / "circle");
  const struct {
    fs::path name;
    const char* cause;
  } cases[] = {{folder.path(), "a folder"},
               {folder.path() / "", "a folder"},
               {folder.path() / "new" / "", "names no file"},
               {folder / "socket", "a socket"},
               {folder / "file" / "below", "Not a directory"},
               {folder / "nowhere" / "file", "does not exist; create it"},
               {folder / "circle", "symbolic links"},
               {"", "names no file"}};
  for (const auto& c : cases) {
    expect_error(ErrorCode::cannot_write, {"'" + c.name.string() + "'", c.cause},
                 [&] { static_cast<void>(find_output(c.name, "model")); });
  }
}

// Root may write everything: the others are told before the work. Whoever protects a file does not want it replaced,
// which the rights of its folder would allow.
TEST(FindOutput, RespectsRights) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everything";
  const ScratchFolder folder;
  write_bytes(folder / "kept", "");
  fs::permissions(folder / "kept", fs::perms::owner_read);
  expect_error(ErrorCode::cannot_write, {"kept", "write-protected"},
               [&] { static_cast<void>(find_output(folder / "kept", "model")); });
  fs::create_directory(folder / "closed");
  write_bytes(folder / "closed" / "file", "");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  expect_error(ErrorCode::cannot_write, {"closed", "cannot be written"},
               [&] { static_cast<void>(find_output(folder / "closed" / "new", "model")); });
  EXPECT_EQ(find_output(folder / "closed" / "file", "lines").kind, OutputKind::file) << "can be appended to";
  expect_error(ErrorCode::cannot_write, {"closed", "cannot be written"},
               [&] { static_cast<void>(find_output_file(folder / "closed" / "file", "model")); });
  fs::permissions(folder / "closed", fs::perms::owner_all);
}

TEST(OpenDescriptor, KnowsItsNames) {
  EXPECT_EQ(open_descriptor("-"), 1);
  EXPECT_EQ(open_descriptor("/dev/stdout"), 1);
  EXPECT_EQ(open_descriptor("/dev/stderr"), 2);
  EXPECT_EQ(open_descriptor("/dev/fd/63"), 63);
  EXPECT_EQ(open_descriptor("/proc/self/fd/0"), 0);
  for (const char* name : {"", "stdout", "/dev/fd/", "/dev/fd/x", "/dev/fd/1x", "/dev/fd/-1", "/dev/null", "./-"}) {
    EXPECT_EQ(open_descriptor(name), std::nullopt) << name;
  }
}

// Whatever names lead to an input, it is not written.
TEST(FileRoles, KnowAnInputByEveryName) {
  const ScratchFolder folder;
  write_bytes(folder / "input", "precious");
  fs::create_symlink("input", folder / "link");
  fs::create_hard_link(folder / "input", folder / "hard");
  FileRoles roles;
  roles.reads(folder / "link", "the model");
  for (const fs::path& name : {folder / "input", folder / "link", folder / "hard",
                               folder.path() / ".." / folder.path().filename() / "input"}) {
    expect_error(ErrorCode::invalid_argument, {"--json", name.string(), "would overwrite the model"},
                 [&] { roles.writes(name, "--json"); });
  }
  roles.writes(folder / "other", "--json");
}

TEST(FileRoles, KnowEveryFileBelowAFolder) {
  const ScratchFolder folder;
  fs::create_directories(folder / "masks" / "deep");
  write_bytes(folder / "masks" / "deep" / "0.png", "mask");
  FileRoles roles;
  roles.reads_below(folder / "masks", "the ground truth");
  roles.reads_below(folder / "missing", "nothing");
  roles.check(folder / "masks" / "deep" / "1.png", "--output");
  expect_error(ErrorCode::invalid_argument, {"ground truth"},
               [&] { roles.check(folder / "masks" / "deep" / "0.png", "--output"); });
}

// Two outputs are not one file, whether it exists or not; what does not exist is read by nobody.
TEST(FileRoles, KeepOutputsApart) {
  const ScratchFolder folder;
  fs::create_symlink(folder / "new", folder / "link");
  FileRoles roles;
  roles.writes(folder / "new", "--json");
  for (const char* name : {"new", "./new", "link"}) {
    expect_error(ErrorCode::invalid_argument, {"--output", "would overwrite --json"},
                 [&] { roles.writes(folder / name, "--output"); });
  }
  roles.writes(folder / "new2", "--output");
}

// What keeps no bytes is overwritten by nobody.
TEST(FileRoles, ShareStreams) {
  FileRoles roles;
  roles.reads("/dev/null", "the input");
  for (const char* name : {"/dev/null", "-", "/dev/stdout"}) {
    roles.writes(name, "one");
    roles.writes(name, "two");
  }
}

}  // namespace
}  // namespace padim::test
