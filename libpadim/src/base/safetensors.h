#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace padim {

/// Names as the safetensors format writes them.
enum class TensorType { u8, f16, f32 };

/// A named array in a safetensors file; the bytes belong to somebody else.
struct TensorView {
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A safetensors file (github.com/huggingface/safetensors), mapped and checked: every offset lies inside, every size
/// fits its shape. Throws not_found, cannot_read, and bad_format with a sentence for each cause: foreign, truncated,
/// oversized header.
class SafetensorsFile {
 public:
  SafetensorsFile(const std::filesystem::path& path, const std::string& what);

  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  MappedFile file_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorView> tensors_;
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

/// True when the file's last 32 bytes are its "sha256" tensor and hold the digest of everything before them.
[[nodiscard]] bool verify_checksum(const SafetensorsFile& file);

[[nodiscard]] std::int64_t element_count(const TensorView& tensor);

}  // namespace padim
