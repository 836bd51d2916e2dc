#include "modelprovider.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "debug.h"
#include "gst-common/owned.h"
#include "guard.h"
#include "padim/error.h"
#include "systemtime.h"

namespace padim::gst {
namespace {

bool source_is_live(GstElement* element) {
  const Owned<GstPad> pad(gst_element_get_static_pad(element, "sink"));
  const Owned<GstQuery> query(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(pad.get(), query.get())) gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  return live != FALSE;
}

const char* name_of(ModelProvider::Job job) {
  switch (job) {
    case ModelProvider::Job::finishing:
      return "finishing";
    case ModelProvider::Job::loading:
      return "loading";
    case ModelProvider::Job::reloading:
      return "reloading";
    case ModelProvider::Job::refreshing:
      return "refreshing";
    case ModelProvider::Job::none:
      break;
  }
  return "nothing";
}

// Does the work of a job, in its thread, and says when it starts, how it ends and what it took.
template <class Work>
auto run_job(GstElement* element, const char* job, const Work& work, const std::stop_token& cancelled) {
  GST_INFO_OBJECT(element, "job %s starts", job);
  const GstClockTime begin = system_time();
  const auto taken_ms = [begin] { return static_cast<double>(time_since(begin)) / GST_MSECOND; };
  try {
    auto result = work(cancelled);
    GST_INFO_OBJECT(element, "job %s ended after %.1f ms", job, taken_ms());
    return result;
  } catch (const std::exception& error) {
    GST_INFO_OBJECT(element, "job %s failed after %.1f ms: %s", job, taken_ms(), error.what());
    throw;
  }
}

template <class Work>
auto logged(GstElement* element, const char* job, Work work) {
  return [element, job, work = std::move(work)](const std::stop_token& cancelled) {
    return run_job(element, job, work, cancelled);
  };
}

}  // namespace

ModelProvider::ModelProvider(GstElement* element, FitSetup fit, DetectSetup detect, Shared& shared)
    : element_(element), fit_setup_(std::move(fit)), detect_setup_(std::move(detect)), shared_(shared) {}

std::optional<Model> ModelProvider::model_in_use() const {
  return in_use_ ? std::optional(in_use_->model()) : std::nullopt;
}

ModelProvider::OpenBackbone ModelProvider::open_already(const std::string& name) const {
  if (backbone_ && backbone_->info().name == name) return backbone_;
  if (in_use_ && in_use_->backbone->info().name == name) return in_use_->backbone;
  return nullptr;
}

bool ModelProvider::has_model_for(Mode mode) const {
  if (mode == Mode::detect) return true;
  std::error_code ignored;
  return mode == Mode::fit_then_detect && !fit_setup_.again && std::filesystem::exists(fit_setup_.target.path, ignored);
}

void ModelProvider::prepare(Mode mode) {
  if (has_model_for(mode)) {
    in_use_ = std::get<LoadedModel>(load_model(detect_setup_, nullptr, std::nullopt));
    log_model();
  } else if (mode != Mode::off) {
    check_target(fit_setup_.target, mode);
    backbone_ = open_named_backbone(detect_setup_.backbone, fit_backbone(detect_setup_));
    begin_fit();
  }
}

void ModelProvider::start_fit(Mode mode) {
  if (fit_ || fit_wanted_ || job_ == Job::finishing) return;
  check_target(fit_setup_.target, mode);
  fit_wanted_ = true;
  if (!opening_) {
    const std::string name = fit_backbone(detect_setup_);
    if (auto open = open_already(name)) {
      backbone_ = std::move(open);
      return begin_fit();
    }
    open_backbone(name);
  }
  if (!source_is_live(element_)) wait(opening_task_);
}

void ModelProvider::open_backbone(const std::string& name) {
  opening_task_.start(logged(element_, "opening", [options = detect_setup_.backbone, name](const std::stop_token&) {
    return open_named_backbone(options, name);
  }));
  opening_ = true;
}

void ModelProvider::begin_fit() {
  fit_wanted_ = false;
  fit_ = std::make_unique<FitSession>(element_, fit_setup_, backbone_, shared_);
  shared_.requests.open(Request::finish_fit);
  const BackboneInfo& network = backbone_->info();
  GST_INFO_OBJECT(element_,
                  "a fit begins: network %s, weights %.12s, device %s, precision %s, threads %d (-1: all), "
                  "%" G_GUINT64_FORMAT " frames (0: until its end), model file '%s'",
                  network.name.c_str(), network.weights_sha256.c_str(), network.device.c_str(),
                  network.precision.c_str(), fit_setup_.options.threads, static_cast<guint64>(fit_setup_.frames),
                  fit_setup_.target.path.c_str());
}

void ModelProvider::take_backbone() {
  if (!opening_) return;
  try {
    auto opened = opening_task_.take();
    if (!opened) return;
    opening_ = false;
    backbone_ = std::move(*opened);
  } catch (const std::exception&) {
    opening_ = false;
    if (std::exchange(fit_wanted_, false)) throw;
  }
  if (fit_wanted_) begin_fit();
}

void ModelProvider::add(const ImageView& frame, const FrameTimes& times) {
  fit_->add(frame, times);
  if (fit_->complete()) finish_fit();
}

void ModelProvider::finish_fit() {
  const std::shared_ptr<FitSession> fit = std::move(fit_);
  shared_.requests.close(Request::finish_fit);
  gst_element_post_message(element_, fit->new_finishing_message());
  start_job(
      Job::finishing,
      [fit, options = detect_setup_.detector, backbone = backbone_,
       in_use = model_in_use()](const std::stop_token& cancelled) {
        return Result{make_new(options, backbone, fit->finish(cancelled), in_use)};
      },
      [fit] { fit->announce(); });
}

void ModelProvider::drop() {
  fit_.reset();
  fit_wanted_ = false;
  shared_.requests.close(Request::finish_fit);
  if (job_ != Job::finishing && job_ != Job::refreshing) return;
  task_.cancel();
  job_ = Job::none;
}

void ModelProvider::load() {
  start_job(Job::loading, [setup = detect_setup_, open = backbone_](const std::stop_token&) {
    return Result{load_model(setup, open, std::nullopt)};
  });
}

void ModelProvider::reload() {
  start_job(Job::reloading, [setup = detect_setup_, open = in_use_->backbone, in_use = model_in_use()](
                                const std::stop_token&) { return Result{load_model(setup, open, in_use)}; });
}

void ModelProvider::refresh(Refresh refresh) {
  start_job(Job::refreshing, [refresh = std::move(refresh)](const std::stop_token& cancelled) {
    return Result{refresh.job([&](double) { return !cancelled.stop_requested(); }), refresh.frames_shown};
  });
}

// The end of a fit supersedes what is being loaded; nothing else starts while a job goes on.
void ModelProvider::start_job(Job job, BackgroundTask<Result>::Work work,
                              BackgroundTask<Result>::Announcement announce) {
  task_.cancel();
  job_ = Job::none;
  task_.start(logged(element_, name_of(job), std::move(work)), std::move(announce));
  job_ = job;
  if (!source_is_live(element_)) wait(task_);
}

std::optional<ModelProvider::Change> ModelProvider::take_new_model(Size frame) {
  take_backbone();
  if (job_ == Job::none) return std::nullopt;
  try {
    std::optional<Result> result = task_.take();
    if (!result) return std::nullopt;
    if (frame != Size{}) static_cast<void>(map_to_frame(info_of(result->model).geometry, frame));
    return use(std::move(*result));
  } catch (const Error& error) {
    const Job failed = std::exchange(job_, Job::none);
    if (failed != Job::reloading && failed != Job::refreshing) throw;
    post_error(element_, GST_MESSAGE_WARNING, error,
               failed == Job::reloading ? Activity::reloading : Activity::learning);
    return std::nullopt;
  }
}

// A detector that only changes its model goes on as fast as it was measured to be.
ModelProvider::Change ModelProvider::use(Result result) {
  Change change{job_, model_in_use(), result.frames_shown, std::nullopt};
  if (auto* loaded = std::get_if<LoadedModel>(&result.model)) {
    in_use_ = std::move(*loaded);
    change.frame_time = in_use_->frame_time;
  } else {
    in_use_->detector->replace(std::get<Model>(std::move(result.model)));
    if (job_ == Job::finishing) change.frame_time = in_use_->frame_time;
  }
  job_ = Job::none;
  log_model();
  return change;
}

void ModelProvider::log_model() const {
  const Model& model = in_use_->model();
  const BackboneInfo& network = in_use_->backbone->info();
  GST_INFO_OBJECT(element_,
                  "model %s in use: %" G_GINT64_FORMAT
                  " frames, threshold %g; network %s, weights %.12s, device %s, precision %s, threads %d; model file "
                  "'%s'",
                  model.id().c_str(), static_cast<gint64>(model.info().frames), model.info().calibration.threshold,
                  network.name.c_str(), network.weights_sha256.c_str(), network.device.c_str(),
                  network.precision.c_str(), std::max(detect_setup_.detector.threads, 1),
                  detect_setup_.model_file.c_str());
}

void ModelProvider::end_of_stream() {
  if (fit_wanted_) {
    wait(opening_task_);
    take_backbone();
  }
  if (fit_) finish_fit();
  if (job_ == Job::finishing || job_ == Job::refreshing) wait(task_);
}

void ModelProvider::stop() {
  if (fit_ && shared_.requests.take(Request::finish_fit) > 0) {
    finish_fit();
  } else if (fit_) {
    fit_->put_aside();
  }
  if (job_ != Job::finishing || fit_setup_.target.path.empty()) return;
  static_cast<void>(task_.wait());
  static_cast<void>(task_.take());
}

}  // namespace padim::gst
