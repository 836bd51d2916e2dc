// Y'CbCr to R'G'B' after ITU-R BT.601, BT.709 and BT.2020 in 32-bit fixed point. Largest sum: 255 * 2^21 * (255/219 for
// Y' + 2.15 for Cb, BT.2020), below 2^31. The SIMD version must equal the scalar one bit for bit.

#include "image/color_kernel.h"

#include <algorithm>
#include <cmath>

#include "image/luma_weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/color_kernel.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void YuvToRgb(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels, std::uint8_t* rgb) {
  yuv_to_rgb_scalar(y, u, v, k, pixels, rgb);
}
#else

using Tag = hn::ScalableTag<std::int32_t>;
using V = hn::Vec<Tag>;

// The channel's values at the pixels from i on, each the lowest byte of its group.
V Load(ColorChannel channel, int i) {
  const Tag d32;
  const hn::Rebind<std::uint8_t, Tag> d8;
  const hn::Rebind<std::uint16_t, Tag> d16;
  const std::uint8_t* from = channel.data + i * channel.step;
  if (channel.step == 1) return hn::PromoteTo(d32, hn::LoadU(d8, from));
  if (channel.step == 2) {
    const auto pairs = hn::BitCast(d16, hn::LoadU(hn::Repartition<std::uint8_t, decltype(d16)>(), from));
    return hn::PromoteTo(d32, hn::And(pairs, hn::Set(d16, 0xff)));
  }
  const auto fours = hn::BitCast(d32, hn::LoadU(hn::Repartition<std::uint8_t, Tag>(), from));
  return hn::And(fours, hn::Set(d32, 0xff));
}

void YuvToRgb(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels, std::uint8_t* rgb) {
  const Tag d32;
  const hn::Rebind<std::uint8_t, Tag> d8;
  const int lanes = static_cast<int>(hn::Lanes(d32));
  const auto scaled = [&](V values, std::int32_t factor) { return hn::Mul(values, hn::Set(d32, factor)); };
  const auto to_bytes = [&](V sum, std::int32_t offset) {
    return hn::DemoteTo(d8, hn::ShiftRight<kColorBits>(hn::Add(sum, hn::Set(d32, offset))));
  };
  int i = 0;
  for (; i + lanes < pixels; i += lanes) {
    const V luma = scaled(Load(y, i), k.y_scale);
    const V cb = Load(u, i);
    const V cr = Load(v, i);
    const V red = hn::Add(luma, scaled(cr, k.r_v));
    const V green = hn::Add(luma, hn::Add(scaled(cb, k.g_u), scaled(cr, k.g_v)));
    const V blue = hn::Add(luma, scaled(cb, k.b_u));
    hn::StoreInterleaved3(to_bytes(red, k.r_offset), to_bytes(green, k.g_offset), to_bytes(blue, k.b_offset), d8,
                          rgb + 3 * i);
  }
  const auto rest = [i](ColorChannel c) { return ColorChannel{c.data + i * c.step, c.step}; };
  yuv_to_rgb_scalar(rest(y), rest(u), rest(v), k, pixels - i, rgb + 3 * i);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {

HWY_EXPORT(YuvToRgb);

YuvCoefficients yuv_coefficients(YuvMatrix matrix, YuvRange range) noexcept {
  const auto [kr, kb] = luma_weights(matrix);
  const double kg = 1 - kr - kb;
  const bool limited = range == YuvRange::limited;
  const double chroma = limited ? 255.0 / 224 : 1;
  const auto fixed = [](double x) { return static_cast<std::int32_t>(std::lround(x * (1 << kColorBits))); };
  YuvCoefficients k{};
  k.y_scale = fixed(limited ? 255.0 / 219 : 1);
  k.r_v = fixed(2 * (1 - kr) * chroma);
  k.g_u = fixed(-2 * (1 - kb) * kb / kg * chroma);
  k.g_v = fixed(-2 * (1 - kr) * kr / kg * chroma);
  k.b_u = fixed(2 * (1 - kb) * chroma);
  constexpr std::int32_t kTie = 1 << (kColorBits - 15);  // halves go up, whichever way the coefficients were rounded
  const std::int32_t base = (1 << (kColorBits - 1)) + kTie - (limited ? 16 : 0) * k.y_scale;
  k.r_offset = base - 128 * k.r_v;
  k.g_offset = base - 128 * (k.g_u + k.g_v);
  k.b_offset = base - 128 * k.b_u;
  return k;
}

void yuv_to_rgb(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels,
                std::uint8_t* rgb) noexcept {
  HWY_DYNAMIC_DISPATCH(YuvToRgb)(y, u, v, k, pixels, rgb);
}

void yuv_to_rgb_scalar(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels,
                       std::uint8_t* rgb) noexcept {
  const auto to_byte = [](std::int32_t sum) {
    return static_cast<std::uint8_t>(std::clamp(sum >> kColorBits, 0, 255));
  };
  for (int i = 0; i < pixels; ++i, rgb += 3) {
    const std::int32_t luma = y.data[i * y.step] * k.y_scale;
    const std::int32_t cb = u.data[i * u.step];
    const std::int32_t cr = v.data[i * v.step];
    rgb[0] = to_byte(luma + cr * k.r_v + k.r_offset);
    rgb[1] = to_byte(luma + cb * k.g_u + cr * k.g_v + k.g_offset);
    rgb[2] = to_byte(luma + cb * k.b_u + k.b_offset);
  }
}

}  // namespace padim
#endif
