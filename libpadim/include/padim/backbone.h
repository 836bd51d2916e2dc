#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "padim/export.h"

namespace padim {

/// One feature map that a backbone hands out: `channels` values per cell of stride x stride input pixels.
struct TapInfo {
  std::string name;
  int channels = 0;
  int stride = 0;
  friend bool operator==(const TapInfo&, const TapInfo&) = default;
};

/// What a backbone is, and how it runs.
struct BackboneInfo {
  std::string name;                  ///< "efficientnet_lite0"
  std::string weights_sha256;        ///< of the weights' file, lower-case hexadecimal
  std::vector<TapInfo> taps;         ///< in order of computation; strides never fall
  std::int64_t parameters = 0;       ///< weights and biases in use, batch norm folded
  double epsilon = 0;                ///< recommended regularisation (design equation 1) ...
  bool epsilon_is_relative = false;  ///< ... as a fraction of the mean variance, or absolute
  double prior = 0;                  ///< recommended weight of the pooled covariance, in frames
  std::string device;                ///< "cpu", "cuda:0"
  std::string precision;             ///< "float32" or "bfloat16"
};

/// Feature maps of one tap for a batch, channels last: values[((b * height + y) * width + x) * channels + c].
struct TapMaps {
  int batch = 0;
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<float> values;
};

/// A frozen network that turns images into feature maps. Immutable; run() may be called from several threads at once.
class PADIM_API Backbone {
 public:
  virtual ~Backbone() = default;

  [[nodiscard]] virtual const BackboneInfo& info() const = 0;

  /// The same network that hands out only `taps` (indices into info().taps, ascending, at least one) and computes
  /// nothing past the last of them. Must outlive nothing: the result keeps what it needs.
  [[nodiscard]] virtual std::shared_ptr<const Backbone> with_taps(std::span<const int> taps) const = 0;

  /// The same network (weights shared) that computes only `channels` (ascending, without repeats) of its last
  /// tap: what an embedding does not use need not be computed. info().taps.back().channels of the result is
  /// channels.size(). Must outlive nothing: the result keeps what it needs.
  [[nodiscard]] virtual std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const = 0;

  /// images: uint8 RGB [batch, height, width, 3], tight rows; height and width are multiples of the largest stride.
  /// taps: resized to one entry per tap; its memory is reused, so that a steady state allocates nothing.
  /// threads: processor threads for this run, 1 and more. 1 is the most robust: LibTorch's OpenMP threads spin while
  /// they wait for one another. More pay for heavy networks on idle cores.
  /// Throws Error (internal) where the network library fails, for example for want of memory.
  virtual void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
                   int threads) const = 0;
};

enum class Precision { automatic, float32, bfloat16 };

/// Which backbone to open, where its files are, and how it runs.
struct BackboneOptions {
  std::string name = "efficientnet_lite0";
  std::filesystem::path weights_file{};      ///< .safetensors; empty: NAME.safetensors on the search path
  std::filesystem::path description_file{};  ///< .json; empty: NAME.json on the search path, then the built-in one
  std::vector<std::filesystem::path> search_path{};  ///< folders, first match wins; the installed folder comes last
  std::string device = "cpu";                        ///< "cpu", "cuda", "cuda:N" or "auto"
  Precision precision = Precision::automatic;        ///< automatic: bfloat16 where the processor computes in it

  friend bool operator==(const BackboneOptions&, const BackboneOptions&) = default;
};

/// Opens a backbone. Several calls with the same weights, device and precision in one process share the weights.
/// Throws not_found (names every place searched and the command that fetches the weights), bad_format
/// (description or weights), unsupported (no such device, precision), invalid_argument. Thread-safe.
[[nodiscard]] PADIM_API std::shared_ptr<const Backbone> open_backbone(const BackboneOptions& options);

[[nodiscard]] PADIM_API std::string to_string(Precision precision);          ///< "auto", "float32", "bfloat16"
[[nodiscard]] PADIM_API Precision parse_precision(const std::string& name);  ///< throws invalid_argument

}  // namespace padim
