// The command line of the load generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "payload.h"

namespace ohws::bench {

enum class Mode : uint8_t { kEcho, kPaced, kFanout, kIdle, kChurn };

struct Options {
  Mode mode = Mode::kEcho;
  uint16_t port = 0;
  std::string path = "/";
  uint32_t connections = 64;
  uint32_t inflight = 1;
  double rate = 1000;   // messages a second, of kPaced
  std::string ca_file;  // TLS unless empty
  size_t size = 64;
  Kind kind = Kind::kText;
  double warmup_seconds = 1;
  double seconds = 3;
  uint64_t messages = 0;      // an exact count of them, or of connections, instead of the two times
  double stall_seconds = 10;  // nothing at all comes back for so long: a hang
  bool phases = false;        // a line on stdout at the start and the end of the measured time
};

extern const char* const kUsage;

// False if the arguments make no sense.
bool ParseOptions(int argc, char** argv, Options& options);

}  // namespace ohws::bench
