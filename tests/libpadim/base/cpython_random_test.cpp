#include "base/cpython_random.h"

#include <gtest/gtest.h>

#include <vector>

namespace padim::test {
namespace {

// What CPython 3.11 prints for random.seed(s); [random.random().hex() for _ in range(4)].
TEST(CPythonRandom, DrawsUniformNumbersAsCPythonDoes) {
  const struct {
    std::uint64_t seed;
    std::vector<double> expected;
  } cases[] = {
      {0, {0x1.b0580f98a7dbep-1, 0x1.84129978f9c1ap-1, 0x1.aeaa51052e978p-2, 0x1.092178fb945a6p-2}},
      {1024, {0x1.981724c1397dfp-1, 0x1.ef1a53ecc8d38p-2, 0x1.8ec62a295f234p-2, 0x1.a8a869b2ba699p-1}},
      {1099511627783, {0x1.3a3761afd4291p-1, 0x1.a13cb57c0715ap-1, 0x1.e3d88c68edf49p-1, 0x1.240a3fed28776p-1}},
  };
  for (const auto& c : cases) {
    CPythonRandom random(c.seed);
    for (const double expected : c.expected) EXPECT_EQ(random.uniform(), expected) << c.seed;
  }
}

// The same for random.gauss(0, 1), whose logarithm and sines may differ in the last bit between machines.
TEST(CPythonRandom, DrawsNormalNumbersAsCPythonDoes) {
  const struct {
    std::uint64_t seed;
    std::vector<double> expected;
  } cases[] = {
      {0, {0.9417154046806644, -1.3965781047011498, -0.6797144480784211, 0.3705035674606598, -1.016348894188071}},
      {1024, {0.3349030871606999, -1.099634270228116, -1.4447749526836982, 1.2039969067559149, 0.3158694405096829}},
      {1099511627783,
       {-1.3876635294611814, -1.2034467781077498, 1.2230893220199384, -0.44023934640975443, -2.4049443112741855}},
  };
  for (const auto& c : cases) {
    CPythonRandom random(c.seed);
    for (const double expected : c.expected) EXPECT_NEAR(random.gauss(), expected, 1e-14) << c.seed;
  }
}

}  // namespace
}  // namespace padim::test
