#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"

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

/// What one of several configurations reached.
struct ConfigurationResults {
  std::string table;  ///< that it belongs to
  std::string name;
  std::vector<ClassResult> results;
};

/// SAVE/ablation.json and SAVE/ablation.csv: figures per configuration and class, and their means. Throws cannot_write.
void write_ablation(const std::filesystem::path& save, const EvaluationSummary& summary,
                    std::span<const ConfigurationResults> configurations);

}  // namespace padim::tool
