// Stands for onednn.cpp in builds without oneDNN.

#include "backbone/onednn.h"

namespace padim {

bool onednn_computes_in(Precision) { return false; }

std::unique_ptr<const Engine> make_onednn_engine(std::shared_ptr<const Network>, Precision) { return nullptr; }

}  // namespace padim
