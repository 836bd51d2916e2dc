#pragma once

#include <gst/gst.h>

#include <memory>

namespace padim::gst {

struct Unref {
  void operator()(GstBuffer* buffer) const noexcept { gst_buffer_unref(buffer); }
  void operator()(GstBus* bus) const noexcept { gst_object_unref(bus); }
  void operator()(GstCaps* caps) const noexcept { gst_caps_unref(caps); }
  void operator()(GstElement* element) const noexcept { gst_object_unref(element); }
  void operator()(GstElementFactory* factory) const noexcept { gst_object_unref(factory); }
  void operator()(GstIterator* iterator) const noexcept { gst_iterator_free(iterator); }
  void operator()(GstMessage* message) const noexcept { gst_message_unref(message); }
  void operator()(GstObject* object) const noexcept { gst_object_unref(object); }
  void operator()(GstPad* pad) const noexcept { gst_object_unref(pad); }
  void operator()(GstQuery* query) const noexcept { gst_query_unref(query); }
  void operator()(GstSample* sample) const noexcept { gst_sample_unref(sample); }
  void operator()(GError* error) const noexcept { g_error_free(error); }
  void operator()(gchar* text) const noexcept { g_free(text); }
};

/// One reference, given back when this goes out of scope.
template <class Object>
using Owned = std::unique_ptr<Object, Unref>;

}  // namespace padim::gst
