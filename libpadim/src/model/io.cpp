// A model is a safetensors file, so that numpy opens it: stored embeddings, comoment, mean and whitener, then the
// checksum over everything before it. Loading keeps what detection needs in memory of our own. What only a fit needs is
// several times as large and is read when it is asked for, from the same open file, which must have the same checksum
// then (docs/decisions/0017).

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
#include "base/weak_pool.h"
#include "model/info_json.h"
#include "model/segments_json.h"
#include "padim/error.h"
#include "padim/limits.h"

namespace padim {
namespace {

constexpr char kWhat[] = "model";
constexpr char kFormat[] = "padim-model";
constexpr char kSegments[] = "segments";

std::string embeddings_name(std::size_t segment) { return "segment" + std::to_string(segment) + ".embeddings"; }

std::size_t positions_of(const ModelInfo& info) {
  return static_cast<std::size_t>(info.positions.width) * static_cast<std::size_t>(info.positions.height);
}

std::size_t mean_size(const ModelInfo& info) { return positions_of(info) * static_cast<std::size_t>(info.dimensions); }

std::size_t triangles_size(const ModelInfo& info) { return positions_of(info) * triangle_size(info.dimensions); }

using Part = std::shared_ptr<const FilePart>;

// One copy in the process of what detection needs, however many elements load the same model.
Part share(const Digest& checksum, FilePart part) {
  static WeakPool<const FilePart> pool;
  return pool.get(to_hex(checksum), [&] { return std::make_shared<const FilePart>(std::move(part)); });
}

// The file with the reason why it may not be used.
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
  }

  // What detection needs.
  [[nodiscard]] Part read() {
    auto contents = file_.read({"mean", "projection", "whitener"});
    if (!contents.intact) {
      file_.check_unchanged();
      fail("its checksum does not match: the file is corrupted; restore it from a copy or fit the model again");
    }
    checksum_ = contents.body;
    return share(checksum_, std::move(contents.part));
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
  [[nodiscard]] const TensorPlace& place(const std::string& name, TensorType type, std::size_t count) const {
    const auto found = file_.tensors().find(name);
    const bool fits = found != file_.tensors().end() && found->second.type == type &&
                      found->second.size_bytes() == count * sizeof(Value) && found->second.begin % alignof(Value) == 0;
    if (!fits) fail("tensor '" + name + "' is missing or has another shape");
    return found->second;
  }

  template <class Value>
  [[nodiscard]] std::span<const Value> values(const FilePart& part, const std::string& name, TensorType type,
                                              std::size_t count) const {
    const auto bytes = part.bytes_of(place<Value>(name, type, count));
    return {reinterpret_cast<const Value*>(bytes.data()), count};
  }

  // The matrix [F, d] of a linear reduction.
  [[nodiscard]] std::span<const float> projection(const FilePart& part, const ModelInfo& info) const {
    if (!is_projection(info.reduction.kind)) return {};
    std::size_t channels = 0;
    for (const TapInfo& tap : info.taps) channels += static_cast<std::size_t>(tap.channels);
    const auto matrix =
        values<float>(part, "projection", TensorType::f32, channels * static_cast<std::size_t>(info.dimensions));
    if (!std::all_of(matrix.begin(), matrix.end(), [](float value) { return std::isfinite(value); })) {
      fail("tensor 'projection' is not finite");
    }
    return matrix;
  }

  // What the header says of the segments, checked: their arrays have the right shapes.
  [[nodiscard]] SegmentsRecord segments_record(const ModelInfo& info) const {
    SegmentsRecord record = parsed_segments();
    const std::size_t size = mean_size(info);
    static_cast<void>(place<float>("mean", TensorType::f32, size));
    static_cast<void>(place<float>("comoment", TensorType::f32, triangles_size(info)));
    for (std::size_t i = 0; i < record.list.size(); ++i) {
      auto& copies = record.list[i].copies;
      const std::size_t entries = stored_entries(embeddings_name(i), size);
      if (copies.empty()) copies.assign(entries, 0);
      const auto added = std::accumulate(copies.begin(), copies.end(), std::size_t{0});
      if (copies.size() + added != entries) fail("its segments are not usable (their copies do not add up)");
    }
    return record;
  }

  // The file as it was loaded, or none at all.
  [[nodiscard]] std::shared_ptr<const Segments> segments(const SegmentsRecord& record, const ModelInfo& info) const {
    std::vector<std::string> names{"mean", "comoment"};
    for (std::size_t i = 0; i < record.list.size(); ++i) names.push_back(embeddings_name(i));
    auto contents = file_.read(names);
    if (contents.body != checksum_) {
      throw Error(ErrorCode::cannot_read, "cannot go on with the fit of model '" + path_.string() +
                                              "': the file was overwritten after it was loaded; load it again");
    }
    auto arrays = std::make_shared<Arrays>(std::move(contents.part));
    const GaussianView statistics{info.positions.width * info.positions.height, info.dimensions, record.count,
                                  values<float>(arrays->part, "mean", TensorType::f32, mean_size(info)),
                                  values<float>(arrays->part, "comoment", TensorType::f32, triangles_size(info))};
    std::vector<SegmentView> views;
    for (std::size_t i = 0; i < record.list.size(); ++i) {
      views.push_back(record.list[i].view);
      views.back().stored = stored(embeddings_name(i), *arrays);
      views.back().copies = record.list[i].copies;
    }
    return std::make_shared<const Segments>(statistics, views, record.capacity, arrays,
                                            statistics_limits(info, kMaximumStatisticsBytes));
  }

 private:
  [[nodiscard]] std::string value(const char* key) const {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? "" : found->second;
  }

  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::bad_format, "cannot read model '" + path_.string() + "': " + cause);
  }

  // What keeps the segments' arrays alive.
  struct Arrays {
    explicit Arrays(FilePart from) : part(std::move(from)) {}
    FilePart part;
    std::vector<std::unique_ptr<std::vector<std::uint16_t>>> converted;
  };

  [[nodiscard]] SegmentsRecord parsed_segments() const {
    try {
      return segments_from_json(nlohmann::ordered_json::parse(value(kSegments)));
    } catch (const std::exception& error) {
      fail(std::string("its segments are not usable (") + error.what() + ")");
    }
  }

  // Embeddings of `size` values; none where the tensor is absent.
  [[nodiscard]] std::size_t stored_entries(const std::string& name, std::size_t size) const {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) return 0;
    const auto entries = static_cast<std::size_t>(element_count(found->second)) / size;
    if (found->second.type == TensorType::f16) {
      static_cast<void>(place<std::uint16_t>(name, TensorType::f16, entries * size));
    } else {
      static_cast<void>(place<float>(name, TensorType::f32, entries * size));
    }
    return entries;
  }

  // In files of version 1 they are not halves.
  [[nodiscard]] std::span<const std::uint16_t> stored(const std::string& name, Arrays& arrays) const {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) return {};
    const auto count = static_cast<std::size_t>(element_count(found->second));
    if (found->second.type == TensorType::f16) {
      return values<std::uint16_t>(arrays.part, name, TensorType::f16, count);
    }
    auto& halves = arrays.converted.emplace_back(std::make_unique<std::vector<std::uint16_t>>());
    std::ranges::transform(values<float>(arrays.part, name, TensorType::f32, count), std::back_inserter(*halves),
                           float_to_half);
    return *halves;
  }

  std::filesystem::path path_;
  SafetensorsFile file_;
  Digest checksum_{};
};

template <class Value>
TensorView view(TensorType type, std::vector<std::int64_t> shape, std::span<const Value> values) {
  return {type, std::move(shape), std::as_bytes(values)};
}

}  // namespace

LoadedModel read_model(const std::filesystem::path& path) {
  const auto file = std::make_shared<ModelFile>(path);
  file->check_format();
  const Part part = file->read();
  ModelInfo info = file->info();
  auto tensors = std::make_shared<ModelTensors>();
  tensors->mean = file->values<float>(*part, "mean", TensorType::f32, mean_size(info));
  tensors->whitener = file->values<std::uint16_t>(*part, "whitener", TensorType::f16, triangles_size(info));
  tensors->projection = {file->projection(*part, info), part};
  tensors->owner = part;
  if (file->resumable()) {
    tensors->segments = std::make_shared<const KeptSegments>(
        [file, info, record = file->segments_record(info)] { return file->segments(record, info); });
  }
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
    const Segments& segments = *tensors.segments->get();
    metadata[kSegments] = segments_to_json(segments).dump();
    for (int i = 0; i < segments.size(); ++i) {
      const auto stored = segments.view(i).stored;
      if (stored.empty()) continue;
      const auto count = static_cast<std::int64_t>(stored.size()) / (positions * dimensions);
      all.push_back({embeddings_name(static_cast<std::size_t>(i)),
                     view(TensorType::f16, {count, positions, dimensions}, stored)});
    }
    all.push_back({"comoment", view(TensorType::f32, {positions, triangle}, segments.statistics().comoment)});
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
