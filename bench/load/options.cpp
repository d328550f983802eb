#include "options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace ohws::bench {
namespace {

template <typename Number>
bool ParseNumber(std::string_view text, Number smallest, Number largest, Number& out) {
  Number parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  if (!(parsed >= smallest && parsed <= largest)) return false;
  out = parsed;
  return true;
}

bool ParseKind(std::string_view text, Kind& out) {
  if (text == "text") {
    out = Kind::kText;
  } else if (text == "unicode") {
    out = Kind::kUnicode;
  } else if (text == "binary") {
    out = Kind::kBinary;
  } else {
    return false;
  }
  return true;
}

bool ParseMode(std::string_view text, Mode& out) {
  constexpr std::array<std::string_view, 5> kNames = {"echo", "paced", "fanout", "idle", "churn"};
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return false;
  out = static_cast<Mode>(found - kNames.begin());
  return true;
}

bool ParseOption(std::string_view name, std::string_view value, Options& options) {
  constexpr double kLongestSeconds = 86400;
  if (name == "--mode") return ParseMode(value, options.mode);
  if (name == "--rate") return ParseNumber(value, 1.0, 1e8, options.rate);
  if (name == "--ca") return !(options.ca_file = value).empty();
  if (name == "--port") return ParseNumber<uint16_t>(value, 1, 65535, options.port);
  if (name == "--path") return (options.path = value).starts_with('/');
  if (name == "--connections") return ParseNumber(value, 1u, 20000u, options.connections);
  if (name == "--inflight") return ParseNumber(value, 1u, 4096u, options.inflight);
  if (name == "--kind") return ParseKind(value, options.kind);
  if (name == "--warmup") return ParseNumber(value, 0.0, kLongestSeconds, options.warmup_seconds);
  if (name == "--seconds") return ParseNumber(value, 0.001, kLongestSeconds, options.seconds);
  if (name == "--messages") {
    return ParseNumber(value, uint64_t{1}, uint64_t{1} << 40, options.messages);
  }
  if (name == "--stall") return ParseNumber(value, 0.001, kLongestSeconds, options.stall_seconds);
  if (name == "--size") {
    return ParseNumber(value, kMarkBytes, size_t{64} << 20, options.size) && options.size % 4 == 0;
  }
  return false;
}

}  // namespace

const char* const kUsage =
    "usage: load --port N [option value]...\n"
    "  --mode M          echo: who is answered sends the next message (the default)\n"
    "                    paced: messages leave by a timetable\n"
    "                    fanout: the first connection's messages come back to all\n"
    "                    idle: nothing happens; at the end one message on each connection\n"
    "                    churn: open, close, open again\n"
    "  --ca FILE         TLS; the server's certificate is checked with this one\n"
    "  --connections N   how many WebSocket connections (64)\n"
    "  --inflight N      messages under way on each of them (1); paced: messages at a time;\n"
    "                    fanout: messages under way in all\n"
    "  --rate R          paced: messages a second (1000)\n"
    "  --size N          bytes of a message, a multiple of 4, at least 16 (64)\n"
    "  --kind K          text, unicode or binary (text)\n"
    "  --warmup S        seconds before the measured time (1)\n"
    "  --seconds S       measured time (3)\n"
    "  --messages N      send exactly so many, over all connections, instead of the two times;\n"
    "                    churn: open so many connections\n"
    "  --stall S         give up when nothing comes back for so many seconds (10)\n"
    "  --path P          path to ask for (/)\n"
    "  --phases          tell on stdout when the measured time begins and ends\n";

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--phases") == 0) {
      options.phases = true;
    } else if (i + 1 == argc || !ParseOption(argv[i], argv[i + 1], options)) {
      return false;
    } else {
      ++i;
    }
  }
  return options.port != 0;
}

}  // namespace ohws::bench
