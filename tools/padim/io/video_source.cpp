#include "io/video_source.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "gst-common/timeline.h"
#include "gst-common/videoframe.h"
#include "io/decoder.h"
#include "io/file_io.h"
#include "padim/error.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t nanoseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

std::string seconds_text(std::int64_t ns) { return three_digits(static_cast<double>(ns) / GST_SECOND) + " s"; }

class VideoSource : public FrameSource {
 public:
  VideoSource(std::string name, const SourceOptions& options)
      : name_(std::move(name)), shown_(shown_name(name_)), form_(form_of(name_)), options_(options) {
    if (options_.reconnect && form_ == SourceForm::path) {
      throw Error(ErrorCode::invalid_argument, "--reconnect needs a camera or an address, not a file");
    }
    first_ = open();
    if (!first_)
      throw Error(ErrorCode::bad_format,
                  (form_ == SourceForm::path ? "video '" : "source '") + shown_ + "' holds no frame");
    read_caps(*first_);
    duration_ns_ = decoder_->duration_ns();
  }

  const Frame* next() override {
    mapped_.reset();
    sample_.reset();  // a camera that is opened again may wait for its memory
    sample_ = first_ ? std::move(first_) : pull();
    if (sample_ && is_past_end(*sample_)) sample_.reset();
    if (!sample_) return nullptr;
    read_caps(*sample_);
    GstBuffer* buffer = gst_sample_get_buffer(sample_.get());
    mapped_.emplace(info_, buffer, GST_MAP_READ);
    frame_.view = mapped_->view();
    frame_.source = shown_;
    frame_.stem = video_frame_name(number_);
    frame_.relative = video_frame_name(number_) + ".png";
    frame_.number = number_++;
    place_in_time(*buffer);
    return &frame_;
  }

  [[nodiscard]] InputKind kind() const override { return InputKind::video; }
  [[nodiscard]] bool live() const override { return live_; }
  [[nodiscard]] bool lost() const override { return lost_; }
  [[nodiscard]] std::int64_t passed_over() const override {
    return passed_over_ + (decoder_ ? decoder_->passed_over() : 0);
  }

  [[nodiscard]] std::int64_t length() const override {
    if (info_.fps_n <= 0) return 0;
    const std::int64_t wanted_ns = options_.seconds ? static_cast<std::int64_t>(*options_.seconds * GST_SECOND) : 0;
    const std::int64_t ns =
        duration_ns_ > 0 && wanted_ns > 0 ? std::min(duration_ns_, wanted_ns) : std::max(duration_ns_, wanted_ns);
    const auto frames = gst_util_uint64_scale_round(static_cast<guint64>(ns), static_cast<guint64>(info_.fps_n),
                                                    GST_SECOND * static_cast<guint64>(info_.fps_d));
    return static_cast<std::int64_t>(frames);
  }

  [[nodiscard]] std::vector<std::filesystem::path> files() const override {
    if (form_ != SourceForm::path) return {};
    return {name_};
  }

  [[nodiscard]] Fraction frame_rate() const override { return {info_.fps_n, info_.fps_d}; }
  [[nodiscard]] Fraction pixel_aspect() const override { return {info_.par_n, info_.par_d}; }

 private:
  // Of a live source the clock decides, also while it gives nothing.
  [[nodiscard]] bool is_time_up() const {
    if (interrupted()) return true;
    const bool counts = live_ && options_.seconds && number_ > 0;
    return counts && std::chrono::duration<double>(Clock::now() - begin_).count() >= *options_.seconds;
  }

  [[nodiscard]] bool is_past_end(GstSample& sample) const {
    const GstBuffer* buffer = gst_sample_get_buffer(&sample);
    if (live_ || !options_.seconds || !first_pts_ns_ || !GST_BUFFER_PTS_IS_VALID(buffer)) return false;
    const auto passed_ns = static_cast<double>(GST_BUFFER_PTS(buffer)) - static_cast<double>(*first_pts_ns_);
    return passed_ns >= *options_.seconds * GST_SECOND;
  }

  // The first frame of a connection; null where there is none, or no time for it.
  gst::Owned<GstSample> connect() {
    if (decoder_) passed_over_ += decoder_->passed_over();
    decoder_.reset();  // a camera may serve one at a time
    decoder_.emplace(name_, form_, options_.timeout.value_or(0));
    auto sample = decoder_->pull([this] { return is_time_up(); });
    if (sample) live_ = decoder_->live();
    return sample;
  }

  gst::Owned<GstSample> open() {
    try {
      return connect();
    } catch (const Error& error) {
      if (!options_.reconnect || error.code() == ErrorCode::unsupported) throw;
      return reconnect(error.what());
    }
  }

  gst::Owned<GstSample> pull() {
    if (lost_ || is_time_up()) return nullptr;
    try {
      auto sample = decoder_->pull([this] { return is_time_up(); });
      if (sample || is_time_up()) return sample;
      if (!ends_by_loss()) return end();
      return lose("source '" + shown_ + "' has ended");
    } catch (const Error& error) {
      if (!live_) throw;
      return lose(error.what());
    }
  }

  gst::Owned<GstSample> end() {
    warn_if_cut_off();
    return nullptr;
  }

  // A line may have been given an end; a camera has none.
  [[nodiscard]] bool ends_by_loss() const { return live_ && (form_ != SourceForm::line || options_.reconnect); }

  gst::Owned<GstSample> lose(const std::string& cause) {
    if (options_.reconnect) return reconnect(cause);
    notice(cause + "; what follows was not seen (--reconnect opens it again)");
    lost_ = true;
    return nullptr;
  }

  // Tries until there is a frame, or no time for it.
  gst::Owned<GstSample> reconnect(std::string cause) {
    constexpr int kLongestPause_s = 8;
    const auto begin = Clock::now();
    notice(cause + "; trying again");
    lost_ = true;
    for (int pause_s = 1; wait(pause_s); pause_s = std::min(2 * pause_s, kLongestPause_s)) {
      try {
        auto sample = connect();
        if (!sample) continue;
        notice("source '" + shown_ + "' is back after " + seconds_text(nanoseconds(Clock::now() - begin)));
        begin_again_ = true;
        lost_ = false;
        return sample;
      } catch (const Error& error) {
        if (error.what() != cause) notice(error.what());
        cause = error.what();
      }
    }
    return nullptr;
  }

  // False where there is no time for it.
  [[nodiscard]] bool wait(int pause_s) const {
    constexpr int kStepsPerSecond = 20;
    for (int i = 0; i < pause_s * kStepsPerSecond && !is_time_up(); ++i) usleep(1'000'000 / kStepsPerSecond);
    return !is_time_up();
  }

  // Elementary streams have no timestamps, joined files begin anew. So does a connection, whose times are moved to
  // where the clock is.
  void place_in_time(const GstBuffer& buffer) {
    if (number_ == 1) begin_ = Clock::now();
    const std::int64_t clock_ns = first_pts_ns_.value_or(0) + nanoseconds(Clock::now() - begin_);
    gst::FrameTimes times;
    times.running_time = GST_BUFFER_PTS(&buffer);
    times.duration = GST_BUFFER_DURATION(&buffer);
    if (GST_BUFFER_PTS_IS_VALID(&buffer)) times.running_time = moved(GST_BUFFER_PTS(&buffer), clock_ns);
    const GstClockTime clock_time = live_ ? static_cast<GstClockTime>(clock_ns) : GST_CLOCK_TIME_NONE;
    frame_.jumped_back = timeline_.place(times, clock_time).kind == gst::TimeStep::Kind::back;
    frame_.pts_ns.reset();
    if (!GST_CLOCK_TIME_IS_VALID(times.running_time)) return;
    frame_.pts_ns = static_cast<std::int64_t>(times.running_time);
    if (!first_pts_ns_) first_pts_ns_ = frame_.pts_ns;
    last_pts_ns_ = std::max(last_pts_ns_, *frame_.pts_ns);
  }

  GstClockTime moved(GstClockTime pts, std::int64_t clock_ns) {
    const auto pts_ns = static_cast<std::int64_t>(pts);
    if (std::exchange(begin_again_, false) && number_ > 1) shift_ns_ = clock_ns - pts_ns;
    return static_cast<GstClockTime>(std::max<std::int64_t>(pts_ns + shift_ns_, 0));
  }

  // Demuxers take the place where a file is cut off, or so broken that they find no way on, for its end.
  void warn_if_cut_off() const {
    constexpr std::int64_t kTolerated = GST_SECOND;
    if (interrupted() || last_pts_ns_ + kTolerated >= duration_ns_ - duration_ns_ / 20) return;
    notice("warning: video '" + shown_ + "' ends after " + seconds_text(last_pts_ns_) + " of " +
           seconds_text(duration_ns_) + "; it may be cut off or broken");
  }

  void read_caps(GstSample& sample) {
    if (!gst_video_info_from_caps(&info_, gst_sample_get_caps(&sample))) {
      throw Error(ErrorCode::bad_format, "video '" + shown_ + "' changes to a format that cannot be read");
    }
    timeline_.set_frame_rate(info_.fps_n, info_.fps_d);
  }

  std::string name_;
  std::string shown_;  ///< the same for people
  SourceForm form_;
  SourceOptions options_;
  std::optional<Decoder> decoder_;
  GstVideoInfo info_{};
  gst::Timeline timeline_;
  bool live_ = false;
  bool lost_ = false;
  bool begin_again_ = false;      ///< the next frame is the first of another connection
  Clock::time_point begin_;       ///< of the first frame
  std::int64_t duration_ns_ = 0;  ///< as the file says; 0 where it does not
  std::int64_t passed_over_ = 0;  ///< by earlier connections
  std::int64_t shift_ns_ = 0;     ///< from a connection's times to those handed out
  std::optional<std::int64_t> first_pts_ns_;
  std::int64_t last_pts_ns_ = 0;
  std::int64_t number_ = 0;
  Frame frame_;
  // Declared in this order because the mapping must end before its sample does.
  gst::Owned<GstSample> first_;
  gst::Owned<GstSample> sample_;
  std::optional<gst::MappedFrame> mapped_;
};

}  // namespace

std::unique_ptr<FrameSource> open_video(const std::string& name, const SourceOptions& options) {
  return std::make_unique<VideoSource>(name, options);
}

}  // namespace padim::tool
