#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/backbone_options.h"
#include "commands/commands.h"
#include "commands/model_options.h"
#include "commands/within.h"
#include "eval/ablation.h"
#include "eval/evaluation.h"
#include "eval/figures.h"
#include "eval/mvtec_dataset.h"
#include "eval/pictures.h"
#include "eval/plots.h"
#include "eval/report.h"
#include "eval/results.h"
#include "io/file_io.h"
#include "padim/error.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim eval --data mvtec --save results
      every class by MVTec AD's protocol; open results/report.html
  padim eval --data mvtec --classes screw,bottle --search-radius 1
  padim eval --data mvtec --protocol reference
      the published implementation: ResNet18, 100 of 448 channels
  padim eval --data_path mvtec --save_path results --arch wide_resnet50_2 --protocol reference
      the same with its option names
  padim eval --data mvtec --protocol reference --ablation --save ablation
      which layers, and which dimensions: the two tables of the paper)";

constexpr char kReferenceBackbone[] = "resnet18";

struct EvalArguments {
  std::filesystem::path data;
  std::vector<std::string> classes;
  std::string protocol = to_string(Protocol::official);
  std::filesystem::path save;
  std::string fusion = to_string(Fusion::concatenate);
  bool ablation = false;
  bool no_pictures = false;
  BackboneArguments backbone;
  ModelArguments model;
};

// Where the published implementation differs from our defaults, it is followed in what the user did not ask for.
void follow_reference(const CLI::App& command, EvalArguments& arguments) {
  const auto open = [&](const char* option) { return command.count(option) == 0; };
  FitOptions& options = arguments.model.options;
  if (open("--backbone")) arguments.backbone.name = kReferenceBackbone;
  if (open("--precision")) arguments.backbone.precision = to_string(Precision::float32);
  if (open("--geometry")) arguments.model.geometry = to_string(GeometryMode::paper);
  const bool resnet = arguments.backbone.name == kReferenceBackbone || arguments.backbone.name == "wide_resnet50_2";
  if (!resnet) return;
  if (open("--grid")) arguments.model.grid = to_string(Grid::finest);
  if (open("--reduction")) arguments.model.reduction = to_string(ReductionKind::random);
  if (open("--dimensions")) options.dimensions = arguments.backbone.name == kReferenceBackbone ? 100 : 550;
  if (open("--epsilon") && open("--relative-epsilon")) options.epsilon = 0.01;
}

EvaluationSettings settings_of(const EvalArguments& arguments) {
  EvaluationSettings settings;
  settings.protocol = arguments.protocol == to_string(Protocol::reference) ? Protocol::reference : Protocol::official;
  settings.fusion = arguments.fusion == to_string(Fusion::sum) ? Fusion::sum : Fusion::concatenate;
  settings.fit = fit_options(arguments.model);
  settings.fit.source = SourceKind::images;
  settings.fit.threads = arguments.backbone.threads;
  if (settings.protocol == Protocol::reference) settings.fit.false_alarm_rate.reset();
  settings.threads = arguments.backbone.threads;
  settings.keep_maps = !arguments.save.empty() && !arguments.no_pictures;
  return settings;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void say_what_is_unseen(const ClassResult& result) {
  if (result.seen >= 1) return;
  char text[120];
  std::snprintf(text, sizeof text, ": geometry 'paper' crops %.1f %% of the defects' pixels away; they are not judged",
                100 * (1 - result.seen));
  notice(result.name + text);
}

// Numbers first: what comes later may fail.
void save_results(const std::filesystem::path& save, const EvaluationSummary& summary,
                  std::span<const ClassResult> results, const EvaluationSettings& settings) {
  write_results_json(save / "results.json", summary, results);
  write_results_csv(save / "results.csv", results);
  write_plots(results, save);
  if (!settings.keep_maps) return;
  std::vector<std::vector<ImagePicture>> pictures;
  for (const ClassResult& result : results) {
    pictures.push_back(write_pictures(result, settings.protocol, save, settings.threads));
  }
  write_report(save, summary, results, pictures);
}

void say_what_is_missing(const std::vector<DatasetClass>& data) {
  for (const DatasetClass& one : data) {
    for (const std::string& rest : one.left_out) notice(one.name + "/" + rest);
    if (!one.masks)
      notice(one.name + ": figures of images only, as there is no folder " + in_quotes(masks_of(one.folder)));
  }
}

std::vector<std::string> names_of(const std::vector<DatasetClass>& data) {
  std::vector<std::string> names;
  for (const DatasetClass& one : data) names.push_back(one.name);
  return names;
}

void evaluate_classes(const EvalArguments& arguments, const std::vector<DatasetClass>& data,
                      const std::shared_ptr<const Backbone>& backbone, const EvaluationSettings& settings) {
  const ResultTable table(names_of(data));
  std::vector<ClassResult> results;
  print(table.header());
  for (const DatasetClass& one : data) {
    results.push_back(evaluate(one, backbone, settings));
    print(table.row(results.back()));
    say_what_is_unseen(results.back());
  }
  if (results.size() > 1) print(table.mean_row(results));
  if (arguments.save.empty()) return;
  save_results(arguments.save, {arguments.data.string(), settings.protocol, backbone->info()}, results, settings);
}

// Each line is the mean over the classes.
void evaluate_configurations(const EvalArguments& arguments, const std::vector<DatasetClass>& data,
                             const std::shared_ptr<const Backbone>& backbone, const EvaluationSettings& settings) {
  const std::vector<Configuration> configurations = ablation(settings, backbone->info());
  std::vector<std::string> names;
  for (const Configuration& configuration : configurations) names.push_back(configuration.name);
  const ResultTable table(names);
  std::vector<ConfigurationResults> all;
  print(table.header());
  for (const Configuration& configuration : configurations) {
    if (all.empty() || all.back().table != configuration.table) print(configuration.table + "\n");
    ConfigurationResults& current = all.emplace_back(ConfigurationResults{configuration.table, configuration.name, {}});
    for (const DatasetClass& one : data) current.results.push_back(evaluate(one, backbone, configuration.settings));
    print(table.mean_row(current.results, configuration.name));
  }
  if (arguments.save.empty()) return;
  write_ablation(arguments.save, {arguments.data.string(), settings.protocol, backbone->info()}, all);
}

void prepare_save(const std::filesystem::path& save, const std::vector<DatasetClass>& data) {
  for (const DatasetClass& one : data) keep_apart(save, files_of(one), "--save");
  prepare_folder(save);
}

int run_eval(const EvalArguments& arguments) {
  const std::vector<DatasetClass> data = open_dataset(arguments.data, arguments.classes);
  say_what_is_missing(data);
  const EvaluationSettings settings = settings_of(arguments);
  const auto backbone = open_backbone(backbone_options(arguments.backbone, BackboneOptions{}.name, arguments.data));
  if (!arguments.save.empty()) prepare_save(arguments.save, data);
  (arguments.ablation ? evaluate_configurations : evaluate_classes)(arguments, data, backbone, settings);
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand("eval", "measure the quality on a data set with ground truth");
  command->footer(kExamples);
  command
      ->add_option("--data,--data_path", arguments->data,
                   "data set in MVTec AD's layout: CLASS/train/good, CLASS/test/DEFECT, CLASS/ground_truth/DEFECT")
      ->required()
      ->type_name("DIR");
  command->add_option("--classes", arguments->classes, "separated by commas, or all")
      ->delimiter(',')
      ->default_str("all")
      ->type_name("NAMES");
  command
      ->add_option("--protocol", arguments->protocol,
                   "official: MVTec AD's, at full resolution; reference: the published implementation's")
      ->check(CLI::IsMember({"official", "reference"}))
      ->capture_default_str();
  command->add_option("--save,--save_path", arguments->save, "folder for results, curves, pictures and report.html")
      ->type_name("DIR");
  add_model_options(*command, arguments->model);
  command
      ->add_option("--fusion", arguments->fusion,
                   "one model of all taps, or one model per tap and the sum of their score maps")
      ->check(CLI::IsMember({"concatenate", "sum"}))
      ->capture_default_str()
      ->group(kModelGroup);
  command->add_flag("--no-pictures", arguments->no_pictures, "save figures and curves only: no pictures, no report");
  auto* ablation = command->add_flag(
      "--ablation", arguments->ablation,
      "compare configurations: each tap alone, their sum, all together; 100 and 200 dimensions, random and pca");
  for (const char* option : {"--taps", "--reduction", "--dimensions", "--fusion"}) {
    ablation->excludes(command->get_option(option));
  }
  arguments->model.options.false_alarm_rate = kImageFalseAlarmRate;
  command
      ->add_option("--false-alarm-rate", arguments->model.options.false_alarm_rate,
                   "wanted share of normal images above the label-free threshold")
      ->default_val(kImageFalseAlarmRate)
      ->check(within(kFalseAlarmRate));
  add_backbone_options(*command, arguments->backbone, "efficientnet_lite0; resnet18 by the reference protocol",
                       "--backbone,--arch");
  command->callback([arguments, command, &status] {
    if (arguments->classes == std::vector<std::string>{"all"}) arguments->classes.clear();
    if (arguments->protocol == to_string(Protocol::reference)) follow_reference(*command, *arguments);
    status = run_eval(*arguments);
  });
}

}  // namespace padim::tool
