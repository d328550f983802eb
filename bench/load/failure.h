// The one way this program stops early: something a server did that it must not do.
#pragma once

#include <stdexcept>

namespace ohws::bench {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace ohws::bench
