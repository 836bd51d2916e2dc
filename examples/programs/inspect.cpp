// Fits on all pictures but the last, then inspects that one: inspect good1.png good2.png ... part.png

#include <padim/padim.h>

#include <iostream>
#include <opencv2/imgcodecs.hpp>

padim::ImageView view_of(const cv::Mat& bgr) {
  return {padim::PixelFormat::bgr, bgr.cols, bgr.rows, {bgr.data}, {static_cast<std::ptrdiff_t>(bgr.step[0])}};
}

int main(int argc, char** argv) try {
  padim::BackboneOptions network;
  network.search_path = {"models"};
  const auto backbone = padim::open_backbone(network);
  padim::Fitter fitter(backbone, {.source = padim::SourceKind::images});
  for (int i = 1; i < argc - 1; ++i) fitter.add(view_of(cv::imread(argv[i])));
  padim::Detector detector(backbone, fitter.finish());
  const auto& found = detector.detect(view_of(cv::imread(argv[argc - 1])));
  std::cout << found.score << (found.anomalous ? " anomalous\n" : " normal\n");
} catch (const padim::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
