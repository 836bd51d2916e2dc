// A frame is judged among those around it, at least 8 and as many as fit into 256 embeddings, so that a long fit needs
// no more memory than a short one.

#include "fit/intake.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "fit/outliers.h"
#include "fit/stored_frames.h"

namespace padim {
namespace {

constexpr std::size_t kEmbeddings = 256;
constexpr std::size_t kLeastFrames = 16;

std::string title(const std::string& name, std::int64_t number) {
  return name.empty() ? "frame " + std::to_string(number) : name;
}

}  // namespace

void Intake::add(std::span<const float> embedding, Segments::Kind kind, About about) {
  if (kind == Segments::Kind::real) {
    frames_.emplace_back();
    frames_.back().about = std::move(about);
    frames_.back().number = seen_++;
  }
  frames_.back().embeddings.push_back(std::make_shared<const std::vector<float>>(embedding.begin(), embedding.end()));
}

bool Intake::full() const {
  return frames_.size() >= kLeastFrames && frames_.size() * frames_.front().embeddings.size() >= kEmbeddings;
}

void Intake::release(bool all, Segments& segments, const ModelInfo& info, Examination& examination, WorkerPool& pool) {
  examine(info, examination, pool);
  const std::size_t count = all ? frames_.size() : frames_.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (frames_[i].left_out) continue;
    auto kind = Segments::Kind::real;
    const auto copies = static_cast<int>(frames_[i].embeddings.size()) - 1;
    const double weight = share_of_copies(info.calibration.source, copies);
    for (const auto& embedding : frames_[i].embeddings) {
      segments.append(*embedding, std::exchange(kind, Segments::Kind::augmented), weight, pool);
    }
  }
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Intake::examine(const ModelInfo& info, Examination& examination, WorkerPool& pool) {
  EmbeddingSet set{info.positions.width * info.positions.height, info.dimensions, {}};
  for (const Frame& frame : frames_) set.frames.emplace_back(*frame.embeddings.front());
  const Eigen::MatrixXf distances = pairwise_distances(set, pool);
  if (info.calibration.source == SourceKind::stream) leave_out_repeats(distances, examination);
  leave_out_blanks(examination);
  judge_outliers(set, distances, info, examination, pool);
}

void Intake::leave_out_repeats(const Eigen::MatrixXf& distances, Examination& examination) {
  std::int64_t found = 0;
  for (const int i : repeated_frames(distances)) {
    if (std::exchange(frames_[static_cast<std::size_t>(i)].left_out, true)) continue;
    ++found;
  }
  if (found == 0) return;
  examination.repeats += found;
  log(LogLevel::warning, std::to_string(found) +
                             " frames show an earlier passage again, as a looped clip does: they are left out of the "
                             "fit, which would take the repetition for certainty");
}

// However many there are, unless they are most of what is shown: then they are the scene.
void Intake::leave_out_blanks(Examination& examination) {
  const auto blanks = std::ranges::count_if(frames_, [](const Frame& frame) { return frame.about.blank; });
  if (2 * static_cast<std::size_t>(blanks) >= frames_.size()) return;
  for (Frame& frame : frames_) {
    if (frame.about.blank && !frame.left_out) name_outlier(frame, "is blank", examination);
  }
}

void Intake::judge_outliers(const EmbeddingSet& all, const Eigen::MatrixXf& distances, const ModelInfo& info,
                            Examination& examination, WorkerPool& pool) {
  EmbeddingSet set{all.positions, all.dimensions, {}};
  std::vector<int> judged;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].left_out) continue;
    set.frames.push_back(all.frames[i]);
    judged.push_back(static_cast<int>(i));
  }
  const Outliers outliers = find_outliers(set, distances(judged, judged), info, pool);
  if (outliers.inconsistent && !std::exchange(examination.inconsistent, true)) {
    log(LogLevel::warning,
        "the frames of this fit do not agree with each other: more than 30 % of a passage are unlike the rest. All are "
        "kept; check that nothing but normal frames was shown");
  }
  for (std::size_t i = 0; i < outliers.frames.size(); ++i) {
    const int frame = judged[static_cast<std::size_t>(outliers.frames[i])];
    name_outlier(frames_[static_cast<std::size_t>(frame)],
                 "is unlike the other frames of the fit (score " + short_text(outliers.ratio[i]) + " times the median)",
                 examination);
  }
}

void Intake::name_outlier(Frame& frame, const std::string& how, Examination& examination) const {
  if (std::exchange(frame.named, true)) return;
  frame.left_out = policy_ == OutlierPolicy::drop;
  ++(frame.left_out ? examination.dropped : examination.kept);
  if (examination.outliers.size() < Examination::kListed) {
    examination.outliers.push_back({frame.number, frame.about.name, frame.left_out});
  }
  log(LogLevel::warning,
      title(frame.about.name, frame.number) + " " + how + ": it is " + (frame.left_out ? "left out" : "kept"));
}

}  // namespace padim
