#pragma once

#include "framestatistics.h"
#include "interruption.h"
#include "lateness.h"
#include "processingtime.h"
#include "published.h"
#include "requests.h"

namespace padim::gst {

/// What the streaming thread shares with all others. Each member has a mutex of its own, held only inside its
/// functions, which call nothing meanwhile: it may be taken with or without any other lock.
struct Shared {
  Published published;
  Requests requests;
  Lateness lateness;
  ProcessingTime processing_time;
  FrameStatistics statistics;
  Interruption interruption;
};

}  // namespace padim::gst
