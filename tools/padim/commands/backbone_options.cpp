#include "commands/backbone_options.h"

#include <CLI/CLI.hpp>

#include "commands/within.h"
#include "gst-common/backbonefolders.h"

namespace padim::tool {

void add_backbone_options(CLI::App& command, BackboneArguments& arguments, const std::string& fallback,
                          const std::string& names) {
  const std::string group = "Backbone";
  command.add_option(names, arguments.name, "efficientnet_lite0, resnet18, wide_resnet50_2 or your own")
      ->default_str(fallback)
      ->type_name("NAME")
      ->group(group);
  command
      .add_option("--backbone-file", arguments.weights_file,
                  "its weights; else NAME.safetensors beside the model, then in $PADIM_BACKBONES")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--device", arguments.device, "cpu, cuda, cuda:N or auto")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  command.add_option("--precision", arguments.precision, "auto takes bfloat16 where the processor computes in it")
      ->check(CLI::IsMember({"auto", "float32", "bfloat16"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--threads", arguments.threads,
                  "processor threads, -1: all cores for a fit, one for a frame to score")
      ->check(within(kThreads))
      ->capture_default_str()
      ->group(group);
}

BackboneOptions backbone_options(const BackboneArguments& arguments, const std::string& fallback,
                                 const std::filesystem::path& model_file) {
  BackboneOptions options;
  options.name = arguments.name.empty() ? fallback : arguments.name;
  options.weights_file = arguments.weights_file;
  options.device = arguments.device;
  options.precision = parse_precision(arguments.precision);
  options.search_path = gst::backbone_folders(model_file);
  return options;
}

}  // namespace padim::tool
