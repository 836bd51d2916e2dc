// A model is a safetensors file, so that numpy opens it: stored embeddings, comoment, mean and whitener, then the
// checksum over everything before it. The checksum comes last on purpose: kernels read up to 15 half-precision numbers
// past the end of the whitener.

#include "model/io.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <ranges>

#include "base/half.h"
#include "base/packed_triangle.h"
#include "base/safetensors.h"
#include "model/info_json.h"
#include "model/segments_json.h"
#include "padim/error.h"
#include "padim/limits.h"

namespace padim {
namespace {

constexpr char kWhat[] = "model";
constexpr char kFormat[] = "padim-model";
constexpr char kSegments[] = "segments";

std::string segment_name(int segment, const char* part) { return "segment" + std::to_string(segment) + "." + part; }

// The mapped file with the reason why it may not be used.
class ModelFile {
 public:
  explicit ModelFile(const std::filesystem::path& path) : path_(path), file_(path, kWhat) {}

  void check_format() const {
    if (value("format") != kFormat) fail("it is a safetensors file, but not a padim model");
    const std::string version = value("format_version");
    int number = 0;
    std::from_chars(version.data(), version.data() + version.size(), number);
    if (number < 1) fail("its format version '" + version + "' is not a number");
    if (number > kModelFormatVersion) {
      fail("version " + version + " is newer than this library (" + std::to_string(kModelFormatVersion) +
           "): update padim, or fit the model again");
    }
    if (!verify_checksum(file_)) {
      fail("its checksum does not match: the file is corrupted; restore it from a copy or fit the model again");
    }
  }

  [[nodiscard]] bool resumable() const { return !value(kSegments).empty(); }

  [[nodiscard]] ModelInfo info() const {
    try {
      return info_from_json(nlohmann::ordered_json::parse(value("model")));
    } catch (const std::exception& error) {
      fail(std::string("its description is not usable (") + error.what() + ")");
    }
  }

  template <class Value>
  [[nodiscard]] std::span<const Value> values(const std::string& name, TensorType type, std::size_t count) const {
    const auto found = file_.tensors().find(name);
    const bool fits = found != file_.tensors().end() && found->second.type == type &&
                      found->second.bytes.size() == count * sizeof(Value) &&
                      reinterpret_cast<std::uintptr_t>(found->second.bytes.data()) % alignof(Value) == 0;
    if (!fits) fail("tensor '" + name + "' is missing or has another shape");
    return {reinterpret_cast<const Value*>(found->second.bytes.data()), count};
  }

  [[nodiscard]] bool has(const std::string& name) const { return file_.tensors().contains(name); }

  // The matrix [F, d] of a linear reduction.
  [[nodiscard]] std::span<const float> projection(const ModelInfo& info) const {
    if (!is_projection(info.reduction.kind)) return {};
    std::size_t channels = 0;
    for (const TapInfo& tap : info.taps) channels += static_cast<std::size_t>(tap.channels);
    const auto matrix =
        values<float>("projection", TensorType::f32, channels * static_cast<std::size_t>(info.dimensions));
    if (!std::all_of(matrix.begin(), matrix.end(), [](float value) { return std::isfinite(value); })) {
      fail("tensor 'projection' is not finite");
    }
    return matrix;
  }

  // Where the model was not stripped. Its arrays stay in the file, but for those of version 1, which are not halves.
  [[nodiscard]] std::shared_ptr<const Segments> segments(const ModelInfo& info,
                                                         const std::shared_ptr<const ModelFile>& self) const {
    SegmentsRecord record = segments_record();
    auto owner = std::make_shared<StoredHalves>();
    owner->file = self;
    const GaussianView statistics = whole_statistics(record.count, info);
    std::vector<SegmentView> views;
    for (std::size_t i = 0; i < record.list.size(); ++i) {
      SegmentsRecord::Segment& segment = record.list[i];
      segment.view.stored = stored(segment_name(static_cast<int>(i), "embeddings"), statistics.mean.size(), *owner);
      const std::size_t entries = segment.view.stored.size() / statistics.mean.size();
      if (segment.copies.empty()) segment.copies.assign(entries, 0);
      const auto copies = std::accumulate(segment.copies.begin(), segment.copies.end(), std::size_t{0});
      if (segment.copies.size() + copies != entries) fail("its segments are not usable (their copies do not add up)");
      segment.view.copies = segment.copies;
      views.push_back(segment.view);
    }
    return std::make_shared<const Segments>(statistics, views, record.capacity, owner,
                                            statistics_limits(info, kMaximumStatisticsBytes));
  }

  // Kernels read past the end of the whitener, which the checksum behind it makes safe.
  void check_padding(std::span<const std::uint16_t> whitener) const {
    const auto* end = reinterpret_cast<const std::byte*>(whitener.data() + whitener.size());
    const auto* file_end = file_.bytes().data() + file_.bytes().size();
    if (file_end - end < static_cast<std::ptrdiff_t>(kTrianglePadding * sizeof(std::uint16_t))) {
      fail("tensor 'whitener' ends too close to the end of the file");
    }
  }

 private:
  [[nodiscard]] std::string value(const char* key) const {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? "" : found->second;
  }

  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::bad_format, "cannot read model '" + path_.string() + "': " + cause);
  }

  // What keeps stored embeddings alive.
  struct StoredHalves {
    std::shared_ptr<const ModelFile> file;
    std::vector<std::unique_ptr<std::vector<std::uint16_t>>> converted;
  };

  [[nodiscard]] SegmentsRecord segments_record() const {
    try {
      return segments_from_json(nlohmann::ordered_json::parse(value(kSegments)));
    } catch (const std::exception& error) {
      fail(std::string("its segments are not usable (") + error.what() + ")");
    }
  }

  [[nodiscard]] GaussianView whole_statistics(double count, const ModelInfo& info) const {
    const auto positions = static_cast<std::size_t>(info.positions.width * info.positions.height);
    return {info.positions.width * info.positions.height, info.dimensions, count,
            values<float>("mean", TensorType::f32, positions * static_cast<std::size_t>(info.dimensions)),
            values<float>("comoment", TensorType::f32, positions * triangle_size(info.dimensions))};
  }

  [[nodiscard]] std::span<const std::uint16_t> stored(const std::string& name, std::size_t size,
                                                      StoredHalves& owner) const {
    if (!has(name)) return {};
    const TensorView& tensor = file_.tensors().at(name);
    if (tensor.type == TensorType::f16) {
      return values<std::uint16_t>(name, TensorType::f16, tensor.bytes.size() / sizeof(std::uint16_t) / size * size);
    }
    const auto floats = values<float>(name, TensorType::f32, tensor.bytes.size() / sizeof(float) / size * size);
    auto& halves = owner.converted.emplace_back(std::make_unique<std::vector<std::uint16_t>>());
    std::ranges::transform(floats, std::back_inserter(*halves), float_to_half);
    return *halves;
  }

  std::filesystem::path path_;
  SafetensorsFile file_;
};

template <class Value>
TensorView view(TensorType type, std::vector<std::int64_t> shape, std::span<const Value> values) {
  return {type, std::move(shape), std::as_bytes(values)};
}

}  // namespace

LoadedModel read_model(const std::filesystem::path& file) {
  const auto model = std::make_shared<const ModelFile>(file);
  model->check_format();
  ModelInfo info = model->info();
  const auto positions =
      static_cast<std::size_t>(info.positions.width) * static_cast<std::size_t>(info.positions.height);
  const std::size_t triangle = positions * triangle_size(info.dimensions);
  auto tensors = std::make_shared<ModelTensors>();
  tensors->mean = model->values<float>("mean", TensorType::f32, positions * static_cast<std::size_t>(info.dimensions));
  tensors->whitener = model->values<std::uint16_t>("whitener", TensorType::f16, triangle);
  model->check_padding(tensors->whitener);
  tensors->projection = {model->projection(info), model};
  if (model->resumable()) tensors->segments = model->segments(info, model);
  tensors->owner = model;
  return {std::move(info), std::move(tensors)};
}

void write_model(const std::filesystem::path& file, const ModelInfo& info, const ModelTensors& tensors,
                 const std::function<bool()>& wanted) {
  const std::int64_t positions = std::int64_t{info.positions.width} * info.positions.height;
  const std::int64_t dimensions = info.dimensions;
  const auto triangle = static_cast<std::int64_t>(triangle_size(info.dimensions));
  std::map<std::string, std::string> metadata{{"format", kFormat},
                                              {"format_version", std::to_string(kModelFormatVersion)},
                                              {"model", info_to_json(info).dump()}};
  std::vector<NamedTensor> all;
  if (tensors.segments) {
    metadata[kSegments] = segments_to_json(*tensors.segments).dump();
    for (int i = 0; i < tensors.segments->size(); ++i) {
      const auto stored = tensors.segments->view(i).stored;
      if (stored.empty()) continue;
      const auto count = static_cast<std::int64_t>(stored.size()) / (positions * dimensions);
      all.push_back({segment_name(i, "embeddings"), view(TensorType::f16, {count, positions, dimensions}, stored)});
    }
    all.push_back({"comoment", view(TensorType::f32, {positions, triangle}, tensors.segments->statistics().comoment)});
  }
  all.push_back({"mean", view(TensorType::f32, {positions, dimensions}, tensors.mean)});
  if (const auto matrix = tensors.projection.matrix; !matrix.empty()) {
    const auto channels = static_cast<std::int64_t>(matrix.size()) / dimensions;
    all.push_back({"projection", view(TensorType::f32, {channels, dimensions}, matrix)});
  }
  all.push_back({"whitener", view(TensorType::f16, {positions, triangle}, tensors.whitener)});
  write_safetensors(file, kWhat, metadata, all, wanted);
}

}  // namespace padim
