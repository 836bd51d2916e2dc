// The safetensors format: 8 bytes little-endian length n of the header, n bytes of JSON {"name": {"dtype", "shape",
// "data_offsets": [begin, end)}, ..., "__metadata__": {string: string}}, then the data to which the offsets refer,
// without holes up to the end of the file. Files come from anywhere, so nothing in them is believed before it is
// checked.

#include "base/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>

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

// data: where the file's data begins; size: of the file.
TensorPlace parse_tensor(const Json& entry, TensorType type, std::uint64_t data, std::uint64_t size) {
  TensorPlace place;
  place.type = type;
  place.shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
  if (offsets.size() != 2 || offsets[0] > offsets[1]) throw std::out_of_range("bad offsets");
  if (offsets[1] - offsets[0] != byte_size(place.shape, type)) throw std::out_of_range("offsets do not fit the shape");
  if (offsets[1] > size - data) throw std::length_error("truncated");
  place.begin = data + offsets[0];
  place.end = data + offsets[1];
  return place;
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

std::int64_t element_count(const TensorPlace& tensor) {
  return static_cast<std::int64_t>(tensor.size_bytes() / element_size(tensor.type));
}

FilePart::FilePart(std::uint64_t begin, std::uint64_t end)
    : base_(begin / kAlignment * kAlignment), pages_(static_cast<std::size_t>(end - base_)) {}

std::span<const std::byte> FilePart::bytes_of(const TensorPlace& tensor) const {
  return pages_.bytes().subspan(tensor.begin - base_, tensor.size_bytes());
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, const std::string& what) : file_(path, what) {
  const auto fail = [&](const std::string& cause) {
    throw Error(ErrorCode::bad_format, "cannot read " + what + " '" + path.string() + "': " + cause);
  };
  std::uint64_t length = 0;
  constexpr std::size_t kBegin = sizeof(length) + 1;
  if (file_.size() <= kBegin) fail("it is too short to be a safetensors file");
  header_.resize(kBegin);
  file_.read(0, header_);
  std::memcpy(&length, header_.data(), sizeof(length));
  if (header_.back() != std::byte{'{'}) fail("it is not a safetensors file");
  if (length > kMaximumHeader) {
    fail("its header claims " + std::to_string(length) + " bytes, more than the " + std::to_string(kMaximumHeader) +
         " that are allowed");
  }
  if (length > file_.size() - sizeof(length)) fail("it is truncated: the header ends beyond the end of the file");
  header_.resize(sizeof(length) + length);
  file_.read(0, header_);
  try {
    parse_header(std::span(header_).subspan(sizeof(length)));
  } catch (const std::length_error&) {
    fail("it is truncated: tensor data ends beyond the end of the file");
  } catch (const std::exception& error) {
    fail(std::string("its header is corrupted (") + error.what() + ")");
  }
}

void SafetensorsFile::parse_header(std::span<const std::byte> text) {
  const auto* begin = reinterpret_cast<const char*>(text.data());
  const auto header = Json::parse(begin, begin + text.size());
  for (const auto& [name, entry] : header.items()) {
    TensorType type{};
    if (name == "__metadata__") {
      metadata_ = entry.get<std::map<std::string, std::string>>();
    } else if (parse_type(entry.at("dtype").get<std::string>(), type)) {
      tensors_[name] = parse_tensor(entry, type, header_.size(), file_.size());
    }
  }
}

SafetensorsFile::Contents SafetensorsFile::read_all() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : tensors_) names.push_back(name);
  return read(names);
}

SafetensorsFile::Contents SafetensorsFile::read(const std::vector<std::string>& names) const {
  std::uint64_t begin = file_.size();
  std::uint64_t end = header_.size();
  for (const std::string& name : names) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) continue;
    begin = std::min(begin, found->second.begin);
    end = std::max(end, found->second.end);
  }
  try {
    return read_range(std::min(begin, end), end);
  } catch (const std::bad_alloc&) {
    file_.fail("there is no memory for its " + std::to_string((end - begin) >> 20) + " MiB");
  }
}

SafetensorsFile::Contents SafetensorsFile::read_range(std::uint64_t begin, std::uint64_t end) const {
  constexpr std::uint64_t kBlock = 256 << 10;  // still in the processor's cache when it is hashed
  const std::uint64_t size = file_.size();
  const std::uint64_t body = size - std::min<std::uint64_t>(size - header_.size(), sizeof(Digest));
  Contents contents{FilePart(begin, end), {}, {}, false};
  std::vector<std::byte> passed_over(std::min(kBlock, size));
  Sha256 hash;
  hash.update(header_);
  for (std::uint64_t at = header_.size(), next = at; at < size; at = next) {
    next = std::min(at + kBlock, size);
    for (const std::uint64_t stop : {begin, end, body}) next = stop > at ? std::min(next, stop) : next;
    if (at == body) contents.body = Sha256(hash).finish();
    const bool kept = begin <= at && at < end;
    const std::span block(kept ? contents.part.address(at) : passed_over.data(), next - at);
    file_.read(at, block);
    hash.update(block);
  }
  contents.whole = hash.finish();
  contents.intact = checksum() == contents.body;
  return contents;
}

std::optional<Digest> SafetensorsFile::checksum() const {
  Digest digest{};
  const auto found = tensors_.find(kChecksum);
  if (found == tensors_.end() || found->second.size_bytes() != sizeof(digest)) return std::nullopt;
  if (found->second.end != file_.size()) return std::nullopt;
  file_.read(found->second.begin, std::as_writable_bytes(std::span(digest)));
  return digest;
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

}  // namespace padim
