#include "commands/model_options.h"

#include <sstream>
#include <string>

#include <CLI/CLI.hpp>

#include "commands/source_options.h"
#include "commands/within.h"
#include "io/image_source.h"

namespace padim::tool {

void add_model_options(CLI::App& command, ModelArguments& arguments) {
  const std::string group = kModelGroup;
  FitOptions& options = arguments.options;
  command.add_option("--taps", arguments.taps, "of the backbone's feature maps, e.g. layer1,layer2; else all of them")
      ->type_name("NAME,...")
      ->group(group);
  command.add_option("--grid", arguments.grid, "patch positions: of the coarsest or of the finest tap")
      ->check(CLI::IsMember({"coarsest", "finest"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--search-radius", options.search_radius, "positions that a part may be away from its place")
      ->check(within(kSearchRadius))
      ->capture_default_str()
      ->group(group);
  command.add_option("--reduction", arguments.reduction, "how channels become embedding dimensions")
      ->check(CLI::IsMember({"none", "random", "semi-orthogonal", "pca"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--dimensions", options.dimensions, "of every reduction but none")
      ->check(within(kDimensions))
      ->capture_default_str()
      ->group(group);
  command.add_option("--seed", options.seed, "of --reduction random and semi-orthogonal")
      ->check(within(kSeed))
      ->capture_default_str()
      ->group(group);
  auto* absolute = command.add_option("--epsilon", options.epsilon, "added to every variance")
                       ->check(within(kEpsilon))
                       ->group(group);
  command.add_option("--relative-epsilon", options.relative_epsilon, "the same as a fraction of the mean variance")
      ->check(within(kEpsilon))
      ->excludes(absolute)
      ->group(group);
  command
      .add_option("--prior", options.prior,
                  "frames that the covariance pooled over all positions weighs as [the backbone's recommendation]")
      ->check(within(kPrior))
      ->group(group);
  command.add_option("--geometry", arguments.geometry, "the whole frame, or the published resize 256, crop 224")
      ->check(CLI::IsMember({"full", "paper"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--input-size", arguments.input_size, "of the network, e.g. 320x240; else chosen to fit the frame")
      ->type_name("WxH")
      ->group(group);
  command
      .add_option("--roi", arguments.roi,
                  "the part that is looked at, in pixels of the first frame or in fractions of it; else all of it")
      ->type_name("X,Y,W,H")
      ->group(group);
  add_bits_option(command, options.sample_bits)->default_str("by all pictures")->group(group);
  command.add_option("--mask", arguments.mask, "picture of a whole frame whose dark places are ignored")
      ->type_name("IMAGE")
      ->group(group);
}

FitOptions fit_options(const ModelArguments& arguments) {
  FitOptions options = arguments.options;
  options.grid = parse_grid(arguments.grid);
  options.reduction = parse_reduction(arguments.reduction);
  options.geometry = parse_geometry(arguments.geometry);
  options.input_size = parse_size(arguments.input_size);
  std::istringstream names(arguments.taps);
  for (std::string name; std::getline(names, name, ',');) options.taps.push_back(name);
  options.roi = parse_roi(arguments.roi);
  if (!arguments.mask.empty()) options.mask = read_mask(arguments.mask);
  return options;
}

}  // namespace padim::tool
