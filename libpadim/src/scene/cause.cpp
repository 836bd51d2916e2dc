#include "scene/cause.h"

namespace padim {
namespace {

std::string blank_sentence(const std::string& colour) {
  return "A " + colour + " frame would not be reported by its score; it is reported as a changed scene instead.";
}

}  // namespace

std::string to_string(SceneCause cause) {
  switch (cause) {
    case SceneCause::black:
      return "black";
    case SceneCause::white:
      return "white";
    case SceneCause::frozen:
      return "frozen";
    case SceneCause::covered:
      return "covered";
    case SceneCause::defocused:
      return "defocused";
    case SceneCause::light:
      return "light";
    case SceneCause::moved:
      return "moved";
    default:
      return "none";
  }
}

std::string what_to_do(SceneCause cause) {
  switch (cause) {
    case SceneCause::black:
      return "the picture is black: look at the camera, its cable, and the light";
    case SceneCause::white:
      return "the picture is white: look at the camera's exposure, and for light that shines into it";
    case SceneCause::frozen:
      return "the same picture comes again and again: look at the camera and at the connection to it";
    case SceneCause::covered:
      return "the picture has lost its contrast: look for what covers or fogs the camera";
    case SceneCause::defocused:
      return "the picture is less sharp than the fitted ones: focus the camera and clean its lens, or fit again";
    case SceneCause::light:
      return "the light or the exposure is not that of the fit: restore it, or learn the new one, or fit again";
    case SceneCause::moved:
      return "the camera has moved, or something large stays in view: put it back, or learn the new view, or fit again";
    default:
      return "";
  }
}

std::string blank_sentences(const SceneReference& scene) {
  std::string sentences;
  if (!scene.black_found && scene.appearance.least.luma > 0) sentences = blank_sentence("black");
  if (!scene.white_found && scene.appearance.most.luma < 255) {
    sentences += (sentences.empty() ? "" : " ") + blank_sentence("white");
  }
  return sentences;
}

std::string footage_sentences(const SceneReference& scene, std::int64_t frames) {
  if (frames > 1 && scene.longest_still + 1 >= frames) {
    return "All frames of the fit show the very same picture: is the camera running, and is this the scene?";
  }
  constexpr double kDark = 5;
  constexpr double kGlaring = 250;
  if (scene.appearance.most.luma < kDark) return "All frames of the fit are black: is the camera covered?";
  if (scene.appearance.least.luma > kGlaring) return "All frames of the fit are white: is the exposure right?";
  return "";
}

}  // namespace padim
