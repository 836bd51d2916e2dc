// The safetensors format: 8 bytes little-endian length n of the header, n bytes of JSON {"name": {"dtype", "shape",
// "data_offsets": [begin, end)}, ..., "__metadata__": {string: string}}, then the data to which the offsets refer,
// without holes up to the end of the file. Files come from anywhere, so nothing in them is believed before it is
// checked.

#include "base/safetensors.h"

#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "padim/error.h"

namespace padim {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are read and written in place");

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaximumHeader = 16U << 20;
constexpr std::size_t kAlignment = 64;
constexpr char kChecksum[] = "sha256";

std::size_t element_size(TensorType type) { return type == TensorType::u8 ? 1 : type == TensorType::f16 ? 2 : 4; }

std::string to_string(TensorType type) {
  return type == TensorType::u8 ? "U8" : type == TensorType::f16 ? "F16" : "F32";
}

// Types that padim does not use are left out by the caller.
bool parse_type(const std::string& name, TensorType& type) {
  if (name == "U8")
    type = TensorType::u8;
  else if (name == "F16")
    type = TensorType::f16;
  else if (name == "F32")
    type = TensorType::f32;
  else
    return false;
  return true;
}

// Bytes of a tensor of this shape; throws where a size is negative or the product overflows.
std::uint64_t byte_size(const std::vector<std::int64_t>& shape, TensorType type) {
  std::uint64_t size = element_size(type);
  for (const std::int64_t length : shape) {
    if (length < 0) throw std::out_of_range("negative size");
    if (length != 0 && size > std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(length)) {
      throw std::out_of_range("size overflow");
    }
    size *= static_cast<std::uint64_t>(length);
  }
  return size;
}

TensorView parse_tensor(const Json& entry, TensorType type, std::span<const std::byte> data) {
  TensorView view;
  view.type = type;
  view.shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
  if (offsets.size() != 2 || offsets[0] > offsets[1]) throw std::out_of_range("bad offsets");
  if (offsets[1] - offsets[0] != byte_size(view.shape, type)) throw std::out_of_range("offsets do not fit the shape");
  if (offsets[1] > data.size()) throw std::length_error("truncated");
  view.bytes = data.subspan(offsets[0], offsets[1] - offsets[0]);
  return view;
}

std::string header_text(const std::map<std::string, std::string>& metadata, const std::vector<NamedTensor>& tensors) {
  Json header;
  header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, view] : tensors) {
    header[name] = {
        {"dtype", to_string(view.type)}, {"shape", view.shape}, {"data_offsets", {offset, offset + view.bytes.size()}}};
    offset += view.bytes.size();
  }
  std::string text = header.dump();
  text.append((kAlignment - (text.size() + sizeof(std::uint64_t)) % kAlignment) % kAlignment, ' ');
  return text;
}

}  // namespace

std::int64_t element_count(const TensorView& tensor) {
  return static_cast<std::int64_t>(tensor.bytes.size() / element_size(tensor.type));
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, const std::string& what) : file_(path, what) {
  const auto fail = [&](const std::string& cause) {
    throw Error(ErrorCode::bad_format, "cannot read " + what + " '" + path.string() + "': " + cause);
  };
  const auto bytes = file_.bytes();
  std::uint64_t length = 0;
  if (bytes.size() < sizeof(length) + 2) fail("it is too short to be a safetensors file");
  std::memcpy(&length, bytes.data(), sizeof(length));
  const auto first = static_cast<char>(bytes[sizeof(length)]);
  if (first != '{') fail("it is not a safetensors file");
  if (length > kMaximumHeader) {
    fail("its header claims " + std::to_string(length) + " bytes, more than the " + std::to_string(kMaximumHeader) +
         " that are allowed");
  }
  if (length > bytes.size() - sizeof(length)) fail("it is truncated: the header ends beyond the end of the file");
  const auto* text = reinterpret_cast<const char*>(bytes.data() + sizeof(length));
  const auto data = bytes.subspan(sizeof(length) + length);
  try {
    const auto header = Json::parse(text, text + length);
    for (const auto& [name, entry] : header.items()) {
      TensorType type{};
      if (name == "__metadata__") {
        metadata_ = entry.get<std::map<std::string, std::string>>();
      } else if (parse_type(entry.at("dtype").get<std::string>(), type)) {
        tensors_[name] = parse_tensor(entry, type, data);
      }
    }
  } catch (const std::length_error&) {
    fail("it is truncated: tensor data ends beyond the end of the file");
  } catch (const std::exception& error) {
    fail(std::string("its header is corrupted (") + error.what() + ")");
  }
}

void write_safetensors(const std::filesystem::path& path, const std::string& what,
                       const std::map<std::string, std::string>& metadata, const std::vector<NamedTensor>& tensors,
                       const std::function<bool()>& wanted) {
  Digest digest{};
  auto all = tensors;
  all.push_back({kChecksum, {TensorType::u8, {32}, std::as_bytes(std::span(digest))}});
  const std::string header = header_text(metadata, all);
  const std::uint64_t length = header.size();

  AtomicFile file(path, what);
  Sha256 hash;
  const auto put = [&](std::span<const std::byte> bytes) {
    hash.update(bytes);
    file.write(bytes);
  };
  put(std::as_bytes(std::span(&length, 1)));
  put(std::as_bytes(std::span(header)));
  for (const auto& tensor : tensors) put(tensor.view.bytes);
  digest = hash.finish();
  file.write(std::as_bytes(std::span(digest)));
  file.commit(wanted);
}

bool verify_checksum(const SafetensorsFile& file) {
  const auto bytes = file.bytes();
  const auto found = file.tensors().find(kChecksum);
  if (found == file.tensors().end() || found->second.bytes.size() != sizeof(Digest)) return false;
  const auto body = bytes.first(bytes.size() - sizeof(Digest));
  if (found->second.bytes.data() != body.data() + body.size()) return false;
  const Digest digest = sha256(body);
  return std::memcmp(found->second.bytes.data(), digest.data(), digest.size()) == 0;
}

}  // namespace padim
