#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>

#include "backbonefactory.h"
#include "gstpadimfilter.h"
#include "support/fake_backbone.h"

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  padim::gst::set_backbone_factory(
      [](const padim::BackboneOptions& options) { return std::make_shared<padim::test::FakeBackbone>(options.name); });
  if (!gst_padim_filter_register(nullptr)) return 1;
  const int failed = RUN_ALL_TESTS();
  gst_deinit();  // the leak tracer reports here
  return failed;
}
