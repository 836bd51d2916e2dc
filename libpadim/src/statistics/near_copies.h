#pragma once

#include <vector>

#include <Eigen/Core>

#include "base/worker_pool.h"
#include "statistics/embedding_set.h"

namespace padim {

/// Euclidean distances between whole embeddings, [n, n], symmetric.
[[nodiscard]] Eigen::MatrixXf pairwise_distances(const EmbeddingSet& embeddings, WorkerPool& pool);

/// Per frame, the frames that are nearly copies of it (the same picture twice, or with a little other light), rising:
/// nearer than half the distance of its k-th nearest, k = max(4, n / 6), at most n / 4 of them.
[[nodiscard]] std::vector<std::vector<int>> near_copies(const Eigen::MatrixXf& distances);

/// The same among separate images, which may be many variants of few pictures: where the distances to an image, sorted,
/// leap to twice as far within its nearest half, all before the leap are copies, too. Among natural images they rise by
/// steps of 1.3 at most; frames of a stream leap, as what they show comes and goes.
[[nodiscard]] std::vector<std::vector<int>> copied_images(const Eigen::MatrixXf& distances);

/// Frames of a stream that show an earlier passage again, as a looped clip does, rising: at least max(2, n / 8) frames
/// later, nearer to it than half the median distance between frames and than half the lower decile of the steps, a step
/// being a frame's distance to the nearest of the two before and the two after it. None where they are fewer than a
/// tenth of all, or do not follow each other as the earlier ones did.
[[nodiscard]] std::vector<int> repeated_frames(const Eigen::MatrixXf& distances);

}  // namespace padim
