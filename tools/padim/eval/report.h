#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "eval/evaluation.h"
#include "eval/pictures.h"
#include "eval/results.h"

namespace padim::tool {

/// Writes SAVE/report.html: one page that holds everything it shows (plots that lie in `save` included) and loads
/// nothing; only its links lead to the large pictures beside it. Tables sort by any column; images come the worst
/// first: misses, false alarms, then the others by how narrowly they were decided. `pictures`: one list per result, in
/// the order of its images. Throws cannot_write.
void write_report(const std::filesystem::path& save, const EvaluationSummary& summary,
                  std::span<const ClassResult> results, std::span<const std::vector<ImagePicture>> pictures);

}  // namespace padim::tool
