// What a server has done since its start: plain integers, counted where it happens on the engine thread, and
// read there between two turns. So a snapshot is consistent, and counting costs a message one addition.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ohws {

// Messages and bytes of established connections. Bytes are those of the frames, with their headers, as the
// socket or TLS takes and gives them.
struct Traffic {
  uint64_t messages_received = 0;
  uint64_t messages_sent = 0;  // accepted for sending
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  // Of compressed messages: on the wire, and what they are without compression.
  uint64_t deflated_received = 0;
  uint64_t inflated_received = 0;
  uint64_t deflated_sent = 0;
  uint64_t inflated_sent = 0;
};

// Why somebody was not let in.
enum class RefusalReason : uint8_t {
  kRequest,              // no upgrade request by the rules
  kHead,                 // too large a head
  kTimeout,              // too slow
  kHandshakes,           // too many others at it
  kOrigin,               //
  kConnections,          // the server is full
  kClients,              // too many addresses
  kConnectionsOfClient,  //
  kRate,                 // too often in a short time
  kBusy,                 // stopping, or JavaScript is far behind
  kHook,                 // JavaScript has decided so
};
// In that order; lib/server-stats.ts has the same names.
inline constexpr std::array<std::string_view, 11> kRefusalNames = {
    "request", "head", "timeout", "handshakes", "origin", "connections", "clients", "connectionsOfClient",
    "rate",    "busy", "hook"};

struct ServerCounters {
  Traffic traffic;
  uint64_t tcp_accepted = 0;
  uint64_t upgraded = 0;
  uint64_t tls12 = 0;  // upgraded connections by TLS version
  uint64_t tls13 = 0;
  uint64_t tls_resumed = 0;
  uint64_t rate_delays = 0;   // how often a connection was made to wait
  uint64_t rate_refused = 0;  // messages
  uint64_t rate_closed = 0;   // connections
  std::array<uint64_t, kRefusalNames.size()> refused{};

  void CountRefusal(RefusalReason reason) { ++refused[static_cast<size_t>(reason)]; }
};

}  // namespace ohws
