#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/pages.h"
#include "base/sha256.h"

namespace padim {

/// Names as the safetensors format writes them.
enum class TensorType { u8, f16, f32 };

/// A named array of a safetensors file and its bytes [begin, end) there.
struct TensorPlace {
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::size_t size_bytes() const { return end - begin; }
};

/// Bytes [begin, end) of a file in memory of our own.
class FilePart {
 public:
  FilePart(std::uint64_t begin, std::uint64_t end);

  [[nodiscard]] std::span<const std::byte> bytes_of(const TensorPlace& tensor) const;

  /// Where in memory the file's byte `offset` belongs; offset: begin..end.
  [[nodiscard]] std::byte* address(std::uint64_t offset) { return pages_.bytes().data() + (offset - base_); }

 private:
  std::uint64_t base_;  // what is aligned in the file is aligned in memory
  Pages pages_;
};

/// A safetensors file (github.com/huggingface/safetensors) whose header was read and checked: every tensor lies inside,
/// every size fits its shape. It stays open, so that it can be read until this object ends, whatever becomes of its
/// name. Throws not_found, cannot_read, and bad_format with a sentence for each cause: foreign, truncated, oversized
/// header. May be used from several threads.
class SafetensorsFile {
 public:
  SafetensorsFile(const std::filesystem::path& path, const std::string& what);

  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::map<std::string, TensorPlace>& tensors() const { return tensors_; }

  struct Contents {
    FilePart part;        ///< what was asked for
    Digest whole;         ///< of the file
    Digest body;          ///< of all but the last 32 bytes
    bool intact = false;  ///< the last 32 bytes are the tensor "sha256" and hold `body`
  };

  /// Reads the file from front to back, once, and keeps the bytes of the named tensors and what lies between them: the
  /// digests are of the very bytes that are kept. Names that the file does not have are passed over. Throws
  /// cannot_read.
  [[nodiscard]] Contents read(const std::vector<std::string>& names) const;

  /// Reads the file and keeps all of its tensors.
  [[nodiscard]] Contents read_all() const;

  /// Throws cannot_read where somebody has written into the file since it was opened, as far as times tell.
  void check_unchanged() const { file_.check_unchanged(); }

 private:
  void parse_header(std::span<const std::byte> text);
  [[nodiscard]] Contents read_range(std::uint64_t begin, std::uint64_t end) const;
  [[nodiscard]] std::optional<Digest> checksum() const;

  InputFile file_;
  std::vector<std::byte> header_;  // with its length; never read a second time
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorPlace> tensors_;
};

/// An array to be written; the bytes belong to somebody else.
struct TensorView {
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

struct NamedTensor {
  std::string name;
  TensorView view;
};

/// Writes a safetensors file atomically, the tensors' bytes in the order given, and behind them a last tensor "sha256"
/// [32] with the digest of everything before it. Data starts at a multiple of 64 bytes. wanted: see AtomicFile::commit.
/// Throws cannot_write, cancelled.
void write_safetensors(const std::filesystem::path& path, const std::string& what,
                       const std::map<std::string, std::string>& metadata, const std::vector<NamedTensor>& tensors,
                       const std::function<bool()>& wanted = {});

[[nodiscard]] std::int64_t element_count(const TensorPlace& tensor);

}  // namespace padim
