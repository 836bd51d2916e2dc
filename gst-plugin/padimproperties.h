#pragma once

#include <glib-object.h>

#include <functional>
#include <vector>

#include "padimsettings.h"

namespace padim::gst {

/// A property that reads and writes one member of Settings.
struct Property {
  GParamSpec* spec;  ///< owned by the class that it is installed in
  std::function<void(Settings&, const GValue*)> set;
  std::function<void(const Settings&, GValue*)> get;
};

/// Every writable property, defaults taken from Settings; the property id is the index plus 1. To be called once, by
/// class_init: it makes new GParamSpecs.
[[nodiscard]] std::vector<Property> make_properties();

}  // namespace padim::gst
