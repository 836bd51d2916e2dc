#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace padim {

/// A file that is open for reading: whoever renames or removes it changes nothing here. Whoever writes into it does, so
/// what is read is memory of our own.
class InputFile {
 public:
  /// `what` names the file's role in errors ("model"). Throws not_found, cannot_read, or bad_format for an empty file.
  InputFile(const std::filesystem::path& path, const std::string& what);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] std::uint64_t size() const { return state_.size; }

  /// Fills `bytes` with what begins at `offset`. From any thread. Throws cannot_read, also where the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Throws cannot_read where somebody has written into the file since it was opened. Not proof against a writer of the
  /// same few milliseconds: that takes a checksum.
  void check_unchanged() const;

  [[noreturn]] void fail(const std::string& cause) const;  ///< throws cannot_read, naming the file

 private:
  // What differs after somebody has written.
  struct State {
    std::uint64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;

    friend bool operator==(const State&, const State&) = default;
  };

  [[nodiscard]] State state() const;

  std::string name_;
  int descriptor_ = -1;
  State state_;
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
