#include "eval/evaluation.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "eval/mask_folder.h"
#include "eval/parallel.h"
#include "eval/pixel_scores.h"
#include "io/file_io.h"
#include "io/image_source.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "terminal/stopwatch.h"

namespace padim::tool {
namespace {

void stop_where_interrupted() {
  if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
}

template <class Work>
void name_image(const std::filesystem::path& image, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    throw Error(error.code(), in_quotes(image) + ": " + error.what());
  }
}

// Figures over some of the images would not be comparable, so that one that cannot be read ends the evaluation.
template <class Use>
void read_training_images(const DatasetClass& data, int bits, const std::string& doing, const Use& use) {
  const auto source = open_image_folder(data.folder / "train" / "good", {}, {bits, ""});
  Progress progress(data.name + ": " + doing, "images", source->length());
  std::int64_t images = 0;
  while (const Frame* frame = source->next()) {
    stop_where_interrupted();
    name_image(frame->source, [&] { use(frame->view); });
    progress.update(++images);
  }
  if (source->unreadable() > 0) {
    throw Error(ErrorCode::bad_format, "class '" + data.name + "': " + std::to_string(source->unreadable()) +
                                           " training images cannot be read; repair or remove them");
  }
}

// Stripped: what only a further fit needs would double the memory.
Model fit(const DatasetClass& data, const std::shared_ptr<const Backbone>& backbone, const FitOptions& options) {
  Fitter fitter(backbone, options);
  if (fitter.wants_first_pass()) {
    read_training_images(data, options.sample_bits, "first pass",
                         [&](const ImageView& image) { fitter.observe(image); });
  }
  read_training_images(data, options.sample_bits, "fit", [&](const ImageView& image) { fitter.add(image); });
  Progress progress(data.name + ": finish", "%", 100);
  return fitter
      .finish([&](double fraction) {
        progress.update(static_cast<std::int64_t>(fraction * 100));
        return !interrupted();
      })
      .stripped();
}

// Names of the taps to sum, the coarsest first: network inputs that suit its stride suit the others'.
std::vector<std::string> taps_to_sum(const BackboneInfo& backbone, const std::vector<std::string>& wanted) {
  std::vector<std::string> names = wanted;
  for (const TapInfo& tap : backbone.taps) {
    if (wanted.empty()) names.push_back(tap.name);
  }
  const auto is_before = [&](const std::string& a, const std::string& b) {
    const auto place = [&](const std::string& name) { return std::ranges::find(backbone.taps, name, &TapInfo::name); };
    return place(a) > place(b);
  };
  std::ranges::sort(names, is_before);
  return names;
}

std::vector<Model> fit_models(const DatasetClass& data, const std::shared_ptr<const Backbone>& backbone,
                              const EvaluationSettings& settings) {
  if (settings.fusion == Fusion::concatenate) return {fit(data, backbone, settings.fit)};
  FitOptions options = settings.fit;
  options.false_alarm_rate.reset();
  std::vector<Model> models;
  for (const std::string& tap : taps_to_sum(backbone->info(), settings.fit.taps)) {
    options.taps = {tap};
    models.push_back(fit(data, backbone, options));
    options.input_size = models.front().info().geometry.input;
  }
  return models;
}

cv::Mat read_mask(const TestImage& image, const cv::Mat& pixels) {
  if (image.mask.empty()) return {};
  cv::Mat mask = read_marks(image.mask);
  if (cv::countNonZero(mask) == 0) notice("mask " + in_quotes(image.mask) + " marks nothing: it is all black");
  if (mask.size() == pixels.size()) return mask;
  const auto text = [](const cv::Mat& m) { return to_string(Size{m.cols, m.rows}); };
  throw Error(ErrorCode::mismatch, "mask " + in_quotes(image.mask) + " is " + text(mask) + ", but its image " +
                                       in_quotes(image.image) + " is " + text(pixels));
}

/// What the inspection of one test image leaves.
struct Inspection {
  ImageResult result;
  Ranking pixels;
  bool alarm = false;
  bool above_range = false;        // of its 16-bit samples
  std::int64_t defect_pixels = 0;  // of the mask, whether the network sees them or not
};

/// Inspects test images, one at a time, with memory of its own.
class Inspector {
 public:
  Inspector(const std::shared_ptr<const Backbone>& backbone, const std::vector<Model>& models,
            const EvaluationSettings& settings, bool masks)
      : masks_(masks),
        raster_(settings.protocol == Protocol::official ? PixelRaster::frame : PixelRaster::map),
        keep_maps_(settings.keep_maps),
        bits_(settings.fit.sample_bits) {
    for (const Model& model : models) detectors_.emplace_back(backbone, model, DetectorOptions{.threads = 1});
  }

  Inspection inspect(const TestImage& image) {
    const Picture picture = read_picture(image.image, bits_);
    const cv::Mat& pixels = picture.pixels;
    const cv::Mat mask = read_mask(image, pixels);
    Inspection inspection;
    inspection.result.source = image;
    inspection.above_range = picture.above;
    inspection.result.size = {pixels.cols, pixels.rows};
    inspection.defect_pixels = mask.empty() ? 0 : cv::countNonZero(mask);
    name_image(image.image, [&] { score(pixels, mask, inspection); });
    return inspection;
  }

 private:
  void score(const cv::Mat& pixels, const cv::Mat& mask, Inspection& inspection) {
    const Detection& detection = detectors_.front().detect(bgr_view(pixels));
    ImageResult& result = inspection.result;
    result.raw_score = detection.raw_score;
    result.mapping = detection.mapping;
    result.map = detection.map;
    inspection.alarm = detection.anomalous;
    for (std::size_t i = 1; i < detectors_.size(); ++i) add_map(detectors_[i].detect(bgr_view(pixels)).map, result);
    if (masks_) rank_pixels(mask, inspection);
    if (!keep_maps_) result.map = {};
  }

  void rank_pixels(const cv::Mat& mask, Inspection& inspection) {
    const ImageResult& result = inspection.result;
    compare(result.map, result.mapping, result.size, mask, raster_, scores_);
    inspection.pixels.add_pixels(scores_.scores, scores_.mask, scores_.place.width);
  }

  static void add_map(const ScoreMap& map, ImageResult& result) {
    std::ranges::transform(result.map.values, map.values, result.map.values.begin(), std::plus());
    result.raw_score = static_cast<double>(std::ranges::max(result.map.values));
  }

  std::vector<Detector> detectors_;  // of the models whose maps are summed
  bool masks_;
  PixelRaster raster_;
  bool keep_maps_;
  int bits_;
  PixelScores scores_;
};

std::vector<Inspection> inspect_all(const DatasetClass& data, const std::shared_ptr<const Backbone>& backbone,
                                    const std::vector<Model>& models, const EvaluationSettings& settings) {
  std::vector<Inspection> inspections(data.test.size());
  Progress progress(data.name + ": test", "images", static_cast<std::int64_t>(data.test.size()));
  std::mutex mutex;
  std::int64_t done = 0;
  run_parallel(data.test.size(), thread_count(settings.threads), [&] {
    return [&, inspector = std::make_shared<Inspector>(backbone, models, settings, data.masks)](std::size_t i) {
      stop_where_interrupted();
      inspections[i] = inspector->inspect(data.test[i]);
      const std::lock_guard lock(mutex);
      progress.update(++done);
    };
  });
  return inspections;
}

void judge(std::vector<Inspection> inspections, Protocol protocol, ClassResult& result) {
  Ranking images;
  Ranking pixels;
  std::int64_t defect_pixels = 0;
  std::int64_t above_range = 0;
  for (Inspection& inspection : inspections) {
    const float score = static_cast<float>(inspection.result.raw_score);
    const bool anomalous = inspection.result.source.anomalous();
    anomalous ? images.add_defect({&score, 1}) : images.add_normal({&score, 1});
    result.alarms.false_alarms += inspection.alarm && !anomalous ? 1 : 0;
    above_range += inspection.above_range ? 1 : 0;
    result.alarms.missed += !inspection.alarm && anomalous ? 1 : 0;
    defect_pixels += inspection.defect_pixels;
    pixels.append(std::move(inspection.pixels));
    result.images.push_back(std::move(inspection.result));
  }
  if (above_range > 0) notice(result.name + ": " + tool::above_range(above_range, result.model.sample_bits));
  result.image = images.quality();
  result.pixel = pixels.quality();
  if (protocol == Protocol::official && defect_pixels > 0) {
    result.seen = static_cast<double>(result.pixel.anomalous) / static_cast<double>(defect_pixels);
  }
}

// Its test images are read as its training images are.
EvaluationSettings with_range_of(const DatasetClass& data, EvaluationSettings settings) {
  if (settings.fit.sample_bits > 0) return settings;
  const SampleRange range = find_sample_range(data.training);
  if (!range.reason.empty()) notice(data.name + ": " + to_string(range));
  settings.fit.sample_bits = range.bits;
  return settings;
}

}  // namespace

ClassResult evaluate(const DatasetClass& data, const std::shared_ptr<const Backbone>& backbone,
                     const EvaluationSettings& wanted) {
  const EvaluationSettings settings = with_range_of(data, wanted);
  ClassResult result;
  result.name = data.name;
  result.masks = data.masks;
  result.left_out = data.left_out;
  result.training = static_cast<std::int64_t>(data.training.size());
  Stopwatch watch;
  const std::vector<Model> models = fit_models(data, backbone, settings);
  result.fit_seconds = watch.restart_seconds();
  result.model = models.front().info();
  result.fusion = settings.fusion;
  const Calibration& calibration = result.model.calibration;
  if (calibration.rule != "none") result.threshold = calibration.threshold;
  judge(inspect_all(data, backbone, models, settings), settings.protocol, result);
  result.test_seconds = watch.restart_seconds();
  return result;
}

std::string to_string(Fusion fusion) { return fusion == Fusion::concatenate ? "concatenate" : "sum"; }

std::string to_string(Protocol protocol) { return protocol == Protocol::official ? "official" : "reference"; }

}  // namespace padim::tool
