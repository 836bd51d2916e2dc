#pragma once

#include <cstdint>
#include <string>

#include "padim/scene.h"

namespace padim {

/// For people: which blank frames a model does not report by their score, a sentence each, separated by a space; empty
/// where there are none. Blank frames that were fitted are normal, and not spoken of.
[[nodiscard]] std::string blank_sentences(const SceneReference& scene);

/// What is wrong with the footage of a fit of so many frames as a whole: one picture all the time, black, white. Empty
/// where nothing is.
[[nodiscard]] std::string footage_sentences(const SceneReference& scene, std::int64_t frames);

}  // namespace padim
