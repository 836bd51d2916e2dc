#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace padim {

/// A file descriptor that is closed with this object.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// Closes the one that it holds and holds `value`; -1: none.
  void reset(int value = -1);

  /// Hands it to the caller, to close.
  [[nodiscard]] int release() { return std::exchange(value_, -1); }

  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

/// A file that is open for reading: whoever renames or removes it changes nothing here. Whoever writes into it does, so
/// what is read is memory of our own.
class InputFile {
 public:
  /// `what` names the file's role in errors ("model"). Throws not_found, cannot_read, or bad_format for an empty file.
  InputFile(const std::filesystem::path& path, const std::string& what);

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
  Descriptor descriptor_;
  State state_;
};

/// How sure a file is to be there after a failure of the power.
enum class Durability {
  lasting,  ///< flushed to the disk before it takes its name: models
  quick,    ///< left to the system, as nothing is lost that could not be made again: pictures, figures, maps
};

/// A file that appears whole or not at all: written without a name, which commit() gives it. Without commit() nothing
/// of it remains, whatever ends the process, and what was there before is untouched. Where the name is a symbolic link,
/// what it leads to is replaced; what exists keeps its permissions and, as far as the system lets us, its owner. Where
/// the file system has no files without a name (NFS, FAT) it is NAME.XXXXXX meanwhile, which a killed process leaves
/// behind. Throws cannot_write, at once where find_output_file() refuses the name.
class AtomicFile {
 public:
  AtomicFile(std::filesystem::path name, std::string what, Durability durability = Durability::lasting);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where others, in this process or besides it, can write the contents before commit().
  [[nodiscard]] std::filesystem::path unnamed() const;

  /// At the end of what it holds by then.
  void write(std::span<const std::byte> bytes);

  /// Takes the name now, so that others can follow what is written from now on.
  void appear();

  /// wanted: asked when only the name is missing; where it says no, nothing appears: throws cancelled.
  void commit(const std::function<bool()>& wanted = {});

 private:
  void create();
  [[nodiscard]] bool create_nameless();
  template <class Attempt>
  [[nodiscard]] bool take_temporary_name(const Attempt& attempt);
  void take_name();
  void adopt_rights() const;
  [[noreturn]] void fail(int error) const;

  std::filesystem::path name_;  ///< as it was given
  std::string what_;
  Durability durability_;
  std::filesystem::path path_;  ///< behind symbolic links
  std::string temporary_;       ///< empty while it has no name, and once it has taken its own
  bool appeared_ = false;
  Descriptor descriptor_;
};

}  // namespace padim
