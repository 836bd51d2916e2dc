#include "io/file_io.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include "base/file.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void cannot_write(const std::filesystem::path& path, int cause) {
  throw Error(ErrorCode::cannot_write, "cannot write " + in_quotes(path) + ": " + std::strerror(cause));
}

}  // namespace

std::string in_quotes(const std::filesystem::path& path) {
  std::string text = "'";
  text += path.string();
  return text += "'";
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::string lower_extension(const std::filesystem::path& path) {
  const std::string extension = lower(path.extension().string());
  return extension.empty() ? extension : extension.substr(1);
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::cannot_read;
    throw Error(code, "cannot read " + in_quotes(path) + ": " + std::strerror(errno));
  }
  std::vector<std::uint8_t> bytes;
  std::uint8_t block[1 << 16];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file.get())) {
    bytes.insert(bytes.end(), block, block + count);
  }
  if (std::ferror(file.get())) {
    throw Error(ErrorCode::cannot_read, "cannot read " + in_quotes(path) + ": " + std::strerror(errno));
  }
  return bytes;
}

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  std::error_code ignored;  // a folder that could not be created shows when the file is opened
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  AtomicFile file(path, "file", Durability::quick);
  file.write(std::as_bytes(bytes));
  file.commit();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_file(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    const std::string cause = error ? error.message() : "it is not a folder";
    throw Error(ErrorCode::cannot_write, "cannot create folder " + in_quotes(folder) + ": " + cause);
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) cannot_write(folder, errno);
}

void keep_apart(const std::filesystem::path& folder, std::span<const std::filesystem::path> inputs,
                const std::string& what) {
  const std::string below = std::filesystem::weakly_canonical(folder / "").string();
  for (const auto& input : inputs) {
    if (!std::filesystem::weakly_canonical(input).string().starts_with(below)) continue;
    throw Error(ErrorCode::invalid_argument, what + " " + in_quotes(folder) + " would overwrite the input, as " +
                                                 in_quotes(input) + " lies in it; name another folder");
  }
}

}  // namespace padim::tool
