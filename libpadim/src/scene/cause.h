#pragma once

#include <string>

#include "padim/scene.h"

namespace padim {

/// For people: which blank frames a model does not report by their score, a sentence each, separated by a space; empty
/// where there are none. Blank frames that were fitted are normal, and not spoken of.
[[nodiscard]] std::string blank_sentences(const SceneReference& scene);

}  // namespace padim
