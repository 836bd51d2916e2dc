#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace padim {

/// A file mapped read-only into memory; unmapped by the destructor. The file must not be changed in place while it is
/// mapped: replace it by rename, as AtomicFile does.
class MappedFile {
 public:
  /// `what` names the file's role in errors ("model"). Throws not_found, cannot_read, or bad_format for an empty file.
  MappedFile(const std::filesystem::path& path, const std::string& what);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// A file that appears whole or not at all: written under a temporary name in the same folder, flushed to the disk and
/// renamed by commit(). Without commit() the destructor removes it and what was there before is untouched. Throws
/// cannot_write.
class AtomicFile {
 public:
  AtomicFile(std::filesystem::path path, std::string what);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  std::string what_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace padim
