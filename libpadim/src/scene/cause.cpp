#include "scene/cause.h"

#include <algorithm>

namespace padim {
namespace {

constexpr double kBlack = 5;  // luma
constexpr double kWhite = 250;
constexpr double kFlat = 1;      // contrast
constexpr double kFarBelow = 2;  // a picture by so much darker than any fitted one is dark even after a dark fit

std::string blank_sentence(const std::string& colour) {
  return "A " + colour + " frame would not be reported by its score; it is reported as a changed scene instead.";
}

}  // namespace

SceneCause blank_cause(const Appearance& now, const std::optional<SceneReference>& reference) {
  const AppearanceRange fitted = reference ? reference->appearance : AppearanceRange{};
  if (now.luma < std::min(kBlack, fitted.least.luma / kFarBelow)) return SceneCause::black;
  if (now.luma > std::max(kWhite, 255 - (255 - fitted.most.luma) / kFarBelow)) return SceneCause::white;
  return now.contrast < std::min(kFlat, fitted.least.contrast / kFarBelow) ? SceneCause::covered : SceneCause::none;
}

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
  if (scene.appearance.most.luma < kBlack) return "All frames of the fit are black: is the camera covered?";
  if (scene.appearance.least.luma > kWhite) return "All frames of the fit are white: is the exposure right?";
  return "";
}

}  // namespace padim
