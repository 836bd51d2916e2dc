#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <ostream>
#include <string>

#include "padim/error.h"

namespace padim {

inline void PrintTo(ErrorCode code, std::ostream* out) { *out << "ErrorCode " << static_cast<int>(code); }

}  // namespace padim

namespace padim::test {

/// Expects `action` to throw padim::Error with this code and a sentence that contains each of `words`. Returns the
/// sentence.
template <class Action>
std::string expect_error(ErrorCode code, std::initializer_list<std::string> words, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string sentence = error.what();
    EXPECT_EQ(error.code(), code) << sentence;
    for (const std::string& word : words) {
      EXPECT_NE(sentence.find(word), std::string::npos) << "'" << word << "' is missing in: " << sentence;
    }
    return sentence;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "a foreign exception came out: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace padim::test
