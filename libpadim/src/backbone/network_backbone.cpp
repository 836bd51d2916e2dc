#include "backbone/network_backbone.h"

#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace padim {
namespace {

BackboneInfo describe(const Network& network, const std::string& device, Precision precision) {
  const BackboneDescription& d = network.description;
  return {d.name, network.weights_sha256, d.taps, network.parameters, d.epsilon, d.epsilon_is_relative, d.prior,
          device, to_string(precision)};
}

/// The parts of a backbone that are in use, so that all who ask for the same part share its weights. Thread-safe.
class Parts {
 public:
  enum class Kept { taps, last_tap_channels };

  /// The part with these taps or channels; make() makes it where nobody has it.
  template <class Make>
  std::shared_ptr<const Backbone> get(Kept kept, std::span<const int> indices, const Make& make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(parts_, [](const auto& part) { return part.second.expired(); });
    std::weak_ptr<const Backbone>& part = parts_[{kept, std::vector(indices.begin(), indices.end())}];
    std::shared_ptr<const Backbone> shared = part.lock();
    if (!shared) part = shared = make();
    return shared;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<Kept, std::vector<int>>, std::weak_ptr<const Backbone>> parts_;
};

class NetworkBackbone final : public Backbone, public std::enable_shared_from_this<NetworkBackbone> {
 public:
  NetworkBackbone(std::shared_ptr<const Network> network, const std::string& device, Precision precision,
                  EngineMaker make)
      : network_(std::move(network)),
        info_(describe(*network_, device, precision)),
        precision_(precision),
        make_(std::move(make)),
        engine_(make_(network_)) {}

  [[nodiscard]] const BackboneInfo& info() const override { return info_; }

  [[nodiscard]] std::shared_ptr<const Backbone> with_taps(std::span<const int> taps) const override {
    if (taps.size() == info_.taps.size()) return shared_from_this();
    return parts_.get(Parts::Kept::taps, taps, [&] { return part(padim::with_taps(*network_, taps)); });
  }

  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const override {
    if (static_cast<int>(channels.size()) == info_.taps.back().channels) return shared_from_this();
    return parts_.get(Parts::Kept::last_tap_channels, channels,
                      [&] { return part(with_last_channels(*network_, channels)); });
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    engine_->run(images, batch, height, width, taps, threads);
  }

 private:
  [[nodiscard]] std::shared_ptr<const Backbone> part(Network network) const {
    auto shared = std::make_shared<const Network>(std::move(network));
    return make_network_backbone(std::move(shared), info_.device, precision_, make_);
  }

  std::shared_ptr<const Network> network_;
  BackboneInfo info_;
  Precision precision_;
  EngineMaker make_;
  std::unique_ptr<const Engine> engine_;
  mutable Parts parts_;
};

}  // namespace

std::shared_ptr<const Backbone> make_network_backbone(std::shared_ptr<const Network> network, const std::string& device,
                                                      Precision precision, EngineMaker make) {
  return std::make_shared<NetworkBackbone>(std::move(network), device, precision, std::move(make));
}

}  // namespace padim
