// ThreadSanitizer sees what the C library's locks order. GLib's are futexes of its own, so that everything that
// GStreamer hands from one thread to another by them looks like a race. These functions take GLib's place for GStreamer
// and for the element, in builds with -Db_sanitize=thread: they call GLib's and say what is ordered. GLib's own use of
// its locks is bound inside of it and stays unseen.

#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void g_mutex_lock(GMutex* mutex) {
  static const auto lock = original<void(GMutex*)>("g_mutex_lock");
  lock(mutex);
  __tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex* mutex) {
  static const auto try_lock = original<gboolean(GMutex*)>("g_mutex_trylock");
  const gboolean locked = try_lock(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}

void g_mutex_unlock(GMutex* mutex) {
  static const auto unlock = original<void(GMutex*)>("g_mutex_unlock");
  __tsan_release(mutex);
  unlock(mutex);
}

void g_cond_wait(GCond* condition, GMutex* mutex) {
  static const auto wait = original<void(GCond*, GMutex*)>("g_cond_wait");
  __tsan_release(mutex);
  wait(condition, mutex);
  __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond* condition, GMutex* mutex, gint64 end_time) {
  static const auto wait = original<gboolean(GCond*, GMutex*, gint64)>("g_cond_wait_until");
  __tsan_release(mutex);
  const gboolean signalled = wait(condition, mutex, end_time);
  __tsan_acquire(mutex);
  return signalled;
}

// The last reference to go finds all that the others did. GObject counts with atomics that are not seen either.
void g_object_unref(gpointer object) {
  static const auto unref = original<void(gpointer)>("g_object_unref");
  __tsan_release(object);
  __tsan_acquire(object);
  unref(object);
}

void gst_object_unref(gpointer object) {
  static const auto unref = original<void(gpointer)>("gst_object_unref");
  __tsan_release(object);
  __tsan_acquire(object);
  unref(object);
}

}  // extern "C"
