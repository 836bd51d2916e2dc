#include "embedding/semi_orthogonal.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <vector>

namespace padim::test {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// W^T W = I, from one column to a square matrix.
TEST(SemiOrthogonal, HasOrthonormalColumns) {
  const struct {
    int rows;
    int columns;
  } shapes[] = {{1, 1}, {5, 1}, {5, 5}, {448, 100}, {256, 256}, {1792, 550}};
  for (const auto& shape : shapes) {
    for (const std::uint64_t seed : {0U, 1024U}) {
      const std::vector<float> matrix = semi_orthogonal(seed, shape.rows, shape.columns);
      const Eigen::MatrixXd w = Eigen::Map<const RowMajor>(matrix.data(), shape.rows, shape.columns).cast<double>();
      const Eigen::MatrixXd error = w.transpose() * w - Eigen::MatrixXd::Identity(shape.columns, shape.columns);
      EXPECT_LT(error.cwiseAbs().maxCoeff(), 1e-6) << shape.rows << " x " << shape.columns << ", seed " << seed;
    }
  }
}

// Numbers that numpy gives: seed, fill G with random.gauss(0, 1), q, r = numpy.linalg.qr(G), q * sign(diag(r)).
TEST(SemiOrthogonal, EqualsNumpy) {
  const std::vector<float> square = semi_orthogonal(7, 5, 5);
  const float expected[] = {-0.32790826F, 0.01821656F,  -0.46889878F, -0.81682919F, -0.07119228F,
                            -0.27334451F, 0.47599872F,  -0.09695542F, 0.24513954F,  -0.79323026F,
                            0.5058937F,   0.62680424F,  -0.5113679F,  0.07927086F,  0.28880273F,
                            0.63923078F,  -0.50222798F, -0.27938026F, -0.06324325F, -0.50704834F,
                            0.39142626F,  0.35773856F,  0.65664536F,  -0.51226273F, -0.15878404F};
  for (std::size_t i = 0; i < square.size(); ++i) EXPECT_NEAR(square[i], expected[i], 1e-6F) << i;
  const std::vector<float> tall = semi_orthogonal(1024, 448, 100);
  EXPECT_NEAR(tall[0], 0.01544755F, 1e-6F);
  EXPECT_NEAR(tall[3], 0.06270377F, 1e-6F);
  EXPECT_NEAR(tall[100], -0.0022455F, 1e-6F);
  EXPECT_NEAR(tall[44799], -0.07577385F, 1e-6F);
}

}  // namespace
}  // namespace padim::test
