#include "backbonefactory.h"

#include <mutex>
#include <utility>

namespace padim::gst {
namespace {

std::mutex factory_mutex;  // guards current_factory; never held while it runs
BackboneFactory current_factory;

}  // namespace

void set_backbone_factory(BackboneFactory factory) {
  const std::lock_guard lock(factory_mutex);
  current_factory = std::move(factory);
}

std::shared_ptr<const Backbone> make_backbone(const BackboneOptions& options) {
  BackboneFactory factory;
  {
    const std::lock_guard lock(factory_mutex);
    factory = current_factory;
  }
  return factory ? factory(options) : open_backbone(options);
}

}  // namespace padim::gst
