#include "io/source_name.h"

#include <filesystem>
#include <system_error>

#include "io/gst_pipeline.h"

namespace padim::tool {
namespace {

constexpr char kScheme[] = "://";

std::string first_word(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_first_of(" \t\n!", begin) - begin);
}

bool is_line(const std::string& name) {
  const std::string word = first_word(name);
  return !word.empty() && (name.find(" ! ") != std::string::npos || has_element(word));
}

}  // namespace

SourceForm form_of(const std::string& name) {
  std::error_code ignored;
  const auto status = std::filesystem::status(name, ignored);
  if (std::filesystem::is_character_file(status)) return SourceForm::device;
  if (std::filesystem::exists(status)) return SourceForm::path;
  if (is_line(name)) return SourceForm::line;
  return name.find(kScheme) != std::string::npos ? SourceForm::address : SourceForm::path;
}

std::string shown_name(const std::string& name) {
  const auto scheme = name.find(kScheme);
  if (scheme == std::string::npos) return name;
  const auto begin = scheme + sizeof kScheme - 1;
  const auto at = name.rfind('@', name.find('/', begin));
  const auto colon = name.find(':', begin);
  if (at == std::string::npos || at < begin || colon > at) return name;
  return name.substr(0, colon) + ":***" + name.substr(at);
}

std::string with_shown_name(std::string text, const std::string& name) {
  const std::string shown = shown_name(name);
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + shown.size())) {
    text.replace(at, name.size(), shown);
  }
  return text;
}

}  // namespace padim::tool
