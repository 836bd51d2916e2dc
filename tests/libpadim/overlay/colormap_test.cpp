#include "overlay/colormap.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "padim/error.h"

namespace padim {
namespace {

struct Spot {
  Colormap colormap;
  std::size_t index;
  double r, g, b;
};

// Entries of matplotlib's published tables (_cm_listed.py; jet from the corners in _cm.py), as the fractions given
// there.
TEST(Colormap, EqualsThePublishedTables) {
  const Spot spots[] = {
      {Colormap::jet, 0, 0.0, 0.0, 0.5},
      {Colormap::jet, 1, 0.0, 0.0, 0.517825},
      {Colormap::jet, 64, 0.0, 0.503922, 1.0},
      {Colormap::jet, 128, 0.490196, 1.0, 0.477546},
      {Colormap::jet, 192, 1.0, 0.581699, 0.0},
      {Colormap::jet, 255, 0.5, 0.0, 0.0},
      {Colormap::turbo, 0, 0.18995, 0.07176, 0.23217},
      {Colormap::turbo, 1, 0.19483, 0.08339, 0.26149},
      {Colormap::turbo, 64, 0.15844, 0.73551, 0.92305},
      {Colormap::turbo, 128, 0.64362, 0.98999, 0.23356},
      {Colormap::turbo, 192, 0.9836, 0.49291, 0.12849},
      {Colormap::turbo, 255, 0.4796, 0.01583, 0.01055},
      {Colormap::inferno, 0, 0.001462, 0.000466, 0.013866},
      {Colormap::inferno, 1, 0.002267, 0.00127, 0.01857},
      {Colormap::inferno, 64, 0.3415, 0.062325, 0.429425},
      {Colormap::inferno, 128, 0.735683, 0.215906, 0.330245},
      {Colormap::inferno, 192, 0.978422, 0.557937, 0.034931},
      {Colormap::inferno, 255, 0.988362, 0.998364, 0.644924},
      {Colormap::viridis, 0, 0.267004, 0.004874, 0.329415},
      {Colormap::viridis, 1, 0.26851, 0.009605, 0.335427},
      {Colormap::viridis, 64, 0.229739, 0.322361, 0.545706},
      {Colormap::viridis, 128, 0.127568, 0.566949, 0.550556},
      {Colormap::viridis, 192, 0.369214, 0.788888, 0.382914},
      {Colormap::viridis, 255, 0.993248, 0.906157, 0.143936},
  };
  for (const Spot& spot : spots) {
    const Rgb colour = colormap_table(spot.colormap).at(spot.index);
    EXPECT_NEAR(colour.r, spot.r * 255, 0.5 + 1e-6) << to_string(spot.colormap) << ' ' << spot.index;
    EXPECT_NEAR(colour.g, spot.g * 255, 0.5 + 1e-6) << to_string(spot.colormap) << ' ' << spot.index;
    EXPECT_NEAR(colour.b, spot.b * 255, 0.5 + 1e-6) << to_string(spot.colormap) << ' ' << spot.index;
  }
}

// A digit lost in a table would show as a jump: neighbouring colours are never far apart.
TEST(Colormap, HasNoJumps) {
  for (const Colormap colormap : {Colormap::jet, Colormap::turbo, Colormap::inferno, Colormap::viridis}) {
    const std::array<Rgb, 256> table = colormap_table(colormap);
    for (std::size_t i = 1; i < table.size(); ++i) {
      const int step = std::abs(table[i].r - table[i - 1].r) + std::abs(table[i].g - table[i - 1].g) +
                       std::abs(table[i].b - table[i - 1].b);
      EXPECT_LE(step, 16) << to_string(colormap) << ' ' << i;
    }
  }
}

// The names that users give lead to the values and back; others are refused with the list of names.
TEST(Colormap, NamesRoundTrip) {
  for (const char* name : {"jet", "turbo", "inferno", "viridis"}) EXPECT_EQ(to_string(parse_colormap(name)), name);
  for (const char* name : {"", "Jet", "magma"}) {
    try {
      static_cast<void>(parse_colormap(name));
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::invalid_argument);
      EXPECT_NE(std::string(e.what()).find("viridis"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace padim
