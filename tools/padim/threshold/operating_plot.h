#pragma once

#include <filesystem>

#include "threshold/operating_curve.h"

namespace padim::tool {

/// What can be known before the work: throws invalid_argument where `file` is no PNG by its name, cannot_write where
/// its folder is missing, unsupported without gnuplot.
void check_operating_plot(const std::filesystem::path& file);

/// Draws false alarms and missed defects over the threshold into a PNG file. Throws cannot_write.
void write_operating_plot(const OperatingCurve& curve, const std::filesystem::path& file);

}  // namespace padim::tool
