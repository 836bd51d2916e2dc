#include "fitsession.h"

#include <cstdio>
#include <string>
#include <utility>

#include "base/output.h"
#include "guard.h"

namespace padim::gst {
namespace {

// Where in the stream, for whoever looks for the frame.
std::string time_text(const FrameTimes& times) {
  if (!GST_CLOCK_TIME_IS_VALID(times.stream_time)) return "frame " + std::to_string(times.frame);
  char text[40];
  std::snprintf(text, sizeof text, "%" GST_TIME_FORMAT, GST_TIME_ARGS(times.stream_time));
  return text;
}

}  // namespace

void check_target(const ModelFile& target, Mode mode) {
  if (target.path.empty()) {
    if (mode != Mode::fit) return;
    throw Error(ErrorCode::invalid_argument,
                "mode=fit has no model-file to save to: set model-file, or mode=fit-then-detect to keep the model in "
                "memory");
  }
  static_cast<void>(find_output_file(target.path, "model-file"));
}

std::string unfinished(const std::string& model_file) { return model_file + ".unfinished"; }

FitSession::FitSession(GstElement* element, const FitSetup& setup, std::shared_ptr<const Backbone> backbone,
                       Shared& shared)
    : element_(element),
      shared_(shared),
      target_(setup.target),
      wanted_(setup.frames),
      to_skip_(setup.skipped),
      fitter_(std::move(backbone), fit_options(setup)),
      progress_(element, setup.frames) {}

FitSession::~FitSession() {
  if (!over_) progress_.dropped(frames_);
}

void FitSession::add(const ImageView& frame, const FrameTimes& times) {
  if (to_skip_ > 0) {
    --to_skip_;
    return;
  }
  try {
    fitter_.add(frame, time_text(times));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::mismatch) throw;
    return pass_over({frame.width, frame.height}, error);
  }
  ++frames_;
  last_ = times;
  progress_.collected(frames_);
}

void FitSession::pass_over(Size size, const Error& error) {
  ++passed_over_;
  if (std::exchange(odd_size_, size) == size) return;
  post_error(element_, GST_MESSAGE_WARNING,
             Error(error.code(), std::string(error.what()) + ": frames of this size are not fitted; the " +
                                     std::to_string(frames_) + " collected so far are kept"),
             Activity::streaming);
}

GstMessage* FitSession::new_finishing_message() const { return gst::new_finishing_message(element_, last_, frames_); }

Model FitSession::compute(const std::stop_token& cancelled) {
  if (frames_ == 0) {
    throw Error(ErrorCode::numeric,
                "the fit ended without a single frame: check that video reaches the element before the stream ends");
  }
  return fitter_.finish([&](double done) {
    progress_.computing(done);
    return !cancelled.stop_requested();
  });
}

Model FitSession::finish(const std::stop_token& cancelled) {
  try {
    model_ = compute(cancelled);
    if (cancelled.stop_requested()) throw Error(ErrorCode::cancelled, "the fit was dropped");
    shared_.published.set_model(*model_);
    shared_.requests.open(Request::learn);
    if (!target_.path.empty()) save(*model_, target_, [&] { return !cancelled.stop_requested(); });
    return *model_;
  } catch (const Error& error) {
    over_ = !cancelled.stop_requested();
    if (over_) progress_.failed(error.what());
    throw;
  }
}

void FitSession::announce() {
  over_ = true;
  progress_.completed("Fitted " + std::to_string(frames_) + " frames" +
                      (target_.path.empty() ? "" : ", saved to " + target_.path));
  gst_element_post_message(element_,
                           new_fitted_message(element_, last_, *model_, {target_.path, frames_, passed_over_}));
}

void FitSession::put_aside() noexcept {
  if (frames_ == 0) return;
  const std::string stopped = "the fit was stopped after " + std::to_string(frames_) +
                              " frames, before the end of the stream, fit-frames or finish-fit";
  std::string outcome;
  try {
    save_unfinished();
    outcome = ": its model is saved as '" + unfinished(target_.path) + "'; rename it where it is good enough";
  } catch (const std::exception& error) {
    outcome = std::string(" and is lost: ") + error.what();
  }
  post_error(element_, GST_MESSAGE_WARNING, Error(ErrorCode::cancelled, stopped + outcome), Activity::stopping);
}

void FitSession::save_unfinished() {
  if (target_.path.empty()) {
    throw Error(ErrorCode::invalid_argument, "model-file is not set, so that there is no place to save it");
  }
  save(compute({}), {unfinished(target_.path), target_.stripped});
}

}  // namespace padim::gst
