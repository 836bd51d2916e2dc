// The options that library, element and tool share accept the same values: tests/support/option_ranges.json.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "padim/learner.h"
#include "padim/overlay.h"

namespace padim::test {
namespace {

using nlohmann::json;

const Model& model() {
  static const Model fitted = [] {
    Fitter fitter(backbone(), options());
    add(fitter, 0, 8);
    return fitter.finish();
  }();
  return fitted;
}

template <class Value>
std::function<void(const json&)> fit_with(Value FitOptions::*member) {
  return [member](const json& value) {
    FitOptions changed = options();
    changed.*member = value.get<Value>();
    const Fitter fitter(backbone(), changed);
  };
}

std::function<void(const json&)> fit_with(std::optional<double> FitOptions::*member) {
  return [member](const json& value) {
    FitOptions changed = options();
    changed.*member = value.get<double>();
    const Fitter fitter(backbone(), changed);
  };
}

void detect(double threshold, const RegionLimits& regions) {
  static const auto pixels = picture(3);
  Detector(backbone(), model()).detect(view_of(pixels), threshold, regions);
}

void draw_with(double OverlayOptions::*member, double value) {
  OverlayOptions options;
  options.*member = value;
  const Overlay overlay(options);
}

/// How a value is used, which throws where it is refused, and what it is where nothing is said.
struct Option {
  json fallback;
  std::function<void(const json&)> use;
};

std::map<std::string, Option> options_by_name() {
  const FitOptions fit;
  return {
      {"seed", {fit.seed, fit_with(&FitOptions::seed)}},
      {"epsilon", {nullptr, fit_with(&FitOptions::epsilon)}},
      {"relative epsilon", {nullptr, fit_with(&FitOptions::relative_epsilon)}},
      {"prior", {nullptr, fit_with(&FitOptions::prior)}},
      {"search radius", {fit.search_radius, fit_with(&FitOptions::search_radius)}},
      {"false-alarm rate", {fit.false_alarm_rate.value(), fit_with(&FitOptions::false_alarm_rate)}},
      {"batch size", {fit.batch_size, fit_with(&FitOptions::batch_size)}},
      {"augmented copies", {fit.augment, fit_with(&FitOptions::augment)}},
      {"bits in use", {fit.sample_bits, fit_with(&FitOptions::sample_bits)}},
      {"threads of a fit", {fit.threads, fit_with(&FitOptions::threads)}},
      {"threads of a detector",
       {DetectorOptions{}.threads, [](const json& value) { Detector(backbone(), model(), {.threads = value}); }}},
      {"threshold", {Detection{}.threshold, [](const json& value) { detect(value, {}); }}},
      {"number of regions", {RegionLimits{}.count, [](const json& value) { detect(0.5, {.count = value}); }}},
      {"least area of a region", {RegionLimits{}.area, [](const json& value) { detect(0.5, {.area = value}); }}},
      {"overlay opacity",
       {OverlayOptions{}.opacity, [](const json& value) { draw_with(&OverlayOptions::opacity, value); }}},
      {"overlay floor", {OverlayOptions{}.floor, [](const json& value) { draw_with(&OverlayOptions::floor, value); }}},
      {"half-life",
       {LearnerOptions{}.half_life, [](const json& value) { const Learner learner(model(), {.half_life = value}); }}},
  };
}

json rows() { return json::parse(std::ifstream(std::getenv("PADIM_OPTION_RANGES"))); }

/// The nearest integers, or half and twice a fraction.
std::pair<json, json> outside(const json& row) {
  const json& least = row.at("least");
  const json& most = row.at("most");
  return {least.is_number_float() ? json(least.get<double>() / 2) : json(least.get<std::int64_t>() - 1),
          most.is_number_float() ? json(most.get<double>() * 2) : json(most.get<std::uint64_t>() + 1)};
}

TEST(OptionRanges, HoldInTheLibrary) {
  const auto options = options_by_name();
  std::size_t checked = 0;
  for (const json& row : rows()) {
    if (!row.contains("library")) continue;
    const auto name = row.at("option").get<std::string>();
    SCOPED_TRACE(name);
    const Option& option = options.at(name);
    EXPECT_NO_THROW(option.use(row.at("least")));
    EXPECT_NO_THROW(option.use(row.at("most")));
    EXPECT_EQ(option.fallback, row.at("default"));
    const auto values = outside(row);
    expect_error(ErrorCode::invalid_argument, {"must be", ".."}, [&] { option.use(values.first); });
    expect_error(ErrorCode::invalid_argument, {"must be", ".."}, [&] { option.use(values.second); });
    ++checked;
  }
  EXPECT_EQ(checked, options.size());
}

// An error's sentence has the value and the range in as few digits as say them.
TEST(OptionRanges, AreSaidByTheError) {
  expect_error(ErrorCode::invalid_argument, {"false-alarm rate is 0.75: it must be 1e-09..0.5"},
               [] { fit_with (&FitOptions::false_alarm_rate)(0.75); });
  expect_error(ErrorCode::invalid_argument, {"batch size is 1024: it must be 0..256"},
               [] { fit_with (&FitOptions::batch_size)(1024); });
}

}  // namespace
}  // namespace padim::test
