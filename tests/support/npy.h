#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace padim::test {

/// An array as numpy saves it (version 1.0, C order).
template <class Value>
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<Value> values;
};

template <class Value>
constexpr const char* npy_type();
template <>
constexpr const char* npy_type<float>() {
  return "<f4";
}
template <>
constexpr const char* npy_type<double>() {
  return "<f8";
}
template <>
constexpr const char* npy_type<std::uint8_t>() {
  return "|u1";
}
template <>
constexpr const char* npy_type<std::int32_t>() {
  return "<i4";
}

template <class Value>
NpyArray<Value> read_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::size_t header_size =
      static_cast<unsigned char>(bytes.at(8)) + 256U * static_cast<unsigned char>(bytes.at(9));
  const std::string header = bytes.substr(10, header_size);
  if (header.find(npy_type<Value>()) == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error(path + " has another type or order: " + header);
  }
  NpyArray<Value> array;
  std::size_t count = 1;
  const std::size_t open = header.find('(');
  const std::string shape = header.substr(open, header.find(')') - open);
  static const std::regex number("[0-9]+");
  for (std::sregex_iterator it(shape.begin(), shape.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::stoll(it->str()));
    count *= static_cast<std::size_t>(array.shape.back());
  }
  if (bytes.size() - 10 - header_size != count * sizeof(Value)) throw std::runtime_error(path + " has another size");
  array.values.resize(count);
  std::memcpy(array.values.data(), bytes.data() + 10 + header_size, count * sizeof(Value));
  return array;
}

template <class Value>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape, const std::vector<Value>& values) {
  std::string text = "(";
  for (const auto length : shape) text += std::to_string(length) + ",";
  std::string header =
      std::string("{'descr': '") + npy_type<Value>() + "', 'fortran_order': False, 'shape': " + text + "), }";
  header.resize((header.size() + 10 + 64) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const char magic[] = {'\x93',
                        'N',
                        'U',
                        'M',
                        'P',
                        'Y',
                        1,
                        0,
                        static_cast<char>(header.size() & 255),
                        static_cast<char>(header.size() >> 8)};
  file.write(magic, sizeof(magic)).write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(Value)));
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace padim::test
