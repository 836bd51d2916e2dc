#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "padim/backbone.h"
#include "padim/error.h"

namespace padim::bench {

/// Times `work` if its result, computed once before, is right: `check` returns what is wrong, or nothing. The first run
/// also warms up. Wall-clock milliseconds.
template <class Work, class Check>
void run_checked(benchmark::State& state, const Work& work, const Check& check) {
  work();
  const std::string wrong = check();
  if (!wrong.empty()) return state.SkipWithError(("wrong result: " + wrong).c_str());
  for (auto _ : state) {
    work();
    benchmark::ClobberMemory();
  }
}

/// Largest difference as a fraction of the largest expected value; infinite for other lengths and for NaN.
template <class Value, class Expected>
double relative_error(const Value& values, const Expected& expected) {
  if (std::size(values) != std::size(expected)) return INFINITY;
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const double difference = std::abs(static_cast<double>(values[i]) - static_cast<double>(expected[i]));
    if (!(difference <= INFINITY)) return INFINITY;
    error = std::max(error, difference);
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  return error / largest;
}

/// "" where the error is within the tolerance.
inline std::string within(double error, double tolerance) {
  return error <= tolerance ? std::string() : "error " + std::to_string(error) + " > " + std::to_string(tolerance);
}

/// A backbone with its published weights, or null where they are not there: in $PADIM_BACKBONES.
std::shared_ptr<const Backbone> open_or_null(const std::string& name, Precision precision);

}  // namespace padim::bench
