// A model is a safetensors file, so that numpy opens it: the segments, comoment, mean and whitener, then the checksum
// over everything before it. The checksum comes last on purpose: kernels read up to 15 half-precision numbers past the
// end of the whitener.

#include "model/io.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

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

  // Where the model was not stripped: the segments, their arrays still in the file.
  [[nodiscard]] std::vector<SegmentView> segments(const ModelInfo& info, std::int64_t& capacity) const {
    std::vector<SegmentView> views;
    try {
      views = segments_from_json(nlohmann::ordered_json::parse(value(kSegments)), capacity);
    } catch (const std::exception& error) {
      fail(std::string("its segments are not usable (") + error.what() + ")");
    }
    for (int i = 0; i < static_cast<int>(views.size()); ++i) {
      SegmentView& view = views[static_cast<std::size_t>(i)];
      const bool single = views.size() == 1 && !has(segment_name(i, "comoment"));  // its statistics are the model's
      fill_statistics(view.statistics, single ? "" : segment_name(i, ""), info);
      fill_stored(view, segment_name(i, "embeddings"));
    }
    return views;
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

  void fill_statistics(GaussianView& statistics, const std::string& prefix, const ModelInfo& info) const {
    const auto positions = static_cast<std::size_t>(info.positions.width * info.positions.height);
    statistics.positions = info.positions.width * info.positions.height;
    statistics.dimensions = info.dimensions;
    statistics.mean =
        values<float>(prefix + "mean", TensorType::f32, positions * static_cast<std::size_t>(info.dimensions));
    statistics.comoment =
        values<float>(prefix + "comoment", TensorType::f32, positions * triangle_size(info.dimensions));
  }

  void fill_stored(SegmentView& view, const std::string& name) const {
    if (!has(name)) return;
    const std::size_t size = view.statistics.mean.size();
    const std::size_t count = file_.tensors().at(name).bytes.size() / sizeof(float) / size;
    view.stored = values<float>(name, TensorType::f32, count * size);
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
  if (model->has("comoment")) tensors->comoment = model->values<float>("comoment", TensorType::f32, triangle);
  model->check_padding(tensors->whitener);
  tensors->projection = {model->projection(info), model};
  if (model->resumable()) {
    std::int64_t capacity = 1;
    std::vector<SegmentView> views = model->segments(info, capacity);
    WorkerPool pool(1);
    tensors->segments = std::make_shared<const Segments>(static_cast<int>(positions), info.dimensions,
                                                         statistics_limits(info, kMaximumStatisticsBytes),
                                                         std::move(views), capacity, model, pool);
  }
  tensors->owner = tensors->comoment_owner = model;
  return {std::move(info), std::move(tensors)};
}

void write_model(const std::filesystem::path& file, const ModelInfo& info, const ModelTensors& tensors) {
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
      const SegmentView s = tensors.segments->view(i);
      if (s.statistics.comoment.data() != tensors.comoment.data()) {
        all.push_back(
            {segment_name(i, "comoment"), view(TensorType::f32, {positions, triangle}, s.statistics.comoment)});
        all.push_back({segment_name(i, "mean"), view(TensorType::f32, {positions, dimensions}, s.statistics.mean)});
      }
      if (s.stored.empty()) continue;
      const auto count = static_cast<std::int64_t>(s.stored.size()) / (positions * dimensions);
      all.push_back({segment_name(i, "embeddings"), view(TensorType::f32, {count, positions, dimensions}, s.stored)});
    }
  }
  if (!tensors.comoment.empty()) {
    all.push_back({"comoment", view(TensorType::f32, {positions, triangle}, tensors.comoment)});
  }
  all.push_back({"mean", view(TensorType::f32, {positions, dimensions}, tensors.mean)});
  if (const auto matrix = tensors.projection.matrix; !matrix.empty()) {
    const auto channels = static_cast<std::int64_t>(matrix.size()) / dimensions;
    all.push_back({"projection", view(TensorType::f32, {channels, dimensions}, matrix)});
  }
  all.push_back({"whitener", view(TensorType::f16, {positions, triangle}, tensors.whitener)});
  write_safetensors(file, kWhat, metadata, all);
}

}  // namespace padim
