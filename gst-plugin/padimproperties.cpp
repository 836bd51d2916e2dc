#include "padimproperties.h"

#include <gst/gst.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "gstpadimenums.h"
#include "padim/limits.h"

namespace padim::gst {
namespace {

constexpr auto kReady =
    static_cast<GParamFlags>(static_cast<unsigned>(G_PARAM_READWRITE) | static_cast<unsigned>(G_PARAM_STATIC_STRINGS) |
                             static_cast<unsigned>(GST_PARAM_MUTABLE_READY));
constexpr auto kPlaying =
    static_cast<GParamFlags>(static_cast<unsigned>(G_PARAM_READWRITE) | static_cast<unsigned>(G_PARAM_STATIC_STRINGS) |
                             static_cast<unsigned>(GST_PARAM_MUTABLE_PLAYING));
constexpr auto kControllable =
    static_cast<GParamFlags>(static_cast<unsigned>(kPlaying) | static_cast<unsigned>(GST_PARAM_CONTROLLABLE));

struct Text {
  const char* name;
  const char* nick;
  const char* blurb;
};

/// Finds a member of a Settings, const or not; the flags follow from where it lies.
template <class Find>
struct Member {
  Find find;
  GParamFlags flags;
};
template <class Find>
Member(Find, GParamFlags) -> Member<Find>;

#define PADIM_MEMBER(member) \
  [](auto& settings) -> auto& { return settings.member; }
#define PADIM_FIXED(member) \
  Member { PADIM_MEMBER(fixed.member), kReady }
#define PADIM_LIVE(member) \
  Member { PADIM_MEMBER(live.member), kPlaying }

template <class Find>
Member<Find> controllable(Member<Find> member) {
  member.flags = kControllable;
  return member;
}

// What is not set is NULL.
std::string text_of(const std::string& member) { return member; }
std::string text_of(const std::filesystem::path& member) { return member.string(); }

template <class Find>
Property string_property(const Text& text, Member<Find> member) {
  const Settings defaults;
  const std::string fallback = text_of(member.find(defaults));
  return {g_param_spec_string(text.name, text.nick, text.blurb, fallback.empty() ? nullptr : fallback.c_str(),
                              member.flags),
          [member](Settings& settings, const GValue* value) {
            const char* string = g_value_get_string(value);
            member.find(settings) = string == nullptr ? "" : string;
          },
          [member](const Settings& settings, GValue* value) {
            const std::string string = text_of(member.find(settings));
            g_value_set_string(value, string.empty() ? nullptr : string.c_str());
          }};
}

template <class Find>
Property bool_property(const Text& text, Member<Find> member) {
  const Settings defaults;
  return {g_param_spec_boolean(text.name, text.nick, text.blurb, static_cast<gboolean>(member.find(defaults)),
                               member.flags),
          [member](Settings& settings, const GValue* value) {
            member.find(settings) = g_value_get_boolean(value) != FALSE;
          },
          [member](const Settings& settings, GValue* value) {
            g_value_set_boolean(value, static_cast<gboolean>(member.find(settings)));
          }};
}

/// How GObject handles a type of numbers.
template <class Number>
struct Gtype;
template <>
struct Gtype<gint> {
  static constexpr auto spec = g_param_spec_int;
  static constexpr auto get = g_value_get_int;
  static constexpr auto set = g_value_set_int;
};
template <>
struct Gtype<guint> {
  static constexpr auto spec = g_param_spec_uint;
  static constexpr auto get = g_value_get_uint;
  static constexpr auto set = g_value_set_uint;
};
template <>
struct Gtype<guint64> {
  static constexpr auto spec = g_param_spec_uint64;
  static constexpr auto get = g_value_get_uint64;
  static constexpr auto set = g_value_set_uint64;
};
template <>
struct Gtype<gdouble> {
  static constexpr auto spec = g_param_spec_double;
  static constexpr auto get = g_value_get_double;
  static constexpr auto set = g_value_set_double;
};

// An option that is not given is 0.
template <class Value>
Value value_of(const Value& member) {
  return member;
}
double value_of(const std::optional<double>& member) { return member.value_or(0); }

template <class Value, class Number>
void assign(Value& member, Number number) {
  member = static_cast<Value>(number);
}
void assign(std::optional<double>& member, double number) {
  member = number == 0 ? std::nullopt : std::optional(number);
}

/// The nearest number that the property's type holds.
template <class Number, class Value>
Number saturated(Value value) {
  if constexpr (std::is_integral_v<Number> && std::is_integral_v<Value>) {
    if (std::cmp_greater(value, std::numeric_limits<Number>::max())) return std::numeric_limits<Number>::max();
  }
  return static_cast<Number>(value);
}

template <class Number, class Value, class Find>
Property number_property(const Text& text, const Range<Value>& range, Member<Find> member) {
  const Settings defaults;
  return {
      Gtype<Number>::spec(text.name, text.nick, text.blurb, saturated<Number>(range.least),
                          saturated<Number>(range.most), saturated<Number>(value_of(member.find(defaults))),
                          member.flags),
      [member](Settings& settings, const GValue* value) { assign(member.find(settings), Gtype<Number>::get(value)); },
      [member](const Settings& settings, GValue* value) {
        Gtype<Number>::set(value, saturated<Number>(value_of(member.find(settings))));
      }};
}

template <class Find>
Property enum_property(const Text& text, GType type, Member<Find> member) {
  const Settings defaults;
  using Enum = std::decay_t<decltype(member.find(defaults))>;
  return {
      g_param_spec_enum(text.name, text.nick, text.blurb, type, static_cast<gint>(member.find(defaults)), member.flags),
      [member](Settings& settings, const GValue* value) {
        member.find(settings) = static_cast<Enum>(g_value_get_enum(value));
      },
      [member](const Settings& settings, GValue* value) {
        g_value_set_enum(value, static_cast<gint>(member.find(settings)));
      }};
}

template <class Find>
Property flags_property(const Text& text, GType type, Member<Find> member) {
  const Settings defaults;
  return {g_param_spec_flags(text.name, text.nick, text.blurb, type, member.find(defaults), member.flags),
          [member](Settings& settings, const GValue* value) { member.find(settings) = g_value_get_flags(value); },
          [member](const Settings& settings, GValue* value) { g_value_set_flags(value, member.find(settings)); }};
}

constexpr Range<int> from(int least) { return {least, G_MAXINT, least}; }

constexpr Range<std::uint64_t> kAnyUint64{0, G_MAXINT64, 0};

// The range of an option that need not be given.
constexpr Range<double> or_zero(const Range<double>& range) { return {0, range.most, 0}; }

void add_model_properties(std::vector<Property>& out) {
  out.push_back(enum_property({"mode", "Mode",
                               "What to do with frames. Setting fit or fit-then-detect while no fit is running starts "
                               "a new fit; after a finished fit, detect goes on with its model. A fit's model is "
                               "computed in the background: frames of a live source pass without result meanwhile, "
                               "other sources wait"},
                              mode_type(), PADIM_LIVE(mode)));
  out.push_back(string_property({"model-file", "Model file",
                                 "Path of the .padim model: read in mode detect, written at the end of a fit (mode fit "
                                 "needs it; fit-then-detect without it keeps the model in memory)"},
                                PADIM_FIXED(model_file)));
  out.push_back(
      bool_property({"strip-model", "Strip model",
                     "Leave out of the model files that are written what only learn, adapt-half-life, "
                     "padim merge and padim fit --resume need: a third to a fifth of the size, the same scores. The "
                     "model in use keeps it"},
                    PADIM_FIXED(strip_model)));
  out.push_back(string_property({"backbone", "Backbone",
                                 "Name of the network, for example efficientnet_lite0 or resnet18 (NULL = what the "
                                 "model names, or efficientnet_lite0 for a fit)"},
                                PADIM_FIXED(backbone.name)));
  out.push_back(string_property({"backbone-file", "Backbone file",
                                 "Path of the network's .safetensors weights (NULL = NAME.safetensors beside the "
                                 "model, in the folders of $PADIM_BACKBONES, then in the installed folder)"},
                                PADIM_FIXED(backbone.weights_file)));
  out.push_back(string_property(
      {"device", "Device", "Where the network runs: cpu, cuda, cuda:N or auto (the GPU if there is one)"},
      PADIM_FIXED(backbone.device)));
  out.push_back(enum_property({"precision", "Precision", "Arithmetic of the network"}, precision_type(),
                              PADIM_FIXED(backbone.precision)));
  out.push_back(number_property<gint>(
      {"threads", "Threads", "Processor threads (-1 = all cores for a fit, 1 for a frame to score)"}, kThreads,
      PADIM_FIXED(threads)));
}

void add_fit_properties(std::vector<Property>& out) {
  out.push_back(number_property<guint>(
      {"fit-frames", "Fit frames", "Frames after which a fit ends (0 = at the end of the stream, or at finish-fit)"},
      from(0), PADIM_FIXED(fit_frames)));
  out.push_back(number_property<guint>(
      {"skip-frames", "Skip frames", "Frames that pass unseen before a fit begins: a camera's first ones, still dark"},
      from(0), PADIM_FIXED(skip_frames)));
  out.push_back(bool_property({"refit", "Refit",
                               "Whether mode fit-then-detect fits at each start, in the place of the model of "
                               "model-file. Otherwise it detects with that model where there is one"},
                              PADIM_FIXED(refit)));
  out.push_back(
      number_property<gint>({"fit-augment", "Fit augment",
                             "Extra copies of each fitted frame, of fit-augment-kind (0 = none, -1 = of kind light "
                             "one where the source is a stream, of kind rotate 8)"},
                            kAugment, PADIM_FIXED(fit.augment)));
  out.push_back(enum_property({"fit-augment-kind", "Fit augment kind",
                               "How these copies differ: as the camera will make them by itself, or turned, for parts "
                               "that lie in any pose on a plain ground"},
                              augment_kind_type(), PADIM_FIXED(fit.augment_kind)));
  out.push_back(enum_property({"source", "Source",
                               "What the frames of a fit are to one another: decides how the "
                               "threshold is calibrated"},
                              source_type(), PADIM_FIXED(fit.source)));
  out.push_back(enum_property(
      {"outliers", "Outliers", "What becomes of frames unlike all others of a fit: covers, a passing hand, defects"},
      outliers_type(), PADIM_FIXED(outliers)));
  out.push_back(
      number_property<guint>({"batch-size", "Batch size", "Frames per network run in a fit (0 = chosen by the device)"},
                             kBatchSize, PADIM_FIXED(fit.batch_size)));
  out.push_back(enum_property({"grid", "Grid", "Patch positions of a fit"}, grid_type(), PADIM_FIXED(fit.grid)));
  out.push_back(
      number_property<guint>({"search-radius", "Search radius",
                              "Patch positions around each one where a part may lie, for parts that sit loosely (0 = "
                              "exactly in place)"},
                             kSearchRadius, PADIM_FIXED(fit.search_radius)));
  out.push_back(enum_property({"reduction", "Reduction", "How the network's channels become the dimensions of a fit"},
                              reduction_type(), PADIM_FIXED(fit.reduction)));
  out.push_back(number_property<guint>({"dimensions", "Dimensions", "Number of dimensions of all reductions but none"},
                                       kDimensions, PADIM_FIXED(fit.dimensions)));
  out.push_back(number_property<guint>(
      {"seed", "Seed", "Seed of reductions random and semi-orthogonal: equal seeds, equal reductions"}, kSeed,
      PADIM_FIXED(fit.seed)));
  out.push_back(enum_property({"geometry", "Geometry", "Part of the frame that a fit looks at"}, geometry_type(),
                              PADIM_FIXED(fit.geometry)));
  out.push_back(string_property({"input-size", "Input size",
                                 "Size of the network's input in a fit as WIDTHxHEIGHT, multiples of 16 (NULL = the "
                                 "frame's shape at about 256x256 pixels in all)"},
                                PADIM_FIXED(input_size)));
  out.push_back(string_property({"roi", "Region of interest",
                                 "Part of the frame that a fit looks at, as x,y,width,height in pixels of the first "
                                 "frame, or in fractions of it where no number is above 1. Recorded in the model, "
                                 "which detection obeys (NULL = the whole frame, or what the model says)"},
                                PADIM_FIXED(roi)));
  out.push_back(string_property({"mask-file", "Mask file",
                                 "Picture of a whole frame whose dark places are ignored. A fit records it in the "
                                 "model; in mode detect it is applied on top of the model's own, where the network "
                                 "still sees what is ignored (NULL = none)"},
                                PADIM_FIXED(mask_file)));
  out.push_back(
      number_property<gdouble>({"epsilon", "Epsilon",
                                "Regularisation added to each variance (0 = the backbone's recommendation; not "
                                "together with relative-epsilon)"},
                               or_zero(kEpsilon), PADIM_FIXED(fit.epsilon)));
  out.push_back(number_property<gdouble>({"relative-epsilon", "Relative epsilon",
                                          "Regularisation as a fraction of the mean variance (0 = the backbone's "
                                          "recommendation; not together with epsilon)"},
                                         or_zero(kEpsilon), PADIM_FIXED(fit.relative_epsilon)));
  out.push_back(number_property<gdouble>(
      {"prior", "Prior",
       "Frames that the covariance pooled over all positions weighs as, beside each position's own (0 = none, as "
       "published, -1 = the backbone's recommendation)"},
      Range<double>{kBackbonesPrior, kPrior.most, kBackbonesPrior}, PADIM_FIXED(prior)));
  out.push_back(number_property<gdouble>(
      {"false-alarm-rate", "False-alarm rate", "Share of normal frames that a fit's threshold may call anomalous"},
      kFalseAlarmRate, PADIM_FIXED(fit.false_alarm_rate)));
}

void add_live_properties(std::vector<Property>& out) {
  out.push_back(number_property<guint>(
      {"adapt-half-life", "Adapt half-life",
       "Follows slow drift by folding scored frames that are normal into the model, in which a frame "
       "counts half after this many others (0 = off). A defect that stays in view is not learned"},
      kHalfLife, PADIM_LIVE(adapt_half_life)));
  out.push_back(
      number_property<guint>({"inference-interval", "Inference interval",
                              "Frames of which one is scored; the others carry its result (1 = every frame is scored)"},
                             from(1), PADIM_LIVE(inference_interval)));
  out.push_back(enum_property({"late-policy", "Late policy",
                               "What becomes of a frame that the sink would show too late, while detecting. Every half "
                               "second one is scored all the same; a fit never skips a frame"},
                              late_policy_type(), PADIM_LIVE(late_policy)));
}

void add_output_properties(std::vector<Property>& out) {
  out.push_back(
      number_property<gdouble>({"threshold", "Threshold",
                                "Score from which a frame is anomalous (0.5 = calibrated by the fit; lower finds "
                                "more, higher alarms less)"},
                               kThreshold, controllable(PADIM_LIVE(threshold))));
  out.push_back(
      flags_property({"overlay", "Overlay", "What is drawn on the video (0 = nothing: frames are not copied)"},
                     overlay_type(), PADIM_LIVE(overlay)));
  out.push_back(flags_property({"overlay-text", "Overlay text", "What the text of overlay=text says"},
                               overlay_text_type(), PADIM_LIVE(overlay_text)));
  out.push_back(
      enum_property({"output", "Output",
                     "What becomes of a scored frame's picture: for a view of your own, tee the video and put "
                     "an element with output=map in one branch. Frames without a result pass as they are"},
                    output_type(), PADIM_LIVE(look.base)));
  out.push_back(number_property<gdouble>(
      {"overlay-opacity", "Overlay opacity", "Opacity of the heat map's hottest colour (0 = invisible, 1 = opaque)"},
      kOverlayOpacity, controllable(PADIM_LIVE(look.opacity))));
  out.push_back(
      number_property<gdouble>({"overlay-floor", "Overlay floor",
                                "Score below which the heat map leaves pixels untouched (0.5 = the calibrated "
                                "threshold)"},
                               kOverlayFloor, controllable(PADIM_LIVE(look.floor))));
  out.push_back(
      enum_property({"colormap", "Colormap", "Colours of the heat map"}, colormap_type(), PADIM_LIVE(look.colormap)));
  out.push_back(flags_property({"attach-meta", "Attach meta", "Metadata put on each scored frame"}, attach_meta_type(),
                               PADIM_LIVE(attach_meta)));
  out.push_back(enum_property({"post-messages", "Post messages", "What is posted on the bus while detecting"},
                              post_messages_type(), PADIM_LIVE(post_messages)));
  out.push_back(number_property<guint>({"max-regions", "Maximum of regions",
                                        "Regions of an anomalous frame that are drawn and reported, the hottest first"},
                                       kRegionCount, PADIM_LIVE(regions.count)));
  out.push_back(
      number_property<gdouble>({"min-region-area", "Minimum region area",
                                "Fraction of the frame below which a region is neither drawn nor reported, unless it "
                                "is the hottest"},
                               kRegionArea, PADIM_LIVE(regions.area)));
  out.push_back(number_property<guint>({"min-anomalous-frames", "Minimum of anomalous frames",
                                        "Consecutive anomalous frames that begin an anomaly event"},
                                       from(1), PADIM_LIVE(min_anomalous_frames)));
  out.push_back(number_property<guint64>(
      {"event-gap", "Event gap", "Normal running time in nanoseconds after which an anomaly counts as ended"},
      kAnyUint64, PADIM_LIVE(event_gap_ns)));
  out.push_back(
      number_property<guint64>({"message-interval", "Message interval",
                                "Running time in nanoseconds between two padim-score messages of post-messages=all (0 "
                                "= one for every frame)"},
                               kAnyUint64, PADIM_LIVE(message_interval_ns)));
  out.push_back(string_property({"json-location", "JSON location",
                                 "File that gets one JSON object per frame and line, at its end: what stands there "
                                 "stays, several elements may share it, and where it is moved or deleted, as "
                                 "logrotate does, the next line makes it again. Or a pipe that is read, or a device "
                                 "(- = standard output, NULL = none)"},
                                PADIM_FIXED(json_location)));
  out.push_back(
      number_property<guint64>({"json-max-bytes", "JSON maximum of bytes",
                                "Size at which the file of json-location is renamed to NAME.1, in the place of an "
                                "older one, and begun anew (0 = never)"},
                               kAnyUint64, PADIM_FIXED(json_max_bytes)));
}

#undef PADIM_LIVE
#undef PADIM_FIXED
#undef PADIM_MEMBER

}  // namespace

bool is_fixed(const Property& property) {
  return (static_cast<unsigned>(property.spec->flags) & static_cast<unsigned>(GST_PARAM_MUTABLE_PLAYING)) == 0;
}

std::vector<Property> make_properties() {
  std::vector<Property> properties;
  add_model_properties(properties);
  add_fit_properties(properties);
  add_live_properties(properties);
  add_output_properties(properties);
  return properties;
}

}  // namespace padim::gst
