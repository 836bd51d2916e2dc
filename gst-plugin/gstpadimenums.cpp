#include "gstpadimenums.h"

#include <gst/gst.h>

#include "padimsettings.h"

namespace padim::gst {
namespace {

template <class Enum>
constexpr gint value(Enum e) {
  return static_cast<gint>(e);
}

GType register_enum(const char* name, const GEnumValue* values) {
  const GType type = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

GType register_flags(const char* name, const GFlagsValue* values) {
  const GType type = g_flags_register_static(name, values);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

}  // namespace

GType mode_type() {
  static const GEnumValue values[] = {
      {value(Mode::detect), "Score frames with the model of model-file", "detect"},
      {value(Mode::fit), "Fit a model on every frame and save it to model-file", "fit"},
      {value(Mode::fit_then_detect), "Fit on the first frames, then score the others", "fit-then-detect"},
      {value(Mode::off), "Let frames pass untouched", "off"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterMode", values);
  return type;
}

const char* nick_of(Mode mode) {
  auto* modes = static_cast<GEnumClass*>(g_type_class_ref(mode_type()));
  const char* nick = g_enum_get_value(modes, value(mode))->value_nick;
  g_type_class_unref(modes);  // the nick is of the table above
  return nick;
}

GType precision_type() {
  static const GEnumValue values[] = {
      {value(Precision::automatic), "bfloat16 where the processor computes in it", "auto"},
      {value(Precision::float32), "32-bit floating point", "float32"},
      {value(Precision::bfloat16), "16-bit brain floating point", "bfloat16"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterPrecision", values);
  return type;
}

GType grid_type() {
  static const GEnumValue values[] = {
      {value(Grid::coarsest), "One position per cell of the coarsest feature map", "coarsest"},
      {value(Grid::finest), "One position per cell of the finest feature map", "finest"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterGrid", values);
  return type;
}

GType reduction_type() {
  static const GEnumValue values[] = {
      {value(ReductionKind::none), "All channels", "none"},
      {value(ReductionKind::random), "As many channels as dimensions says, drawn with seed", "random"},
      {value(ReductionKind::semi_orthogonal), "A projection to as many random orthonormal directions, drawn with seed",
       "semi-orthogonal"},
      {value(ReductionKind::pca), "A projection to as many principal components of the first 64 frames", "pca"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterReduction", values);
  return type;
}

GType geometry_type() {
  static const GEnumValue values[] = {
      {value(GeometryMode::full), "The whole frame", "full"},
      {value(GeometryMode::paper), "Shorter side to 256 pixels, centre crop of 224", "paper"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterGeometry", values);
  return type;
}

GType source_type() {
  static const GEnumValue values[] = {
      {value(SourceKind::stream), "Consecutive frames of a video or camera", "stream"},
      {value(SourceKind::images), "Separate pictures, such as photographs of one part after the other", "images"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterSource", values);
  return type;
}

GType augment_kind_type() {
  static const GEnumValue values[] = {
      {value(AugmentKind::light), "Slightly other light, white balance, position and noise", "light"},
      {value(AugmentKind::rotate), "Turned by any angle about the middle, with slightly other light and position",
       "rotate"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterAugmentKind", values);
  return type;
}

GType outliers_type() {
  static const GEnumValue values[] = {
      {value(Outliers::automatic), "Left out where the source is a stream, kept where it is images", "auto"},
      {value(Outliers::drop), "Left out of the fit", "drop"},
      {value(Outliers::keep), "Kept, and named all the same", "keep"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterOutliers", values);
  return type;
}

GType colormap_type() {
  static const GEnumValue values[] = {
      {value(Colormap::jet), "Blue, green, yellow, red", "jet"},
      {value(Colormap::turbo), "Jet with even steps of lightness", "turbo"},
      {value(Colormap::inferno), "Black, purple, orange, yellow", "inferno"},
      {value(Colormap::viridis), "Purple, green, yellow", "viridis"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterColormap", values);
  return type;
}

GType post_messages_type() {
  static const GEnumValue values[] = {
      {value(PostMessages::none), "Nothing but the end of a fit", "none"},
      {value(PostMessages::events), "Begin and end of each anomaly", "events"},
      {value(PostMessages::all), "Events, and scores: of every frame, or one per message-interval", "all"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterPostMessages", values);
  return type;
}

GType late_policy_type() {
  static const GEnumValue values[] = {
      {value(LatePolicy::reuse), "Hand it on in time with the result of an earlier frame", "reuse"},
      {value(LatePolicy::block), "Score it all the same, so that later frames wait", "block"},
      {value(LatePolicy::drop), "Drop it", "drop"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterLatePolicy", values);
  return type;
}

GType output_type() {
  static const GEnumValue values[] = {
      {value(OverlayBase::frame), "The frame, with what overlay says drawn on it", "overlay"},
      {value(OverlayBase::map), "The heat map alone, with contour, boxes and text if overlay says so", "map"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_enum("GstPadimFilterOutput", values);
  return type;
}

GType overlay_text_type() {
  static const GFlagsValue values[] = {
      {kTextScore, "Score of the frame", "score"},
      {kTextState, "ANOMALY or normal", "state"},
      {kTextFps, "Frames per second that leave the element", "fps"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_flags("GstPadimFilterOverlayText", values);
  return type;
}

GType overlay_type() {
  static const GFlagsValue values[] = {
      {kOverlayHeatmap, "Heat map of the scores above overlay-floor", "heatmap"},
      {kOverlayContour, "Outline of what reaches the threshold", "contour"},
      {kOverlayBoxes, "Bounding box and score of each anomalous region", "boxes"},
      {kOverlayText, "What overlay-text says, in the top left corner", "text"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_flags("GstPadimFilterOverlay", values);
  return type;
}

GType attach_meta_type() {
  static const GFlagsValue values[] = {
      {kMetaScore, "GstPadimMeta with the frame's score", "score"},
      {kMetaRoi, "A region-of-interest meta of type anomaly for each region", "roi"},
      {kMetaAnalytics, "GstAnalytics: class, objects and segmentation (nothing before GStreamer 1.24)", "analytics"},
      {kMetaTensor, "GstTensorMeta with the raw score map (nothing before GStreamer 1.26)", "tensor"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_flags("GstPadimFilterAttachMeta", values);
  return type;
}

}  // namespace padim::gst
