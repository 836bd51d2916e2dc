#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"

namespace padim::tool {

/// One figure of the results, in the order of all tables.
struct Figure {
  const char* key;    ///< in files: "image_auroc"
  const char* group;  ///< "image", "pixel", "AU-PRO", "at threshold"
  const char* title;  ///< below its group: "AUROC"
  std::optional<double> (*of)(const ClassResult& result);
};

/// All are shares 0..1.
[[nodiscard]] std::span<const Figure> figures();

/// Mean over the classes that have the figure.
[[nodiscard]] std::optional<double> mean(const Figure& figure, std::span<const ClassResult> results);

/// The table on the terminal, line by line as the results come.
class ResultTable {
 public:
  /// names: of all rows that will come.
  explicit ResultTable(std::span<const std::string> names);

  [[nodiscard]] std::string header() const;
  [[nodiscard]] std::string row(const ClassResult& result) const;
  [[nodiscard]] std::string mean_row(std::span<const ClassResult> results, const std::string& name = "mean") const;

 private:
  [[nodiscard]] std::string line(const std::string& name, const std::string& counts,
                                 std::span<const std::optional<double>> values) const;
  std::size_t width_;
};

}  // namespace padim::tool
