// A model that is loaded is memory of the process: what becomes of its file changes no score. Only what a fit needs to
// go on is still in the file, as it was or not at all.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "padim/model.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

namespace fs = std::filesystem;

Model fitted(int first) {
  Fitter fitter(backbone(), options());
  add(fitter, first, first + 20);
  return fitter.finish();
}

const Model& model() {
  static const Model instance = fitted(0);
  return instance;
}

const Model& other() {
  static const Model instance = fitted(9);
  return instance;
}

// Over the old bytes in the same file, as cp, scp and editors do.
void overwrite(const fs::path& path, const std::string& bytes) {
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
}

std::vector<float> scores(const Model& of) {
  Detector detector(backbone(), of);
  std::vector<float> all;
  for (int i = 0; i < 3; ++i) {
    const auto& map = detector.detect(view_of(picture(i))).map.values;
    all.insert(all.end(), map.begin(), map.end());
  }
  return all;
}

bool equal(std::span<const float> a, std::span<const float> b) { return std::ranges::equal(a, b); }

class LoadedModel : public testing::Test {
 protected:
  fs::path saved(const Model& which, const std::string& name = "part.padim") {
    which.save(folder_ / name);
    return folder_ / name;
  }

  struct Mishap {
    const char* name;
    std::function<void(const fs::path&)> happen;
    bool file_is_lost;  // as opposed to its name
  };
  std::vector<Mishap> mishaps() {
    const std::string another = read_bytes(saved(other(), "other.padim"));
    return {
        {"removed", [](const fs::path& path) { fs::remove(path); }, false},
        {"renamed", [](const fs::path& path) { fs::rename(path, path.string() + "2"); }, false},
        {"replaced", [this](const fs::path& path) { fs::rename(saved(other(), "new.padim"), path); }, false},
        {"written again", [](const fs::path& path) { overwrite(path, read_bytes(path)); }, false},
        {"emptied", [](const fs::path& path) { fs::resize_file(path, 0); }, true},
        {"cut", [](const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); }, true},
        {"one byte shorter", [](const fs::path& path) { fs::resize_file(path, fs::file_size(path) - 1); }, true},
        {"overwritten", [=](const fs::path& path) { overwrite(path, another); }, true},
        {"copied over", [=](const fs::path& path) { write_bytes(path, another); }, true},
        {"longer", [](const fs::path& path) { std::ofstream(path, std::ios::app) << "x"; }, false},
        {"another header", [](const fs::path& path) { overwrite(path, "x"); }, false},
    };
  }

  ScratchFolder folder_;
};

// The same bits from models that were loaded, are in use and are stripped, whatever happens to the file.
TEST_F(LoadedModel, ScoresTheSameWhateverHappensToItsFile) {
  const auto expected = scores(model());
  for (const Mishap& mishap : mishaps()) {
    SCOPED_TRACE(mishap.name);
    const auto path = saved(model());
    const Model loaded = Model::load(path);
    Detector in_use(backbone(), loaded);
    mishap.happen(path);
    EXPECT_EQ(scores(loaded), expected);
    EXPECT_TRUE(equal(in_use.detect(view_of(picture(0))).map.values, std::span(expected).first(expected.size() / 3)));
    loaded.stripped().save(folder_ / "stripped.padim");
    EXPECT_EQ(scores(Model::load(folder_ / "stripped.padim")), expected);
  }
}

// A fit goes on from what was loaded, or not at all, and says why.
TEST_F(LoadedModel, GoesOnFromTheFileAsItWasOrNotAtAll) {
  for (const Mishap& mishap : mishaps()) {
    SCOPED_TRACE(mishap.name);
    const auto path = saved(model());
    const Model loaded = Model::load(path);
    mishap.happen(path);
    EXPECT_TRUE(loaded.resumable());
    if (mishap.file_is_lost) {
      const auto refused = [&](const std::function<void()>& use) {
        const auto sentence = expect_error(ErrorCode::cannot_read, {path.string()}, use);
        EXPECT_TRUE(sentence.find("load it again") != std::string::npos ||
                    sentence.find("try again") != std::string::npos)
            << sentence;
      };
      refused([&] { Fitter(backbone(), loaded, options()); });
      refused([&] { (void)loaded.comoment(); });
      refused([&] { loaded.save(folder_ / "again.padim"); });
      EXPECT_FALSE(fs::exists(folder_ / "again.padim"));
    } else {
      Fitter fitter(backbone(), loaded, options());
      EXPECT_TRUE(equal(loaded.comoment(), model().comoment()));
      loaded.save(path);
      EXPECT_EQ(read_bytes(path), read_bytes(saved(model(), "expected.padim")));
    }
  }
}

// What has been read for a fit is as private as the rest.
TEST_F(LoadedModel, KeepsWhatAFitHasAskedFor) {
  for (const Mishap& mishap : mishaps()) {
    SCOPED_TRACE(mishap.name);
    const auto path = saved(model());
    const Model loaded = Model::load(path);
    const auto comoment = loaded.comoment();
    mishap.happen(path);
    EXPECT_TRUE(equal(comoment, model().comoment()));
    loaded.save(folder_ / "again.padim");
    EXPECT_EQ(read_bytes(folder_ / "again.padim"), read_bytes(saved(model(), "expected.padim")));
  }
}

// While somebody writes, loading gives one of the models that were ever there, or says that there is none.
TEST_F(LoadedModel, IsNeverAMixture) {
  const std::string both[] = {read_bytes(saved(other())), read_bytes(saved(model()))};
  const auto path = folder_ / "part.padim";
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (std::size_t i = 0; !over; ++i) {
      overwrite(path, both[i % 2]);
      fs::resize_file(path, both[i % 2].size());
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  int loads = 0;
  for (int i = 0; i < 300; ++i) {
    try {
      const Model loaded = Model::load(path);
      const Model& expected = loaded.id() == model().id() ? model() : other();
      EXPECT_EQ(loaded.id(), expected.id());
      EXPECT_EQ(loaded.info(), expected.info());
      EXPECT_TRUE(equal(loaded.mean(), expected.mean()));
      EXPECT_TRUE(std::ranges::equal(loaded.whitener(), expected.whitener()));
      ++loads;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
  over = true;
  writer.join();
  EXPECT_GT(loads, 0);
}

// The same model is in memory once, under whatever name it was loaded; another one is not taken for it.
TEST_F(LoadedModel, IsInMemoryOnce) {
  const auto path = saved(model());
  fs::copy_file(path, folder_ / "copy.padim");
  const Model first = Model::load(path);
  EXPECT_EQ(Model::load(path).whitener().data(), first.whitener().data());
  EXPECT_EQ(Model::load(folder_ / "copy.padim").mean().data(), first.mean().data());
  overwrite(path, read_bytes(saved(other(), "other.padim")));
  const Model second = Model::load(path);
  EXPECT_EQ(second.id(), other().id());
  EXPECT_EQ(first.id(), model().id());
  EXPECT_TRUE(std::ranges::equal(first.whitener(), model().whitener()));
}

// Several threads may ask for what a fit needs.
TEST_F(LoadedModel, MayBeAskedByThreads) {
  const Model loaded = Model::load(saved(model()));
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { same += equal(loaded.comoment(), model().comoment()) ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, 4);
}

}  // namespace
}  // namespace padim::test
