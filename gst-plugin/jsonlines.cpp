#include "jsonlines.h"

namespace padim::gst {
namespace {

constexpr char kWhat[] = "json-location";

}  // namespace

JsonLines::JsonLines(const std::string& location, std::uint64_t max_bytes)
    : target_([&]() -> Target {
        const Output output = find_output(location, kWhat);
        if (output.kind == OutputKind::stream) return Target(std::in_place_type<LineStream>, output, kWhat);
        return Target(std::in_place_type<AppendedFile>, location, kWhat, max_bytes);
      }()) {}

void JsonLines::write(const std::string& object, const LineStream::GiveUp& give_up) {
  if (auto* file = std::get_if<AppendedFile>(&target_)) return file->append(object);
  std::get<LineStream>(target_).write(object, give_up);
}

void note_json_lines(const std::string& location, std::uint64_t max_bytes, FileRoles& roles) {
  const Output output = find_output(location, kWhat);
  if (output.kind == OutputKind::stream) return;
  roles.writes(output.path, kWhat);
  if (max_bytes == 0) return;
  const std::string older = output.path.string() + ".1";
  roles.writes(find_output_file(older, kWhat), kWhat);
}

}  // namespace padim::gst
