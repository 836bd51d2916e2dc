// A user's whole program: fits on the PPM pictures given, but for the last one, which it scores.
// fit_and_detect WEIGHTS NORMAL.ppm... INSPECTED.ppm
#include <padim/padim.h>

#include <fstream>
#include <iostream>

struct Picture {
  explicit Picture(const char* path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic, levels;
    file >> magic >> view.width >> view.height >> levels;
    file.ignore();
    pixels.resize(3UL * static_cast<unsigned long>(view.width) * static_cast<unsigned long>(view.height));
    file.read(pixels.data(), static_cast<std::streamsize>(pixels.size()));
    view.data[0] = reinterpret_cast<const std::uint8_t*>(pixels.data());
    view.stride[0] = 3L * view.width;
  }

  std::vector<char> pixels;
  padim::ImageView view;
};

int main(int count, char** arguments) try {
  const auto backbone = padim::open_backbone({.name = "tiny", .weights_file = arguments[1]});
  padim::Fitter fitter(backbone, {});
  for (int i = 2; i + 1 < count; ++i) fitter.add(Picture(arguments[i]).view);
  padim::Detector detector(backbone, fitter.finish());
  const auto& detection = detector.detect(Picture(arguments[count - 1]).view);
  std::cout << detection.score << (detection.anomalous ? " anomalous\n" : " normal\n");
} catch (const padim::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
