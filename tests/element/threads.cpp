#include "threads.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

namespace padim::test {
namespace {

// proc(5): the state follows the name, which stands in parentheses and may hold anything.
bool asleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

}  // namespace

pid_t this_thread() { return gettid(); }

bool wait_until_asleep(pid_t thread) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!asleep(thread)) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace padim::test
