// A model is a safetensors file, so that numpy opens it: comoment, mean and whitener, then the checksum over everything
// before it. The checksum comes last on purpose: kernels read up to 15 half-precision numbers past the end of the
// whitener.

#include "model_io.h"

#include <charconv>

#include "model_info_json.h"
#include "packed_triangle.h"
#include "padim/error.h"
#include "safetensors.h"

namespace padim {
namespace {

constexpr char kWhat[] = "model";
constexpr char kFormat[] = "padim-model";

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

  [[nodiscard]] ModelInfo info() const {
    try {
      return info_from_json(nlohmann::ordered_json::parse(value("model")));
    } catch (const std::exception& error) {
      fail(std::string("its description is not usable (") + error.what() + ")");
    }
  }

  template <class Value>
  [[nodiscard]] std::span<const Value> values(const char* name, TensorType type, std::size_t count) const {
    const auto found = file_.tensors().find(name);
    const bool fits = found != file_.tensors().end() && found->second.type == type &&
                      found->second.bytes.size() == count * sizeof(Value) &&
                      reinterpret_cast<std::uintptr_t>(found->second.bytes.data()) % alignof(Value) == 0;
    if (!fits) fail(std::string("tensor '") + name + "' is missing or has another shape");
    return {reinterpret_cast<const Value*>(found->second.bytes.data()), count};
  }

  [[nodiscard]] bool has(const char* name) const { return file_.tensors().contains(name); }

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
  auto tensors = std::make_shared<Model::Tensors>();
  tensors->mean = model->values<float>("mean", TensorType::f32, positions * static_cast<std::size_t>(info.dimensions));
  tensors->whitener = model->values<std::uint16_t>("whitener", TensorType::f16, triangle);
  if (model->has("comoment")) tensors->comoment = model->values<float>("comoment", TensorType::f32, triangle);
  model->check_padding(tensors->whitener);
  tensors->owner = model;
  return {std::move(info), std::move(tensors)};
}

void write_model(const std::filesystem::path& file, const ModelInfo& info, const Model::Tensors& tensors) {
  const std::int64_t positions = std::int64_t{info.positions.width} * info.positions.height;
  const auto triangle = static_cast<std::int64_t>(triangle_size(info.dimensions));
  std::vector<NamedTensor> all;
  if (!tensors.comoment.empty()) {
    all.push_back({"comoment", view(TensorType::f32, {positions, triangle}, tensors.comoment)});
  }
  all.push_back({"mean", view(TensorType::f32, {positions, info.dimensions}, tensors.mean)});
  all.push_back({"whitener", view(TensorType::f16, {positions, triangle}, tensors.whitener)});
  write_safetensors(file, kWhat,
                    {{"format", kFormat},
                     {"format_version", std::to_string(kModelFormatVersion)},
                     {"model", info_to_json(info).dump()}},
                    all);
}

}  // namespace padim
