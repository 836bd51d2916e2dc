#include "neighbours.h"

#include <string>

#include "gst-common/owned.h"

namespace padim::gst {
namespace {

Owned<GstObject> pipeline_of(GstElement* element) {
  Owned<GstObject> top(GST_OBJECT(gst_object_ref(element)));
  while (GstObject* parent = gst_object_get_parent(top.get())) top.reset(parent);
  return top;
}

void note_location(const GValue* item, gpointer roles) {
  GObject* element = G_OBJECT(g_value_get_object(item));
  const GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "location");
  if (spec == nullptr || spec->value_type != G_TYPE_STRING || (spec->flags & G_PARAM_READABLE) == 0) return;
  gchar* location = nullptr;
  g_object_get(element, "location", &location, nullptr);
  const Owned<gchar> owned(location);
  if (location == nullptr) return;
  const Owned<gchar> name(gst_object_get_name(GST_OBJECT(element)));
  static_cast<FileRoles*>(roles)->reads(location, std::string("the file of element '") + name.get() + "'");
}

}  // namespace

FileRoles roles_of_neighbours(GstElement* element) {
  FileRoles roles;
  const Owned<GstObject> top = pipeline_of(element);
  if (!GST_IS_BIN(top.get())) return roles;
  const Owned<GstIterator> elements(gst_bin_iterate_recurse(GST_BIN(top.get())));
  while (gst_iterator_foreach(elements.get(), note_location, &roles) == GST_ITERATOR_RESYNC) {
    gst_iterator_resync(elements.get());
  }
  return roles;
}

}  // namespace padim::gst
