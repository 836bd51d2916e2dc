// Opening a backbone: files, device and precision are chosen here; the engines execute.

#include "padim/backbone.h"

#include <utility>

#include "backbone/device.h"
#include "backbone/engines.h"
#include "backbone/network.h"
#include "backbone/network_backbone.h"
#include "backbone/search.h"
#include "base/logging.h"
#include "base/stopwatch.h"
#include "base/weak_pool.h"
#include "padim/error.h"

namespace padim {
namespace {

bool computes_in_bfloat16(const std::string& device) {
  if (device != "cpu") return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

Precision resolve_precision(Precision wanted, const std::string& device) {
  if (wanted != Precision::automatic) return wanted;
  return computes_in_bfloat16(device) ? Precision::bfloat16 : Precision::float32;
}

std::shared_ptr<const Backbone> make_backbone(Network network, const std::string& device, Precision precision) {
  EngineMaker make = engine_maker(network, device, precision);
  auto shared = std::make_shared<const Network>(std::move(network));
  return make_network_backbone(std::move(shared), device, precision, std::move(make));
}

// Two backbones are the same when their files are: same inode content means same path, size and time of change.
std::string identity(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(path, ignored);
  const auto time = std::filesystem::last_write_time(path, ignored).time_since_epoch().count();
  return canonical.string() + "|" + std::to_string(std::filesystem::file_size(path, ignored)) + "|" +
         std::to_string(time);
}

}  // namespace

std::shared_ptr<const Backbone> open_backbone(const BackboneOptions& options) {
  static WeakPool<const Backbone> pool;  // so that several detectors share one set of weights
  const BackboneFiles files = find_backbone_files(options);
  const BackboneDescription description = read_description(files, options.name);
  const std::string device = resolve_device(options.device);
  const Precision precision = resolve_precision(options.precision, device);
  const std::string key = (files.description.empty() ? options.name : identity(files.description)) + "|" +
                          identity(files.weights) + "|" + device + "|" + to_string(precision);
  return pool.get(key, [&] {
    Stopwatch watch;
    auto opened = make_backbone(read_network(description, files.weights), device, precision);
    log(LogLevel::info, [&] {
      return "backbone '" + options.name + "' opened from '" + files.weights.string() + "', on " + device + " in " +
             to_string(precision) + ", in " + short_text(watch.lap()) + " ms";
    });
    return opened;
  });
}

std::string to_string(Precision precision) {
  return precision == Precision::float32 ? "float32" : precision == Precision::bfloat16 ? "bfloat16" : "auto";
}

Precision parse_precision(const std::string& name) {
  for (const Precision precision : {Precision::automatic, Precision::float32, Precision::bfloat16}) {
    if (name == to_string(precision)) return precision;
  }
  throw Error(ErrorCode::invalid_argument, "precision '" + name + "' is unknown: use auto, float32 or bfloat16");
}

}  // namespace padim
