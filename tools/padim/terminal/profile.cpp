#include "terminal/profile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

namespace padim::tool {
namespace {

// Nearest rank: the smallest value that this share of all does not exceed.
double percentile(const std::vector<float>& ascending, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size())));
  return static_cast<double>(ascending[std::max<std::size_t>(rank, 1) - 1]);
}

std::string line(const std::string& name, std::vector<float> ms) {
  std::ranges::sort(ms);
  const double mean = std::accumulate(ms.begin(), ms.end(), 0.0) / static_cast<double>(ms.size());
  char text[96];
  std::snprintf(text, sizeof text, "  %-11s%10.3f%10.3f%10.3f\n", name.c_str(), mean, percentile(ms, 0.5),
                percentile(ms, 0.99));
  return text;
}

}  // namespace

Profile::Profile(std::vector<std::string> stages) {
  for (std::string& name : stages) stages_.push_back({std::move(name), {}});
  stages_.push_back({"all", {}});
}

void Profile::add(std::span<const double> ms) {
  for (std::size_t i = 0; i < ms.size(); ++i) stages_[i].ms.push_back(static_cast<float>(ms[i]));
  stages_.back().ms.push_back(static_cast<float>(std::accumulate(ms.begin(), ms.end(), 0.0)));
}

std::string Profile::table() const {
  if (stages_.back().ms.empty()) return "";
  std::string text = "  ms per frame     mean       p50       p99\n";
  for (const Stage& stage : stages_) text += line(stage.name, stage.ms);
  return text;
}

}  // namespace padim::tool
