#include "base/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "expect_error.h"
#include "random_numbers.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

// A file as the format has it: length of the header, header, data.
std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + header + data;
}

bool equal(std::span<const std::byte> a, std::span<const std::byte> b) { return std::ranges::equal(a, b); }

class Safetensors : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& bytes) { return write_bytes(folder_ / "file.safetensors", bytes); }

  void expect_refused(const std::string& bytes, std::initializer_list<std::string> words) {
    const auto path = write(bytes);
    const std::string sentence = expect_error(ErrorCode::bad_format, words, [&] { SafetensorsFile(path, "weights"); });
    EXPECT_NE(sentence.find("weights '" + path.string() + "'"), std::string::npos) << sentence;
  }

  ScratchFolder folder_;
};

// What is written is read, tensor by tensor, with its checksum; the data begins at a multiple of 64 bytes.
TEST_F(Safetensors, ReadsWhatItWrites) {
  const auto floats = normal_floats(35, 1);
  const auto bytes = random_bytes(7, 2);
  const std::vector<std::uint16_t> halves = {1, 2, 3};
  const auto path = folder_ / "file.safetensors";
  write_safetensors(path, "weights", {{"key", "value \"quoted\" \n"}},
                    {{"floats", {TensorType::f32, {5, 7}, std::as_bytes(std::span(floats))}},
                     {"bytes", {TensorType::u8, {7}, std::as_bytes(std::span(bytes))}},
                     {"halves", {TensorType::f16, {3, 1}, std::as_bytes(std::span(halves))}},
                     {"nothing", {TensorType::f32, {0, 4}, {}}}});
  const SafetensorsFile file(path, "weights");
  EXPECT_EQ(file.metadata().at("key"), "value \"quoted\" \n");
  ASSERT_EQ(file.tensors().size(), 5U);
  const TensorPlace& place = file.tensors().at("floats");
  EXPECT_EQ(place.shape, (std::vector<std::int64_t>{5, 7}));
  EXPECT_EQ(element_count(place), 35);
  EXPECT_EQ(place.begin % 64, 0U);
  EXPECT_EQ(element_count(file.tensors().at("nothing")), 0);
  const auto contents = file.read_all();
  EXPECT_TRUE(contents.intact);
  EXPECT_TRUE(equal(contents.part.bytes_of(place), std::as_bytes(std::span(floats))));
  EXPECT_TRUE(equal(contents.part.bytes_of(file.tensors().at("halves")), std::as_bytes(std::span(halves))));
  EXPECT_EQ(folder_.entries(), 1);
}

// Whatever part of a large file is kept, it is what was written, aligned as in the file, and the digests
// are those of all bytes.
TEST_F(Safetensors, KeepsTheTensorsThatAreWanted) {
  const auto first = normal_floats(200'000, 3);
  const auto second = normal_floats(70'001, 4);
  const std::vector<std::uint16_t> third(100'001, 7);
  const auto path = folder_ / "file.safetensors";
  write_safetensors(path, "weights", {},
                    {{"a", {TensorType::f32, {200'000}, std::as_bytes(std::span(first))}},
                     {"b", {TensorType::f32, {70'001}, std::as_bytes(std::span(second))}},
                     {"c", {TensorType::f16, {100'001}, std::as_bytes(std::span(third))}}});
  const std::string text = read_bytes(path);
  const auto bytes = std::as_bytes(std::span(text));
  const SafetensorsFile file(path, "weights");
  for (const std::vector<std::string>& names : {std::vector<std::string>{},
                                                {"a"},
                                                {"b"},
                                                {"c"},
                                                {"a", "b"},
                                                {"c", "b", "unknown"},
                                                {"a", "b", "c", "sha256"}}) {
    SCOPED_TRACE(testing::PrintToString(names));
    const auto contents = file.read(names);
    EXPECT_TRUE(contents.intact);
    EXPECT_EQ(contents.whole, sha256(bytes));
    EXPECT_EQ(contents.body, sha256(bytes.first(bytes.size() - sizeof(Digest))));
    for (const std::string& name : names) {
      if (!file.tensors().contains(name)) continue;
      const TensorPlace& place = file.tensors().at(name);
      const auto kept = contents.part.bytes_of(place);
      EXPECT_TRUE(equal(kept, bytes.subspan(place.begin, place.size_bytes()))) << name;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(kept.data()) % 64, place.begin % 64) << name;
    }
  }
}

// Types that padim does not use are passed over; so are scalars, which have no shape.
TEST_F(Safetensors, PassesOverOtherTypes) {
  const std::string header = R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"F32","shape":[],"data_offsets":[4,8]},)"
                             R"("c":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}})";
  const SafetensorsFile file(write(file_of(header, std::string(16, 'x'))), "weights");
  ASSERT_EQ(file.tensors().size(), 1U);
  EXPECT_EQ(element_count(file.tensors().at("b")), 1);
}

// Each kind of foreign or broken header has its own sentence.
TEST_F(Safetensors, RefusesHostileHeaders) {
  const std::string data(64, 'x');
  struct Case {
    const char* header;
    const char* word;
  };
  const Case cases[] = {
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":["0","8"]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}})", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}})", "corrupted"},
      {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", "corrupted"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "corrupted"},
      {R"({"a":[]})", "corrupted"},
      {R"({"a":)", "corrupted"},
      {"{}}", "corrupted"},
      {R"({"__metadata__":[1]})", "corrupted"},
      {R"({"__metadata__":{"key":1}})", "corrupted"},
      {"{\"a\xff\":1}", "corrupted"},
      {R"({"a":{"dtype":"F32","shape":[32],"data_offsets":[0,128]}})", "truncated"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[64,80]}})", "truncated"},
      {R"([1,2,3])", "not a safetensors file"},
      {R"(  {"a":1})", "not a safetensors file"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.header);
    expect_refused(file_of(c.header, data), {c.word});
  }
}

// Nesting without end neither overflows the stack nor takes memory without bounds.
TEST_F(Safetensors, RefusesEndlessNesting) {
  const std::string open(1 << 20, '[');
  expect_refused(file_of("{\"a\":" + open, ""), {"corrupted"});
  expect_refused(file_of("{\"a\":" + open + std::string(1 << 20, ']') + "}", ""), {"corrupted"});
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  expect_refused(file_of(objects, ""), {"corrupted"});
}

// Lengths that lie: beyond the file, beyond all reason, none at all.
TEST_F(Safetensors, RefusesHeadersOfWrongLength) {
  const std::string good = file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy");
  const auto with_length = [&](std::uint64_t length) {
    std::string bytes = good;
    std::memcpy(bytes.data(), &length, sizeof(length));
    return bytes;
  };
  EXPECT_EQ(SafetensorsFile(write(good), "weights").tensors().size(), 1U);
  expect_refused(with_length(0), {"corrupted"});
  expect_refused(with_length(1), {"corrupted"});
  expect_refused(with_length(good.size() - 7), {"truncated"});
  expect_refused(with_length(1000), {"truncated"});
  expect_refused(with_length(17U << 20), {"header claims"});
  for (const std::uint64_t length : {~std::uint64_t{0}, ~std::uint64_t{0} - 7, std::uint64_t{1} << 63}) {
    expect_refused(with_length(length), {"header claims"});
  }
}

// Cut off at every byte the file is refused, never read beyond its end.
TEST_F(Safetensors, RefusesEveryPrefix) {
  const std::string good = file_of(R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "123456789");
  for (std::size_t length = 1; length < good.size(); ++length) {
    expect_error(ErrorCode::bad_format, {"weights"},
                 [&] { SafetensorsFile(write(good.substr(0, length)), "weights"); });
  }
  expect_error(ErrorCode::bad_format, {"empty"}, [&] { SafetensorsFile(write(""), "weights"); });
}

// What is no regular file, or none at all, says so.
TEST_F(Safetensors, NamesWhatIsNoFile) {
  expect_error(ErrorCode::not_found, {"does not exist"}, [&] { SafetensorsFile(folder_ / "none", "weights"); });
  expect_error(ErrorCode::cannot_read, {"not a file"}, [&] { SafetensorsFile(folder_.path(), "weights"); });
  expect_error(ErrorCode::cannot_read, {"not a file"}, [&] { SafetensorsFile("/dev/zero", "weights"); });
}

// A flipped bit anywhere, header included, breaks the checksum or the header.
TEST_F(Safetensors, NoticesEveryFlippedBit) {
  const auto path = folder_ / "file.safetensors";
  const auto data = random_bytes(40, 3);
  write_safetensors(path, "weights", {{"k", "v"}}, {{"a", {TensorType::u8, {40}, std::as_bytes(std::span(data))}}});
  const std::string good = read_bytes(path);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    try {
      const SafetensorsFile file(write(bytes), "weights");
      EXPECT_FALSE(file.read_all().intact) << "bit " << bit;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_format) << error.what();
    }
  }
}

}  // namespace
}  // namespace padim::test
