#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "evaluation.h"

namespace padim::tool {

/// What the results were obtained with, as files and report state it.
struct EvaluationSummary {
  std::string data;
  Protocol protocol = Protocol::official;
  BackboneInfo backbone;
};

/// Everything: settings, figures per class and their mean, thinned curves, score of every image. Throws cannot_write.
void write_results_json(const std::filesystem::path& file, const EvaluationSummary& summary,
                        std::span<const ClassResult> results);

/// One line per class and one for the mean; empty fields where a figure is not defined. Throws cannot_write.
void write_results_csv(const std::filesystem::path& file, std::span<const ClassResult> results);

}  // namespace padim::tool
