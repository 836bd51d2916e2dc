// Measures score maps against masks and prints what padim::Ranking says, for comparison with other implementations:
// dump_ranking (SCORES.npy MASKS.npy)... prints one JSON object per pair. SCORES: float32 [n, H, W], MASKS: uint8
// alike.

#include <cstdio>
#include <exception>
#include <iomanip>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "npy.h"
#include "padim/metrics.h"

namespace {

void print(const char* name, std::optional<double> value) {
  std::cout << ", \"" << name << "\": ";
  if (value) {
    std::cout << *value;
  } else {
    std::cout << "null";
  }
}

padim::Ranking rank(const char* score_file, const char* mask_file) {
  const auto scores = padim::test::read_npy<float>(score_file);
  const auto masks = padim::test::read_npy<std::uint8_t>(mask_file);
  const auto pixels = static_cast<std::size_t>(scores.shape.at(1) * scores.shape.at(2));
  padim::Ranking ranking;
  for (std::size_t at = 0; at < scores.values.size(); at += pixels) {
    padim::Ranking image;
    image.add_pixels(std::span(scores.values).subspan(at, pixels), std::span(masks.values).subspan(at, pixels),
                     static_cast<int>(scores.shape.at(2)));
    ranking.append(std::move(image));
  }
  return ranking;
}

void dump(const char* score_file, const char* mask_file) {
  const padim::RankingQuality quality = rank(score_file, mask_file).quality();
  std::cout << "{\"normal\": " << quality.normal << ", \"anomalous\": " << quality.anomalous
            << ", \"defects\": " << quality.defects;
  print("auroc", quality.auroc);
  print("average_precision", quality.average_precision);
  print("best_f1", quality.best_f1);
  print("best_f1_threshold", quality.best_f1_threshold);
  print("aupro_30", quality.aupro_30);
  print("aupro_05", quality.aupro_05);
  std::cout << ", \"curve\": [";
  const char* comma = "";
  for (const padim::CurvePoint& point : quality.curve) {
    std::cout << std::exchange(comma, ", ") << "[" << point.false_positive_rate << ", " << point.true_positive_rate
              << ", " << point.region_overlap << "]";
  }
  std::cout << "]}\n";
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::cout << std::setprecision(std::numeric_limits<double>::max_digits10);
    for (int i = 1; i + 1 < count; i += 2) dump(arguments[i], arguments[i + 1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dump_ranking: %s\n", error.what());
    return 1;
  }
}
