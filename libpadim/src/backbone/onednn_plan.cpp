#include "backbone/onednn_plan.h"

#include <algorithm>
#include <utility>

#include "backbone/layer_geometry.h"

namespace padim::onednn {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

// Geometry of a convolution or a pool, as oneDNN takes it.
struct Geometry {
  memory::dims kernel, stride, before, behind;
};

Geometry geometry_of(const LayerDescription& d, Padding padding, const Tensor& source) {
  const auto [top, bottom] = padding_of(d, padding, source.height);
  const auto [left, right] = padding_of(d, padding, source.width);
  return {{d.kernel, d.kernel}, {d.stride, d.stride}, {top, left}, {bottom, right}};
}

void append_activation(dnnl::post_ops& operations, Activation activation) {
  if (activation == Activation::none) return;
  const auto kind = activation == Activation::relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_clip;
  const float upper = activation == Activation::relu ? 0.0F : 6.0F;  // relu: slope below zero 0
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(kind, 0, upper);
#else
  operations.append_eltwise(1, kind, 0, upper);
#endif
}

dnnl::convolution_forward::primitive_desc describe_convolution(const memory::desc& source, const memory::desc& weight,
                                                               const memory::desc& bias, const memory::desc& target,
                                                               const Geometry& g,
                                                               const dnnl::primitive_attr& attributes) {
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {processor(), kInference, kDirect, source, weight, bias, target, g.stride, g.before, g.behind, attributes};
#else
  return {{kInference, kDirect, source, weight, bias, target, g.stride, g.before, g.behind}, attributes, processor()};
#endif
}

dnnl::pooling_forward::primitive_desc describe_pool(const memory::desc& source, const memory::desc& target,
                                                    const Geometry& g, const dnnl::primitive_attr& attributes) {
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kMaximum = dnnl::algorithm::pooling_max;
#if DNNL_VERSION_MAJOR >= 3
  return {processor(), kInference, kMaximum, source,   target,    g.stride,
          g.kernel,    {0, 0},     g.before, g.behind, attributes};
#else
  return {{kInference, kMaximum, source, target, g.stride, g.kernel, g.before, g.behind}, attributes, processor()};
#endif
}

class PlanMaker {
 public:
  PlanMaker(const Network& network, Type type, const Shape& shape) : network_(network) {
    plan_.shape = shape;
    plan_.type = type;
  }

  Plan make() {
    Tensor x{0, 3, plan_.shape.height, plan_.shape.width};
    reserve(x);
    for (const Block& block : network_.blocks) {
      x = add(block, x);
      if (block.tap) add_tap(x);
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] memory::desc describe(const Tensor& x, Type type) const {
    return {{plan_.shape.batch, x.channels, x.height, x.width}, type, Tag::nhwc};
  }

  // The caller provides the scratchpad, so that runs can share primitives.
  static dnnl::primitive_attr attributes_with(const dnnl::post_ops& operations) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attributes.set_post_ops(operations);
    return attributes;
  }

  void reserve(const Tensor& x) {
    auto& bytes = plan_.buffer_bytes[static_cast<std::size_t>(x.buffer)];
    bytes = std::max(bytes, describe(x, plan_.type).get_size());
  }

  [[nodiscard]] Tensor result_of(const LayerDescription& d, const Tensor& source, int buffer) const {
    const Padding padding = network_.description.padding;
    return {buffer, d.channels, output_length(d, padding, source.height), output_length(d, padding, source.width)};
  }

  // A buffer that is neither of the two.
  static int another(int buffer, int other) {
    int result = 0;
    while (result == buffer || result == other) ++result;
    return result;
  }

  // The buffer that holds the shortcut. A single layer cannot write over the input that it still reads.
  int add_shortcut(const Block& block, const Tensor& input) {
    const int free = another(input.buffer, input.buffer);
    if (block.shortcut == Shortcut::convolution) return add_layer(block.shortcut_layer, input, free, {}).buffer;
    if (block.shortcut == Shortcut::none || block.layers.size() > 1) return input.buffer;
    Tensor copy = input;
    copy.buffer = free;
    reserve(copy);
    add_copy(input, copy, plan_.type);
    return copy.buffer;
  }

  // The last layer adds the shortcut by writing over it.
  Tensor add(const Block& block, const Tensor& input) {
    const int kept = add_shortcut(block, input);
    const bool shortcut = block.shortcut != Shortcut::none;
    Tensor x = input;
    for (std::size_t i = 0; i < block.layers.size(); ++i) {
      const Layer& layer = block.layers[i];
      const bool last = i + 1 == block.layers.size();
      dnnl::post_ops operations;
      append_activation(operations, layer.description.activation);
      if (last && shortcut) operations.append_sum(1);
      if (last) append_activation(operations, block.activation);
      x = add_layer(layer, x, last && shortcut ? kept : another(x.buffer, kept), operations);
    }
    return x;
  }

  Tensor add_layer(const Layer& layer, const Tensor& source, int buffer, const dnnl::post_ops& operations) {
    const LayerDescription& d = layer.description;
    const Tensor target = result_of(d, source, buffer);
    reserve(target);
    const Geometry geometry = geometry_of(d, network_.description.padding, source);
    if (d.kind == LayerKind::max_pool) {
      const auto pool = describe_pool(describe(source, plan_.type), describe(target, plan_.type), geometry,
                                      attributes_with(operations));
      add_step({dnnl::pooling_forward(pool), {}, {}, source.buffer, target.buffer, pool.src_desc(), pool.dst_desc()},
               pool.scratchpad_desc());
    } else {
      add_convolution(layer, source, target, geometry, attributes_with(operations));
    }
    return target;
  }

  void add_convolution(const Layer& layer, const Tensor& source, const Tensor& target, const Geometry& geometry,
                       const dnnl::primitive_attr& attributes) {
    const LayerDescription& d = layer.description;
    const memory::dims shape{d.groups, d.channels / d.groups, d.input_channels / d.groups, d.kernel, d.kernel};
    const memory::dims tail(shape.begin() + 1, shape.end());
    const bool grouped = d.groups > 1;
    const memory::dims& dims = grouped ? shape : tail;
    const memory::desc given(dims, Type::f32, grouped ? Tag::goihw : Tag::oihw);
    const memory::desc bias({d.channels}, Type::f32, Tag::x);
    const auto description = describe_convolution(describe(source, plan_.type), {dims, plan_.type, Tag::any}, bias,
                                                  describe(target, plan_.type), geometry, attributes);
    add_step(
        {dnnl::convolution_forward(description), packed(layer.weight, given, description.weights_desc()),
         packed(layer.bias, bias, bias), source.buffer, target.buffer, description.src_desc(), description.dst_desc()},
        description.scratchpad_desc());
  }

  // A copy of the values in the layout and type that a primitive wants.
  memory packed(const std::vector<float>& values, const memory::desc& given, const memory::desc& wanted) {
    // oneDNN takes mutable pointers; this one is only read.
    memory from(given, processor(), const_cast<float*>(values.data()));
    memory to(wanted, processor());
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  void add_step(Step step, const memory::desc& scratchpad) {
    plan_.scratchpad_bytes = std::max(plan_.scratchpad_bytes, scratchpad.get_size());
    plan_.steps.push_back(std::move(step));
  }

  // Taps are handed out in float.
  void add_tap(const Tensor& x) {
    Tensor tap = x;
    tap.buffer = kBuffers + static_cast<int>(plan_.taps.size());
    add_copy(x, tap, Type::f32);
    plan_.taps.push_back(tap);
  }

  void add_copy(const Tensor& source, const Tensor& target, Type type) {
    const dnnl::reorder::primitive_desc copy(processor(), describe(source, plan_.type), processor(),
                                             describe(target, type), attributes_with({}));
    add_step({dnnl::reorder(copy), {}, {}, source.buffer, target.buffer, copy.src_desc(), copy.dst_desc()},
             copy.scratchpad_desc());
  }

  const Network& network_;
  Plan plan_;
  dnnl::stream stream_{processor()};
};

}  // namespace

dnnl::engine& processor() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

bool computes_in(Type type) {
  const memory::desc cell({1, 1, 1, 1}, type, Tag::nhwc);
  const memory::desc weight({1, 1, 1, 1}, type, Tag::any);
  const memory::desc bias({1}, Type::f32, Tag::x);
  try {
    describe_convolution(cell, weight, bias, cell, {{1, 1}, {1, 1}, {0, 0}, {0, 0}}, {});
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

Plan make_plan(const Network& network, Type type, const Shape& shape) { return PlanMaker(network, type, shape).make(); }

}  // namespace padim::onednn
