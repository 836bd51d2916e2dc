#include "modelprovider.h"

#include <string>
#include <utility>

#include "gst-common/owned.h"
#include "guard.h"
#include "padim/error.h"
#include "padimmessages.h"

namespace padim::gst {
namespace {

bool source_is_live(GstElement* element) {
  const Owned<GstPad> pad(gst_element_get_static_pad(element, "sink"));
  const Owned<GstQuery> query(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(pad.get(), query.get())) gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  return live != FALSE;
}

}  // namespace

ModelProvider::ModelProvider(GstElement* element, FitSetup fit, DetectSetup detect, Shared& shared)
    : element_(element), fit_setup_(std::move(fit)), detect_setup_(std::move(detect)), shared_(shared) {}

void ModelProvider::start_fit(Mode mode) {
  if (fit_ || job_ == Job::finishing) return;
  check_target(fit_setup_.target, mode);
  const BackboneOptions& wanted = detect_setup_.backbone;
  const std::string name = wanted.name.empty() ? BackboneOptions{}.name : wanted.name;
  if (!backbone_ || backbone_->info().name != name) backbone_ = open_named_backbone(wanted, name);
  fit_ = std::make_unique<FitSession>(element_, fit_setup_, backbone_, shared_);
  shared_.requests.open(Request::finish_fit);
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
      [fit, options = detect_setup_.detector, backbone = backbone_](const std::stop_token& cancelled) {
        return make_ready(options, backbone, fit->finish(cancelled));
      },
      [fit] { fit->announce(); });
}

void ModelProvider::drop_fit() {
  fit_.reset();
  shared_.requests.close(Request::finish_fit);
  if (job_ != Job::finishing) return;
  task_.cancel();
  job_ = Job::none;
}

void ModelProvider::load() {
  start_job(Job::loading, [setup = detect_setup_](const std::stop_token&) { return load_model(setup); });
}

void ModelProvider::reload() {
  start_job(Job::reloading, [setup = detect_setup_](const std::stop_token&) { return load_model(setup); });
}

void ModelProvider::refresh(ModelJob job, std::shared_ptr<const Backbone> backbone) {
  start_job(Job::refreshing, [job = std::move(job), options = detect_setup_.detector,
                              backbone = std::move(backbone)](const std::stop_token& cancelled) {
    return make_ready(options, backbone, job([&](double) { return !cancelled.stop_requested(); }));
  });
}

// The end of a fit supersedes what is being loaded; nothing else starts while a job goes on.
void ModelProvider::start_job(Job job, BackgroundTask<LoadedModel>::Work work,
                              BackgroundTask<LoadedModel>::Announcement announce) {
  task_.cancel();
  job_ = Job::none;
  task_.start(std::move(work), std::move(announce));
  job_ = job;
  if (!source_is_live(element_)) wait();
}

void ModelProvider::wait() { static_cast<void>(task_.wait(shared_.interruption.token())); }

std::optional<LoadedModel> ModelProvider::take_new_model(Size frame) {
  if (job_ == Job::none) return std::nullopt;
  try {
    std::optional<LoadedModel> loaded = task_.take();
    if (!loaded) return std::nullopt;
    if (frame != Size{}) static_cast<void>(map_to_frame(loaded->model().info().geometry, frame));
    if (std::exchange(job_, Job::none) == Job::reloading) {
      gst_element_post_message(element_, new_reloaded_message(element_, loaded->model(), detect_setup_.model_file));
    }
    return loaded;
  } catch (const Error& error) {
    const Job failed = std::exchange(job_, Job::none);
    if (failed != Job::reloading && failed != Job::refreshing) throw;
    post_error(element_, GST_MESSAGE_WARNING, error,
               failed == Job::reloading ? Activity::reloading : Activity::learning);
    return std::nullopt;
  }
}

void ModelProvider::end_of_stream() {
  if (fit_) finish_fit();
  if (job_ == Job::finishing || job_ == Job::refreshing) wait();
}

void ModelProvider::stop() {
  if (fit_ && shared_.requests.take(Request::finish_fit) > 0) finish_fit();
  if (job_ != Job::finishing || fit_setup_.target.path.empty()) return;
  static_cast<void>(task_.wait());
  static_cast<void>(task_.take());
}

}  // namespace padim::gst
