#pragma once

#include <filesystem>
#include <span>

#include "eval/evaluation.h"

namespace padim::tool {

/// Writes SAVE/roc_curve.png (images left, pixels right), SAVE/pro_curve.png and SAVE/histograms/CLASS.png. Where
/// gnuplot is missing or fails a notice says so, with the remedy, and there are no plots.
void write_plots(std::span<const ClassResult> results, const std::filesystem::path& save);

[[nodiscard]] std::filesystem::path histogram_file(const ClassResult& result);  ///< relative to SAVE

}  // namespace padim::tool
