#include "terminal/interrupt.h"

#include <csignal>

namespace padim::tool {
namespace {

volatile std::sig_atomic_t received_signal = 0;

extern "C" void remember_signal(int number) { received_signal = number; }

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART a read from a slow device returns; with SA_RESETHAND the second signal kills.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before = {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() noexcept { return received_signal != 0; }

void accept_interrupt() noexcept {
  received_signal = 0;
  catch_interrupts();
}

int interrupt_status() noexcept { return 128 + received_signal; }

}  // namespace padim::tool
