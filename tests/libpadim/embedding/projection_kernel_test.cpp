#include "embedding/projection_kernel.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "highway_targets.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr float kUntouched = 12345;

struct Shape {
  int count;
  int depth;
  int dimensions;
  int replicas;
};

/// A grid of replicas x (count * replicas) positions with a guard behind it, each row's outputs side by side.
class Product {
 public:
  explicit Product(Shape shape, float scale = 1) : shape_(shape) {
    const auto size = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
    rows_ = normal_floats(size(shape.count, shape.depth), 1, 0.5F, scale);
    matrix_ = normal_floats(size(shape.depth, shape.dimensions), 2);
    row_stride_ = size(shape.count * shape.replicas, shape.dimensions) + 3;
    panels_.resize(size((shape.dimensions + kPanelColumns - 1) / kPanelColumns, shape.depth) * kPanelColumns);
    for (int k = 0; k < shape.depth; ++k) {
      for (int j = 0; j < shape.dimensions; ++j) {
        const int row = j / kPanelColumns * shape.depth + k;
        panels_[size(row, kPanelColumns) + static_cast<std::size_t>(j % kPanelColumns)] = entry(k, j);
      }
    }
  }

  /// The grid after the kernel was added to ones.
  template <class Kernel>
  [[nodiscard]] std::vector<float> run(const Kernel& kernel) const {
    std::vector<float> grid(static_cast<std::size_t>(shape_.replicas) * row_stride_ + 16, 1);
    std::array<float*, kProjectedRows> outputs{};
    for (int i = 0; i < shape_.count; ++i) {
      outputs[static_cast<std::size_t>(i)] = grid.data() + i * shape_.replicas * shape_.dimensions;
    }
    for (std::size_t at = static_cast<std::size_t>(shape_.replicas) * row_stride_; at < grid.size(); ++at) {
      grid[at] = kUntouched;
    }
    kernel({rows_.data(), shape_.count, shape_.depth, panels_.data(),
            static_cast<std::size_t>(shape_.depth) * kPanelColumns, shape_.dimensions, outputs.data(), shape_.replicas,
            row_stride_});
    return grid;
  }

  /// Every replica against the product in double precision; what lies between and behind is as it was.
  void check(const std::vector<float>& grid) const {
    for (int y = 0; y < shape_.replicas; ++y) {
      const float* row = grid.data() + static_cast<std::size_t>(y) * row_stride_;
      for (int x = 0; x < shape_.count * shape_.replicas; ++x) {
        for (int j = 0; j < shape_.dimensions; ++j, ++row) check_entry(x / shape_.replicas, j, *row);
      }
      for (int guard = 0; guard < 3; ++guard) ASSERT_EQ(row[guard], 1) << "written between rows";
    }
    for (std::size_t at = static_cast<std::size_t>(shape_.replicas) * row_stride_; at < grid.size(); ++at) {
      ASSERT_EQ(grid[at], kUntouched) << "written too far";
    }
  }

 private:
  [[nodiscard]] float entry(int k, int j) const {
    return matrix_[static_cast<std::size_t>(k) * static_cast<std::size_t>(shape_.dimensions) +
                   static_cast<std::size_t>(j)];
  }

  void check_entry(int i, int j, float actual) const {
    double expected = 1;
    double terms = 1;
    for (int k = 0; k < shape_.depth; ++k) {
      const double term =
          static_cast<double>(rows_[static_cast<std::size_t>(i * shape_.depth + k)]) * static_cast<double>(entry(k, j));
      expected += term;
      terms += std::abs(term);
    }
    ASSERT_NEAR(static_cast<double>(actual), expected, 4e-7 * terms) << "row " << i << ", column " << j;
  }

  Shape shape_;
  std::vector<float> rows_;
  std::vector<float> matrix_;
  std::vector<float> panels_;
  std::size_t row_stride_ = 0;
};

// Every number of rows, widths around the panels' and replicas, on every instruction set and in plain loops, equal the
// product in double precision; nothing beside the replicas is written.
TEST(ProjectionKernel, EqualsDoublePrecision) {
  std::vector<Shape> shapes;
  for (int count = 1; count <= kProjectedRows; ++count) {
    for (const int d : {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 100}) shapes.push_back({count, 37, d, 1 + count % 3});
  }
  for (const int depth : {1, 2, 255, 256}) shapes.push_back({8, depth, 40, 2});
  shapes.push_back({8, 256, 550, 4});
  for_each_target([&] {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(::testing::Message() << shape.count << " rows, depth " << shape.depth << ", " << shape.dimensions
                                        << " columns, " << shape.replicas << " replicas");
      const Product product(shape);
      product.check(product.run(add_projected));
      product.check(product.run(add_projected_scalar));
    }
  });
}

// Values of a float's whole range neither overflow on the way nor lose their sign.
TEST(ProjectionKernel, KeepsExtremes) {
  for_each_target([] {
    for (const float scale : {1e-30F, 1e30F}) {
      const Product product({5, 64, 33, 2}, scale);
      product.check(product.run(add_projected));
      product.check(product.run(add_projected_scalar));
    }
  });
}

// What is not finite stays visible in its own row's result and touches no other.
TEST(ProjectionKernel, PassesOnWhatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> rows{1, 2, nan, 4};
  std::vector<float> panels(2 * kPanelColumns, 0.5F);
  for_each_target([&] {
    std::array<float, 6> output{};
    float* outputs[] = {output.data(), output.data() + 3};
    add_projected({rows.data(), 2, 2, panels.data(), panels.size(), 3, outputs, 1, 6});
    EXPECT_EQ(output[0], 1.5F);
    EXPECT_EQ(output[2], 1.5F);
    for (std::size_t j = 3; j < 6; ++j) EXPECT_TRUE(std::isnan(output[j]));
  });
}

}  // namespace
}  // namespace padim::test
