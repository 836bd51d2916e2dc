// A model on the disk: read back as written, refused with the cause where it is not what it should be, and never lost
// by a save that fails or is killed.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iomanip>
#include <iterator>
#include <new>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/safetensors.h"
#include "base/sha256.h"
#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "padim/log.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Model fitted(int first, int frames) {
  Fitter fitter(backbone(), options());
  add(fitter, first, first + frames);
  return fitter.finish();
}

const Model& model() {
  static const Model instance = fitted(0, 20);
  return instance;
}

// A saved model taken apart, so that a test can change one thing and sign the rest again.
struct Parts {
  explicit Parts(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof(length));
    header = Json::parse(bytes.substr(8, length));
    data = bytes.substr(8 + length, bytes.size() - 8 - length - sizeof(Digest));
  }

  [[nodiscard]] Json description() const { return Json::parse(header["__metadata__"]["model"].get<std::string>()); }

  [[nodiscard]] std::string bytes(const std::string& text) const {
    std::string all(8, '\0');
    const std::uint64_t length = text.size();
    std::memcpy(all.data(), &length, sizeof(length));
    all += text + data;
    const Digest digest = sha256(std::as_bytes(std::span(all)));
    all.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    return all;
  }

  // The header padded as the format wants it, so that the tensors stay aligned.
  [[nodiscard]] std::string bytes() const {
    std::string text = header.dump();
    text.append((64 - (text.size() + 8) % 64) % 64, ' ');
    return bytes(text);
  }

  Json header;
  std::string data;  // without the checksum
};

class ModelFile : public testing::Test {
 protected:
  fs::path write(const std::string& bytes) { return write_bytes(folder_ / "part.padim", bytes); }

  std::string saved() {
    model().save(folder_ / "saved.padim");
    return read_bytes(folder_ / "saved.padim");
  }

  void expect_refused(const std::string& bytes, std::initializer_list<std::string> words) {
    const fs::path path = write(bytes);
    const std::string sentence = expect_error(ErrorCode::bad_format, words, [&] { (void)Model::load(path); });
    EXPECT_NE(sentence.find("'" + path.string() + "'"), std::string::npos) << sentence;
  }

  ScratchFolder folder_;
};

void expect_same(const Model& loaded, const Model& expected) {
  EXPECT_EQ(loaded.id(), expected.id());
  EXPECT_EQ(loaded.info(), expected.info());
  const auto equal = [](auto a, auto b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  EXPECT_TRUE(equal(loaded.mean(), expected.mean()));
  EXPECT_TRUE(equal(loaded.whitener(), expected.whitener()));
  EXPECT_TRUE(equal(loaded.comoment(), expected.comoment()));
}

// Bit for bit what was saved; saved again it is the same file; copies and the mapping outlive the file.
TEST_F(ModelFile, ReadsBackWhatWasSaved) {
  const std::string bytes = saved();
  Model loaded = Model::load(folder_ / "saved.padim");
  expect_same(loaded, model());
  loaded.save(folder_ / "again.padim");
  EXPECT_EQ(read_bytes(folder_ / "again.padim"), bytes);
  fs::remove(folder_ / "saved.padim");
  expect_same(loaded, model());
  Detector detector(backbone(), loaded);
  EXPECT_EQ(detector.detect(view_of(picture(3))).raw_score,
            Detector(backbone(), model()).detect(view_of(picture(3))).raw_score);
}

// A save onto the very file that is mapped leaves the loaded model as it was.
TEST_F(ModelFile, SavesOverItsOwnFile) {
  const fs::path path = folder_ / "part.padim";
  model().save(path);
  const Model loaded = Model::load(path);
  fitted(5, 30).save(path);
  expect_same(loaded, model());
  loaded.save(path);
  expect_same(Model::load(path), model());
  EXPECT_EQ(folder_.entries(), 1);
}

// As readable as any new file that the user writes.
TEST_F(ModelFile, FollowsTheUmask) {
  for (const mode_t mask : {0022U, 0077U}) {
    std::filesystem::remove(folder_ / "part.padim");
    const mode_t before = ::umask(mask);
    model().save(folder_ / "part.padim");
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "part.padim").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0666U & ~mask);
  }
}

// Cut off anywhere the file is refused; nothing is read beyond its end.
TEST_F(ModelFile, RefusesTruncatedFiles) {
  const std::string good = saved();
  std::mt19937 generator(1);
  std::vector<std::size_t> lengths = {1, 7, 8, 9, 10, 100, good.size() - 33, good.size() - 32, good.size() - 1};
  for (int i = 0; i < 300; ++i)
    lengths.push_back(static_cast<std::size_t>(random_int(generator, 1, static_cast<int>(good.size()) - 1)));
  for (const std::size_t length : lengths) expect_refused(good.substr(0, length), {});
  expect_refused(good.substr(0, good.size() / 2), {"truncated"});
  expect_refused(good.substr(0, 100), {"truncated"});
  expect_refused("", {"empty"});
  expect_refused(good + "x", {"checksum"});
}

// One flipped bit anywhere is noticed.
TEST_F(ModelFile, RefusesFlippedBits) {
  const std::string good = saved();
  std::mt19937 generator(2);
  for (int round = 0; round < 600; ++round) {
    std::string bytes = good;
    // Every other one in the header and what is around it.
    const auto end = static_cast<int>(round % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 4000));
    const auto at = static_cast<std::size_t>(random_int(generator, 0, end - 1));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << round % 8));
    SCOPED_TRACE("byte " + std::to_string(at));
    expect_refused(bytes, {});
  }
  std::string bytes = good;
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  expect_refused(bytes, {"checksum", "corrupted", "restore it from a copy or fit the model again"});
}

// Each kind of foreign file has its own sentence.
TEST_F(ModelFile, RefusesForeignFiles) {
  expect_refused("\x89PNG\r\n\x1a\n and so on and on", {"not a safetensors file"});
  expect_refused(std::string(1000, '\0'), {"not a safetensors file"});
  expect_refused("PK\x03\x04zip", {"too short"});
  std::string claims = saved();
  const std::uint64_t length = std::uint64_t{1} << 40;
  std::memcpy(claims.data(), &length, sizeof(length));
  expect_refused(claims, {"header claims 1099511627776 bytes", "allowed"});

  const std::vector<float> values(4);
  write_safetensors(folder_ / "part.padim", "weights", {},
                    {{"conv.weight", {TensorType::f32, {4}, std::as_bytes(std::span(values))}}});
  expect_error(ErrorCode::bad_format, {"not a padim model"}, [&] { (void)Model::load(folder_ / "part.padim"); });
  expect_error(ErrorCode::not_found, {"model", "does not exist"}, [&] { (void)Model::load(folder_ / "none.padim"); });
  expect_error(ErrorCode::cannot_read, {"not a file"}, [&] { (void)Model::load(folder_.path()); });
}

TEST_F(ModelFile, RefusesOtherVersions) {
  Parts parts(saved());
  parts.header["__metadata__"]["format_version"] = "999";
  expect_refused(parts.bytes(), {"version 999 is newer than this library", "update padim"});
  for (const char* version : {"", "0", "-3", "one"}) {
    parts.header["__metadata__"]["format_version"] = version;
    expect_refused(parts.bytes(), {"not a number"});
  }
  parts.header["__metadata__"].erase("format_version");
  expect_refused(parts.bytes(), {"not a number"});
}

// A model meets only the backbone that it was fitted with.
TEST_F(ModelFile, RefusesOtherBackbones) {
  saved();
  const Model loaded = Model::load(folder_ / "saved.padim");
  expect_error(ErrorCode::mismatch, {"efficientnet_lite0", "resnet18"},
               [&] { Detector(std::make_shared<FakeBackbone>("resnet18"), loaded); });
  expect_error(ErrorCode::mismatch, {"SHA-256", "ffffffffffff", "aaaaaaaaaaaa", "fit again"},
               [&] { Detector(std::make_shared<FakeBackbone>("efficientnet_lite0", std::string(64, 'a')), loaded); });
}

// Signed anew but out of range: each field is checked by itself.
TEST_F(ModelFile, RefusesImpossibleDescriptions) {
  const Parts good(saved());
  struct Case {
    const char* pointer;
    Json value;
  };
  const Case cases[] = {
      {"/positions", {0, 3}},
      {"/positions", {-4, -3}},
      {"/positions", {100000, 100000}},
      {"/positions", {4}},
      {"/positions", "4x3"},
      {"/dimensions", 0},
      {"/dimensions", -1},
      {"/dimensions", 1 << 30},
      {"/dimensions", 14},
      {"/reduction/channels", Json::array()},
      {"/reduction/kind", "magic"},
      {"/geometry/mode", "sideways"},
      {"/geometry/input", {0, 0}},
      {"/geometry/input", {1 << 20, 16}},
      {"/geometry/fitted_frame", {0, 10}},
      {"/taps", Json::array()},
      {"/taps/0/stride", 0},
      {"/taps/0/channels", -5},
      {"/grid", "middle"},
      {"/epsilon", 0},
      {"/epsilon", -1.0},
      {"/epsilon", "small"},
      {"/augment_kind", "mirror"},
      {"/search_radius", 5},
      {"/search_radius", -1},
      {"/sample_bits", 7},
      {"/sample_bits", 17},
      {"/frames", 1},
      {"/calibration/threshold", 0},
      {"/calibration/threshold", -2.0},
      {"/calibration", Json::object()},
      {"/backbone", 7},
      {"/scene", Json::object()},
      {"/scene/least", {100, 20}},
      {"/scene/least", {-1, 20, 0.1}},
      {"/scene/least", {254.5, 0, 0}},
      {"/scene/most", {256, 127, 2}},
      {"/scene/most", {200, 129, 2}},
      {"/scene/most", {200, "much", 2}},
      {"/scene/most", {200, 127, nullptr}},
      {"/scene/longest_still", -1},
      {"/scene/median_distance", -0.5},
      {"/scene/segments", -1},
      {"/scene/segments", 1 << 20},
      {"/scene/frames", -1},
      {"/scene/black_found", 1},
  };
  for (const Case& c : cases) {
    Parts parts = good;
    Json description = good.description();
    description[Json::json_pointer(c.pointer)] = c.value;
    parts.header["__metadata__"]["model"] = description.dump();
    SCOPED_TRACE(std::string(c.pointer) + " = " + c.value.dump());
    expect_refused(parts.bytes(), {});
  }
  for (const char* text : {"", "[]", "{", "null"}) {
    Parts parts = good;
    parts.header["__metadata__"]["model"] = text;
    expect_refused(parts.bytes(), {"description is not usable"});
  }
}

// A model of a version that recorded no scene has none.
TEST_F(ModelFile, ReadsModelsWithoutAScene) {
  ASSERT_TRUE(model().info().scene);
  Parts parts(saved());
  Json description = parts.description();
  description.erase("scene");
  parts.header["__metadata__"]["model"] = description.dump();
  const Model old = Model::load(write(parts.bytes()));
  EXPECT_FALSE(old.info().scene);
  const Model other = fitted(20, 20);
  EXPECT_FALSE(merge(old, other).info().scene);
  EXPECT_FALSE(merge(other, old).info().scene);
}

// The same for what a fit is continued from.
TEST_F(ModelFile, RefusesImpossibleSegments) {
  const Parts good(saved());
  const Json segments = Json::parse(good.header["__metadata__"]["segments"].get<std::string>());
  struct Case {
    const char* pointer;
    Json value;
  };
  const Case cases[] = {
      {"/capacity", 0},
      {"/capacity", -1},
      {"/capacity", std::int64_t{1} << 60},
      {"/list", Json::array()},
      {"/list/0/stride", 0},
      {"/list/0/stride", 3},
      {"/list/0/stride", std::int64_t{1} << 41},
      {"/list/0/stride", std::int64_t{1} << 62},
      {"/list/0/weight", 0},
      {"/list/0/weight", -1},
      {"/list/0/weight", 2},
      {"/list/0/frames", -1},
      {"/count", -1},
      {"/list/0/copies", Json::array({2})},
      {"/list/0/apart", "yes"},
      {"/list/0", nullptr},
  };
  for (const Case& c : cases) {
    Parts parts = good;
    Json changed = segments;
    changed[Json::json_pointer(c.pointer)] = c.value;
    parts.header["__metadata__"]["segments"] = changed.dump();
    SCOPED_TRACE(std::string(c.pointer) + " = " + c.value.dump());
    expect_refused(parts.bytes(), {"segments are not usable"});
  }
}

// Models from before there were turned copies have light ones; all others name their kind.
TEST_F(ModelFile, KnowsTheKindOfItsCopies) {
  Parts parts(saved());
  Json description = parts.description();
  EXPECT_EQ(description["augment_kind"], "light");
  const auto loaded = [&] {
    parts.header["__metadata__"]["model"] = description.dump();
    return Model::load(write(parts.bytes())).info().augment_kind;
  };
  description["augment_kind"] = "rotate";
  EXPECT_EQ(loaded(), AugmentKind::rotate);
  description.erase("augment_kind");
  EXPECT_EQ(loaded(), AugmentKind::light);
}

// The range of 16-bit pictures is kept, and absent where there were none.
TEST_F(ModelFile, KeepsTheRangeOf16BitPictures) {
  Parts parts(saved());
  Json description = parts.description();
  EXPECT_FALSE(description.contains("sample_bits"));
  EXPECT_EQ(Model::load(write(parts.bytes())).info().sample_bits, 0);
  description["sample_bits"] = 12;
  parts.header["__metadata__"]["model"] = description.dump();
  const Model model = Model::load(write(parts.bytes()));
  EXPECT_EQ(model.info().sample_bits, 12);
  EXPECT_NE(describe(model).find("16-bit pictures are read as 12-bit ones"), std::string::npos);
}

// Tensors that are missing, of another type or size are named.
TEST_F(ModelFile, RefusesOtherTensors) {
  const Parts good(saved());
  for (const char* name : {"mean", "whitener", "comoment"}) {
    Parts parts = good;
    parts.header.erase(name);
    expect_refused(parts.bytes(), {std::string("'") + name + "'", "missing or has another shape"});
    parts = good;
    parts.header[name]["dtype"] = "U8";
    expect_refused(parts.bytes(), {});
    parts = good;
    parts.header[name]["data_offsets"] = {0, 0};
    parts.header[name]["shape"] = {0};
    expect_refused(parts.bytes(), {std::string("'") + name + "'"});
  }
  Parts parts = good;
  parts.header.erase("segment0.embeddings");
  expect_refused(parts.bytes(), {"segments are not usable", "do not add up"});
}

// Damage at random, signed anew as an attacker would: a sentence, or a model that can be used; never a crash.
TEST_F(ModelFile, SurvivesSignedDamage) {
  const Parts good(saved());
  const std::string header = good.header.dump();
  std::mt19937 generator(3);
  int usable = 0;
  for (int round = 0; round < 700; ++round) {
    Parts parts = good;
    std::string text = header;
    for (int i = random_int(generator, 0, 3); i > 0; --i) {
      const auto at = static_cast<std::size_t>(random_int(generator, 1, static_cast<int>(text.size()) - 1));
      text[at] = "0123456789-{}[]\",:.ex"[random_int(generator, 0, 20)];
    }
    for (int i = random_int(generator, 0, 3); i > 0; --i) {
      const auto at = static_cast<std::size_t>(random_int(generator, 0, static_cast<int>(parts.data.size()) - 1));
      parts.data[at] = static_cast<char>(generator());
    }
    if (random_int(generator, 0, 4) == 0)
      parts.data.resize(static_cast<std::size_t>(random_int(generator, 0, static_cast<int>(parts.data.size()))));
    text.append((64 - (text.size() + 8) % 64) % 64, ' ');
    try {
      const Model loaded = Model::load(write(parts.bytes(text)));
      Detector(backbone(), loaded).detect(view_of(picture(1)));
      Fitter fitter(backbone(), loaded, options());
      add(fitter, 20, 24);
      (void)fitter.finish();
      ++usable;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
    }
  }
  EXPECT_GT(usable, 25) << "the damage was too heavy to test anything behind the header";
}

// Runs `action` in a child process and returns what waitpid tells; the child must not return.
int in_child(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

// Saves and exits with 0 where the save failed as it should, saying so.
void save_must_fail(const Model& instance, const fs::path& path) {
  try {
    instance.save(path);
    ::_exit(1);
  } catch (const Error& error) {
    const bool told = std::strstr(error.what(), path.c_str()) != nullptr;
    ::_exit(error.code() == ErrorCode::cannot_write && told ? 0 : 2);
  }
}

/// A number that parent and child see.
class SharedCounter {
 public:
  SharedCounter()
      : count_(new (::mmap(nullptr, sizeof(*count_), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                   std::atomic<int>(0)) {}
  ~SharedCounter() { ::munmap(count_, sizeof(*count_)); }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  std::atomic<int>& operator*() const { return *count_; }

 private:
  std::atomic<int>* count_;
};

// Killed at random moments of a save: the file is the model of the last save that ended, or of the one that did not.
TEST_F(ModelFile, SurvivesAKilledSave) {
  const fs::path path = folder_ / "part.padim";
  const Model other = fitted(7, 40);
  model().save(path);
  std::mt19937 generator(4);
  for (int round = 0; round < 40; ++round) {
    const SharedCounter saves;
    const pid_t child = ::fork();
    if (child == 0) {
      while (true) {
        other.save(path);
        ++*saves;
        model().save(path);
        ++*saves;
      }
    }
    while (*saves <= round % 3) std::this_thread::yield();
    ::usleep(static_cast<useconds_t>(random_int(generator, 0, 15'000)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string id = Model::load(path).id();
    const bool other_ended = *saves % 2 == 1;
    EXPECT_TRUE(id == (other_ended ? other : model()).id() || id == (other_ended ? model() : other).id());
  }
}

// A disk that fills up while saving, at any point of the file: an error that names the file, the old model, no litter.
TEST_F(ModelFile, SurvivesAFullDisk) {
  const fs::path path = folder_ / "part.padim";
  model().save(path);
  const std::string before = read_bytes(path);
  const Model other = fitted(7, 40);
  for (const rlim_t room : {0U, 5U, 100U, 4096U, static_cast<unsigned>(before.size() / 2)}) {
    const int status = in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{room, room};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      save_must_fail(other, path);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "room for " << room << ": " << status;
    EXPECT_EQ(read_bytes(path), before);
    EXPECT_EQ(folder_.entries(), 1);
  }
}

// The same on a real file system that is too small.
TEST_F(ModelFile, SurvivesAFullFileSystem) {
  const fs::path disk = folder_ / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting takes root";
  const fs::path path = disk / "part.padim";
  model().save(path);
  const std::string before = read_bytes(path);
  write_bytes(disk / "filler", std::string((1U << 20) - before.size() - 3 * 4096, 'x'));
  expect_error(ErrorCode::cannot_write, {"part.padim", "untouched"}, [&] { fitted(7, 40).save(path); });
  EXPECT_EQ(read_bytes(path), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(disk), fs::directory_iterator()), 2);
  ::umount(disk.c_str());
}

// Folders that are missing or closed are named before anything is written.
TEST_F(ModelFile, NamesWhatItCannotWrite) {
  expect_error(ErrorCode::cannot_write, {"none/part.padim"}, [&] { model().save(folder_ / "none" / "part.padim"); });
  expect_error(ErrorCode::cannot_write, {"cannot write model"}, [&] { model().save(folder_.path()); });
  EXPECT_EQ(folder_.entries(), 0);
}

// The log names the model and the file, and what a fit's model rests on, once each.
TEST_F(ModelFile, IsSpokenOfInTheLog) {
  std::vector<std::string> said;
  set_log_handler([&](LogLevel level, const std::string& message) {
    if (level == LogLevel::info) said.push_back(message);
  });
  const Model fresh = fitted(0, 8);
  fresh.save(folder_ / "part.padim");
  (void)Model::load(folder_ / "part.padim");
  set_log_handler({});
  ASSERT_EQ(said.size(), 3U);
  const std::string name = "model " + fresh.id() + " of 8 frames ";
  std::ostringstream number;
  number << std::setprecision(4) << fresh.info().calibration.threshold;
  const std::string threshold = number.str();
  EXPECT_TRUE(said[0].starts_with("model computed from 8 frames in ")) << said[0];
  EXPECT_EQ(said[1], name + "written to '" + (folder_ / "part.padim").string() + "', threshold " + threshold);
  EXPECT_EQ(said[2], name + "read from '" + (folder_ / "part.padim").string() + "', threshold " + threshold);
}

}  // namespace
}  // namespace padim::test
