// The header of HAProxy's PROXY protocol, versions 1 and 2, before the first byte of a connection
// (proxy-protocol.txt of HAProxy): who is behind the proxy. Takes not one byte more than the header has.
// Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/ip_network.h"

namespace ohws {

class ProxyHeader {
 public:
  enum class Status : uint8_t { kMore, kComplete, kMalformed };

  // The longest line of version 1, with its end.
  static constexpr size_t kMaxV1Bytes = 107;
  // Of version 2, what it may have behind its first 16 bytes: addresses, and fields that are skipped.
  static constexpr size_t kMaxV2Bytes = 4096;

  // Takes what belongs to the header; `used` says how much. Not to be called again after anything but kMore.
  Status Feed(std::string_view bytes, size_t& used);

  // After kComplete: the client, or nothing where the proxy speaks for itself (LOCAL), or does not know.
  const std::optional<IpAddress>& client() const { return client_; }

 private:
  Status FeedV1(std::string_view bytes, size_t& used);
  Status FeedV2(std::string_view bytes, size_t& used);
  Status ReadV1();
  Status ReadV2();

  std::string header_;
  std::optional<IpAddress> client_;
};

}  // namespace ohws
