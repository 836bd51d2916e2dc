#include "backbone/device.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "expect_error.h"
#include "padim/error.h"

namespace padim::test {
namespace {

/// A machine with so many GPUs that LibTorch can use; without a LibTorch engine where there is no number.
class Machine {
 public:
  Machine(bool driver, std::optional<int> devices) : driver_(driver), devices_(devices) {}

  [[nodiscard]] Gpus gpus() {
    return {[this] { return driver_; },
            [this](const EngineNeed& need) -> const EngineModule& {
              asked_ = true;
              if (!devices_) throw Error(ErrorCode::unsupported, need.what + " needs it, or " + need.instead);
              static constexpr EngineModule kNone{"", "LibTorch 9", [] { return 0; }, nullptr};
              static constexpr EngineModule kTwo{"", "LibTorch 9", [] { return 2; }, nullptr};
              return *devices_ == 0 ? kNone : kTwo;
            }};
  }

  [[nodiscard]] bool asked() const { return asked_; }

 private:
  bool driver_;
  std::optional<int> devices_;
  bool asked_ = false;
};

// What each name comes to on machines with and without driver, engine and GPUs, and whether LibTorch was looked for.
TEST(Device, Resolves) {
  const struct {
    const char* wanted;
    bool driver;
    std::optional<int> devices;
    const char* expected;
    bool asked;
  } cases[] = {
      {"cpu", true, 2, "cpu", false},      {"cpu", false, {}, "cpu", false},     {"auto", false, 2, "cpu", false},
      {"auto", false, {}, "cpu", false},   {"auto", true, {}, "cpu", true},      {"auto", true, 0, "cpu", true},
      {"auto", true, 2, "cuda:0", true},   {"cuda", true, 2, "cuda:0", true},    {"cuda", false, 2, "cuda:0", true},
      {"cuda:1", true, 2, "cuda:1", true}, {"cuda:01", true, 2, "cuda:1", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.wanted) + (c.driver ? " with driver " : " without driver ") +
                 std::to_string(c.devices.value_or(-1)));
    Machine machine(c.driver, c.devices);
    EXPECT_EQ(resolve_device(c.wanted, machine.gpus()), c.expected);
    EXPECT_EQ(machine.asked(), c.asked);
  }
}

// What cannot be is said with the remedy; a wrong name without a look at LibTorch.
TEST(Device, Refuses) {
  Machine without_engine(true, {});
  expect_error(ErrorCode::unsupported, {"device 'cuda'", "use device cpu"},
               [&] { (void)resolve_device("cuda", without_engine.gpus()); });
  Machine without_gpu(true, 0);
  expect_error(ErrorCode::unsupported, {"device 'cuda:1' is not available", "LibTorch 9", "use cpu or auto"},
               [&] { (void)resolve_device("cuda:1", without_gpu.gpus()); });
  Machine with_two(true, 2);
  expect_error(ErrorCode::unsupported, {"device 'cuda:2' is not available", "2 CUDA device"},
               [&] { (void)resolve_device("cuda:2", with_two.gpus()); });
  for (const char* wrong : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:1234", "cuda0"}) {
    Machine machine(true, 2);
    expect_error(ErrorCode::invalid_argument, {"'" + std::string(wrong) + "'", "cpu, cuda, cuda:N or auto"},
                 [&] { (void)resolve_device(wrong, machine.gpus()); });
    EXPECT_FALSE(machine.asked());
  }
}

}  // namespace
}  // namespace padim::test
