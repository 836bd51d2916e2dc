// Every stage of libpadim on its own, at the sizes of the budgets. Each compares its result with an independent one
// before it is timed.

#include <cstdlib>

#include "stage.h"

namespace padim::bench {

std::shared_ptr<const Backbone> open_or_null(const std::string& name, Precision precision) {
  BackboneOptions options;
  options.name = name;
  options.precision = precision;
  if (const char* folder = std::getenv("PADIM_BACKBONES")) options.search_path = {folder};
  try {
    return open_backbone(options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return nullptr;
  }
}

}  // namespace padim::bench

BENCHMARK_MAIN();
