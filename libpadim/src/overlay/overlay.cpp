#include "padim/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>

#include "base/range_check.h"
#include "overlay/heat.h"
#include "overlay/layer.h"
#include "overlay/strokes.h"
#include "overlay/text.h"
#include "padim/error.h"

namespace padim {
namespace {

/// Lines and text are sized for a frame of 480 rows and grow with it.
constexpr double kNominalHeight = 480;
constexpr double kLineWidth = 2;
constexpr double kCapitalHeight = 16;
constexpr int kSmallestCapital = 6;  ///< pixels; frames that call for less get no text

void check_map(const ScoreMap& map) {
  const bool fits = map.width >= 0 && map.height >= 0 &&
                    map.values.size() == static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height);
  if (!fits) {
    throw Error(ErrorCode::invalid_argument, "score map of " + to_string(Size{map.width, map.height}) + " has " +
                                                 std::to_string(map.values.size()) + " values");
  }
}

/// A score as "0.73". Cut rather than rounded, so that a score just below the threshold never looks like it.
std::array<char, 4> score_text(double score) {
  const int hundredths = static_cast<int>(std::clamp(score, 0.0, 1.0) * 100 + 1e-9);
  const auto digit = [](int value) { return static_cast<char>('0' + value); };
  return {digit(hundredths / 100), '.', digit(hundredths / 10 % 10), digit(hundredths % 10)};
}

std::string_view view(const std::array<char, 4>& text) { return {text.data(), text.size()}; }

Palette annotation_palette(const ColourSpace& space) {
  Palette palette;
  for (int ink = 1; ink < 256; ++ink) {
    palette[static_cast<std::size_t>(ink)] = to_entry(ink <= kLineCore ? line_paint(ink) : text_paint(ink), space);
  }
  return palette;
}

}  // namespace

struct Overlay::Impl {
  explicit Impl(OverlayOptions new_options) : options(new_options) {
    check_range("overlay opacity", options.opacity, kOverlayOpacity);
    check_range("overlay floor", options.floor, kOverlayFloor);
    static_cast<void>(to_string(options.colormap));  // throws for a number that names none
  }

  void draw(const MutableImageView& frame, const Detection& detection, std::string_view text);
  [[nodiscard]] bool changes(const Detection& detection) const noexcept;
  [[nodiscard]] bool draws_heat(const Detection& detection) const noexcept;
  [[nodiscard]] bool draws_lines(const Detection& detection) const noexcept;
  void use(const ColourSpace& space);
  void annotate(const MutableImageView& frame, const Detection& detection, std::string_view text);
  void write_caption(const Detection& detection, std::string_view text);
  void write_score(const Region& region);

  OverlayOptions options;
  std::optional<ColourSpace> space;  ///< that the palettes are made for
  Palette heat_colours;
  Palette annotation_colours;
  HeatMap heat;
  InkLayer layer;
  TextFace caption_face;
  TextFace label_face;
  std::string default_caption;
  bool legible = false;  ///< whether text of the frame's size can be read
};

void Overlay::Impl::use(const ColourSpace& wanted) {
  if (space == wanted) return;
  heat_colours =
      options.base == OverlayBase::map ? map_palette(options.colormap, wanted) : heat_palette(options, wanted);
  annotation_colours = annotation_palette(wanted);
  space = wanted;
}

bool Overlay::Impl::draws_heat(const Detection& detection) const noexcept {
  return options.parts.heatmap && options.opacity > 0 && detection.score >= options.floor;
}

bool Overlay::Impl::draws_lines(const Detection& detection) const noexcept {
  return (options.parts.contour || options.parts.boxes) && detection.anomalous;
}

bool Overlay::Impl::changes(const Detection& detection) const noexcept {
  return options.base == OverlayBase::map || options.parts.text || draws_heat(detection) || draws_lines(detection);
}

void Overlay::Impl::draw(const MutableImageView& frame, const Detection& detection, std::string_view text) {
  check_map(detection.map);
  use({frame.format, frame.matrix, frame.range});
  if (options.base == OverlayBase::map) {
    heat.clear(frame, *space);
    heat.draw(frame, detection.map, detection.mapping, detection.calibrated_threshold, kMapFloor, heat_colours);
  } else if (options.parts.heatmap && options.opacity > 0) {
    heat.draw(frame, detection.map, detection.mapping, detection.calibrated_threshold, options.floor, heat_colours);
  }
  if (draws_lines(detection) || options.parts.text) annotate(frame, detection, text);
}

/// Contour under boxes under text: what is drawn later covers what was there.
void Overlay::Impl::annotate(const MutableImageView& frame, const Detection& detection, std::string_view text) {
  const double size = std::min<double>(frame.height, 0.75 * frame.width) / kNominalHeight;
  const double line_width = std::max(1.5, std::round(kLineWidth * size));
  const int capital = static_cast<int>(std::lround(kCapitalHeight * size));
  legible = capital >= kSmallestCapital;
  layer.resize({frame.width, frame.height});
  if (legible) {
    caption_face.set_capital_height(capital);
    label_face.set_capital_height(std::max(kSmallestCapital, capital * 3 / 4));
  }
  if (options.parts.contour && detection.anomalous) {
    const double level = raw_score(detection.threshold, detection.calibrated_threshold);
    stroke_contour(layer, detection.map, level, detection.mapping, line_width);
  }
  if (options.parts.boxes && detection.anomalous) {
    for (const Region& region : detection.regions) stroke_box(layer, region, line_width);
    for (auto region = detection.regions.rbegin(); region != detection.regions.rend(); ++region) write_score(*region);
  }
  if (options.parts.text) write_caption(detection, text);
  layer.flush(frame, annotation_colours);
}

void Overlay::Impl::write_caption(const Detection& detection, std::string_view text) {
  if (!legible) return;
  const int margin = label_face.measure({}).height / 3;
  if (!text.empty()) return caption_face.write(layer, text, margin, margin);
  padim::write_caption(detection, {}, default_caption);
  caption_face.write(layer, default_caption, margin, margin);
}

/// On the box's upper left corner; inside where there is no room above.
void Overlay::Impl::write_score(const Region& region) {
  if (!legible) return;
  const std::array<char, 4> score = score_text(region.score);
  const Size label = label_face.measure(view(score));
  const int x = std::clamp(region.x, 0, std::max(0, layer.size().width - label.width));
  const int y = region.y >= label.height ? region.y - label.height : region.y;
  label_face.write(layer, view(score), x, y);
}

void write_caption(const Detection& detection, const CaptionParts& parts, std::string& text) {
  text.clear();
  const auto append = [&](std::string_view part) {
    if (!text.empty()) text += ' ';
    text += part;
  };
  if (parts.score) append(view(score_text(detection.score)));
  if (parts.state) append(detection.anomalous ? "ANOMALY" : "normal");
  if (parts.frame_rate > 0) {
    std::array<char, 24> rate{};
    std::snprintf(rate.data(), rate.size(), "%.1f fps", std::min(parts.frame_rate, 1e6));
    append(rate.data());
  }
  if (parts.scene != SceneCause::none) append("scene changed: " + to_string(parts.scene));
}

Overlay::Overlay(OverlayOptions options) : impl_(std::make_unique<Impl>(options)) {}
Overlay::~Overlay() = default;
Overlay::Overlay(Overlay&&) noexcept = default;
Overlay& Overlay::operator=(Overlay&&) noexcept = default;

const OverlayOptions& Overlay::options() const noexcept { return impl_->options; }

bool Overlay::changes(const Detection& detection) const noexcept { return impl_->changes(detection); }

void Overlay::draw(const MutableImageView& frame, const Detection& detection, const std::string& text) {
  impl_->draw(frame, detection, text);
}

}  // namespace padim
