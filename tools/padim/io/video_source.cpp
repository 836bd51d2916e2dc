#include "io/video_source.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "gst-common/timeline.h"
#include "gst-common/videoframe.h"
#include "io/file_io.h"
#include "io/gst_pipeline.h"
#include "padim/error.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

// videoconvert passes through whatever the appsink's caps allow.
std::string pipeline_text() {
  return "filesrc name=source ! decodebin expose-all-streams=false caps=video/x-raw(ANY) ! videoconvert ! "
         "appsink name=sink sync=false max-buffers=4 caps=\"" +
         std::string(gst::kVideoCaps) + "\"";
}

class VideoSource : public FrameSource {
 public:
  explicit VideoSource(const std::filesystem::path& file)
      : file_(file), pipeline_(pipeline_text(), "cannot decode video " + in_quotes(file)) {
    g_object_set(pipeline_.element("source"), "location", file.c_str(), nullptr);
    pipeline_.set_state(GST_STATE_PLAYING);
    first_ = pull();
    if (!first_) throw Error(ErrorCode::bad_format, "video " + in_quotes(file) + " holds no frame");
    read_caps(*first_);
    gint64 duration = 0;
    if (gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration)) duration_ns_ = duration;
  }

  const Frame* next() override {
    mapped_.reset();
    sample_ = first_ ? std::move(first_) : pull();
    if (!sample_) {
      warn_if_cut_off();
      return nullptr;
    }
    read_caps(*sample_);
    GstBuffer* buffer = gst_sample_get_buffer(sample_.get());
    mapped_.emplace(info_, buffer, GST_MAP_READ);
    frame_.view = mapped_->view();
    frame_.source = file_.string();
    frame_.stem = video_frame_name(number_);
    frame_.relative = video_frame_name(number_) + ".png";
    frame_.number = number_++;
    place_in_time(*buffer);
    return &frame_;
  }

  [[nodiscard]] InputKind kind() const override { return InputKind::video; }

  [[nodiscard]] std::int64_t length() const override {
    if (info_.fps_n <= 0) return 0;
    const auto frames =
        gst_util_uint64_scale_round(static_cast<guint64>(duration_ns_), static_cast<guint64>(info_.fps_n),
                                    GST_SECOND * static_cast<guint64>(info_.fps_d));
    return static_cast<std::int64_t>(frames);
  }

  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {file_}; }

  [[nodiscard]] Fraction frame_rate() const override { return {info_.fps_n, info_.fps_d}; }
  [[nodiscard]] Fraction pixel_aspect() const override { return {info_.par_n, info_.par_d}; }

 private:
  // Waits in short steps: an error of the decoder or an interrupt must not be waited out.
  gst::Owned<GstSample> pull() {
    GstAppSink* sink = GST_APP_SINK(pipeline_.element("sink"));
    while (!interrupted()) {
      if (GstSample* sample = gst_app_sink_try_pull_sample(sink, 50 * GST_MSECOND))
        return gst::Owned<GstSample>(sample);
      pipeline_.check();
      if (gst_app_sink_is_eos(sink)) break;
    }
    pipeline_.check();
    return nullptr;
  }

  // Elementary streams have no timestamps, joined files begin anew.
  void place_in_time(const GstBuffer& buffer) {
    gst::FrameTimes times;
    times.running_time = GST_BUFFER_PTS(&buffer);
    times.duration = GST_BUFFER_DURATION(&buffer);
    frame_.jumped_back = timeline_.place(times, GST_CLOCK_TIME_NONE).kind == gst::TimeStep::Kind::back;
    frame_.pts_ns.reset();
    if (!GST_CLOCK_TIME_IS_VALID(times.running_time)) return;
    frame_.pts_ns = static_cast<std::int64_t>(times.running_time);
    last_pts_ns_ = std::max(last_pts_ns_, *frame_.pts_ns);
  }

  // Demuxers take the place where a file is cut off, or so broken that they find no way on, for its end.
  void warn_if_cut_off() const {
    constexpr std::int64_t kTolerated = GST_SECOND;
    if (interrupted() || last_pts_ns_ + kTolerated >= duration_ns_ - duration_ns_ / 20) return;
    notice("warning: video " + in_quotes(file_) + " ends after " +
           three_digits(static_cast<double>(last_pts_ns_) / GST_SECOND) + " s of " +
           three_digits(static_cast<double>(duration_ns_) / GST_SECOND) + " s; it may be cut off or broken");
  }

  void read_caps(GstSample& sample) {
    if (!gst_video_info_from_caps(&info_, gst_sample_get_caps(&sample))) {
      throw Error(ErrorCode::bad_format, "video " + in_quotes(file_) + " changes to a format that cannot be read");
    }
    timeline_.set_frame_rate(info_.fps_n, info_.fps_d);
  }

  std::filesystem::path file_;
  Pipeline pipeline_;
  GstVideoInfo info_{};
  gst::Timeline timeline_;
  std::int64_t duration_ns_ = 0;  ///< as the file says; 0 where it does not
  std::int64_t last_pts_ns_ = 0;
  std::int64_t number_ = 0;
  Frame frame_;
  // Declared in this order because the mapping must end before its sample does.
  gst::Owned<GstSample> first_;
  gst::Owned<GstSample> sample_;
  std::optional<gst::MappedFrame> mapped_;
};

}  // namespace

std::unique_ptr<FrameSource> open_video(const std::filesystem::path& file) {
  return std::make_unique<VideoSource>(file);
}

}  // namespace padim::tool
