#pragma once

#include <glib-object.h>

#include <functional>
#include <vector>

#include "padimsettings.h"

namespace padim::gst {

/// Everything a user sets. Only what reads and writes properties holds both.
struct Settings {
  FixedSettings fixed;
  LiveSettings live;

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// A property that reads and writes one member of Settings: one of `fixed` where it may change in READY only.
struct Property {
  GParamSpec* spec;  ///< owned by the class that it is installed in
  std::function<void(Settings&, const GValue*)> set;
  std::function<void(const Settings&, GValue*)> get;
};

/// Whether a change while the element is running waits for the next start.
[[nodiscard]] bool is_fixed(const Property& property);

/// Every writable property, defaults taken from Settings; the property id is the index plus 1. To be called once, by
/// class_init: it makes new GParamSpecs.
[[nodiscard]] std::vector<Property> make_properties();

}  // namespace padim::gst
