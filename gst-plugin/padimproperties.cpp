#include "padimproperties.h"

#include <gst/gst.h>

#include <string>

#include "gstpadimenums.h"

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

// Each maker takes an accessor that returns the member of a Settings, const or not.

template <class Access>
Property string_property(const Text& text, GParamFlags flags, Access access) {
  const Settings defaults;
  const std::string& fallback = access(defaults);
  return {g_param_spec_string(text.name, text.nick, text.blurb, fallback.empty() ? nullptr : fallback.c_str(), flags),
          [access](Settings& settings, const GValue* value) {
            const char* string = g_value_get_string(value);
            access(settings) = string == nullptr ? "" : string;
          },
          [access](const Settings& settings, GValue* value) {
            const std::string& string = access(settings);
            g_value_set_string(value, string.empty() ? nullptr : string.c_str());
          }};
}

template <class Access>
Property uint_property(const Text& text, guint least, guint most, GParamFlags flags, Access access) {
  const Settings defaults;
  return {g_param_spec_uint(text.name, text.nick, text.blurb, least, most, access(defaults), flags),
          [access](Settings& settings, const GValue* value) { access(settings) = g_value_get_uint(value); },
          [access](const Settings& settings, GValue* value) { g_value_set_uint(value, access(settings)); }};
}

template <class Access>
Property bool_property(const Text& text, GParamFlags flags, Access access) {
  const Settings defaults;
  return {g_param_spec_boolean(text.name, text.nick, text.blurb, static_cast<gboolean>(access(defaults)), flags),
          [access](Settings& settings, const GValue* value) { access(settings) = g_value_get_boolean(value) != FALSE; },
          [access](const Settings& settings, GValue* value) {
            g_value_set_boolean(value, static_cast<gboolean>(access(settings)));
          }};
}

template <class Access>
Property uint64_property(const Text& text, GParamFlags flags, Access access) {
  const Settings defaults;
  return {g_param_spec_uint64(text.name, text.nick, text.blurb, 0, G_MAXINT64, access(defaults), flags),
          [access](Settings& settings, const GValue* value) { access(settings) = g_value_get_uint64(value); },
          [access](const Settings& settings, GValue* value) { g_value_set_uint64(value, access(settings)); }};
}

template <class Access>
Property double_property(const Text& text, double least, double most, GParamFlags flags, Access access) {
  const Settings defaults;
  return {g_param_spec_double(text.name, text.nick, text.blurb, least, most, access(defaults), flags),
          [access](Settings& settings, const GValue* value) { access(settings) = g_value_get_double(value); },
          [access](const Settings& settings, GValue* value) { g_value_set_double(value, access(settings)); }};
}

template <class Access>
Property enum_property(const Text& text, GType type, GParamFlags flags, Access access) {
  const Settings defaults;
  using Enum = std::decay_t<decltype(access(defaults))>;
  return {g_param_spec_enum(text.name, text.nick, text.blurb, type, static_cast<gint>(access(defaults)), flags),
          [access](Settings& settings, const GValue* value) {
            access(settings) = static_cast<Enum>(g_value_get_enum(value));
          },
          [access](const Settings& settings, GValue* value) {
            g_value_set_enum(value, static_cast<gint>(access(settings)));
          }};
}

template <class Access>
Property flags_property(const Text& text, GType type, GParamFlags flags, Access access) {
  const Settings defaults;
  return {g_param_spec_flags(text.name, text.nick, text.blurb, type, access(defaults), flags),
          [access](Settings& settings, const GValue* value) { access(settings) = g_value_get_flags(value); },
          [access](const Settings& settings, GValue* value) { g_value_set_flags(value, access(settings)); }};
}

#define PADIM_MEMBER(member) \
  [](auto& settings) -> auto& { return settings.member; }

Property threads_property() {
  const Settings defaults;
  return {g_param_spec_int("threads", "Threads", "Processor threads (-1 = all cores for a fit, 1 for a frame to score)",
                           -1, 1024, defaults.threads, kReady),
          [](Settings& settings, const GValue* value) { settings.threads = g_value_get_int(value); },
          [](const Settings& settings, GValue* value) { g_value_set_int(value, settings.threads); }};
}

void add_model_properties(std::vector<Property>& out) {
  out.push_back(enum_property({"mode", "Mode",
                               "What to do with frames. Setting fit or fit-then-detect while no fit is running starts "
                               "a new fit; after a finished fit, detect goes on with its model. A fit's model is "
                               "computed in the background: frames of a live source pass without result meanwhile, "
                               "other sources wait"},
                              mode_type(), kPlaying, PADIM_MEMBER(live.mode)));
  out.push_back(string_property({"model-file", "Model file",
                                 "Path of the .padim model: read in mode detect, written at the end of a fit (mode fit "
                                 "needs it; fit-then-detect without it keeps the model in memory)"},
                                kReady, PADIM_MEMBER(model_file)));
  out.push_back(bool_property({"strip-model", "Strip model",
                               "Leave out of the model files that are written what only learn, adapt-half-life, "
                               "padim merge and padim fit --resume need: a tenth of the size, the same scores. The "
                               "model in use keeps it"},
                              kReady, PADIM_MEMBER(strip_model)));
  out.push_back(string_property({"backbone", "Backbone",
                                 "Name of the network, for example efficientnet_lite0 or resnet18 (NULL = what the "
                                 "model names, or efficientnet_lite0 for a fit)"},
                                kReady, PADIM_MEMBER(backbone)));
  out.push_back(string_property({"backbone-file", "Backbone file",
                                 "Path of the network's .safetensors weights (NULL = NAME.safetensors beside the "
                                 "model, in the folders of $PADIM_BACKBONES, then in the installed folder)"},
                                kReady, PADIM_MEMBER(backbone_file)));
  out.push_back(string_property(
      {"device", "Device", "Where the network runs: cpu, cuda, cuda:N or auto (the GPU if there is one)"}, kReady,
      PADIM_MEMBER(device)));
  out.push_back(enum_property({"precision", "Precision", "Arithmetic of the network"}, precision_type(), kReady,
                              PADIM_MEMBER(precision)));
  out.push_back(threads_property());
}

void add_fit_properties(std::vector<Property>& out) {
  out.push_back(uint_property(
      {"fit-frames", "Fit frames", "Frames after which a fit ends (0 = at the end of the stream, or at finish-fit)"}, 0,
      G_MAXINT, kReady, PADIM_MEMBER(fit_frames)));
  out.push_back(uint_property({"fit-augment", "Fit augment",
                               "Extra copies of each fitted frame with slightly other light, white balance, position "
                               "and noise, for short fits of static scenes (0 = none)"},
                              0, 16, kReady, PADIM_MEMBER(fit_augment)));
  out.push_back(
      uint_property({"batch-size", "Batch size", "Frames per network run in a fit (0 = chosen by the device)"}, 0, 256,
                    kReady, PADIM_MEMBER(batch_size)));
  out.push_back(enum_property({"grid", "Grid", "Patch positions of a fit"}, grid_type(), kReady, PADIM_MEMBER(grid)));
  out.push_back(uint_property({"search-radius", "Search radius",
                               "Patch positions around each one where a part may lie, for parts that sit loosely (0 = "
                               "exactly in place)"},
                              0, 4, kReady, PADIM_MEMBER(search_radius)));
  out.push_back(enum_property({"reduction", "Reduction", "How the network's channels become the dimensions of a fit"},
                              reduction_type(), kReady, PADIM_MEMBER(reduction)));
  out.push_back(uint_property({"dimensions", "Dimensions", "Number of dimensions of all reductions but none"}, 1, 65535,
                              kReady, PADIM_MEMBER(dimensions)));
  out.push_back(
      uint_property({"seed", "Seed", "Seed of reductions random and semi-orthogonal: equal seeds, equal reductions"}, 0,
                    G_MAXUINT, kReady, PADIM_MEMBER(seed)));
  out.push_back(enum_property({"geometry", "Geometry", "Part of the frame that a fit looks at"}, geometry_type(),
                              kReady, PADIM_MEMBER(geometry)));
  out.push_back(string_property({"input-size", "Input size",
                                 "Size of the network's input in a fit as WIDTHxHEIGHT, multiples of 16 (NULL = the "
                                 "frame's shape at about 256x256 pixels in all)"},
                                kReady, PADIM_MEMBER(input_size)));
  out.push_back(string_property({"roi", "Region of interest",
                                 "Part of the frame that a fit looks at, as x,y,width,height in pixels of the first "
                                 "frame, or in fractions of it where no number is above 1. Recorded in the model, "
                                 "which detection obeys (NULL = the whole frame, or what the model says)"},
                                kReady, PADIM_MEMBER(roi)));
  out.push_back(string_property({"mask-file", "Mask file",
                                 "Picture of a whole frame whose dark places are ignored. A fit records it in the "
                                 "model; in mode detect it is applied on top of the model's own, where the network "
                                 "still sees what is ignored (NULL = none)"},
                                kReady, PADIM_MEMBER(mask_file)));
  out.push_back(double_property({"epsilon", "Epsilon",
                                 "Regularisation added to each variance (0 = the backbone's recommendation; not "
                                 "together with relative-epsilon)"},
                                0, G_MAXDOUBLE, kReady, PADIM_MEMBER(epsilon)));
  out.push_back(double_property({"relative-epsilon", "Relative epsilon",
                                 "Regularisation as a fraction of the mean variance (0 = the backbone's "
                                 "recommendation; not together with epsilon)"},
                                0, G_MAXDOUBLE, kReady, PADIM_MEMBER(relative_epsilon)));
  out.push_back(double_property(
      {"false-alarm-rate", "False-alarm rate", "Share of normal frames that a fit's threshold may call anomalous"},
      1e-9, 0.5, kReady, PADIM_MEMBER(false_alarm_rate)));
}

void add_live_properties(std::vector<Property>& out) {
  out.push_back(
      uint_property({"adapt-half-life", "Adapt half-life",
                     "Follows slow drift by folding scored frames that are normal into the model, in which a frame "
                     "counts half after this many others (0 = off). A defect that stays in view is not learned"},
                    0, G_MAXINT, kPlaying, PADIM_MEMBER(live.adapt_half_life)));
  out.push_back(
      uint_property({"inference-interval", "Inference interval",
                     "Frames of which one is scored; the others carry its result (1 = every frame is scored)"},
                    1, G_MAXINT, kPlaying, PADIM_MEMBER(live.inference_interval)));
  out.push_back(enum_property({"late-policy", "Late policy",
                               "What becomes of a frame that the sink would show too late, while detecting. Every half "
                               "second one is scored all the same; a fit never skips a frame"},
                              late_policy_type(), kPlaying, PADIM_MEMBER(live.late_policy)));
}

void add_output_properties(std::vector<Property>& out) {
  out.push_back(double_property({"threshold", "Threshold",
                                 "Score from which a frame is anomalous (0.5 = calibrated by the fit; lower finds "
                                 "more, higher alarms less)"},
                                0, 1, kControllable, PADIM_MEMBER(live.threshold)));
  out.push_back(
      flags_property({"overlay", "Overlay", "What is drawn on the video (0 = nothing: frames are not copied)"},
                     overlay_type(), kPlaying, PADIM_MEMBER(live.overlay)));
  out.push_back(flags_property({"overlay-text", "Overlay text", "What the text of overlay=text says"},
                               overlay_text_type(), kPlaying, PADIM_MEMBER(live.overlay_text)));
  out.push_back(
      enum_property({"output", "Output",
                     "What becomes of a scored frame's picture: for a view of your own, tee the video and put "
                     "an element with output=map in one branch. Frames without a result pass as they are"},
                    output_type(), kPlaying, PADIM_MEMBER(live.output)));
  out.push_back(double_property(
      {"overlay-opacity", "Overlay opacity", "Opacity of the heat map's hottest colour (0 = invisible, 1 = opaque)"}, 0,
      1, kControllable, PADIM_MEMBER(live.overlay_opacity)));
  out.push_back(double_property({"overlay-floor", "Overlay floor",
                                 "Score below which the heat map leaves pixels untouched (0.5 = the calibrated "
                                 "threshold)"},
                                0, 1, kControllable, PADIM_MEMBER(live.overlay_floor)));
  out.push_back(enum_property({"colormap", "Colormap", "Colours of the heat map"}, colormap_type(), kPlaying,
                              PADIM_MEMBER(live.colormap)));
  out.push_back(flags_property({"attach-meta", "Attach meta", "Metadata put on each scored frame"}, attach_meta_type(),
                               kPlaying, PADIM_MEMBER(live.attach_meta)));
  out.push_back(enum_property({"post-messages", "Post messages", "What is posted on the bus while detecting"},
                              post_messages_type(), kPlaying, PADIM_MEMBER(live.post_messages)));
  out.push_back(uint_property({"max-regions", "Maximum of regions",
                               "Regions of an anomalous frame that are drawn and reported, the hottest first"},
                              1, 64, kPlaying, PADIM_MEMBER(live.max_regions)));
  out.push_back(double_property({"min-region-area", "Minimum region area",
                                 "Fraction of the frame below which a region is neither drawn nor reported, unless it "
                                 "is the hottest"},
                                0, 1, kPlaying, PADIM_MEMBER(live.min_region_area)));
  out.push_back(uint_property({"min-anomalous-frames", "Minimum of anomalous frames",
                               "Consecutive anomalous frames that begin an anomaly event"},
                              1, G_MAXINT, kPlaying, PADIM_MEMBER(live.min_anomalous_frames)));
  out.push_back(uint64_property(
      {"event-gap", "Event gap", "Normal running time in nanoseconds after which an anomaly counts as ended"}, kPlaying,
      PADIM_MEMBER(live.event_gap_ns)));
  out.push_back(uint64_property({"message-interval", "Message interval",
                                 "Running time in nanoseconds between two padim-score messages of post-messages=all (0 "
                                 "= one for every frame)"},
                                kPlaying, PADIM_MEMBER(live.message_interval_ns)));
  out.push_back(string_property({"json-location", "JSON location",
                                 "File that gets one JSON object per frame and line (- = standard output, NULL = "
                                 "none). Begun anew at each start; where it is moved or deleted, as logrotate does, "
                                 "it is made again within a second"},
                                kReady, PADIM_MEMBER(json_location)));
  out.push_back(uint64_property({"json-max-bytes", "JSON maximum of bytes",
                                 "Size at which the file of json-location is renamed to NAME.1, in the place of an "
                                 "older one, and begun anew (0 = never)"},
                                kReady, PADIM_MEMBER(json_max_bytes)));
}

#undef PADIM_MEMBER

}  // namespace

std::vector<Property> make_properties() {
  std::vector<Property> properties;
  add_model_properties(properties);
  add_fit_properties(properties);
  add_live_properties(properties);
  add_output_properties(properties);
  return properties;
}

}  // namespace padim::gst
