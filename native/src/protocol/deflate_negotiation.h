// permessage-deflate: what the two sides agree on (RFC 7692 §5, §7.1), in the words of the header
// Sec-WebSocket-Extensions (RFC 6455 §9.1). Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ohws {

inline constexpr uint8_t kMinWindowBits = 8;
inline constexpr uint8_t kMaxWindowBits = 15;

// What an endpoint wants (lib/transport.ts, DeflateConfig).
struct DeflateOptions {
  uint8_t server_max_window_bits = kMaxWindowBits;  // 8–15
  uint8_t client_max_window_bits = kMaxWindowBits;  // 8–15
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  // The rest is the endpoint's own business and no part of what is agreed on.
  uint8_t level = 6;              // 0–9, as zlib's
  uint8_t memory_level = 8;       // 1–9, as zlib's
  size_t threshold_bytes = 1024;  // smaller messages are sent as they are

  // Sets one by its name in lib/transport.ts.
  void Set(std::string_view name, size_t value);
};

// What holds for a connection.
struct DeflateParameters {
  uint8_t server_max_window_bits = kMaxWindowBits;
  uint8_t client_max_window_bits = kMaxWindowBits;
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
};

struct DeflateDecision {
  enum class Kind : uint8_t {
    kPlain,    // the connection goes on without compression
    kDeflate,  // it has `agreed`
    kRefuse,   // the handshake fails
  };
  Kind kind = Kind::kPlain;
  DeflateParameters agreed;
  std::string answer;  // a server's header value, complete; empty unless kDeflate
};

// A server's decision on the client's offers, which are the header's lines joined with commas: the first
// offer that can be met as it stands wins. An offer with a parameter that is unknown, repeated or has a value
// that is not allowed is declined (§7.1), as is one that does not let us limit the client's window where
// `client_max_window_bits` is below 15. A header that breaks the grammar fails the handshake (RFC 6455 §9.1).
DeflateDecision AnswerDeflateOffers(const DeflateOptions& options, std::string_view offers);

// A client's one offer. It always names client_max_window_bits, so that the server may limit it.
std::string DeflateOffer(const DeflateOptions& options);

// What a server's answer to that offer means; empty is a decline. Anything that was not offered or asked for,
// is unknown, repeated, out of range, or less than what the offer demands fails the handshake.
DeflateDecision JudgeDeflateAnswer(const DeflateOptions& options, std::string_view answer);

}  // namespace ohws
