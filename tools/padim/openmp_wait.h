#pragma once

namespace padim::tool {

/// Restarts the program with passive waiting of OpenMP threads, unless the user has chosen a policy: GNU's OpenMP reads
/// it when it is loaded, before main(). Spinning threads make a machine that also does other work several times slower.
void wait_passively(char** arguments);

}  // namespace padim::tool
