#pragma once

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <vector>

#include "backbone/network.h"

namespace padim::onednn {

/// A layer's source, its target and the block's shortcut.
inline constexpr int kBuffers = 3;

[[nodiscard]] dnnl::engine& processor();

/// Whether the processor computes convolutions in `type`.
[[nodiscard]] bool computes_in(dnnl::memory::data_type type);

/// The input that a plan is made for, and the threads that run it.
struct Shape {
  int batch;
  int height;
  int width;
  int threads;
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// What a buffer holds at one point of the plan.
struct Tensor {
  int buffer;
  int channels;
  int height;
  int width;
};

/// One primitive with where it reads and writes.
struct Step {
  dnnl::primitive primitive;
  dnnl::memory weight;  ///< empty for pools and copies
  dnnl::memory bias;
  int source;  ///< buffer
  int target;  ///< buffer, or kBuffers + tap
  dnnl::memory::desc source_description;
  dnnl::memory::desc target_description;
};

/// Everything about a shape that does not change from run to run; shared by all threads that run it.
struct Plan {
  Shape shape;
  dnnl::memory::data_type type;
  std::vector<Step> steps;
  std::array<std::size_t, kBuffers> buffer_bytes{};
  std::size_t scratchpad_bytes = 0;
  std::vector<Tensor> taps;
};

/// What it takes to execute `network` on an input of `shape` in `type`. Throws dnnl::error.
[[nodiscard]] Plan make_plan(const Network& network, dnnl::memory::data_type type, const Shape& shape);

}  // namespace padim::onednn
