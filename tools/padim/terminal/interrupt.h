#pragma once

namespace padim::tool {

/// From now on the first SIGINT, SIGTERM or SIGHUP (unless it is ignored, as nohup does) only asks for a clean end,
/// which the commands look for between frames; the second one ends the process at once. Writing to a closed pipe
/// becomes an ordinary failure to write.
void catch_interrupts();

/// True once a clean end was asked for.
[[nodiscard]] bool interrupted() noexcept;

/// The interrupt has been obeyed: it is forgotten, and the next one is caught like the first.
void accept_interrupt() noexcept;

/// Exit status of an interrupted command: 128 + the signal's number, 130 for Ctrl-C.
[[nodiscard]] int interrupt_status() noexcept;

}  // namespace padim::tool
